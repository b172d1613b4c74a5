/** The PVM of JAM, by libpvm. */

/** Which Gray Paper. */
export const Profile: { readonly GrayPaper07: number; readonly GrayPaper07Block: number; readonly GrayPaper08: number };
/** What executes programs. */
export const Backend: {
  readonly Interpreter: number;
  readonly Recompiler: number;
  readonly Verify: number;
  readonly Auto: number;
};
/** Why an execution returned. */
export const Result: {
  readonly Ok: number;
  readonly OutOfGas: number;
  readonly Panic: number;
  readonly HostCall: number;
  readonly Fault: number;
  readonly Paused: number;
};
/** What a host callback wants. */
export const Host: { readonly Continue: number; readonly Terminate: number; readonly Error: number };
/** What a program may do to a page. */
export const Permission: { readonly None: number; readonly Read: number; readonly ReadWrite: number };
/** What is traced. */
export const Unit: { readonly None: number; readonly Instruction: number; readonly Block: number };
/** All constants of pvm.h by their names; those above 2^53 are BigInts. */
export const constants: Readonly<Record<string, number | bigint>>;

/** The version of libpvm. */
export function version(): string;
/** Whether this machine has a backend. */
export function isAvailable(backend: number): boolean;

/** A function of libpvm failed; nothing has changed. */
export class PvmError extends Error {
  /** One of the PVM_STATUS_* of pvm.h. */
  readonly status: number;
}

/** A profile, and what should be different from it: the fields of pvm_config_t. */
export interface Config {
  profile?: number;
  instructionSet?: number;
  gasModel?: number;
  charge?: number;
  backend?: number;
  errorConstants?: number;
  latest64?: number;
  windowLimit?: number;
  memoryLimit?: number | bigint;
  innerMachineLimit?: number;
  innerPageLimit?: number;
}

/** What the last execution came to. */
export interface Exit {
  result: number;
  /** The number of the host call, if it is at one. */
  hostCall: number | null;
  /** The instruction at which it stopped. */
  pc: number;
  gas: bigint;
  /** What could not be accessed or jumped to. */
  address: number | null;
  /** The page to map, if it is at a page fault. */
  pageAddress: number | null;
  isWriteProtected: boolean;
  /** Why it panicked, a PVM_TRAP_* of pvm.h. */
  trap: number | null;
  canResume: boolean;
}

/** What is about to be executed. */
export interface TraceEvent {
  pc: number;
  gas: bigint;
  registers: bigint[];
}

/** A compiled program. */
export class Module {
  /** A JAM standard program (SPI). */
  static fromStandard(blob: Uint8Array, config?: Config): Module;
  /** Jump table, code and bitmask in one blob. */
  static fromRaw(blob: Uint8Array, config?: Config): Module;
  /** A PolkaVM blob. */
  static fromPolkaVm(blob: Uint8Array, config?: Config): Module;
  /** Code, its bitmask (a bit or a byte for each byte of code), and its jump table. */
  static fromParts(code: Uint8Array, bitmask: Uint8Array, jumpTable?: Iterable<number>, config?: Config): Module;
  /** Where the export of this name starts. */
  findExport(name: string): number;
  /** The blocks that jumps can enter, with what entering each costs. */
  blocks(): { pc: number; cost: number }[];
  /** The text of an instruction, and where the next one starts. */
  disassemble(pc: number): { text: string; next: number };
  /** A new VM: registers zero, no gas, memory as the program declares it. */
  instantiate(): Vm;
  /** A VM in the state of a snapshot. */
  restore(snapshot: Uint8Array): Vm;
  /** Releases it now. VMs stay usable. */
  close(): void;
}

/** A program with registers, gas and memory of its own. */
export class Vm {
  /** Prepares a call with up to nine arguments in registers. */
  prepare(pc: number, ...values: (number | bigint)[]): void;
  /** Prepares a JAM standard program, with arguments in memory. */
  prepareStandard(bytes: Uint8Array, pc?: number): void;
  /** Executes what was prepared, or goes on where the last execution stopped. Exceptions of callbacks come out here. */
  resume(): number;
  /** Executes from a place in the code, with registers and memory as they are. */
  execute(pc: number): number;
  /** Executes one instruction; Result.Paused if nothing else stopped it. */
  step(): number;
  /**
   * Sets what host calls are answered by; null: `resume` returns at each. Also from inside a callback, which then is replaced when it
   * returns.
   */
  onHostCall(answer: ((vm: Vm, number: number) => number | undefined | void) | null): void;
  /** Sets what is called before each instruction or block; if it gives something true, the execution pauses there. */
  onTrace(unit: number, watch: ((vm: Vm, event: TraceEvent) => unknown) | null): void;
  readonly exit: Exit;
  /** The number of the host call at which it is. */
  readonly hostCall: number;
  register(index: number): bigint;
  setRegister(index: number, value: number | bigint): void;
  get registers(): BigUint64Array;
  set registers(values: ArrayLike<number | bigint>);
  get gas(): bigint;
  set gas(gas: number | bigint);
  pc: number;
  /** Bytes of memory. */
  read(at: number | bigint, length: number | bigint): Buffer;
  /** Writes memory that the program can write. */
  write(at: number | bigint, bytes: Uint8Array): void;
  /** Writes memory that is mapped. */
  initialize(at: number | bigint, bytes: Uint8Array): void;
  /** Maps whole pages; new ones are zero. */
  map(at: number | bigint, length: number | bigint, permission?: number): void;
  /** Changes what the program may do to mapped pages. */
  protect(at: number | bigint, length: number | bigint, permission: number): void;
  /** Unmaps whole pages. */
  unmap(at: number | bigint, length: number | bigint): void;
  /** What a JAM program that has halted gives. */
  output(): Buffer;
  /** Another VM in the same state, without callbacks. */
  fork(): Vm;
  /** The state as bytes. */
  snapshot(): Buffer;
  /** Back to the state of a snapshot of the same program. */
  restore(snapshot: Uint8Array): void;
  /** Back to the beginning; gas stays. */
  reset(): void;
  /** Records host calls from the next execution on. */
  record(limit?: number): void;
  /** What was recorded: a JIP-6 trace. */
  recording(): string;
  /** Executes a recording again; throws PvmError with the first difference. */
  replay(recording: string): void;
  /** Where it stopped, in a line. */
  describe(): string;
  /** Host call machine: what register 7 becomes. */
  innerMachine(at: number | bigint, length: number | bigint, pc: number | bigint): bigint;
  /** Host call peek. */
  innerPeek(n: number | bigint, destination: number | bigint, source: number | bigint, length: number | bigint): bigint;
  /** Host call poke. */
  innerPoke(n: number | bigint, source: number | bigint, destination: number | bigint, length: number | bigint): bigint;
  /** Host call pages. */
  innerPages(n: number | bigint, first: number | bigint, count: number | bigint, kind: number): bigint;
  /** Host call invoke: what registers 7 and 8 become. */
  innerInvoke(n: number | bigint, at: number | bigint): { result: bigint; argument: bigint | null };
  /** Host call expunge. */
  innerExpunge(n: number | bigint): bigint;
  /** Destroys it now. */
  close(): void;
}
