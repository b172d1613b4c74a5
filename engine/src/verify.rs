//! Native code and the interpreter in lock-step.

use crate::exit::Exit;
use crate::instance::{Instance, RunError};
use crate::isa::Reg;
use crate::memory::PAGE_SIZE;
use crate::pause::Pause;

/// Native code and the interpreter do not do the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "native code and the interpreter disagree in or after the block at pc {pc:#x}, after {block} blocks of this run: {difference}"
)]
pub struct Disagreement {
    /// Where both were before.
    pub pc: u32,
    /// How many blocks of this run both did the same before.
    pub block: u64,
    /// The first difference.
    pub difference: Difference,
}

/// What differs: of native code, then of the interpreter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Difference {
    /// What stopped them; nothing if it could not run.
    #[error("they stop with {0:?} and {1:?}")]
    Exit(Option<Exit>, Option<Exit>),
    /// Where they stopped.
    #[error("they are at pc {0:#x} and {1:#x}")]
    Pc(u32, u32),
    /// The gas that is left.
    #[error("they have {0} and {1} gas left")]
    Gas(i64, i64),
    /// A register.
    #[error("{0} is {1:#x} and {2:#x}")]
    Register(Reg, u64, u64),
    /// The end of the heap.
    #[error("the heap ends at {0:#x} and {1:#x}")]
    HeapTop(u32, u32),
    /// What is in memory, or what may be done to it.
    #[error("the page at {0:#010x} differs")]
    Memory(u32),
}

/// Runs an instance, block by block, and a fork of it in the interpreter, and compares them after each block; their memory at the
/// end.
#[cold]
pub(crate) fn run(instance: &mut Instance) -> Result<Exit, RunError> {
    let mut other = instance.fork();
    let always = Pause::new();
    always.raise();
    other.set_pause(Some(always.clone()));
    let pause = instance.pause.replace(always);
    let result = in_lock_step(instance, &mut other, pause.as_ref());
    instance.pause = pause;
    result
}

fn in_lock_step(
    instance: &mut Instance,
    other: &mut Instance,
    pause: Option<&Pause>,
) -> Result<Exit, RunError> {
    let mut block = 0;
    loop {
        let pc = instance.pc().0;
        let (native, interpreted) = (instance.run_native(), other.interpret::<false>());
        // That the host lacks something is no disagreement: the other one only did not need it.
        if let (Err(error @ RunError::Host(_)), _) | (_, Err(error @ RunError::Host(_))) =
            (native, interpreted)
        {
            return Err(error);
        }
        let exits = (native.ok(), interpreted.ok());
        let goes_on = native == Ok(Exit::Paused) && !pause.is_some_and(Pause::is_raised);
        let difference = if exits.0 == exits.1 {
            difference(instance, other, !goes_on)
        } else {
            Some(Difference::Exit(exits.0, exits.1))
        };
        if let Some(difference) = difference {
            return Err(Disagreement { pc, block, difference }.into());
        }
        if !goes_on {
            return native;
        }
        block += 1;
    }
}

fn difference(native: &mut Instance, interpreted: &mut Instance, with_memory: bool) -> Option<Difference> {
    let pcs = (native.pc().0, interpreted.pc().0);
    let gas = (native.gas(), interpreted.gas());
    let heap = (native.heap_top(), interpreted.heap_top());
    if pcs.0 != pcs.1 {
        return Some(Difference::Pc(pcs.0, pcs.1));
    }
    if gas.0 != gas.1 {
        return Some(Difference::Gas(gas.0, gas.1));
    }
    let mut registers = Reg::ALL.into_iter().map(|reg| (reg, native.reg(reg), interpreted.reg(reg)));
    if let Some((reg, a, b)) = registers.find(|(_, a, b)| a != b) {
        return Some(Difference::Register(reg, a, b));
    }
    if heap.0 != heap.1 {
        return Some(Difference::HeapTop(heap.0, heap.1));
    }
    let page = if with_memory { native.different_page(interpreted) } else { None };
    page.map(|page| Difference::Memory(page * PAGE_SIZE))
}
