// How fast libpvm is from Node.js: gas a second, host calls, memory.
import fs from "node:fs";
import { Backend, Module, Profile, Result, isAvailable } from "../node/index.js";

const MOST = 2n ** 63n - 1n;
const program = (name) => fs.readFileSync(new URL(`../examples/programs/${name}`, import.meta.url));

/** The least of three times or more, half a second of them, in nanoseconds. */
function best(work, prepare = () => {}) {
  let [least, all] = [Infinity, 0];
  for (let run = 0; run < 3 || all < 5e8; run++) {
    prepare();
    const start = process.hrtime.bigint();
    work();
    const time = Number(process.hrtime.bigint() - start);
    [least, all] = [Math.min(least, time), all + time];
  }
  return least;
}

/** Gas a second, in billions, of a program that makes no host call. */
function rate(vm, pc, argument) {
  const run = () => {
    if (vm.resume() !== Result.Ok) {
      throw new Error(vm.describe());
    }
  };
  const time = best(run, () => {
    vm.reset();
    vm.prepare(pc, argument);
    vm.gas = MOST;
  });
  return Number(MOST - vm.gas) / time;
}

for (const [name, backend] of Object.entries({ interpreter: Backend.Interpreter, recompiler: Backend.Recompiler })) {
  if (!isAvailable(backend)) {
    continue;
  }
  const isNative = backend === Backend.Recompiler;
  const show = (what, value, unit) => console.log(`Node.js ${name} ${what} ${value.toFixed(3)} ${unit}`);
  const config = { profile: Profile.GrayPaper07Block, backend };
  const spin = Module.fromRaw(program("spin.pvm"), config).instantiate();
  show("loop", rate(spin, 0, isNative ? 200_000_000 : 20_000_000), "Ggas/s");
  for (const line of fs.readFileSync(new URL("guests.txt", import.meta.url), "utf8").trim().split("\n")) {
    const [guest, start, interpreted, native] = line.split(" ");
    const module = Module.fromPolkaVm(program(`../../../guests/blobs/jam-v1/${guest}.polkavm`), config);
    const argument = Number(isNative ? native : interpreted);
    show(guest, rate(module.instantiate(), module.findExport(start), argument), "Ggas/s");
  }
  const calls = 200_000;
  const host = Module.fromStandard(program("calls.jam"), config).instantiate();
  const run = () => {
    host.prepare(0, calls);
    host.gas = MOST;
    while (host.resume() === Result.HostCall) {
      host.setRegister(7, host.register(7) + 7n);
    }
  };
  show("call-by-return", best(run) / calls, "ns");
  host.onHostCall((vm, number) => vm.setRegister(7, vm.register(7) + BigInt(number)));
  show("call-by-callback", best(run) / calls, "ns");
  const bytes = Buffer.alloc(32);
  const memory = best(() => {
    for (let i = 0; i < calls; i++) {
      host.write(0x20000, bytes);
      host.read(0x20000, 32);
    }
  });
  show("write-and-read", memory / calls, "ns");
  host.close();
}
