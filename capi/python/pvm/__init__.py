"""The PVM of JAM, by libpvm.

    import pvm

    module = pvm.Module.from_standard(blob, pvm.Profile.GRAY_PAPER_0_8)
    vm = module.instantiate()
    vm.prepare_standard(b"arguments")
    vm.gas = 1_000_000
    while vm.resume() == pvm.Result.HOST_CALL:
        vm[7] = answer(vm.host_call, vm[7], vm[8])
    print(vm.exit, vm.output())
"""

from __future__ import annotations

import ctypes
import enum
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from . import _declarations as c
from ._library import library as _lib

__all__ = [
    "Backend",
    "Block",
    "Config",
    "Exit",
    "Host",
    "InnerState",
    "Module",
    "Permission",
    "Profile",
    "PvmError",
    "Result",
    "TraceEvent",
    "Unit",
    "Vm",
    "version",
]


class Profile(enum.IntEnum):
    """Which Gray Paper."""

    GRAY_PAPER_0_7 = c.PVM_PROFILE_GRAY_PAPER_0_7
    GRAY_PAPER_0_7_BLOCK = c.PVM_PROFILE_GRAY_PAPER_0_7_BLOCK
    GRAY_PAPER_0_8 = c.PVM_PROFILE_GRAY_PAPER_0_8


class Backend(enum.IntEnum):
    """What executes programs."""

    INTERPRETER = c.PVM_BACKEND_INTERPRETER
    RECOMPILER = c.PVM_BACKEND_RECOMPILER
    VERIFY = c.PVM_BACKEND_VERIFY
    AUTO = c.PVM_BACKEND_AUTO

    @property
    def is_available(self) -> bool:
        """Whether this machine has it."""
        return bool(_lib.pvm_backend_available(self))


class Result(enum.IntEnum):
    """Why an execution returned."""

    OK = c.PVM_RESULT_OK
    OOG = c.PVM_RESULT_OOG
    PANIC = c.PVM_RESULT_PANIC
    HOST_CALL = c.PVM_RESULT_HOST_CALL
    ERROR = c.PVM_RESULT_ERROR
    FAULT = c.PVM_RESULT_FAULT
    PAUSED = c.PVM_RESULT_PAUSED


class Host(enum.IntEnum):
    """What a host callback wants."""

    CONTINUE = c.PVM_HOST_CONTINUE
    TERMINATE = c.PVM_HOST_TERMINATE
    ERROR = c.PVM_HOST_ERROR


class Permission(enum.IntEnum):
    """What a program may do to a page."""

    NONE = c.PVM_PERMISSION_NONE
    READ = c.PVM_PERMISSION_READ
    READ_WRITE = c.PVM_PERMISSION_READ_WRITE


class Unit(enum.IntEnum):
    """What is traced."""

    NONE = c.PVM_TRACE_NONE
    INSTRUCTION = c.PVM_TRACE_INSTRUCTION
    BLOCK = c.PVM_TRACE_BLOCK


class InnerState(enum.IntEnum):
    """How an invocation of an inner machine ended."""

    HALT = c.PVM_STATE_HALT
    PANIC = c.PVM_STATE_PANIC
    FAULT = c.PVM_STATE_FAULT
    HOST = c.PVM_STATE_HOST
    OOG = c.PVM_STATE_OOG


# An enumeration's constructor takes longer than a host call.
_RESULTS = tuple(Result(number) for number in range(len(Result)))

NONE = c.PVM_NONE
WHAT = c.PVM_WHAT
OOB = c.PVM_OOB
WHO = c.PVM_WHO
FULL = c.PVM_FULL
CORE = c.PVM_CORE
CASH = c.PVM_CASH
LOW = c.PVM_LOW
HUH = c.PVM_HUH


class PvmError(Exception):
    """A function of libpvm failed; nothing has changed."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        #: One of the PVM_STATUS_* of pvm.h.
        self.status = status


def _check(status: int) -> None:
    if status:
        raise PvmError(status, _lib.pvm_last_error().decode(errors="replace"))


def _last_error(status: int) -> PvmError:
    return PvmError(status, _lib.pvm_last_error().decode(errors="replace"))


def version() -> str:
    """The version of libpvm."""
    return _lib.pvm_version().decode()


class _Config(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("instruction_set", ctypes.c_uint32),
        ("gas_model", ctypes.c_uint32),
        ("charge", ctypes.c_uint32),
        ("backend", ctypes.c_uint32),
        ("error_constants", ctypes.c_uint32),
        ("latest64", ctypes.c_uint32),
        ("window_limit", ctypes.c_uint32),
        ("memory_limit", ctypes.c_uint64),
        ("inner_machine_limit", ctypes.c_uint32),
        ("inner_page_limit", ctypes.c_uint32),
    ]


class _Exit(ctypes.Structure):
    _fields_ = [
        ("result", ctypes.c_int32),
        ("machine_state", ctypes.c_uint32),
        ("host_call", ctypes.c_uint32),
        ("pc", ctypes.c_uint32),
        ("gas", ctypes.c_uint64),
        ("has_address", ctypes.c_uint32),
        ("address", ctypes.c_uint32),
        ("page_address", ctypes.c_uint32),
        ("is_write_protected", ctypes.c_uint32),
        ("trap", ctypes.c_uint32),
        ("can_resume", ctypes.c_uint32),
    ]


class _Event(ctypes.Structure):
    _fields_ = [
        ("unit", ctypes.c_uint32),
        ("pc", ctypes.c_uint32),
        ("gas", ctypes.c_uint64),
        ("registers", ctypes.c_uint64 * c.PVM_REGISTER_COUNT),
    ]


class _Access(ctypes.Structure):
    _fields_ = [
        ("address", ctypes.c_uint32),
        ("is_write", ctypes.c_uint32),
        ("data", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
    ]


class _Block(ctypes.Structure):
    _fields_ = [("pc", ctypes.c_uint32), ("cost", ctypes.c_uint32)]


_Registers = ctypes.c_uint64 * c.PVM_REGISTER_COUNT
_HostCallback = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int)
_TraceCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Event), ctypes.c_void_p
)


class Config:
    """How programs are executed: a profile, and what should be different from it, by the names of pvm_config_t."""

    def __init__(self, profile: Profile = Profile.GRAY_PAPER_0_8, **settings: int):
        self._struct = _Config()
        _check(_lib.pvm_config_init(ctypes.byref(self._struct), ctypes.sizeof(_Config), profile))
        for name, value in settings.items():
            if name == "struct_size" or not any(name == field[0] for field in _Config._fields_):
                raise TypeError(f"pvm_config_t has no setting {name!r}")
            setattr(self._struct, name, value)


class Block(NamedTuple):
    """A basic block: where it starts, and what entering it costs."""

    pc: int
    cost: int


@dataclass(frozen=True)
class Exit:
    """What the last execution came to."""

    result: Result
    #: The number of the host call, if it is at one.
    host_call: int | None
    #: The instruction at which it stopped.
    pc: int
    #: The gas that is left.
    gas: int
    #: What could not be accessed or jumped to.
    address: int | None
    #: The page to map, if it is at a page fault.
    page_address: int | None
    #: Whether the page is mapped but must not be written.
    is_write_protected: bool
    #: Why it panicked, a PVM_TRAP_* of pvm.h.
    trap: int | None
    #: Whether `Vm.resume` can go on.
    can_resume: bool


class TraceEvent(NamedTuple):
    """What is about to be executed."""

    pc: int
    gas: int
    registers: tuple[int, ...]


class Module:
    """A compiled program, which any number of VMs and threads can share."""

    def __init__(self, handle: int):
        """Use the class methods."""
        self._handle: int | None = handle

    @classmethod
    def _made(cls, function, config: Config | Profile, *arguments) -> Module:
        settings = config if isinstance(config, Config) else Config(config)
        handle = ctypes.c_void_p()
        _check(function(ctypes.byref(settings._struct), *arguments, ctypes.byref(handle)))
        return cls(handle.value)

    @classmethod
    def from_standard(cls, blob: bytes, config: Config | Profile = Profile.GRAY_PAPER_0_8) -> Module:
        """A JAM standard program (SPI)."""
        return cls._made(_lib.pvm_module_from_standard, config, bytes(blob), len(blob))

    @classmethod
    def from_raw(cls, blob: bytes, config: Config | Profile = Profile.GRAY_PAPER_0_8) -> Module:
        """Jump table, code and bitmask in one blob."""
        return cls._made(_lib.pvm_module_from_raw, config, bytes(blob), len(blob))

    @classmethod
    def from_polkavm(cls, blob: bytes, config: Config | Profile = Profile.GRAY_PAPER_0_8) -> Module:
        """A PolkaVM blob."""
        return cls._made(_lib.pvm_module_from_polkavm, config, bytes(blob), len(blob))

    @classmethod
    def from_parts(
        cls,
        code: bytes,
        bitmask: bytes,
        jump_table: Sequence[int] = (),
        config: Config | Profile = Profile.GRAY_PAPER_0_8,
    ) -> Module:
        """Code, its bitmask (a bit or a byte for each byte of code), and its jump table."""
        table = (ctypes.c_uint32 * len(jump_table))(*jump_table)
        arguments = (bytes(code), len(code), bytes(bitmask), len(bitmask), table, len(jump_table))
        return cls._made(_lib.pvm_module_from_parts, config, *arguments)

    @property
    def exports(self) -> dict[str, int]:
        """Where the program can be entered, by name."""
        found: dict[str, int] = {}
        name, length, pc = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_uint32()
        places = ctypes.byref(name), ctypes.byref(length), ctypes.byref(pc)
        while _lib.pvm_module_export(self._handle, len(found), *places) == c.PVM_STATUS_OK:
            found[ctypes.string_at(name.value, length.value).decode(errors="replace")] = pc.value
        return found

    @property
    def imports(self) -> list[str]:
        """The names of host calls, in the order of their numbers."""
        found: list[str] = []
        name, length = ctypes.c_void_p(), ctypes.c_size_t()
        places = ctypes.byref(name), ctypes.byref(length)
        while _lib.pvm_module_import(self._handle, len(found), *places) == c.PVM_STATUS_OK:
            found.append(ctypes.string_at(name.value, length.value).decode(errors="replace"))
        return found

    def blocks(self) -> list[Block]:
        """The blocks that jumps can enter, with what each costs."""
        count = _lib.pvm_module_blocks(self._handle, None, 0)
        blocks = (_Block * count)()
        _lib.pvm_module_blocks(self._handle, blocks, count)
        return [Block(block.pc, block.cost) for block in blocks]

    def disassemble(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, str]]:
        """Places and texts of instructions."""
        text, next_pc = ctypes.create_string_buffer(256), ctypes.c_uint32()
        pc = start
        while end is None or pc < end:
            _check(_lib.pvm_module_disassemble(self._handle, pc, text, 256, None, ctypes.byref(next_pc)))
            if end is None and next_pc.value <= pc:
                return
            yield pc, text.value.decode()
            pc = next_pc.value

    def instantiate(self) -> Vm:
        """A new VM: registers zero, no gas, memory as the program declares it."""
        handle = ctypes.c_void_p()
        _check(_lib.pvm_instantiate(self._handle, ctypes.byref(handle)))
        return Vm(handle.value)

    def restore(self, snapshot: bytes) -> Vm:
        """A VM in the state of a snapshot."""
        handle = ctypes.c_void_p()
        _check(_lib.pvm_restore(self._handle, bytes(snapshot), len(snapshot), ctypes.byref(handle)))
        return Vm(handle.value)

    def close(self) -> None:
        """Releases it now. VMs stay usable."""
        handle, self._handle = self._handle, None
        if handle is not None:
            _lib.pvm_module_release(handle)

    def __enter__(self) -> Module:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()


class Vm:
    """A program with registers, gas and memory of its own, for one thread at a time. `vm[7]` is register 7."""

    def __init__(self, handle: int):
        """Use `Module.instantiate`."""
        self._handle: int | None = handle
        self._registers: ctypes.Array[ctypes.c_uint64] | None = None
        self._host: object | None = None
        self._trace: object | None = None
        self._raised = threading.local()

    # Executing.

    def prepare(self, pc: int, *arguments: int) -> None:
        """Prepares a call with up to nine arguments in registers."""
        values = (ctypes.c_uint64 * len(arguments))(*(value & NONE for value in arguments))
        _check(_lib.pvm_prepare(self._handle, self._pc(pc), values, len(arguments)))

    def prepare_standard(self, arguments: bytes, pc: int = 0) -> None:
        """Prepares a JAM standard program, with arguments in memory."""
        _check(_lib.pvm_prepare_standard(self._handle, self._pc(pc), bytes(arguments), len(arguments)))

    def resume(self) -> Result:
        """Executes what was prepared, or goes on where the last execution stopped. Exceptions of callbacks come out here."""
        return self._finish(_lib.pvm_resume(self._handle))

    def execute(self, pc: int) -> Result:
        """Executes from a place in the code, with registers and memory as they are."""
        return self._finish(_lib.pvm_execute(self._handle, self._pc(pc), 0))

    def step(self) -> Result:
        """Executes one instruction; PAUSED if nothing else stopped it."""
        return self._finish(_lib.pvm_step(self._handle))

    def _finish(self, result: int) -> Result:
        if self._host is not None or self._trace is not None:
            raised = getattr(self._raised, "error", None)
            if raised is not None:
                self._raised.error = None
                raise raised
        if result == c.PVM_RESULT_ERROR:
            raise _last_error(c.PVM_STATUS_INVALID_STATE)
        return _RESULTS[result]

    def interrupt(self) -> None:
        """Makes the execution on another thread return PAUSED; see `interruptible`."""
        _check(_lib.pvm_interrupt(self._handle))

    def set_interruptible(self, enabled: bool = True) -> None:
        """Whether `interrupt` has an effect."""
        _check(_lib.pvm_set_interruptible(self._handle, enabled))

    def on_host_call(self, answer: Callable[[Vm, int], int | None] | None) -> None:
        """Sets what host calls are answered by: a function of the VM and the number, which gives a `Host`, or None to continue. An
        exception in it ends the execution and comes out of `resume`."""
        callback = None
        if answer is not None:

            def call(_: int, number: int) -> int:
                try:
                    return answer(self, number & 0xFFFF_FFFF) or 0
                except BaseException as error:  # noqa: B902: it is raised again in _finish
                    self._raised.error = error
                    return c.PVM_HOST_TERMINATE

            callback = _HostCallback(call)
        _check(_lib.pvm_set_host_callback(self._handle, callback))
        self._host = callback

    def on_trace(self, unit: Unit, watch: Callable[[Vm, TraceEvent], object] | None) -> None:
        """Sets what is called before each instruction or block; if it gives something true, the execution pauses there."""
        callback = None
        if watch is not None and unit != Unit.NONE:

            def call(_: int, event, __: int) -> int:
                seen = event.contents
                try:
                    return bool(watch(self, TraceEvent(seen.pc, seen.gas, tuple(seen.registers))))
                except BaseException as error:  # noqa: B902: it is raised again in _finish
                    self._raised.error = error
                    return 1

            callback = _TraceCallback(call)
        _check(_lib.pvm_set_trace_callback(self._handle, unit, callback, None))
        self._trace = callback

    @property
    def exit(self) -> Exit:
        """What the last execution came to."""
        exit = _Exit()
        _check(_lib.pvm_get_exit(self._handle, ctypes.byref(exit)))
        result = _RESULTS[exit.result]
        is_fault = result == Result.FAULT
        return Exit(
            result=result,
            host_call=exit.host_call if result == Result.HOST_CALL else None,
            pc=exit.pc,
            gas=exit.gas,
            address=exit.address if exit.has_address else None,
            page_address=exit.page_address if is_fault else None,
            is_write_protected=bool(exit.is_write_protected),
            trap=None if exit.trap == c.PVM_TRAP_NONE else exit.trap,
            can_resume=bool(exit.can_resume),
        )

    @property
    def host_call(self) -> int:
        """The number of the host call at which it is."""
        return _lib.pvm_get_host_call(self._handle)

    # Registers, gas, pc.

    def __getitem__(self, register: int) -> int:
        if not 0 <= register < c.PVM_REGISTER_COUNT:
            raise IndexError(f"register {register}: they are numbered from 0 to 12")
        return (self._registers or self._shown_registers())[register]

    def _shown_registers(self) -> Sequence[int]:
        """The registers where the library shows them, which takes no call to read."""
        pointer = _lib.pvm_get_registers(self._handle)
        if not pointer:
            raise _last_error(c.PVM_STATUS_INVALID_HANDLE)
        self._registers = _Registers.from_address(pointer)
        return self._registers

    def __setitem__(self, register: int, value: int) -> None:
        if not 0 <= register < c.PVM_REGISTER_COUNT:
            raise IndexError(f"register {register}: they are numbered from 0 to 12")
        _check(_lib.pvm_set_register(self._handle, register, value & NONE))

    def __len__(self) -> int:
        return c.PVM_REGISTER_COUNT

    @property
    def registers(self) -> tuple[int, ...]:
        """All of them."""
        registers = _Registers()
        _check(_lib.pvm_read_registers(self._handle, registers))
        return tuple(registers)

    @registers.setter
    def registers(self, values: Sequence[int]) -> None:
        if len(values) != c.PVM_REGISTER_COUNT:
            raise ValueError(f"{len(values)} registers, not {c.PVM_REGISTER_COUNT}")
        _check(_lib.pvm_write_registers(self._handle, _Registers(*(value & NONE for value in values))))

    @property
    def gas(self) -> int:
        """The gas that is left."""
        return _lib.pvm_get_gas(self._handle)

    @gas.setter
    def gas(self, gas: int) -> None:
        if not 0 <= gas < 1 << 63:
            raise ValueError(f"{gas} gas: from 0 to 2^63 - 1 is possible")
        _check(_lib.pvm_set_gas(self._handle, gas))

    @property
    def pc(self) -> int:
        """The instruction at which it stopped."""
        return _lib.pvm_get_pc(self._handle)

    @pc.setter
    def pc(self, pc: int) -> None:
        _check(_lib.pvm_set_pc(self._handle, self._pc(pc)))

    @staticmethod
    def _pc(pc: int) -> int:
        # ctypes would take the low half, and execute from there.
        if not 0 <= pc < 1 << 32:
            raise ValueError(f"{pc:#x}: code has no such place")
        return pc

    # Memory.

    def read(self, address: int, length: int) -> bytes:
        """Bytes of memory."""
        if not (0 <= address < 1 << 32 and 0 <= length <= 1 << 32):
            raise PvmError(c.PVM_STATUS_OUT_OF_BOUNDS, f"{length} bytes at {address:#x}: there is no such memory")
        # Nobody allocates gigabytes because a program says so.
        if length > 1 << 20:
            _check(_lib.pvm_check_memory(self._handle, address, length, Permission.READ))
        buffer = ctypes.create_string_buffer(length)
        _check(_lib.pvm_read_memory(self._handle, address, buffer, length))
        return buffer.raw

    def read_many(self, ranges: Iterable[tuple[int, int]]) -> list[bytes]:
        """Bytes of several ranges, each an address and a length, in one call: all of them or, on failure, none."""
        ranges = list(ranges)
        total = sum(length for _, length in ranges)
        if total > 1 << 20 or any(not (0 <= at < 1 << 32 and length >= 0) for at, length in ranges):
            return [self.read(at, length) for at, length in ranges]
        buffer = ctypes.create_string_buffer(total)
        start, accesses, parts = ctypes.addressof(buffer), (_Access * len(ranges))(), []
        offset = 0
        for access, (at, length) in zip(accesses, ranges):
            access.address, access.data, access.length = at, start + offset, length
            parts.append((offset, offset + length))
            offset += length
        _check(_lib.pvm_access_memory(self._handle, ctypes.byref(accesses), len(ranges)))
        raw = buffer.raw
        return [raw[begin:end] for begin, end in parts]

    def write(self, address: int, data: bytes) -> None:
        """Writes memory that the program can write."""
        self._at(address)
        _check(_lib.pvm_write_memory(self._handle, address, bytes(data), len(data)))

    def initialize(self, address: int, data: bytes) -> None:
        """Writes memory that is mapped."""
        self._at(address)
        _check(_lib.pvm_initialize_memory(self._handle, address, bytes(data), len(data)))

    def zero(self, address: int, length: int) -> None:
        """Zeroes memory that the program can write."""
        self._at(address)
        self._at(length)
        _check(_lib.pvm_zero_memory(self._handle, address, length))

    def map(self, address: int, length: int, permission: Permission = Permission.READ_WRITE) -> None:
        """Maps whole pages; new ones are zero."""
        self._at(address)
        _check(_lib.pvm_map(self._handle, address, length, permission))

    def protect(self, address: int, length: int, permission: Permission) -> None:
        """Changes what the program may do to mapped pages."""
        self._at(address)
        _check(_lib.pvm_protect(self._handle, address, length, permission))

    def unmap(self, address: int, length: int) -> None:
        """Unmaps whole pages."""
        self._at(address)
        _check(_lib.pvm_unmap(self._handle, address, length))

    @staticmethod
    def _at(address: int) -> None:
        # ctypes would take the low half.
        if not 0 <= address < 1 << 32:
            raise PvmError(c.PVM_STATUS_OUT_OF_BOUNDS, f"{address:#x}: there is no such memory")

    def output(self) -> bytes:
        """What a JAM program that has halted gives: the bytes at register 7, as many as register 8 says; none if they are not
        readable."""
        try:
            return self.read(self[7], self[8])
        except PvmError as error:
            if error.status == c.PVM_STATUS_OUT_OF_BOUNDS:
                return b""
            raise

    # Copies, recordings.

    def fork(self) -> Vm:
        """Another VM in the same state, without callbacks."""
        handle = ctypes.c_void_p()
        _check(_lib.pvm_fork(self._handle, ctypes.byref(handle)))
        fork = Vm(handle.value)
        # The callbacks of this one would be called with the wrong object.
        _check(_lib.pvm_set_host_callback(handle.value, None))
        return fork

    def snapshot(self) -> bytes:
        """The state as bytes."""
        return self._bytes(_lib.pvm_snapshot, ctypes.create_string_buffer, 0)

    def restore(self, snapshot: bytes) -> None:
        """Back to the state of a snapshot of the same program."""
        _check(_lib.pvm_restore_into(self._handle, bytes(snapshot), len(snapshot)))

    def reset(self) -> None:
        """Back to the beginning; gas stays."""
        _check(_lib.pvm_reset(self._handle))

    def record(self, limit: int = 1 << 30) -> None:
        """Records host calls from the next execution on."""
        _check(_lib.pvm_record_start(self._handle, limit))

    def recording(self) -> str:
        """What was recorded: a JIP-6 trace."""
        return self._bytes(_lib.pvm_record_read, ctypes.create_string_buffer, 1).decode()

    def replay(self, recording: str) -> None:
        """Executes a recording again; raises PvmError with the first difference."""
        text = recording.encode()
        _check(_lib.pvm_replay(self._handle, text, len(text), None))

    def _bytes(self, function, make, spare: int) -> bytes:
        length = ctypes.c_size_t()
        status = function(self._handle, None, 0, ctypes.byref(length))
        if status != c.PVM_STATUS_BUFFER_TOO_SMALL:
            _check(status)
        buffer = make(length.value + spare)
        _check(function(self._handle, buffer, len(buffer), ctypes.byref(length)))
        return buffer.raw[: length.value]

    def describe(self) -> str:
        """Where it stopped, in a line."""
        text = ctypes.create_string_buffer(256)
        _check(_lib.pvm_describe(self._handle, text, 256, None))
        return text.value.decode()

    # Inner machines: what the Gray Paper's host calls give for register 7, and 8.

    def inner_machine(self, address: int, length: int, pc: int) -> int:
        """Host call machine."""
        return self._inner(_lib.pvm_inner_machine, address, length, pc)

    def inner_peek(self, n: int, destination: int, source: int, length: int) -> int:
        """Host call peek."""
        return self._inner(_lib.pvm_inner_peek, n, destination, source, length)

    def inner_poke(self, n: int, source: int, destination: int, length: int) -> int:
        """Host call poke."""
        return self._inner(_lib.pvm_inner_poke, n, source, destination, length)

    def inner_pages(self, n: int, first: int, count: int, kind: int) -> int:
        """Host call pages."""
        return self._inner(_lib.pvm_inner_pages, n, first, count, kind)

    def inner_invoke(self, n: int, address: int) -> tuple[int, int | None]:
        """Host call invoke."""
        first, second = ctypes.c_uint64(), ctypes.c_uint64(NONE)
        _check(_lib.pvm_inner_invoke(self._handle, n, address, ctypes.byref(first), ctypes.byref(second)))
        has_second = first.value in (InnerState.HOST, InnerState.FAULT)
        return first.value, second.value if has_second else None

    def inner_expunge(self, n: int) -> int:
        """Host call expunge."""
        return self._inner(_lib.pvm_inner_expunge, n)

    def _inner(self, function, *operands: int) -> int:
        result = ctypes.c_uint64()
        _check(function(self._handle, *operands, ctypes.byref(result)))
        return result.value

    # The end.

    def close(self) -> None:
        """Destroys it now."""
        handle, self._handle = self._handle, None
        self._registers = None
        if handle is not None:
            _lib.pvm_destroy(handle)

    def __enter__(self) -> Vm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()
