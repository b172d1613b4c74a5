"""How fast libpvm is from Python: gas a second, host calls, memory."""

import pathlib
import time

import pvm

PROGRAMS = pathlib.Path(__file__).parent.parent / "examples" / "programs"
MOST = (1 << 63) - 1


def best(work, runs=3):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    for backend in (pvm.Backend.INTERPRETER, pvm.Backend.RECOMPILER):
        if not backend.is_available:
            continue
        config = pvm.Config(pvm.Profile.GRAY_PAPER_0_7_BLOCK, backend=backend)
        vm = pvm.Module.from_raw((PROGRAMS / "spin.pvm").read_bytes(), config).instantiate()

        def spin():
            vm.prepare(0, 200_000_000 if backend == pvm.Backend.RECOMPILER else 20_000_000)
            vm.gas = MOST
            assert vm.resume() == pvm.Result.OK

        rate = (lambda seconds: (MOST - vm.gas) / seconds / 1e9)(best(spin))
        blob = (PROGRAMS / "../../../guests/blobs/jam-v1/primes.polkavm").read_bytes()
        guest = pvm.Module.from_polkavm(blob, config)
        sieve = guest.instantiate()

        def primes():
            sieve.reset()
            sieve.prepare(guest.exports["primes"], 20_000_000 if backend == pvm.Backend.RECOMPILER else 2_000_000)
            sieve.gas = MOST
            assert sieve.resume() == pvm.Result.OK

        found = (lambda seconds: (MOST - sieve.gas) / seconds / 1e9)(best(primes))
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

        returned = best(by_return) / calls
        host.on_host_call(answer)
        called = best(by_callback) / calls

        def memory():
            for _ in range(calls):
                host.write(0x20000, bytes(32))
                host.read(0x20000, 32)

        print(
            f"Python {backend.name.lower()}: loop {rate:.2f}, primes {found:.2f} Ggas/s, host call {returned * 1e9:.0f} ns by return, "
            f"{called * 1e9:.0f} ns by callback, write and read of 32 bytes {best(memory) / calls * 1e9:.0f} ns"
        )


if __name__ == "__main__":
    main()
