//! A guest that waits for the answer to a syscall, for benchmarks: each step is one syscall, there and back.

use super::{Context, Exit, Frame, Pricing, Role, Syscalls};
use crate::{BalanceOf, Config, Instances};
use alloc::vec::Vec;
use core::ops::ControlFlow;
use frame_support::weights::Weight;
use hatchery_primitives::{ExecResult, Execution, Syscall};

/// The export of the guest `script` that makes syscalls forever, each with the address of its buffer in a0.
const SERVE: &[u8] = b"serve";

/// The length of that buffer in bytes.
pub(crate) const BUFFER: u64 = 128 * 1024;

/// A guest that waits at a syscall.
pub(crate) struct Suspended<T: Config> {
    origin: T::AccountId,
    frame: Frame<T>,
    /// Gone when the guest has ended its call.
    execution: Option<Execution>,
    /// What the next syscall of this guest may use for a buffer.
    pub(crate) buffer: u64,
}

impl<T: Config> Suspended<T> {
    /// Calls an instance of the guest `script`.
    pub(crate) fn new(origin: T::AccountId, instance: T::AccountId, input: Vec<u8>) -> Self {
        let info = Instances::<T>::get(&instance).expect("benchmarks make the instance first");
        let frame = Frame {
            instance,
            caller: origin.clone(),
            info,
            value: BalanceOf::<T>::default(),
            input,
            role: Role::Call,
        };
        let mut no_debug = None;
        let mut context =
            Context::<T>::new(origin.clone(), Weight::MAX, None, Pricing::Cached, &mut no_debug);
        let Ok(module) = context.load(frame.info.code_hash) else { panic!("the guest can be compiled") };
        let machine = module.instantiate().expect("the guest can be instantiated");
        let Ok(execution) = machine.prepare(SERVE) else { panic!("the guest has this export") };
        match execution.run(i64::MAX, 0) {
            ExecResult::Syscall { execution, a0, .. } => {
                Self { origin, frame, execution: Some(execution), buffer: a0 }
            }
            _ => panic!("the guest makes a syscall"),
        }
    }

    /// Writes into the guest's buffer.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) {
        let execution = self.execution.as_mut().expect("the guest has not ended its call");
        let address = u32::try_from(self.buffer + offset).expect("addresses have 32 bits");
        execution.write_memory(address, bytes).expect("the buffer is writable");
    }

    /// Answers the guest as if it had made this syscall, and runs it to the next one. If the syscall ends the call, gives
    /// the beneficiary of a terminated instance, or nothing.
    pub(crate) fn step(&mut self, symbol: &[u8], registers: [u64; 4]) -> Option<T::AccountId> {
        let mut execution = self.execution.take().expect("the guest has not ended its call");
        let mut no_debug = None;
        let mut context =
            Context::<T>::new(self.origin.clone(), Weight::MAX, None, Pricing::Cached, &mut no_debug);
        context.stack.push(self.frame.instance.clone());
        let mut gas_left = context.meter.gas_left();
        let mut syscalls = Syscalls::new(&mut context, &mut self.frame, gas_left);
        let [a0, a1, a2, a3] = registers;
        let syscall = Syscall { symbol, arguments: [a0, a1, a2, a3, 0, 0], gas_left: &mut gas_left };
        match syscalls.answer(&mut execution, syscall) {
            ControlFlow::Continue(answer) => match execution.run(gas_left, answer) {
                ExecResult::Syscall { execution, .. } => self.execution = Some(execution),
                _ => panic!("the guest makes syscalls forever"),
            },
            ControlFlow::Break(Exit::Returned(_)) => {}
            ControlFlow::Break(Exit::Terminated(beneficiary)) => return Some(beneficiary),
            ControlFlow::Break(Exit::Failed(fault)) => panic!("the syscall fails: {fault:?}"),
        }
        None
    }

    /// The record of the instance, as the guest left it.
    pub(crate) fn info(&self) -> &crate::InstanceInfoOf<T> {
        &self.frame.info
    }

    /// Keeps the record of the instance.
    pub(crate) fn save(&self) {
        Instances::<T>::insert(&self.frame.instance, &self.frame.info);
    }
}
