package libpvm

import (
	"encoding/binary"
	"os"
	"sync"
	"testing"
)

func program(t *testing.T, name string) []byte {
	t.Helper()
	blob, err := os.ReadFile("../examples/programs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func service(t *testing.T, name string, backend Backend) *VM {
	t.Helper()
	module, err := FromStandard(program(t, name), Config{Profile: GrayPaper08, Backend: backend})
	must(t, err)
	defer module.Close()
	vm, err := module.Instantiate()
	must(t, err)
	must(t, vm.SetGas(100000))
	return vm
}

func TestService(t *testing.T) {
	for _, backend := range []Backend{Interpreter, Recompiler} {
		if !backend.IsAvailable() {
			continue
		}
		vm := service(t, "service.jam", backend)
		logged := ""
		must(t, vm.OnHostCall(func(vm *VM, number uint32) HostResult {
			message := make([]byte, vm.Register(11))
			must(t, vm.ReadMemory(uint32(vm.Register(10)), message))
			logged = string(message)
			return Continue
		}))
		must(t, vm.PrepareStandard(0, []byte{1, 2, 250}))
		result, err := vm.Resume()
		must(t, err)
		sum := make([]byte, 8)
		must(t, vm.ReadMemory(uint32(vm.Register(7)), sum))
		if result != OK || logged != "summed up" || binary.LittleEndian.Uint64(sum) != 253 {
			t.Errorf("%v, %q, %v: %s", result, logged, sum, vm.Describe())
		}
		vm.Close()
	}
}

func TestHostCallsWithoutCallback(t *testing.T) {
	vm := service(t, "calls.jam", Interpreter)
	defer vm.Close()
	must(t, vm.Prepare(0, 10))
	for {
		result, err := vm.Resume()
		must(t, err)
		if result == OK {
			break
		}
		if result != HostCall || vm.HostCall() != 7 {
			t.Fatal(vm.Describe())
		}
		must(t, vm.SetRegister(7, vm.Register(7)*vm.Register(7)))
	}
	if vm.Register(7) != 385 {
		t.Error(vm.Register(7))
	}
}

func TestPanicsOfCallbacksComeOut(t *testing.T) {
	vm := service(t, "calls.jam", Interpreter)
	defer vm.Close()
	must(t, vm.OnHostCall(func(*VM, uint32) HostResult { panic("nothing") }))
	must(t, vm.Prepare(0, 1))
	defer func() {
		if recover() != "nothing" {
			t.Error("the panic is lost")
		}
	}()
	_, _ = vm.Resume()
}

// The runtime of Go has a handler for SIGSEGV of its own.
func TestFaultsOfTheProgramAndOfGo(t *testing.T) {
	var group sync.WaitGroup
	for i := 0; i < 4; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for round := 0; round < 50; round++ {
				backend := Recompiler
				if !backend.IsAvailable() {
					backend = Interpreter
				}
				module, err := FromRaw(program(t, "pages.pvm"), Config{Profile: GrayPaper08, Backend: backend})
				if err != nil {
					t.Error(err)
					return
				}
				vm, err := module.Instantiate()
				if err != nil {
					t.Error(err)
					return
				}
				_ = vm.SetGas(100000)
				_ = vm.Prepare(0, 0x100000, 3)
				faults := 0
				result, err := vm.Resume()
				for ; result == Fault; result, err = vm.Resume() {
					faults++
					_ = vm.Map(vm.FaultAddress(), 4096, ReadWrite)
				}
				if err != nil || result != OK || faults != 3 {
					t.Error(err, result, faults)
				}
				vm.Close()
				module.Close()
				func() {
					defer func() {
						if recover() == nil {
							t.Error("Go has lost its signal")
						}
					}()
					var nothing *int
					*nothing = 1
				}()
			}
		}()
	}
	group.Wait()
}

func TestErrors(t *testing.T) {
	if _, err := FromRaw([]byte{1}, Config{Profile: GrayPaper08}); err == nil {
		t.Error("no program, no error")
	}
	if _, err := FromRaw([]byte{0, 0, 0}, Config{}); err == nil {
		t.Error("no profile, no error")
	}
}
