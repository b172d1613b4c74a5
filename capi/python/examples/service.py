"""Runs a JAM service: gives it arguments, answers its host calls, prints gas, registers and result.

    python3 service.py ../../examples/programs/service.jam 1 2 3
"""

import sys

import pvm


def host(vm: pvm.Vm, number: int) -> int | None:
    """Host call 100 is the log of JIP-1: level, target and its length, message and its length in registers 7 to 11."""
    if number == 100:
        print("log:", vm.read(vm[10], vm[11]).decode())
        vm.gas -= 10
    vm[7] = pvm.WHAT


def main() -> None:
    with open(sys.argv[1], "rb") as file:
        module = pvm.Module.from_standard(file.read(), pvm.Profile.GRAY_PAPER_0_8)
    vm = module.instantiate()
    vm.on_host_call(host)
    vm.prepare_standard(bytes(int(argument) for argument in sys.argv[2:]))
    vm.gas = 10_000
    result = vm.resume()
    print(result.name, vm.describe())
    print(" ".join(f"{value:#x}" for value in vm.registers))
    print("sum:", int.from_bytes(vm.output(), "little"))


if __name__ == "__main__":
    main()
