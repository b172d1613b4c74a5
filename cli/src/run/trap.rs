//! What is said about the place where a program stopped against its will.

use std::fmt::Write;

use hatchery_engine::{Instance, PageFault, Reg, Trap};

use crate::symbols::Symbols;
use crate::syscalls::SyscallError;

/// Why a program stopped against its will.
#[derive(Debug)]
pub(super) enum Cause {
    Trap(Trap),
    PageFault(PageFault),
    /// It gave its host a buffer that is none.
    Syscall(SyscallError),
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Trap(trap) => trap.fmt(f),
            Self::PageFault(fault) => {
                write!(f, "page fault at pc {:#x} (address {:#010x})", fault.pc, fault.address)
            }
            Self::Syscall(error) => error.fmt(f),
        }
    }
}

/// The instruction at which an instance stopped, and where that is.
pub(super) fn place(symbols: &Symbols<'_>, instance: &Instance) -> String {
    let pc = instance.pc();
    let mut text = String::new();
    let decoded = instance.module().instruction_at(pc);
    let line = match (decoded.instruction, instance.module().code().byte(pc.0)) {
        (Some(instruction), _) => instruction.to_string(),
        (None, Some(byte)) => format!("no valid instruction (byte {byte:#04x})"),
        (None, None) => "the end of the code".to_owned(),
    };
    // Writing to a string does not fail.
    let _ = writeln!(text, "  at {:#x}: {line}", pc.0);
    if pc.0 <= instance.module().code().length()
        && let Some(export) = symbols.export_before(pc.0)
    {
        let _ = writeln!(text, "  nearest export: {export}");
    }
    for (depth, frame) in symbols.functions(pc.0).iter().enumerate() {
        let relation = if depth == 0 { "in" } else { "inlined into" };
        let _ = writeln!(text, "  {relation} {frame}");
    }
    text
}

/// All registers, four a line.
pub(super) fn registers(instance: &Instance) -> String {
    let mut text = String::new();
    for line in Reg::ALL.chunks(4) {
        let registers: Vec<String> =
            line.iter().map(|&reg| format!("{reg:>2} = {:#018x}", instance.reg(reg))).collect();
        text.push_str("  ");
        text.push_str(&registers.join("  "));
        text.push('\n');
    }
    text
}
