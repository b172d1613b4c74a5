//! A paused call between two commands: what was asked so far. It is executed again from its beginning to go on, which gives the
//! same, because everything that it depends on is kept.

use codec::{Decode, Encode};
use hatchery_capabilities::{CacheDirectory, CallResult, CapHash, InProcessAssist, KernelAssist, Vm};
use hatchery_engine::Backend;

use super::error::CapError;

/// A call and what followed.
#[derive(Clone, Encode, Decode)]
pub(super) struct Paused {
    pub(super) call: Call,
    pub(super) steps: Vec<Step>,
    /// Meters, quotas and files before the call.
    before: InProcessAssist,
}

/// What was called.
#[derive(Clone, Encode, Decode)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) instance: CapHash,
    pub(super) endpoint: u8,
    pub(super) args: [u64; 4],
    pub(super) gas: u64,
    pub(super) hand: Option<CapHash>,
}

/// How it was resumed.
#[derive(Clone, Encode, Decode)]
pub(super) struct Step {
    pub(super) hand: Option<CapHash>,
    /// Gas added to that of the call.
    pub(super) gas: u64,
    /// Gas added to meters.
    pub(super) meters: Vec<(u64, u64)>,
}

impl Paused {
    pub(super) fn new(call: Call, before: &InProcessAssist) -> Self {
        Self { call, steps: Vec::new(), before: before.clone() }
    }

    /// The result of the last step, and meters, quotas and files after it.
    pub(super) fn run(
        &self,
        cache: &mut CacheDirectory,
        backend: Backend,
    ) -> Result<(CallResult, InProcessAssist), CapError> {
        let (result, vm) = self.replay(cache, backend)?;
        Ok((result, vm.assist().clone()))
    }

    /// Meters, quotas and files after the call was given up.
    pub(super) fn give_up(
        &self,
        cache: &mut CacheDirectory,
        backend: Backend,
    ) -> Result<InProcessAssist, CapError> {
        let (_, mut vm) = self.replay(cache, backend)?;
        vm.drop_paused()?;
        Ok(vm.assist().clone())
    }

    fn replay(
        &self,
        cache: &mut CacheDirectory,
        backend: Backend,
    ) -> Result<(CallResult, Vm<InProcessAssist>), CapError> {
        let mut vm = Vm::new(self.before.clone()).backend(backend);
        let Call { instance, endpoint, args, gas, hand, .. } = self.call;
        let mut result = vm.invoke_with(cache, instance, endpoint, args, gas, hand)?;
        for step in &self.steps {
            vm.add_gas(step.gas);
            for &(meter, gas) in &step.meters {
                let left = vm.assist().gas_meter(meter);
                vm.assist_mut().set_gas_meter(meter, left.saturating_add(gas));
            }
            result = vm.resume(cache, step.hand)?;
        }
        Ok((result, vm))
    }
}
