//! Direct threading: each handler jumps to the next one, with the state of the machine in registers of the processor.
//!
//! That takes a compiler that turns a call in tail position, of a function with the same signature, into a jump. Nothing in the
//! language promises this (`become` is not stable), so it is used only where it was found to hold, see `build.rs`, and a test runs
//! every operation in long loops on a small stack.

use core::ptr::NonNull;

use super::handlers::{self, Cpu, Flow, Handler, run};
use super::kinds::for_each_kind;
use super::operations::{Kind, Position};
use super::regions::Links;
use crate::memory::Direct;

/// Whether this build has it.
pub(crate) const DIRECT_THREADING: bool = true;

/// A handler, with the place of its operation, the registers, memory and its table of permissions, the gas, and what is the same for
/// the whole module. These are as many words as are passed in registers. It gives the place where handlers left: one word, since with
/// two the compiler makes calls of some jumps.
type Thread = fn(Position, &mut [u64; 16], NonNull<u8>, NonNull<u8>, i64, &Links) -> Position;

/// Where among the registers the gas is put by the handler that leaves.
const GAS: usize = 13;

macro_rules! define_table {
    (
        instructions { $($instruction:ident)+ }
        others { $($(#[$doc:meta])+ $other:ident)+ }
        fused { $($fused:ident = $shorter:ident ($last_how:ident $last:ident) [$first:ident $(($how:ident $then:ident))+];)* }
    ) => {
        /// How many kinds there are.
        const COUNT: usize =
            [$(Kind::$instruction,)+ $(Kind::$other,)+ $(Kind::$fused,)*].len();

        /// The handlers in the order of [`Kind`].
        const TABLE: [Thread; COUNT] = [
            $(thread::<handlers::$instruction>,)+
            $(thread::<handlers::$other>,)+
            $(thread::<handlers::fused!($first $(($how $then))+)>,)*
        ];
    };
}

for_each_kind!(define_table);

/// The handlers by kind.
pub(super) struct Table([Thread; COUNT]);

impl Table {
    pub(super) const fn new() -> Self {
        Self(TABLE)
    }
}

impl core::fmt::Debug for Table {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Table")
    }
}

/// The handler of the operation at a place.
#[inline(always)]
fn handler(links: &Links, at: Position) -> Thread {
    // SAFETY: the table has a handler for each kind.
    unsafe { *links.table.0.get_unchecked(at.kind as usize) }
}

/// Does one operation and goes on with the next.
fn thread<H: Handler>(
    at: Position,
    regs: &mut [u64; 16],
    base: NonNull<u8>,
    table: NonNull<u8>,
    gas: i64,
    links: &Links,
) -> Position {
    // SAFETY: these are the parts of what `execute` was given.
    let memory = unsafe { Direct::from_parts(base, table) };
    match run::<H, Direct>(&mut Cpu { regs, memory, links }, at) {
        Flow::Next(next) => handler(links, next)(next, regs, base, table, gas, links),
        Flow::Enter(charge) => {
            let left = gas.wrapping_sub(i64::from(charge.x));
            if left < 0 {
                regs[GAS] = gas as u64;
                return charge;
            }
            let next = charge.next();
            handler(links, next)(next, regs, base, table, left, links)
        }
        Flow::Leave(here) => {
            regs[GAS] = gas as u64;
            here
        }
    }
}

/// Executes from `at` until there is something that handlers do not do, and gives the place and the gas that is left.
#[inline]
pub(super) fn execute(
    regs: &mut [u64; 16],
    memory: Direct,
    links: &Links,
    at: Position,
    gas: i64,
) -> (Position, i64) {
    let (base, table) = memory.into_parts();
    let at = handler(links, at)(at, regs, base, table, gas, links);
    (at, core::mem::take(&mut regs[GAS]) as i64)
}
