// The PVM of JAM, by libpvm. See index.d.ts for what each thing does.
import { HostCallback, TraceCallback, TraceEvent, constants as c, functions as lib, koffi } from "./library.js";

export { constants } from "./library.js";

export const Profile = Object.freeze({
  GrayPaper07: c.PVM_PROFILE_GRAY_PAPER_0_7,
  GrayPaper07Block: c.PVM_PROFILE_GRAY_PAPER_0_7_BLOCK,
  GrayPaper08: c.PVM_PROFILE_GRAY_PAPER_0_8,
});
export const Backend = Object.freeze({
  Interpreter: c.PVM_BACKEND_INTERPRETER,
  Recompiler: c.PVM_BACKEND_RECOMPILER,
  Verify: c.PVM_BACKEND_VERIFY,
  Auto: c.PVM_BACKEND_AUTO,
});
export const Result = Object.freeze({
  Ok: c.PVM_RESULT_OK,
  OutOfGas: c.PVM_RESULT_OOG,
  Panic: c.PVM_RESULT_PANIC,
  HostCall: c.PVM_RESULT_HOST_CALL,
  Fault: c.PVM_RESULT_FAULT,
  Paused: c.PVM_RESULT_PAUSED,
});
export const Host = Object.freeze({
  Continue: c.PVM_HOST_CONTINUE,
  Terminate: c.PVM_HOST_TERMINATE,
  Error: c.PVM_HOST_ERROR,
});
export const Permission = Object.freeze({
  None: c.PVM_PERMISSION_NONE,
  Read: c.PVM_PERMISSION_READ,
  ReadWrite: c.PVM_PERMISSION_READ_WRITE,
});
export const Unit = Object.freeze({
  None: c.PVM_TRACE_NONE,
  Instruction: c.PVM_TRACE_INSTRUCTION,
  Block: c.PVM_TRACE_BLOCK,
});

export class PvmError extends Error {
  constructor(status, text) {
    super(text);
    this.name = "PvmError";
    this.status = status;
  }
}

function check(status) {
  if (status !== 0) {
    throw new PvmError(status, lib.pvm_last_error());
  }
}

export const version = () => lib.pvm_version();
export const isAvailable = (backend) => lib.pvm_backend_available(backend) === 1;

// Where the settings are in pvm_config_t.
const SETTINGS = {
  instructionSet: 4,
  gasModel: 8,
  charge: 12,
  backend: 16,
  errorConstants: 20,
  latest64: 24,
  windowLimit: 28,
  memoryLimit: 32,
  innerMachineLimit: 40,
  innerPageLimit: 44,
};
const CONFIG_SIZE = 48;

function configuration({ profile = Profile.GrayPaper08, ...settings } = {}) {
  const config = Buffer.alloc(CONFIG_SIZE);
  check(lib.pvm_config_init(config, CONFIG_SIZE, profile));
  for (const [name, value] of Object.entries(settings)) {
    const offset = SETTINGS[name];
    if (offset === undefined) {
      throw new TypeError(`there is no setting ${name}`);
    }
    if (name === "memoryLimit") {
      config.writeBigUInt64LE(BigInt(value), offset);
    } else {
      config.writeUInt32LE(value, offset);
    }
  }
  return config;
}

/** A number of 64 bits, however it is given. */
const u64 = (value) => BigInt.asUintN(64, BigInt(value));

function address(value) {
  if (!(value >= 0 && value < 2 ** 32)) {
    throw new PvmError(c.PVM_STATUS_OUT_OF_BOUNDS, `${value}: there is no such memory`);
  }
  return Number(value);
}

function made(make) {
  const out = new BigUint64Array(1);
  check(make(out));
  return Number(out[0]);
}

// Ends handles whose objects are gone.
const modules = new FinalizationRegistry((handle) => lib.pvm_module_release(handle));
const vms = new FinalizationRegistry((handle) => lib.pvm_destroy(handle));

export class Module {
  #handle;

  constructor(handle) {
    this.#handle = handle;
    modules.register(this, handle, this);
  }

  static fromStandard(blob, config) {
    return new Module(made((out) => lib.pvm_module_from_standard(configuration(config), blob, blob.length, out)));
  }

  static fromRaw(blob, config) {
    return new Module(made((out) => lib.pvm_module_from_raw(configuration(config), blob, blob.length, out)));
  }

  static fromPolkaVm(blob, config) {
    return new Module(made((out) => lib.pvm_module_from_polkavm(configuration(config), blob, blob.length, out)));
  }

  static fromParts(code, bitmask, jumpTable = [], config = {}) {
    const table = Uint32Array.from(jumpTable);
    return new Module(
      made((out) =>
        lib.pvm_module_from_parts(configuration(config), code, code.length, bitmask, bitmask.length, table, table.length, out),
      ),
    );
  }

  findExport(name) {
    const bytes = Buffer.from(name);
    const pc = new Uint32Array(1);
    check(lib.pvm_module_find_export(this.#handle, bytes, bytes.length, pc));
    return pc[0];
  }

  blocks() {
    const count = Number(lib.pvm_module_blocks(this.#handle, null, 0));
    const blocks = new Uint32Array(count * 2);
    lib.pvm_module_blocks(this.#handle, blocks, count);
    return Array.from({ length: count }, (_, index) => ({ pc: blocks[index * 2], cost: blocks[index * 2 + 1] }));
  }

  disassemble(pc) {
    const text = Buffer.alloc(256);
    const length = new BigUint64Array(1);
    const next = new Uint32Array(1);
    check(lib.pvm_module_disassemble(this.#handle, pc, text, text.length, length, next));
    return { text: text.toString("utf8", 0, Number(length[0])), next: next[0] };
  }

  instantiate() {
    return new Vm(made((out) => lib.pvm_instantiate(this.#handle, out)));
  }

  restore(snapshot) {
    return new Vm(made((out) => lib.pvm_restore(this.#handle, snapshot, snapshot.length, out)));
  }

  close() {
    if (this.#handle) {
      modules.unregister(this);
      lib.pvm_module_release(this.#handle);
      this.#handle = 0;
    }
  }
}

export class Vm {
  #handle;
  #host = null;
  #trace = null;
  #raised = null;
  // How many executions are on the stack, and the callbacks to be freed behind the last: one of them may be what replaced them.
  #executions = 0;
  #replaced = [];

  constructor(handle) {
    this.#handle = handle;
    vms.register(this, handle, this);
  }

  prepare(pc, ...values) {
    check(lib.pvm_prepare(this.#handle, pc, BigUint64Array.from(values, u64), values.length));
  }

  prepareStandard(bytes, pc = 0) {
    check(lib.pvm_prepare_standard(this.#handle, pc, bytes, bytes.length));
  }

  resume() {
    this.#executions += 1;
    try {
      return this.#finish(lib.pvm_resume(this.#handle));
    } finally {
      this.#leave();
    }
  }

  execute(pc) {
    this.#executions += 1;
    try {
      return this.#finish(lib.pvm_execute(this.#handle, pc, 0));
    } finally {
      this.#leave();
    }
  }

  step() {
    return this.#finish(lib.pvm_step(this.#handle));
  }

  #leave() {
    this.#executions -= 1;
    if (this.#executions === 0 && this.#replaced.length > 0) {
      this.#replaced.splice(0).forEach((callback) => koffi.unregister(callback));
    }
  }

  /** Frees a callback that is not set any more, as soon as it cannot be on the stack. */
  #free(callback) {
    if (callback && this.#executions > 0) {
      this.#replaced.push(callback);
    } else if (callback) {
      koffi.unregister(callback);
    }
  }

  #finish(result) {
    if (this.#raised) {
      const { error } = this.#raised;
      this.#raised = null;
      throw error;
    }
    if (result === c.PVM_RESULT_ERROR) {
      throw new PvmError(c.PVM_STATUS_INVALID_STATE, lib.pvm_last_error());
    }
    return result;
  }

  onHostCall(answer) {
    const old = this.#host;
    this.#host = answer
      ? koffi.register((_, number) => {
          try {
            return answer(this, number >>> 0) ?? c.PVM_HOST_CONTINUE;
          } catch (error) {
            this.#raised = { error };
            return c.PVM_HOST_TERMINATE;
          }
        }, HostCallback)
      : null;
    check(lib.pvm_set_host_callback(this.#handle, this.#host));
    this.#free(old);
  }

  onTrace(unit, watch) {
    const old = this.#trace;
    this.#trace = watch
      ? koffi.register((_, event) => {
          try {
            const { pc, gas, registers } = koffi.decode(event, TraceEvent);
            return watch(this, { pc, gas: BigInt(gas), registers: Array.from(registers, BigInt) }) ? 1 : 0;
          } catch (error) {
            this.#raised = { error };
            return 1;
          }
        }, TraceCallback)
      : null;
    check(lib.pvm_set_trace_callback(this.#handle, unit, this.#trace, null));
    this.#free(old);
  }

  get exit() {
    const exit = Buffer.alloc(48);
    check(lib.pvm_get_exit(this.#handle, exit));
    const result = exit.readInt32LE(0);
    const isFault = result === c.PVM_RESULT_FAULT;
    const trap = exit.readUInt32LE(40);
    return {
      result,
      hostCall: result === c.PVM_RESULT_HOST_CALL ? exit.readUInt32LE(8) : null,
      pc: exit.readUInt32LE(12),
      gas: exit.readBigUInt64LE(16),
      address: exit.readUInt32LE(24) ? exit.readUInt32LE(28) : null,
      pageAddress: isFault ? exit.readUInt32LE(32) : null,
      isWriteProtected: exit.readUInt32LE(36) === 1,
      trap: trap === c.PVM_TRAP_NONE ? null : trap,
      canResume: exit.readUInt32LE(44) === 1,
    };
  }

  get hostCall() {
    return lib.pvm_get_host_call(this.#handle);
  }

  register(index) {
    const value = BigInt(lib.pvm_get_register(this.#handle, index));
    if (value === 0n && !(index >= 0 && index < c.PVM_REGISTER_COUNT)) {
      throw new RangeError(`register ${index}: they are numbered from 0 to 12`);
    }
    return value;
  }

  setRegister(index, value) {
    check(lib.pvm_set_register(this.#handle, index, u64(value)));
  }

  get registers() {
    const registers = new BigUint64Array(c.PVM_REGISTER_COUNT);
    check(lib.pvm_read_registers(this.#handle, registers));
    return registers;
  }

  set registers(values) {
    if (values.length !== c.PVM_REGISTER_COUNT) {
      throw new RangeError(`${values.length} registers, not ${c.PVM_REGISTER_COUNT}`);
    }
    check(lib.pvm_write_registers(this.#handle, BigUint64Array.from(values, u64)));
  }

  get gas() {
    return BigInt(lib.pvm_get_gas(this.#handle));
  }

  set gas(gas) {
    check(lib.pvm_set_gas(this.#handle, u64(gas)));
  }

  get pc() {
    return lib.pvm_get_pc(this.#handle);
  }

  set pc(pc) {
    check(lib.pvm_set_pc(this.#handle, pc));
  }

  read(at, length) {
    if (!(length >= 0 && length <= 2 ** 32)) {
      throw new PvmError(c.PVM_STATUS_OUT_OF_BOUNDS, `${length} bytes: there is no such memory`);
    }
    // Nobody allocates gigabytes because a program says so.
    check(lib.pvm_check_memory(this.#handle, address(at), Number(length), c.PVM_PERMISSION_READ));
    const buffer = Buffer.alloc(Number(length));
    check(lib.pvm_read_memory(this.#handle, address(at), buffer, buffer.length));
    return buffer;
  }

  write(at, bytes) {
    check(lib.pvm_write_memory(this.#handle, address(at), bytes, bytes.length));
  }

  initialize(at, bytes) {
    check(lib.pvm_initialize_memory(this.#handle, address(at), bytes, bytes.length));
  }

  map(at, length, permission = Permission.ReadWrite) {
    check(lib.pvm_map(this.#handle, address(at), Number(length), permission));
  }

  protect(at, length, permission) {
    check(lib.pvm_protect(this.#handle, address(at), Number(length), permission));
  }

  unmap(at, length) {
    check(lib.pvm_unmap(this.#handle, address(at), Number(length)));
  }

  output() {
    try {
      return this.read(this.register(7), this.register(8));
    } catch (error) {
      if (error.status === c.PVM_STATUS_OUT_OF_BOUNDS) {
        return Buffer.alloc(0);
      }
      throw error;
    }
  }

  fork() {
    const handle = made((out) => lib.pvm_fork(this.#handle, out));
    // The callbacks of this one would be called with the wrong object.
    check(lib.pvm_set_host_callback(handle, null));
    return new Vm(handle);
  }

  snapshot() {
    return this.#bytes(lib.pvm_snapshot, 0);
  }

  restore(snapshot) {
    check(lib.pvm_restore_into(this.#handle, snapshot, snapshot.length));
  }

  reset() {
    check(lib.pvm_reset(this.#handle));
  }

  record(limit = 2 ** 30) {
    check(lib.pvm_record_start(this.#handle, limit));
  }

  recording() {
    return this.#bytes(lib.pvm_record_read, 1).toString();
  }

  replay(recording) {
    const text = Buffer.from(recording);
    check(lib.pvm_replay(this.#handle, text, text.length, null));
  }

  #bytes(read, spare) {
    const length = new BigUint64Array(1);
    const status = read(this.#handle, null, 0, length);
    if (status !== c.PVM_STATUS_BUFFER_TOO_SMALL) {
      check(status);
    }
    const buffer = Buffer.alloc(Number(length[0]) + spare);
    check(read(this.#handle, buffer, buffer.length, length));
    return buffer.subarray(0, Number(length[0]));
  }

  describe() {
    const text = Buffer.alloc(256);
    const length = new BigUint64Array(1);
    check(lib.pvm_describe(this.#handle, text, text.length, length));
    return text.toString("utf8", 0, Number(length[0]));
  }

  innerMachine(at, length, pc) {
    return this.#inner(lib.pvm_inner_machine, at, length, pc);
  }

  innerPeek(n, destination, source, length) {
    return this.#inner(lib.pvm_inner_peek, n, destination, source, length);
  }

  innerPoke(n, source, destination, length) {
    return this.#inner(lib.pvm_inner_poke, n, source, destination, length);
  }

  innerPages(n, first, count, kind) {
    return this.#inner(lib.pvm_inner_pages, n, first, count, kind);
  }

  innerInvoke(n, at) {
    const result = new BigUint64Array(2);
    check(lib.pvm_inner_invoke(this.#handle, u64(n), u64(at), result.subarray(0, 1), result.subarray(1, 2)));
    const hasArgument = [c.PVM_STATE_HOST, c.PVM_STATE_FAULT].includes(Number(result[0]));
    return { result: result[0], argument: hasArgument ? result[1] : null };
  }

  innerExpunge(n) {
    return this.#inner(lib.pvm_inner_expunge, n);
  }

  #inner(call, ...operands) {
    const result = new BigUint64Array(1);
    check(call(this.#handle, ...operands.map(u64), result));
    return result[0];
  }

  close() {
    if (this.#handle) {
      vms.unregister(this);
      lib.pvm_destroy(this.#handle);
      this.#handle = 0;
      this.#free(this.#host);
      this.#free(this.#trace);
      this.#host = this.#trace = null;
    }
  }
}
