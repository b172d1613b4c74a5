// Finds and loads libpvm, and declares its functions and constants from pvm.h.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import koffi from "koffi";

const here = path.dirname(fileURLToPath(import.meta.url));

/** The header: beside this file in a package, in the folder above in the repository. */
function header() {
  const places = [path.join(here, "pvm.h"), path.join(here, "..", "include", "pvm.h")];
  const found = places.find((place) => fs.existsSync(place));
  if (!found) {
    throw new Error(`pvm.h is missing: it is not at ${places.join(" or ")}`);
  }
  const text = fs.readFileSync(found, "utf8").replace(/\/\*[^]*?\*\//g, "");
  return text.split("#ifdef PVM_SHORT_NAMES")[0];
}

function open() {
  const names = process.env.PVM_LIBRARY ? [process.env.PVM_LIBRARY] : ["libpvm.so.1", "libpvm.dylib"];
  const failures = [];
  for (const name of names) {
    try {
      return koffi.load(name);
    } catch (error) {
      failures.push(error.message);
    }
  }
  throw new Error(`libpvm cannot be loaded (set PVM_LIBRARY to its file): ${failures.join("; ")}`);
}

const NUMBERS = new Set(["int", "size_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t", "int32_t"]);

/** How koffi is to pass a C type: handles as numbers, other pointers as they are. */
function type(text) {
  const plain = text.replace(/\bconst\b/g, "").replace(/\s+/g, "");
  if (/^pvm_(vm|module)_t\*$/.test(plain)) {
    return "uint64_t";
  }
  if (/^pvm_\w+_callback_t$/.test(plain) || plain.endsWith("*")) {
    return "void *";
  }
  if (/^pvm_\w+_t$/.test(plain)) {
    return "int32_t";
  }
  if (plain !== "void" && !NUMBERS.has(plain)) {
    throw new Error(`pvm.h has the unknown type ${text}`);
  }
  return plain;
}

const text = header();

/** Constants by their names in pvm.h. Those above 2^53 are BigInts. */
export const constants = {};
for (const [, name, value] of text.matchAll(/^#define (PVM_\w+) (-?\d+)(?:u?ll)?$/gm)) {
  constants[name] = Number.isSafeInteger(Number(value)) ? Number(value) : BigInt(value);
}

/** Functions by their names in pvm.h. */
export const functions = {};
const library = open();
for (const [, result, name, list] of text.matchAll(/^((?:const )?\w+ \**)(pvm_\w+)\(([^;{}]*)\);/gm)) {
  const parameters = list.split(",").map((parameter) => parameter.trim().replace(/\s+/g, " "));
  const types = parameters.filter((parameter) => parameter !== "void").map((parameter) => type(parameter.replace(/\w+$/, "")));
  const isText = result.replace(/\s+/g, "") === "constchar*";
  functions[name] = library.func(name, isText ? "str" : type(result), types);
}

if (functions.pvm_abi_version() !== constants.PVM_ABI_VERSION) {
  throw new Error(`libpvm has version ${functions.pvm_abi_version()} of the interface, pvm.h version ${constants.PVM_ABI_VERSION}`);
}

export const HostCallback = koffi.pointer(koffi.proto("int32_t PvmHostCallback(uint64_t vm, int func_id)"));
export const TraceCallback = koffi.pointer(koffi.proto("int PvmTraceCallback(uint64_t vm, void *event, void *user_data)"));
export const TraceEvent = koffi.struct("PvmTraceEvent", {
  unit: "uint32_t",
  pc: "uint32_t",
  gas: "uint64_t",
  registers: koffi.array("uint64_t", 13),
});
export { koffi };
