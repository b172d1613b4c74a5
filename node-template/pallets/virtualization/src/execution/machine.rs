//! Why a machine does not run, or not on: what the host functions that came first do not tell, and those of Hatchery do.

use crate::{Cause, Limit, Resource, Trap, TrapKind};
use hatchery_primitives::{ExecError, Execution, ExitInfo, Instance, Refusal, Stop, last_refusal};

/// Why the last request for a module or an instance was refused.
pub(crate) fn refusal() -> Cause {
    last_refusal().ok().flatten().map_or(Cause::InvalidCode, cause)
}

/// Prepares a call of an export.
///
/// # Errors
/// [`Cause::MissingExport`] if there is no such export, [`Cause::LimitReached`] if too many machines wait for one another.
pub(super) fn prepare(machine: Instance, export: &[u8]) -> Result<Execution, Cause> {
    machine.prepare(export).map_err(not_prepared)
}

/// As [`prepare`], with arguments in a1 to a5.
///
/// # Errors
/// As [`prepare`].
pub(super) fn prepare_with_arguments(
    machine: Instance,
    export: &[u8],
    arguments: [u64; 5],
) -> Result<Execution, Cause> {
    machine.prepare_with_arguments(export, arguments).map_err(not_prepared)
}

fn not_prepared((machine, _): (Instance, ExecError)) -> Cause {
    let refusal = machine.exit_info().ok().and_then(|info| info.refusal);
    refusal.map_or(Cause::MissingExport, cause)
}

/// Why a run failed, and the gas that it left. Gas that a node does not tell of counts as used, since a guest that traps in
/// time would work for free otherwise.
pub(super) fn failure(machine: &Instance, error: ExecError) -> (Cause, i64) {
    let ExitInfo { stop, pc, gas_left, .. } = machine.exit_info().unwrap_or_default();
    let cause = match (error, stop) {
        (ExecError::OutOfGas, _) => Cause::OutOfGas(Resource::RefTime),
        (ExecError::Trap, Stop::Trap { kind, address }) => {
            Cause::Trapped(Trap { kind: TrapKind::from_number(kind.0), pc, address })
        }
        (ExecError::Trap, _) => Cause::Trapped(Trap { kind: TrapKind::Unknown, pc, address: None }),
        // The program made a syscall whose number it does not import.
        (ExecError::InvalidImage, _) => Cause::UnknownSyscall,
        (ExecError::InvalidInstance, _) => Cause::InvalidCode,
    };
    (cause, gas_left)
}

fn cause(refusal: Refusal) -> Cause {
    Cause::LimitReached(match refusal {
        Refusal::InvalidProgram | Refusal::InvalidSnapshot => return Cause::InvalidCode,
        Refusal::UnknownExport => return Cause::MissingExport,
        Refusal::CodeBytes => Limit::CodeBytes,
        Refusal::Modules => Limit::Programs,
        Refusal::MemoryBytes => Limit::MemoryBytes,
        Refusal::Instances => Limit::Machines,
        Refusal::Pages => Limit::Pages,
        Refusal::Nesting => Limit::Nesting,
        Refusal::SnapshotBytes => Limit::SnapshotBytes,
    })
}
