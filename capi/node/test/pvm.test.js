// Tests of the package. PVM_LIBRARY must lead to a libpvm.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import * as pvm from "../index.js";

const here = path.dirname(fileURLToPath(import.meta.url));
const programs = path.join(here, "../../examples/programs");
const program = (name) => fs.readFileSync(path.join(programs, name));
const backends = Object.values(pvm.Backend).filter(pvm.isAvailable);

// ecalli 7; add_imm_64 a0, a0, 1; jump_ind ra, 0
const CALL = Buffer.from([10, 7, 149, 0x77, 1, 50, 0]);
const BITS = Buffer.from([0x25]);

test("versions and configurations", () => {
  assert.match(pvm.version(), /^\d+\.\d+\.\d+$/);
  assert.throws(() => pvm.Module.fromRaw(Buffer.alloc(0), { memory: 1 }), TypeError);
  assert.throws(() => pvm.Module.fromRaw(Buffer.alloc(0), { profile: 9 }), /profile 9/);
  assert.throws(() => pvm.Module.fromRaw(CALL), pvm.PvmError);
});

test("a service runs on every backend", () => {
  const seen = new Set();
  for (const backend of backends) {
    const messages = [];
    const vm = pvm.Module.fromStandard(program("service.jam"), { backend }).instantiate();
    vm.onHostCall((vm, number) => {
      assert.equal(number, 100);
      messages.push(vm.read(vm.register(10), vm.register(11)).toString());
      vm.setRegister(7, pvm.constants.PVM_WHAT);
    });
    vm.prepareStandard(Buffer.from([1, 2, 250]));
    vm.gas = 10_000;
    assert.equal(vm.resume(), pvm.Result.Ok);
    assert.deepEqual(messages, ["summed up"]);
    assert.equal(vm.output().readBigUInt64LE(), 253n);
    assert.equal(vm.exit.canResume, false);
    seen.add(`${vm.gas} ${vm.pc} ${vm.registers}`);
    vm.close();
  }
  assert.equal(seen.size, 1, "all backends do the same");
});

test("host calls without a callback, gas, stepping", () => {
  const vm = pvm.Module.fromStandard(program("calls.jam")).instantiate();
  vm.prepare(0, 10);
  vm.gas = 100_000;
  while (vm.resume() === pvm.Result.HostCall) {
    assert.equal(vm.hostCall, 7);
    vm.setRegister(7, vm.register(7) ** 2n);
  }
  assert.equal(vm.register(7), 385n);

  const small = pvm.Module.fromParts(CALL, BITS, [], { profile: pvm.Profile.GrayPaper07 }).instantiate();
  small.setRegister(0, 0xffff0000);
  small.pc = 0;
  small.gas = 1;
  assert.equal(small.resume(), pvm.Result.HostCall);
  assert.equal(small.resume(), pvm.Result.OutOfGas);
  small.gas += 5n;
  assert.equal(small.step(), pvm.Result.Paused);
  assert.equal(small.pc, 5);
  assert.equal(small.resume(), pvm.Result.Ok);
  assert.equal(small.gas, 3n);
  assert.throws(() => small.resume(), /has halted/);
  assert.throws(() => (small.gas = 2n ** 63n), /at most 2\^63 - 1/);
  assert.throws(() => small.setRegister(13, 0), /from 0 to 12/);
  assert.throws(() => small.register(13), RangeError);
});

test("exceptions of callbacks come out", () => {
  const vm = pvm.Module.fromStandard(program("calls.jam")).instantiate();
  vm.onHostCall(() => {
    throw new RangeError("nothing");
  });
  vm.prepare(0, 1);
  vm.gas = 1000;
  assert.throws(() => vm.resume(), /nothing/);
  vm.onHostCall(() => pvm.Host.Error);
  vm.prepare(0, 1);
  assert.equal(vm.resume(), pvm.Result.Panic);
  vm.close();
});

test("callbacks can be replaced, taken away and closed from inside themselves", () => {
  const module = pvm.Module.fromStandard(program("calls.jam"));
  const vm = module.instantiate();
  const seen = [];
  const answer = (name, next) => (vm) => {
    seen.push(name);
    vm.setRegister(7, 1);
    vm.onHostCall(next);
    // What it has replaced is still there: it goes on.
    seen.push(`${name} ends`);
  };
  vm.prepare(0, 10);
  vm.gas = 100_000;
  vm.onHostCall(answer("first", answer("second", null)));
  assert.equal(vm.resume(), pvm.Result.HostCall);
  assert.deepEqual(seen, ["first", "first ends", "second", "second ends"]);
  vm.setRegister(7, 1);
  // Many at once: a callback that was freed too early, or never, would be noticed (there are some thousand at most).
  for (let round = 0; round < 3000; round++) {
    vm.prepare(0, 3);
    vm.gas = 100_000;
    vm.onHostCall(answer("again", answer("and again", answer("last", null))));
    assert.equal(vm.resume(), pvm.Result.Ok);
    assert.equal(vm.register(7), 3n);
  }
  vm.onTrace(pvm.Unit.Block, (vm) => vm.onTrace(pvm.Unit.None, null));
  vm.prepare(0, 0);
  assert.equal(vm.resume(), pvm.Result.Ok);

  vm.onHostCall((vm) => vm.close());
  vm.prepare(0, 1);
  assert.throws(() => vm.resume(), /destroyed the VM/);
  assert.throws(() => vm.resume(), /null pointer/);
});

test("page faults can be resolved", () => {
  for (const backend of backends) {
    const vm = pvm.Module.fromRaw(program("pages.pvm"), { backend }).instantiate();
    vm.prepare(0, 0x100000, 5);
    vm.gas = 100_000;
    while (vm.resume() === pvm.Result.Fault) {
      const page = vm.exit.pageAddress;
      vm.map(page, 4096, pvm.Permission.Read);
      vm.initialize(page, Buffer.from([(page >> 12) & 255]));
    }
    assert.equal(vm.register(7), 10n);
  }
});

test("forks, snapshots and recordings", () => {
  const module = pvm.Module.fromStandard(program("calls.jam"));
  const finish = (vm) => {
    while (vm.resume() === pvm.Result.HostCall) {
      vm.setRegister(7, 3);
    }
    return `${vm.register(7)} ${vm.gas}`;
  };
  const vm = module.instantiate();
  vm.prepare(0, 5);
  vm.gas = 10_000;
  vm.record();
  assert.equal(vm.resume(), pvm.Result.HostCall);
  const snapshot = vm.snapshot();
  assert.deepEqual(module.restore(snapshot).snapshot(), snapshot);
  const ends = new Set([vm, vm.fork(), module.restore(snapshot)].map(finish));
  assert.equal(ends.size, 1);
  assert.throws(() => vm.restore(snapshot.subarray(1)), /not a snapshot/);
  const recording = vm.recording();
  assert.equal(recording.split("\necalli=7 ").length, 6);
  module.instantiate().replay(recording);
  assert.throws(() => module.instantiate().replay(recording.replace("ecalli=7", "ecalli=8")), /host call 8/);
});

test("memory", () => {
  const vm = pvm.Module.fromParts(CALL, BITS).instantiate();
  vm.map(0x50000, 8192);
  vm.write(0x50ffe, Buffer.from("across"));
  assert.equal(vm.read(0x50ffe, 6).toString(), "across");
  vm.protect(0x50000, 4096, pvm.Permission.Read);
  assert.throws(() => vm.write(0x50000, Buffer.from("x")), /read-only/);
  vm.unmap(0x50000, 8192);
  for (const [at, length] of [[0x50000, 1], [-1, 1], [2 ** 32, 1], [0, 2 ** 40], [0, -1], [2n ** 64n, 1]]) {
    assert.throws(() => vm.read(at, length), pvm.PvmError);
  }
});

test("traces", () => {
  const vm = pvm.Module.fromParts(CALL, BITS, [], { profile: pvm.Profile.GrayPaper07 }).instantiate();
  const seen = [];
  vm.setRegister(0, 0xffff0000);
  vm.gas = 100;
  vm.onTrace(pvm.Unit.Instruction, (vm, event) => {
    seen.push([event.pc, event.gas, event.registers[0]]);
  });
  assert.equal(vm.execute(0), pvm.Result.HostCall);
  assert.equal(vm.resume(), pvm.Result.Ok);
  assert.deepEqual(seen, [[0, 100n, 0xffff0000n], [2, 99n, 0xffff0000n], [5, 98n, 0xffff0000n]]);
  vm.onTrace(pvm.Unit.Instruction, () => true);
  assert.equal(vm.execute(0), pvm.Result.Paused);
  vm.close();
});

test("an inner machine", () => {
  const outer = pvm.Module.fromParts(Buffer.from([0]), Buffer.from([1])).instantiate();
  const inner = program("inner.pvm");
  outer.map(0x20000, 0x3000);
  outer.write(0x20000, inner);
  assert.equal(outer.innerMachine(0x20000, inner.length, 0), 0n);
  assert.equal(outer.innerPages(0, 0x50, 1, 2), 0n);
  const state = BigUint64Array.from([1000, 0xffff0000, 0, 0, 0, 0, 0, 0, 20, 0x50008, 0, 0, 0, 0], BigInt);
  outer.write(0x21000, Buffer.from(state.buffer));
  assert.deepEqual(outer.innerInvoke(0, 0x21000), { result: 3n, argument: 3n });
  assert.deepEqual(outer.innerInvoke(0, 0x21000), { result: 0n, argument: null });
  assert.equal(outer.innerPeek(0, 0x22000, 0x50008, 8), 0n);
  assert.equal(outer.read(0x22000, 8).readBigUInt64LE(), 60n);
  assert.equal(outer.innerExpunge(0), 0n);
  assert.equal(outer.innerExpunge(0), pvm.constants.PVM_WHO);
  assert.throws(() => outer.innerMachine(0, 8, 0), /panics/);
});

test("tables", () => {
  const module = pvm.Module.fromRaw(program("pages.pvm"));
  const blocks = module.blocks();
  assert.equal(blocks[0].pc, 0);
  assert.ok(blocks.every((block) => block.cost > 0));
  assert.equal(module.disassemble(0).text, "load_imm t0, 0");
  assert.throws(() => module.findExport("x"), /no export `x`/);
});

test("handles end once, VMs outlive their module", () => {
  const module = pvm.Module.fromParts(CALL, BITS);
  const vm = module.instantiate();
  module.close();
  module.close();
  assert.throws(() => module.instantiate(), /null pointer/);
  vm.gas = 5;
  vm.close();
  vm.close();
  assert.throws(() => (vm.gas = 5), /null pointer/);
});

test("the example runs", () => {
  const example = path.join(here, "../examples/service.js");
  const said = execFileSync(process.execPath, [example, path.join(programs, "service.jam"), "1", "2", "250"]).toString();
  assert.match(said, /^log: summed up\nhalted pc=/);
  assert.match(said, /\nsum: 253\n$/);
});
