"""Tests of the package. PYTHONPATH must lead to it, PVM_LIBRARY to a libpvm."""

import faulthandler
import gc
import pathlib
import subprocess
import sys
import threading
import unittest

import pvm

HERE = pathlib.Path(__file__).parent
PROGRAMS = HERE.parent.parent / "examples" / "programs"
BACKENDS = [backend for backend in pvm.Backend if backend.is_available]

# ecalli 7; add_imm_64 a0, a0, 1; jump_ind ra, 0
CALL = bytes([10, 7, 149, 0x77, 1, 50, 0])
BITS = bytes([0x25])


def module(name, make=pvm.Module.from_standard, **settings):
    return make((PROGRAMS / name).read_bytes(), pvm.Config(pvm.Profile.GRAY_PAPER_0_8, **settings))


class Interface(unittest.TestCase):
    def test_declarations_are_those_of_the_header(self):
        generate = HERE.parent / "generate.py"
        subprocess.run([sys.executable, generate, "--check"], check=True)

    def test_version(self):
        self.assertRegex(pvm.version(), r"^\d+\.\d+\.\d+$")

    def test_configurations_are_checked(self):
        with self.assertRaises(TypeError):
            pvm.Config(memory=1)
        with self.assertRaisesRegex(pvm.PvmError, "profile 9"):
            pvm.Config(9)
        with self.assertRaisesRegex(pvm.PvmError, "backend 99"):
            pvm.Module.from_raw(b"", pvm.Config(backend=99))


class Running(unittest.TestCase):
    def test_a_service_runs_on_every_backend(self):
        seen = set()
        for backend in BACKENDS:
            messages = []

            def host(vm, number):
                self.assertEqual(number, 100)
                messages.append(vm.read(vm[10], vm[11]))
                vm[7] = pvm.WHAT

            vm = module("service.jam", backend=backend).instantiate()
            vm.on_host_call(host)
            vm.prepare_standard(bytes([1, 2, 250]))
            vm.gas = 10_000
            self.assertEqual(vm.resume(), pvm.Result.OK)
            self.assertEqual(messages, [b"summed up"])
            self.assertEqual(vm.output(), (253).to_bytes(8, "little"))
            self.assertFalse(vm.exit.can_resume)
            seen.add((vm.gas, vm.pc, vm.registers))
        self.assertEqual(len(seen), 1, "all backends do the same")

    def test_host_calls_without_a_callback(self):
        vm = module("calls.jam").instantiate()
        vm.prepare(0, 10)
        vm.gas = 100_000
        while vm.resume() == pvm.Result.HOST_CALL:
            self.assertEqual((vm.host_call, vm.exit.host_call), (7, 7))
            vm[7] *= vm[7]
        self.assertEqual(vm[7], sum(n * n for n in range(11)))

    def test_exceptions_of_callbacks_come_out(self):
        def host(vm, number):
            raise KeyError("nothing")

        vm = module("calls.jam").instantiate()
        vm.on_host_call(host)
        vm.prepare(0, 1)
        vm.gas = 1000
        with self.assertRaisesRegex(KeyError, "nothing"):
            vm.resume()
        # It is still at the host call.
        vm.on_host_call(lambda vm, number: pvm.Host.ERROR)
        self.assertEqual(vm.resume(), pvm.Result.OK)
        vm.prepare(0, 1)
        self.assertEqual(vm.resume(), pvm.Result.PANIC)

    def test_gas_runs_out_and_can_be_added(self):
        vm = pvm.Module.from_parts(CALL, BITS, config=pvm.Profile.GRAY_PAPER_0_7).instantiate()
        vm[0] = 0xFFFF0000
        vm.pc = 0
        self.assertEqual(vm.resume(), pvm.Result.OOG)
        vm.gas = 1
        self.assertEqual(vm.resume(), pvm.Result.HOST_CALL)
        self.assertEqual(vm.resume(), pvm.Result.OOG)
        vm.gas += 5
        self.assertEqual(vm.resume(), pvm.Result.OK)
        self.assertEqual((vm.gas, vm[7]), (3, 1))
        with self.assertRaises(ValueError):
            vm.gas = 1 << 63
        with self.assertRaisesRegex(pvm.PvmError, "has halted"):
            vm.resume()

    def test_page_faults_can_be_resolved(self):
        for backend in BACKENDS:
            vm = module("pages.pvm", pvm.Module.from_raw, backend=backend).instantiate()
            vm.prepare(0, 0x100000, 5)
            vm.gas = 100_000
            while vm.resume() == pvm.Result.FAULT:
                page = vm.exit.page_address
                vm.map(page, 4096, pvm.Permission.READ)
                vm.initialize(page, bytes([page >> 12 & 255]))
            self.assertEqual(vm[7], 0 + 1 + 2 + 3 + 4)

    def test_steps_and_traces(self):
        vm = pvm.Module.from_parts(CALL, BITS, config=pvm.Profile.GRAY_PAPER_0_7).instantiate()
        vm.gas, vm[0], vm.pc = 100, 0xFFFF0000, 0
        self.assertEqual(vm.step(), pvm.Result.HOST_CALL)
        self.assertEqual(vm.step(), pvm.Result.PAUSED)
        self.assertEqual(vm.pc, 5)
        events = []
        vm.on_trace(pvm.Unit.INSTRUCTION, lambda vm, event: events.append(event))
        self.assertEqual(vm.execute(0), pvm.Result.HOST_CALL)
        self.assertEqual(vm.resume(), pvm.Result.OK)
        self.assertEqual([event.pc for event in events], [0, 2, 5])
        vm.on_trace(pvm.Unit.INSTRUCTION, lambda vm, event: event.pc == 2)
        self.assertEqual(vm.execute(0), pvm.Result.HOST_CALL)
        self.assertEqual(vm.resume(), pvm.Result.PAUSED)
        self.assertEqual(vm.pc, 2)

        def fails(vm, event):
            raise RuntimeError("watched")

        vm.on_trace(pvm.Unit.BLOCK, fails)
        with self.assertRaisesRegex(RuntimeError, "watched"):
            vm.execute(0)

    def test_another_thread_interrupts(self):
        # jump 0: without end
        vm = pvm.Module.from_parts(bytes([40, 0]), b"\1").instantiate()
        vm.set_interruptible()
        vm.gas = (1 << 63) - 1
        vm.pc = 0
        timer = threading.Timer(0.05, vm.interrupt)
        timer.start()
        self.assertEqual(vm.resume(), pvm.Result.PAUSED)
        timer.join()
        self.assertLess(vm.gas, (1 << 63) - 1)

    def test_threads_share_a_module(self):
        shared = module("calls.jam")
        sums = []

        def work():
            for _ in range(20):
                vm = shared.instantiate()
                vm.prepare(0, 20)
                vm.gas = 100_000
                while vm.resume() == pvm.Result.HOST_CALL:
                    vm[7] += 1
                sums.append(vm[7])

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sums, [230] * 80)


class State(unittest.TestCase):
    def setUp(self):
        self.module = module("calls.jam")
        self.vm = self.module.instantiate()
        self.vm.prepare(0, 5)
        self.vm.gas = 10_000
        self.assertEqual(self.vm.resume(), pvm.Result.HOST_CALL)

    @staticmethod
    def finish(vm):
        while vm.resume() == pvm.Result.HOST_CALL:
            vm[7] = 3
        return vm[7], vm.gas

    def test_forks_and_snapshots_go_on_alike(self):
        snapshot = self.vm.snapshot()
        vms = [self.vm.fork(), self.module.restore(snapshot)]
        self.assertEqual(vms[1].snapshot(), snapshot)
        ends = {self.finish(vm) for vm in [*vms, self.vm]}
        self.assertEqual(len(ends), 1)
        self.vm.restore(snapshot)
        self.assertEqual({self.finish(self.vm)}, ends)
        with self.assertRaisesRegex(pvm.PvmError, "not a snapshot"):
            self.vm.restore(snapshot[:-1])

    def test_a_recording_can_be_replayed(self):
        vm = self.module.instantiate()
        vm.record()
        vm.prepare(0, 3)
        vm.gas = 5_000
        self.finish(vm)
        recording = vm.recording()
        self.assertEqual(recording.count("\necalli=7 "), 3)
        self.module.instantiate().replay(recording)
        with self.assertRaisesRegex(pvm.PvmError, "the trace says host call 8"):
            self.module.instantiate().replay(recording.replace("ecalli=7", "ecalli=8", 1))

    def test_registers(self):
        self.vm.registers = range(13)
        self.assertEqual(self.vm.registers, tuple(range(13)))
        self.vm[12] = -1
        self.assertEqual(self.vm[12], pvm.NONE)
        self.vm.registers = range(1, 14)
        self.assertEqual(self.vm[12], 13)
        for index in (-1, 13):
            with self.assertRaises(IndexError):
                self.vm[index]
        with self.assertRaises(ValueError):
            self.vm.registers = [1]

    def test_places_are_not_cut_off(self):
        for pc in (-1, 1 << 32):
            for start in (self.vm.prepare, self.vm.execute, lambda pc: self.vm.prepare_standard(b"", pc)):
                with self.assertRaisesRegex(ValueError, "code has no such place"):
                    start(pc)
            with self.assertRaises(ValueError):
                self.vm.pc = pc

    def test_memory(self):
        vm = self.vm
        vm.map(0x50000, 8192)
        vm.write(0x50FFE, b"across")
        self.assertEqual(vm.read(0x50FFE, 6), b"across")
        ranges = [(0x50FFE, 3), (0x51003, 1), (0x50FFF, 0)]
        self.assertEqual(vm.read_many(ranges), [b"acr", b"s", b""])
        self.assertEqual(vm.read_many([]), [])
        with self.assertRaises(pvm.PvmError):
            vm.read_many([(0x50FFE, 3), (0x70000, 1)])
        vm.zero(0x50FFF, 2)
        self.assertEqual(vm.read(0x50FFE, 6), b"a\0\0oss")
        vm.protect(0x50000, 4096, pvm.Permission.READ)
        with self.assertRaisesRegex(pvm.PvmError, "read-only"):
            vm.write(0x50000, b"x")
        vm.initialize(0x50000, b"x")
        vm.unmap(0x50000, 8192)
        for address, length in [(0x50000, 1), (-1, 1), (1 << 32, 1), (0, 1 << 40), (0x50000, 1 << 31)]:
            with self.assertRaises(pvm.PvmError):
                vm.read(address, length)
        self.assertEqual(vm.read(0, 0), b"")

    def test_handles_end_once(self):
        vm = self.module.instantiate()
        with vm:
            pass
        vm.close()
        with self.assertRaisesRegex(pvm.PvmError, "null pointer"):
            vm.gas = 1
        self.module.close()
        # Its first call is not answered, the other four are.
        self.assertEqual(self.finish(self.vm)[0], 5 + 4 * 3)
        del vm, self.vm
        gc.collect()


class Tables(unittest.TestCase):
    def test_blocks_and_instructions(self):
        program = module("pages.pvm", pvm.Module.from_raw)
        blocks = program.blocks()
        self.assertEqual(blocks[0].pc, 0)
        self.assertTrue(all(block.cost > 0 for block in blocks))
        lines = dict(program.disassemble(0, blocks[1].pc))
        self.assertEqual(lines[0], "load_imm t0, 0")

    def test_polkavm_blobs_have_names(self):
        blob = HERE.parents[2] / "guests/blobs/jam-v1/fib.polkavm"
        program = pvm.Module.from_polkavm(blob.read_bytes())
        vm = program.instantiate()
        vm.prepare(program.exports["fib_loop"], 50)
        vm.gas = 1_000_000
        self.assertEqual(vm.resume(), pvm.Result.OK)
        self.assertEqual(vm[7], 12586269025)
        self.assertEqual(program.imports, [])


class InnerMachines(unittest.TestCase):
    def test_a_machine_in_a_machine(self):
        outer = pvm.Module.from_parts(b"\0", b"\1").instantiate()
        program = (PROGRAMS / "inner.pvm").read_bytes()
        outer.map(0x20000, 0x3000)
        outer.write(0x20000, program)
        n = outer.inner_machine(0x20000, len(program), 0)
        self.assertEqual(n, 0)
        self.assertEqual(outer.inner_pages(n, 0x50, 1, 2), 0)
        state = [1000, 0xFFFF0000, 0, 0, 0, 0, 0, 0, 20, 0x50008, 0, 0, 0, 0]
        outer.write(0x21000, b"".join(number.to_bytes(8, "little") for number in state))
        self.assertEqual(outer.inner_invoke(n, 0x21000), (pvm.InnerState.HOST, 3))
        self.assertEqual(outer.inner_invoke(n, 0x21000), (pvm.InnerState.HALT, None))
        self.assertEqual(outer.inner_peek(n, 0x22000, 0x50008, 8), 0)
        self.assertEqual(int.from_bytes(outer.read(0x22000, 8), "little"), 60)
        self.assertEqual(outer.inner_expunge(n), 0)
        self.assertEqual(outer.inner_expunge(n), pvm.WHO)
        with self.assertRaisesRegex(pvm.PvmError, "panics"):
            outer.inner_machine(0, 8, 0)


class Signals(unittest.TestCase):
    def test_faulthandler_still_reports_a_crash_of_python(self):
        """The recompiler's signal handler passes on what is not its own. faulthandler, which does not, has to come first."""
        if not pvm.Backend.RECOMPILER.is_available:
            self.skipTest("there is no recompiler")
        script = f"""
import faulthandler, pathlib
faulthandler.enable()
import pvm
blob = pathlib.Path({str(PROGRAMS / "pages.pvm")!r}).read_bytes()
vm = pvm.Module.from_raw(blob, pvm.Config(backend=pvm.Backend.RECOMPILER)).instantiate()
vm.prepare(0, 0x100000, 3)
vm.gas = 100000
while vm.resume() == pvm.Result.FAULT:
    vm.map(vm.exit.page_address, 4096)
assert vm.exit.result == pvm.Result.OK
print("the VM works", flush=True)
faulthandler._sigsegv()
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        self.assertIn("the VM works", done.stdout, done.stderr)
        self.assertLess(done.returncode, 0, "the crash ends the process")
        self.assertIn("Fatal Python error: Segmentation fault", done.stderr)


if __name__ == "__main__":
    faulthandler.enable()
    unittest.main()
