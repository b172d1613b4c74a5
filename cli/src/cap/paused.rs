//! A paused call between two commands.

use codec::{Decode, DecodeAll, Encode};
use hatchery_capabilities::{CacheDirectory, CallResult, InProcessAssist, SuspendedCall, Vm};
use hatchery_engine::Backend;

use super::error::CapError;

/// The longest call that is read, in bytes.
const LIMIT: usize = 1 << 30;

/// The name of the machine's stack in a store, where it keeps what the call needs.
const CALL: &str = "paused";

/// A paused call: what lies in a store beside the machine's stack, meters, quotas and files.
#[derive(Clone, Encode, Decode)]
pub(super) struct Paused {
    /// What was called.
    pub(super) name: String,
    /// How often it was resumed.
    pub(super) resumed: u32,
}

/// What is written of a paused call.
pub(super) type Records = [(Vec<u8>, Option<Vec<u8>>); 2];

impl Paused {
    /// The call in the store of a directory, if there is one.
    pub(super) fn load(cache: &CacheDirectory) -> Result<Option<Self>, CapError> {
        let Some(bytes) = cache.record(CALL.as_bytes())? else { return Ok(None) };
        let paused = Self::decode_all(&mut &bytes[..]);
        paused.map(Some).map_err(|_| CapError::Record { name: CALL.into() })
    }

    /// What to write where no call is paused.
    pub(super) fn none() -> Records {
        [(CALL.as_bytes().to_vec(), None), SuspendedCall::removal(CALL)]
    }

    /// What to write of what is left of a call after this result.
    pub(super) fn after(
        result: &CallResult,
        name: &str,
        resumed: u32,
        vm: &mut Vm<InProcessAssist>,
        cache: &mut CacheDirectory,
    ) -> Result<Records, CapError> {
        if !matches!(result, CallResult::Paused { .. }) {
            return Ok(Self::none());
        }
        let paused = Self { name: name.to_owned(), resumed };
        Ok([(CALL.as_bytes().to_vec(), Some(paused.encode())), vm.suspend(cache)?.record(CALL)])
    }

    /// A machine that can go on with it.
    pub(super) fn machine(
        cache: &mut CacheDirectory,
        assist: InProcessAssist,
        backend: Backend,
    ) -> Result<Vm<InProcessAssist>, CapError> {
        let mut vm = Vm::new(assist).backend(backend);
        let call = SuspendedCall::load(cache, CALL, LIMIT)?.ok_or(CapError::NotPaused)?;
        vm.restore(cache, &call)?;
        Ok(vm)
    }
}
