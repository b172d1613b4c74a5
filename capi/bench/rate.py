"""How fast libpvm is from Python: gas a second, host calls, memory."""

import pathlib
import time

import pvm

PROGRAMS = pathlib.Path(__file__).parent.parent / "examples" / "programs"
MOST = (1 << 63) - 1


def best(work, runs=3, seconds=0.5):
    """The least of `runs` times or more, `seconds` of them."""
    times = []
    while len(times) < runs or sum(times) < seconds:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def rate(vm, pc, argument):
    """Gas a second, in billions, of a program that makes no host call."""

    def prepare():
        vm.reset()
        vm.prepare(pc, argument)
        vm.gas = MOST

    def timed():
        start = time.perf_counter()
        assert vm.resume() == pvm.Result.OK
        return time.perf_counter() - start

    times = []
    while len(times) < 3 or sum(times) < 0.5:
        prepare()
        times.append(timed())
    return (MOST - vm.gas) / min(times) / 1e9


def main():
    for backend in (pvm.Backend.INTERPRETER, pvm.Backend.RECOMPILER):
        if not backend.is_available:
            continue
        native = backend == pvm.Backend.RECOMPILER

        def show(name, value, unit):
            print(f"Python {backend.name.lower()} {name} {value:.3f} {unit}")

        config = pvm.Config(pvm.Profile.GRAY_PAPER_0_7_BLOCK, backend=backend)
        spin = pvm.Module.from_raw((PROGRAMS / "spin.pvm").read_bytes(), config)
        show("loop", rate(spin.instantiate(), 0, 200_000_000 if native else 20_000_000), "Ggas/s")
        for line in (pathlib.Path(__file__).parent / "guests.txt").read_text().splitlines():
            guest, export, *arguments = line.split()
            blob = (PROGRAMS / f"../../../guests/blobs/jam-v1/{guest}.polkavm").read_bytes()
            module = pvm.Module.from_polkavm(blob, config)
            show(guest, rate(module.instantiate(), module.exports[export], int(arguments[native])), "Ggas/s")

        calls = 200_000
        host = pvm.Module.from_standard((PROGRAMS / "calls.jam").read_bytes(), config).instantiate()

        def by_return():
            host.prepare(0, calls)
            host.gas = MOST
            while host.resume() == pvm.Result.HOST_CALL:
                host[7] += 7

        def by_callback():
            host.prepare(0, calls)
            host.gas = MOST
            assert host.resume() == pvm.Result.OK

        def answer(vm, number):
            vm[7] += number

        show("call-by-return", best(by_return) / calls * 1e9, "ns")
        host.on_host_call(answer)
        show("call-by-callback", best(by_callback) / calls * 1e9, "ns")

        def memory():
            for _ in range(calls):
                host.write(0x20000, bytes(32))
                host.read(0x20000, 32)

        show("write-and-read", best(memory) / calls * 1e9, "ns")


if __name__ == "__main__":
    main()
