// How fast libpvm is from Node.js: gas a second, host calls, memory.
import fs from "node:fs";
import { Backend, Module, Profile, Result, isAvailable } from "../node/index.js";

const MOST = 2n ** 63n - 1n;
const program = (name) => fs.readFileSync(new URL(`../examples/programs/${name}`, import.meta.url));

/** The least of three times, in nanoseconds. */
function best(work) {
  const times = [0, 1, 2].map(() => {
    const start = process.hrtime.bigint();
    work();
    return Number(process.hrtime.bigint() - start);
  });
  return Math.min(...times);
}

for (const [name, backend] of Object.entries({ interpreter: Backend.Interpreter, recompiler: Backend.Recompiler })) {
  if (!isAvailable(backend)) {
    continue;
  }
  const config = { profile: Profile.GrayPaper07Block, backend };
  const vm = Module.fromRaw(program("spin.pvm"), config).instantiate();
  const spun = best(() => {
    vm.prepare(0, backend === Backend.Recompiler ? 200_000_000 : 20_000_000);
    vm.gas = MOST;
    if (vm.resume() !== Result.Ok) {
      throw new Error(vm.describe());
    }
  });
  const rate = Number(MOST - vm.gas) / spun;
  const guest = Module.fromPolkaVm(program("../../../guests/blobs/jam-v1/primes.polkavm"), config);
  const sieve = guest.instantiate();
  const found = best(() => {
    sieve.reset();
    sieve.prepare(guest.findExport("primes"), backend === Backend.Recompiler ? 20_000_000 : 2_000_000);
    sieve.gas = MOST;
    if (sieve.resume() !== Result.Ok) {
      throw new Error(sieve.describe());
    }
  });
  const primes = Number(MOST - sieve.gas) / found;
  const calls = 200_000;
  const host = Module.fromStandard(program("calls.jam"), config).instantiate();
  const run = () => {
    host.prepare(0, calls);
    host.gas = MOST;
    while (host.resume() === Result.HostCall) {
      host.setRegister(7, host.register(7) + 7n);
    }
  };
  const returned = best(run) / calls;
  host.onHostCall((vm, number) => vm.setRegister(7, vm.register(7) + BigInt(number)));
  const called = best(run) / calls;
  const bytes = Buffer.alloc(32);
  const memory = best(() => {
    for (let i = 0; i < calls; i++) {
      host.write(0x20000, bytes);
      host.read(0x20000, 32);
    }
  });
  host.close();
  console.log(
    `Node.js ${name}: loop ${rate.toFixed(2)}, primes ${primes.toFixed(2)} Ggas/s, host call ${returned.toFixed(0)} ns by return, ` +
      `${called.toFixed(0)} ns by callback, write and read of 32 bytes ${(memory / calls).toFixed(0)} ns`,
  );
}
