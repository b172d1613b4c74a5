// Command service runs a JAM service: gives it arguments, answers its host calls, prints gas, registers and result.
//
//	go run ./examples/service ../examples/programs/service.jam 1 2 3
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"

	"hatchery/libpvm"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 {
		return fmt.Errorf("usage: service PROGRAM NUMBER...")
	}
	blob, err := os.ReadFile(arguments[0])
	if err != nil {
		return err
	}
	var input []byte
	for _, argument := range arguments[1:] {
		number, err := strconv.ParseUint(argument, 10, 8)
		if err != nil {
			return err
		}
		input = append(input, byte(number))
	}

	module, err := libpvm.FromStandard(blob, libpvm.Config{Profile: libpvm.GrayPaper08})
	if err != nil {
		return err
	}
	defer module.Close()
	vm, err := module.Instantiate()
	if err != nil {
		return err
	}
	defer vm.Close()
	if err := vm.SetGas(10_000); err != nil {
		return err
	}
	if err := vm.PrepareStandard(0, input); err != nil {
		return err
	}

	result, err := vm.Resume()
	for ; err == nil && result == libpvm.HostCall; result, err = vm.Resume() {
		if err := answer(vm); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	fmt.Println(vm.Describe())
	for index := 0; index < libpvm.RegisterCount; index++ {
		fmt.Printf("%#x ", vm.Register(index))
	}
	fmt.Println()
	if result != libpvm.OK {
		return fmt.Errorf("the service did not halt")
	}
	sum := make([]byte, 8)
	if err := vm.ReadMemory(uint32(vm.Register(7)), sum); err != nil {
		return err
	}
	fmt.Println("sum:", binary.LittleEndian.Uint64(sum))
	return nil
}

// answer answers a host call. Number 100 is the log of JIP-1: level, target and its length, message and its length in registers
// 7 to 11.
func answer(vm *libpvm.VM) error {
	if vm.HostCall() == 100 {
		message := make([]byte, vm.Register(11))
		if err := vm.ReadMemory(uint32(vm.Register(10)), message); err != nil {
			return err
		}
		fmt.Printf("log: %s\n", message)
		if err := vm.SetGas(vm.Gas() - 10); err != nil {
			return err
		}
	}
	return vm.SetRegister(7, libpvm.What)
}
