// Package libpvm is the PVM of JAM, by libpvm. It needs cgo; pkg-config must know `pvm`, or CGO_CFLAGS and CGO_LDFLAGS say where
// the library is.
package libpvm

/*
#cgo LDFLAGS: -lpvm
#include <stdlib.h>
#include <pvm.h>

pvm_host_result_t libpvmHostCall(pvm_vm_t *vm, int number);

static pvm_status_t set_go_callback(pvm_vm_t *vm, int enable) {
	return pvm_set_host_callback(vm, enable ? libpvmHostCall : NULL);
}

static void set_handle(pvm_vm_t *vm, uintptr_t handle) {
	pvm_set_user_data(vm, (void *)handle);
}

static uintptr_t handle_of(pvm_vm_t *vm) {
	return (uintptr_t)pvm_get_user_data(vm);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/cgo"
	"unsafe"
)

// Profile says which Gray Paper.
type Profile uint32

// Profiles.
const (
	GrayPaper07      Profile = C.PVM_PROFILE_GRAY_PAPER_0_7
	GrayPaper07Block Profile = C.PVM_PROFILE_GRAY_PAPER_0_7_BLOCK
	GrayPaper08      Profile = C.PVM_PROFILE_GRAY_PAPER_0_8
)

// Backend is what executes programs.
type Backend uint32

// Backends.
const (
	Interpreter Backend = C.PVM_BACKEND_INTERPRETER
	Recompiler  Backend = C.PVM_BACKEND_RECOMPILER
)

// IsAvailable says whether this machine has a backend.
func (backend Backend) IsAvailable() bool {
	return C.pvm_backend_available(C.uint32_t(backend)) == 1
}

// Result is why an execution returned.
type Result int32

// Results.
const (
	OK       Result = C.PVM_RESULT_OK
	OutOfGas Result = C.PVM_RESULT_OOG
	Panic    Result = C.PVM_RESULT_PANIC
	HostCall Result = C.PVM_RESULT_HOST_CALL
	Fault    Result = C.PVM_RESULT_FAULT
	Paused   Result = C.PVM_RESULT_PAUSED
)

// HostResult is what a host callback wants.
type HostResult int32

// What a host callback can want.
const (
	Continue  HostResult = C.PVM_HOST_CONTINUE
	Terminate HostResult = C.PVM_HOST_TERMINATE
	HostError HostResult = C.PVM_HOST_ERROR
)

// Permission is what a program may do to a page.
type Permission uint32

// Permissions.
const (
	NoAccess  Permission = C.PVM_PERMISSION_NONE
	Read      Permission = C.PVM_PERMISSION_READ
	ReadWrite Permission = C.PVM_PERMISSION_READ_WRITE
)

// RegisterCount is how many registers a VM has.
const RegisterCount = C.PVM_REGISTER_COUNT

// Results of host calls, as in the Gray Paper.
const (
	None uint64 = C.PVM_NONE
	What uint64 = C.PVM_WHAT
	OOB  uint64 = C.PVM_OOB
	Who  uint64 = C.PVM_WHO
	Huh  uint64 = C.PVM_HUH
)

// Error is a failure of a function of libpvm; nothing has changed.
type Error struct {
	Status int32
	Text   string
}

func (err *Error) Error() string { return err.Text }

// locked calls a function on one thread, since texts of errors belong to threads.
func locked(call func() C.pvm_status_t) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	status := call()
	if status == C.PVM_STATUS_OK {
		return nil
	}
	return &Error{int32(status), C.GoString(C.pvm_last_error())}
}

// start is where the bytes of a slice are; nil for none.
func start(bytes []byte) *C.uint8_t {
	if len(bytes) == 0 {
		return nil
	}
	return (*C.uint8_t)(unsafe.Pointer(&bytes[0]))
}

// Config is how programs are executed.
type Config struct {
	Profile Profile
	Backend Backend
	// MemoryLimit in bytes; 0: none.
	MemoryLimit uint64
}

func (config Config) read() (C.pvm_config_t, error) {
	var settings C.pvm_config_t
	err := locked(func() C.pvm_status_t {
		return C.pvm_config_init(&settings, C.sizeof_pvm_config_t, C.uint32_t(config.Profile))
	})
	settings.backend = C.uint32_t(config.Backend)
	if config.MemoryLimit != 0 {
		settings.memory_limit = C.uint64_t(config.MemoryLimit)
	}
	return settings, err
}

// Module is a compiled program, which any number of VMs and goroutines can share.
type Module struct{ handle *C.pvm_module_t }

// FromStandard compiles a JAM standard program (SPI).
func FromStandard(blob []byte, config Config) (*Module, error) {
	settings, err := config.read()
	if err != nil {
		return nil, err
	}
	module := new(Module)
	err = locked(func() C.pvm_status_t {
		return C.pvm_module_from_standard(&settings, start(blob), C.size_t(len(blob)), &module.handle)
	})
	return module, err
}

// FromRaw compiles jump table, code and bitmask in one blob.
func FromRaw(blob []byte, config Config) (*Module, error) {
	settings, err := config.read()
	if err != nil {
		return nil, err
	}
	module := new(Module)
	err = locked(func() C.pvm_status_t {
		return C.pvm_module_from_raw(&settings, start(blob), C.size_t(len(blob)), &module.handle)
	})
	return module, err
}

// Close releases it. VMs stay usable.
func (module *Module) Close() {
	C.pvm_module_release(module.handle)
	module.handle = nil
}

// Instantiate makes a VM: registers zero, no gas, memory as the program declares it.
func (module *Module) Instantiate() (*VM, error) {
	vm := new(VM)
	err := locked(func() C.pvm_status_t { return C.pvm_instantiate(module.handle, &vm.handle) })
	if err != nil {
		return nil, err
	}
	vm.self = cgo.NewHandle(vm)
	C.set_handle(vm.handle, C.uintptr_t(vm.self))
	return vm, nil
}

// VM is a program with registers, gas and memory of its own, for one goroutine at a time.
type VM struct {
	handle *C.pvm_vm_t
	self   cgo.Handle
	answer func(vm *VM, number uint32) HostResult
	raised any
}

// OnHostCall sets what host calls are answered by; nil: Resume returns at each.
func (vm *VM) OnHostCall(answer func(vm *VM, number uint32) HostResult) error {
	vm.answer = answer
	enable := C.int(0)
	if answer != nil {
		enable = 1
	}
	return locked(func() C.pvm_status_t { return C.set_go_callback(vm.handle, enable) })
}

//export libpvmHostCall
func libpvmHostCall(handle *C.pvm_vm_t, number C.int) (result C.pvm_host_result_t) {
	vm := cgo.Handle(C.handle_of(handle)).Value().(*VM)
	// A panic must not unwind through C: it goes on in Resume.
	defer func() {
		if raised := recover(); raised != nil {
			vm.raised = raised
			result = C.PVM_HOST_TERMINATE
		}
	}()
	return C.pvm_host_result_t(vm.answer(vm, uint32(number)))
}

// Prepare prepares a call with up to nine arguments in registers.
func (vm *VM) Prepare(pc uint32, arguments ...uint64) error {
	var first *C.uint64_t
	if len(arguments) > 0 {
		first = (*C.uint64_t)(unsafe.Pointer(&arguments[0]))
	}
	return locked(func() C.pvm_status_t {
		return C.pvm_prepare(vm.handle, C.uint32_t(pc), first, C.size_t(len(arguments)))
	})
}

// PrepareStandard prepares a JAM standard program, with arguments in memory.
func (vm *VM) PrepareStandard(pc uint32, arguments []byte) error {
	return locked(func() C.pvm_status_t {
		return C.pvm_prepare_standard(vm.handle, C.uint32_t(pc), start(arguments), C.size_t(len(arguments)))
	})
}

// Resume executes what was prepared, or goes on where the last execution stopped.
func (vm *VM) Resume() (Result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	result := Result(C.pvm_resume(vm.handle))
	if raised := vm.raised; raised != nil {
		vm.raised = nil
		panic(raised)
	}
	if result == C.PVM_RESULT_ERROR {
		return result, errors.New(C.GoString(C.pvm_last_error()))
	}
	return result, nil
}

// HostCall is the number of the host call at which it is.
func (vm *VM) HostCall() uint32 { return uint32(C.pvm_get_host_call(vm.handle)) }

// FaultAddress is the start of the page to map, at a page fault.
func (vm *VM) FaultAddress() uint32 { return uint32(C.pvm_get_fault_address(vm.handle)) }

// Gas that is left.
func (vm *VM) Gas() uint64 { return uint64(C.pvm_get_gas(vm.handle)) }

// SetGas sets the gas that is left, at most 2^63 - 1.
func (vm *VM) SetGas(gas uint64) error {
	return locked(func() C.pvm_status_t { return C.pvm_set_gas(vm.handle, C.uint64_t(gas)) })
}

// Register gives a register.
func (vm *VM) Register(index int) uint64 { return uint64(C.pvm_get_register(vm.handle, C.int(index))) }

// SetRegister sets a register.
func (vm *VM) SetRegister(index int, value uint64) error {
	return locked(func() C.pvm_status_t { return C.pvm_set_register(vm.handle, C.int(index), C.uint64_t(value)) })
}

// ReadMemory fills a buffer with bytes of memory.
func (vm *VM) ReadMemory(address uint32, buffer []byte) error {
	return locked(func() C.pvm_status_t {
		return C.pvm_read_memory(vm.handle, C.uint32_t(address), start(buffer), C.size_t(len(buffer)))
	})
}

// WriteMemory writes memory that the program can write.
func (vm *VM) WriteMemory(address uint32, data []byte) error {
	return locked(func() C.pvm_status_t {
		return C.pvm_write_memory(vm.handle, C.uint32_t(address), start(data), C.size_t(len(data)))
	})
}

// Map maps whole pages; new ones are zero.
func (vm *VM) Map(address uint32, length uint64, permission Permission) error {
	return locked(func() C.pvm_status_t {
		return C.pvm_map(vm.handle, C.uint32_t(address), C.uint64_t(length), C.uint32_t(permission))
	})
}

// Describe says in a line where it stopped.
func (vm *VM) Describe() string {
	var text [256]C.char
	err := locked(func() C.pvm_status_t { return C.pvm_describe(vm.handle, &text[0], C.size_t(len(text)), nil) })
	if err != nil {
		return fmt.Sprint(err)
	}
	return C.GoString(&text[0])
}

// Close destroys it.
func (vm *VM) Close() {
	if vm.handle != nil {
		C.pvm_destroy(vm.handle)
		vm.self.Delete()
		vm.handle = nil
	}
}
