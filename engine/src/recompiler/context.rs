//! What native code and the host tell each other: a page in front of the guest's memory, at small negative offsets from its base.

use core::ptr::NonNull;

use super::assembler::{Gpr, Mem};
use super::sys::Running;
use crate::memory::CONTEXT_SIZE;

/// Holds the base of the guest's memory while native code runs, if that is not the base of the segment `gs`.
pub(super) const BASE: Gpr = Gpr::R15;
/// Holds the gas while native code runs, if the base of the guest's memory is that of the segment `gs`.
pub(super) const GAS_LEFT: Gpr = Gpr::R15;
/// Belongs to no guest register: native code computes addresses, counts and what it tells the host in it.
pub(super) const SCRATCH: Gpr = Gpr::Rcx;

/// Where the guest's registers live, in the order of their numbers. All but `rsp`, [`BASE`] and [`SCRATCH`]; `rax` and `rdx`, which
/// multiplication and division take, are those of registers that compilers use for short-lived values.
pub(super) const GUEST: [Gpr; 13] = {
    use Gpr::*;
    [R13, Rbp, Rax, Rdx, R12, Rbx, R14, Rdi, Rsi, R8, R9, R10, R11]
};

/// Why native code returned to its host. The argument is what `SCRATCH` held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(super) enum Leave {
    /// A syscall; the argument is its index in the list of syscalls.
    Syscall = 0,
    /// There is not enough gas for a block, which has been deducted; the argument is its index.
    Charge,
    /// An instruction that the host executes; the argument is its pc.
    Service,
    /// An indirect jump that the jump table has no entry for; the argument is the address, `pc` the instruction.
    Indirect,
    /// An indirect jump through an entry that leads nowhere; [`JumpTable::address_of`](super::jump_table::JumpTable::address_of) says
    /// what the argument means, `pc` is the instruction.
    Nowhere,
    /// A `trap` instruction; the argument is its pc.
    Trap,
    /// Bytes that are no instruction; the argument is their pc.
    InvalidInstruction,
    /// The end of the code; the argument is the pc.
    CodeEnd,
    /// A jump to what is no block; the argument is its pc.
    InvalidJump,
    /// The processor refused an access; the argument is the place in the native code, which the signal handler puts here.
    Fault,
}

impl Leave {
    pub(super) const ALL: [Self; 10] = [
        Self::Syscall,
        Self::Charge,
        Self::Service,
        Self::Indirect,
        Self::Nowhere,
        Self::Trap,
        Self::InvalidInstruction,
        Self::CodeEnd,
        Self::InvalidJump,
        Self::Fault,
    ];
}

/// The end of the page in front of the guest's memory.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Context {
    /// For the signal handler.
    pub(super) running: Running,
    /// Where native code puts registers away while it needs them.
    spill: [u64; 3],
    /// The number of the [`Leave`] if it is no syscall.
    leave: u32,
    /// The instruction at which it left, for some reasons.
    pub(super) pc: u32,
    /// Where to go on, then what belongs to the reason for leaving.
    pub(super) argument: u64,
    /// The table of native addresses for indirect jumps, if native code does not name it.
    pub(super) table: *const u64,
    /// The guest's registers while native code does not run.
    pub(super) regs: *mut u64,
    /// The gas that native code may use.
    pub(super) gas: i64,
}

const _: () = assert!(size_of::<Context>() <= 128, "offsets fit one byte");
const _: () = assert!(size_of::<Context>() <= CONTEXT_SIZE);

/// A place in the context, from the base of the guest's memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field(i32);

impl Field {
    /// Where native code finds it; `segment` is whether the base is that of the segment `gs`.
    pub(super) const fn place(self, segment: bool) -> Mem {
        if segment { Mem::SegmentBase(self.0) } else { Mem::Base(BASE, self.0) }
    }
}

macro_rules! field {
    ($name:ident, $field:ident, $doc:literal) => {
        #[doc = $doc]
        pub(super) const $name: Field = at(core::mem::offset_of!(Context, $field));
    };
}

const fn at(offset: usize) -> Field {
    Field(offset as i32 - size_of::<Context>() as i32)
}

/// Where native code puts registers away.
pub(super) const SPILL: [Field; 3] = {
    const FIRST: usize = core::mem::offset_of!(Context, spill);
    [at(FIRST), at(FIRST + 8), at(FIRST + 16)]
};
field!(LEAVE, leave, "[`Context::leave`]");
field!(PC, pc, "[`Context::pc`]");
field!(ARGUMENT, argument, "[`Context::argument`]");
field!(TABLE, table, "[`Context::table`]");
field!(REGS, regs, "[`Context::regs`]");
field!(GAS, gas, "[`Context::gas`]");

impl Context {
    /// The context of the memory at this base.
    pub(super) const fn of(base: NonNull<u8>) -> NonNull<Self> {
        // SAFETY: there are `CONTEXT_SIZE` bytes in front of the base of every guarded window.
        unsafe { base.cast::<Self>().sub(1) }
    }
}
