//! One call, from the outside in: instances that run and call one another.

mod abi;
mod debug;
mod fault;
mod guest;
mod job;
mod machine;
mod meter;
#[cfg(feature = "runtime-benchmarks")]
mod suspended;
mod syscalls;

pub use abi::{Code, SYSCALLS};
pub(crate) use debug::DebugMessages;
pub(crate) use fault::{Fault, FaultReason};
pub(crate) use job::{JobEnd, Slice, run_job};
pub(crate) use machine::refusal;
pub(crate) use meter::Meter;
#[cfg(feature = "runtime-benchmarks")]
pub(crate) use suspended::{BUFFER, Suspended};

use crate::{
    BalanceOf, Cause, CodeHash, CodeInfos, Codes, Config, Event, InstanceInfoOf, Instances, Pallet,
    WeightInfo, deposits::DepositMeter,
};
use alloc::vec::Vec;
use frame_support::{
    storage::with_storage_layer,
    traits::{Get, fungible::Mutate as _, tokens::Preservation},
    weights::Weight,
};
use hatchery_primitives::{Completion, Execution, Module, Syscall, run_to_completion};
use sp_runtime::traits::Zero;
use syscalls::{Exit, Syscalls};

/// The export that is called when an instance is made.
const CONSTRUCTOR: &[u8] = b"init";

/// How programs are priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pricing {
    /// A program that was compiled before in this block costs no compilation.
    Cached,
    /// A program costs its compilation the first time that this call uses it, so that the price does not depend on what else is in
    /// the block.
    Cold,
}

/// What all instances of one call share.
pub(crate) struct Context<'a, T: Config> {
    pub(crate) meter: Meter,
    pub(crate) deposits: DepositMeter<T>,
    pricing: Pricing,
    /// The programs that this call has used, except for what was undone.
    used: Vec<CodeHash>,
    /// The instances that are being called, the outermost first.
    stack: Vec<T::AccountId>,
    debug: &'a mut Option<DebugMessages<T>>,
}

/// An instance that is being called.
struct Frame<T: Config> {
    instance: T::AccountId,
    caller: T::AccountId,
    /// The instance's record. Nobody else changes it meanwhile, as an instance is not called twice at a time.
    info: InstanceInfoOf<T>,
    value: BalanceOf<T>,
    input: Vec<u8>,
    role: Role,
}

/// What for a guest runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Call,
    Constructor,
    /// A slice of a job without an instance.
    JobOfCode,
    /// A slice of a job of an instance.
    JobOfInstance,
}

impl<'a, T: Config> Context<'a, T> {
    pub(crate) fn new(
        origin: T::AccountId,
        gas_limit: Weight,
        storage_deposit_limit: Option<BalanceOf<T>>,
        pricing: Pricing,
        debug: &'a mut Option<DebugMessages<T>>,
    ) -> Self {
        Self {
            meter: Meter::new(gas_limit, T::RefTimePerGas::get()),
            deposits: DepositMeter::new(origin, storage_deposit_limit),
            pricing,
            used: Vec::new(),
            stack: Vec::new(),
            debug,
        }
    }

    /// Pays for something.
    pub(crate) fn charge(&mut self, weight: Weight) -> Result<(), Fault> {
        self.meter.charge(weight).map_err(|resource| self.fault(Cause::OutOfGas(resource)))
    }

    /// Calls an instance, in a storage layer of its own.
    pub(crate) fn call_instance(
        &mut self,
        caller: T::AccountId,
        instance: T::AccountId,
        export: &[u8],
        value: BalanceOf<T>,
        input: Vec<u8>,
    ) -> Result<Vec<u8>, Fault> {
        let depth = self.stack.len();
        let (before, used_before) = (self.deposits.checkpoint(), self.used.len());
        if depth >= usize::from(T::MaxCallDepth::get()) {
            return Err(Fault::guest(Cause::CallDepthExceeded, depth));
        }
        if self.stack.contains(&instance) {
            return Err(Fault::guest(Cause::Reentered, depth));
        }
        let result = with_storage_layer(|| {
            let info =
                Instances::<T>::get(&instance).ok_or_else(|| Fault::guest(Cause::InstanceNotFound, depth))?;
            if !value.is_zero() {
                T::Currency::transfer(&caller, &instance, value, Preservation::Preserve)
                    .map_err(|_| Fault::guest(Cause::TransferFailed, depth))?;
            }
            let output = self.enter(
                Frame {
                    instance: instance.clone(),
                    caller: caller.clone(),
                    info,
                    value,
                    input,
                    role: Role::Call,
                },
                export,
            )?;
            Pallet::<T>::deposit_event(Event::Called { instance, caller });
            Ok(output)
        });
        if result.is_err() {
            self.deposits.restore(before);
            self.used.truncate(used_before);
        }
        result
    }

    /// Makes an instance and calls its constructor. The caller provides the storage layer.
    pub(crate) fn instantiate(
        &mut self,
        code_hash: CodeHash,
        value: BalanceOf<T>,
        salt: &[u8; 32],
        input: Vec<u8>,
    ) -> Result<Vec<u8>, Fault> {
        let (instance, info) =
            Pallet::<T>::create_instance(&mut self.deposits, code_hash, value, &input, salt)?;
        let owner = info.owner.clone();
        let frame = Frame {
            instance: instance.clone(),
            caller: owner.clone(),
            info,
            value,
            input,
            role: Role::Constructor,
        };
        let output = self.enter(frame, CONSTRUCTOR)?;
        Pallet::<T>::deposit_event(Event::Instantiated { instance, owner, code_hash });
        Ok(output)
    }

    /// Runs an export of an instance, which is on the stack meanwhile.
    fn enter(&mut self, frame: Frame<T>, export: &[u8]) -> Result<Vec<u8>, Fault> {
        self.stack.push(frame.instance.clone());
        let result = self.run(frame, export);
        self.stack.pop();
        result
    }

    fn run(&mut self, mut frame: Frame<T>, export: &[u8]) -> Result<Vec<u8>, Fault> {
        let info_before = frame.info.clone();
        let module = self.load(frame.info.code_hash)?;
        let machine = module.instantiate().map_err(|_| self.fault(refusal()))?;
        let execution = match machine::prepare(machine, export) {
            Ok(execution) => execution,
            Err(Cause::MissingExport) if frame.role == Role::Constructor && frame.input.is_empty() => {
                return Ok(Vec::new());
            }
            Err(cause) => return Err(self.fault(cause)),
        };
        let gas = self.meter.gas_left();
        let mut syscalls = Syscalls::new(self, &mut frame, gas);
        let completion =
            run_to_completion(execution, gas, |execution: &mut Execution, syscall: Syscall<'_>| {
                syscalls.answer(execution, syscall)
            });
        let gas_given = syscalls.gas_given;
        let (exit, gas_left) = match completion {
            Completion::Finished { gas_left, .. } => (Exit::Returned(Vec::new()), gas_left),
            Completion::Exited { value, gas_left, .. } => (value, gas_left),
            Completion::Failed { instance, error, .. } => {
                let (cause, gas_left) = machine::failure(&instance, error);
                (Exit::Failed(self.fault(cause)), gas_left)
            }
        };
        self.meter.settle(gas_given, gas_left);
        match exit {
            Exit::Returned(output) => {
                if frame.info != info_before {
                    Instances::<T>::insert(&frame.instance, &frame.info);
                }
                Ok(output)
            }
            Exit::Failed(fault) => Err(fault),
            Exit::Terminated(beneficiary) => {
                let deposits = Some(&mut self.deposits);
                Pallet::<T>::end_instance(&frame.instance, &frame.info, &beneficiary, deposits)
                    .map_err(|_| self.fault(Cause::BeneficiaryRefused))?;
                Ok(Vec::new())
            }
        }
    }

    /// Finds a compiled program, or compiles it, and pays for the memory of a machine. The price depends on the length of the program
    /// and on its pages only, and is paid before the program is read. The record with both is part of what a call costs at least.
    fn load(&mut self, code_hash: CodeHash) -> Result<Module, Fault> {
        let Some(info) = CodeInfos::<T>::get(code_hash) else {
            return Err(self.fault(Cause::InvalidCode));
        };
        self.charge(T::WeightInfo::memory(info.pages))?;
        // What compiles asks the same cache, so what is not found here is compiled below, and nothing is left to refund.
        let cached = Module::lookup(code_hash.as_bytes()).ok();
        let is_paid = match self.pricing {
            Pricing::Cached => cached.is_some(),
            Pricing::Cold => self.used.contains(&code_hash),
        };
        if !is_paid {
            self.charge(T::WeightInfo::compile(info.length))?;
        }
        let module = match cached {
            Some(module) => module,
            None => {
                let Some(code) = Codes::<T>::get(code_hash) else {
                    return Err(self.fault(Cause::InvalidCode));
                };
                let compiled = Module::from_bytes(&code, Some(code_hash.as_bytes()));
                compiled.map_err(|_| self.fault(refusal()))?.0
            }
        };
        if self.pricing == Pricing::Cold && !is_paid {
            self.used.push(code_hash);
        }
        Ok(module)
    }

    /// A failure of the innermost instance.
    fn fault(&self, cause: Cause) -> Fault {
        Fault::guest(cause, self.stack.len().saturating_sub(1))
    }
}
