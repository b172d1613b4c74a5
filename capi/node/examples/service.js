// Runs a JAM service: gives it arguments, answers its host calls, prints gas, registers and result.
//
//     node service.js ../../examples/programs/service.jam 1 2 3
import fs from "node:fs";
import { Module, Profile, constants } from "../index.js";

const [program, ...numbers] = process.argv.slice(2);
const vm = Module.fromStandard(fs.readFileSync(program), { profile: Profile.GrayPaper08 }).instantiate();

// Host call 100 is the log of JIP-1: level, target and its length, message and its length in registers 7 to 11.
vm.onHostCall((vm, number) => {
  if (number === 100) {
    console.log(`log: ${vm.read(vm.register(10), vm.register(11))}`);
    vm.gas -= 10n;
  }
  vm.setRegister(7, constants.PVM_WHAT);
});
vm.prepareStandard(Buffer.from(numbers.map(Number)));
vm.gas = 10_000;
vm.resume();
console.log(vm.describe());
console.log(Array.from(vm.registers, (value) => `0x${value.toString(16)}`).join(" "));
console.log(`sum: ${vm.output().readBigUInt64LE()}`);
vm.close();
