//! A paused call between two commands.

use codec::{Decode, Encode};
use hatchery_capabilities::{CacheDirectory, CallResult, InProcessAssist, SuspendedCall, Vm};
use hatchery_engine::Backend;

use super::error::CapError;

/// The longest call that is read, in bytes.
const LIMIT: usize = 1 << 30;

/// A paused call as it lies in a store. Meters, quotas and files lie beside it.
#[derive(Clone, Encode, Decode)]
pub(super) struct Paused {
    /// What was called.
    pub(super) name: String,
    /// How often it was resumed.
    pub(super) resumed: u32,
    /// The machine's stack.
    call: Vec<u8>,
}

impl Paused {
    /// What is left of a call after this result; none if it is over.
    pub(super) fn after(
        result: &CallResult,
        name: &str,
        resumed: u32,
        vm: &mut Vm<InProcessAssist>,
        cache: &mut CacheDirectory,
    ) -> Result<Option<Self>, CapError> {
        if !matches!(result, CallResult::Paused { .. }) {
            return Ok(None);
        }
        let call = vm.suspend(cache)?.to_bytes();
        Ok(Some(Self { name: name.to_owned(), resumed, call }))
    }

    /// A machine that can go on with it.
    pub(super) fn machine(
        &self,
        cache: &mut CacheDirectory,
        assist: InProcessAssist,
        backend: Backend,
    ) -> Result<Vm<InProcessAssist>, CapError> {
        let mut vm = Vm::new(assist).backend(backend);
        vm.restore(cache, &SuspendedCall::from_bytes(&self.call, LIMIT)?)?;
        Ok(vm)
    }
}
