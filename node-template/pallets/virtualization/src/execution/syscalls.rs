//! What a guest can ask for.
//!
//! Every syscall is paid for before its work is done. Where the work depends on what is stored, the most is paid first and
//! what was too much is given back.

use super::{
    Context, Fault, FaultReason, Frame, Role,
    abi::{CallArguments, Code, MAX_TOPICS, UNWIND, YIELD},
    guest,
};
use crate::{
    Argument, BalanceOf, Cause, Config, Event, Failure, JOB_SYSCALLS, LOG_TARGET, Pallet,
    REF_TIME_PER_EVENT_BYTE, WeightInfo, instances::decode_account, items, requests::length,
};
use alloc::{string::String, vec, vec::Vec};
use codec::{Decode as _, Encode as _, MaxEncodedLen as _};
use core::ops::ControlFlow;
use frame_support::{
    traits::{
        Get,
        fungible::{Inspect as _, Mutate as _},
        tokens::Preservation,
    },
    weights::Weight,
};
use hatchery_primitives::{Execution, Syscall};
use sp_runtime::SaturatedConversion;

/// How a guest ends a call by a syscall.
pub(super) enum Exit<T: Config> {
    /// It succeeds with this output.
    Returned(Vec<u8>),
    /// It fails.
    Failed(Fault),
    /// It succeeds, and the instance ends. Its balance goes to this account.
    Terminated(T::AccountId),
}

/// Answers the syscalls of one call of one instance.
pub(super) struct Syscalls<'a, 'b, T: Config> {
    context: &'a mut Context<'b, T>,
    frame: &'a mut Frame<T>,
    /// The gas that the guest runs with.
    pub(super) gas_given: i64,
    /// What the last callee returned.
    returned: Vec<u8>,
    /// Whether the call has paid for its instance's record, which is written at its end if what the instance stores has changed.
    is_record_paid: bool,
}

/// Bytes of an event besides its data and topics.
const EVENT_OVERHEAD: u64 = 128;

/// The answer in a0, or how the call ends.
type Answer<T> = Result<u64, Exit<T>>;

/// A syscall's answer when it did what it was asked for and there is nothing else to say.
const DONE: u64 = 0;

impl<'a, 'b, T: Config> Syscalls<'a, 'b, T> {
    pub(super) fn new(context: &'a mut Context<'b, T>, frame: &'a mut Frame<T>, gas_given: i64) -> Self {
        // Making an instance pays for its record.
        let is_record_paid = frame.role == Role::Constructor;
        Self { context, frame, gas_given, returned: Vec::new(), is_record_paid }
    }

    /// Whether the guest can be left wherever the gas of a slice ends. An instance cannot, as others use it between two slices: what it
    /// does is there for them as a whole, or not at all.
    pub(super) fn goes_on_anywhere(&self) -> bool {
        self.frame.role == Role::JobOfCode
    }

    /// Uses the weight of the gas that the guest has used since the last syscall.
    pub(super) fn settle(&mut self, gas_left: i64) {
        self.context.meter.settle(self.gas_given, gas_left);
        self.gas_given = gas_left;
    }

    /// Answers one syscall.
    pub(super) fn answer(
        &mut self,
        execution: &mut Execution,
        syscall: Syscall<'_>,
    ) -> ControlFlow<Exit<T>, u64> {
        let Syscall { symbol, arguments, gas_left } = syscall;
        self.context.meter.settle(self.gas_given, *gas_left);
        let answer = self.dispatch(execution, symbol, arguments);
        self.gas_given = self.context.meter.gas_left();
        *gas_left = self.gas_given;
        match answer {
            Ok(value) => ControlFlow::Continue(value),
            Err(exit) => ControlFlow::Break(exit),
        }
    }

    fn dispatch(
        &mut self,
        execution: &mut Execution,
        symbol: &[u8],
        [a0, a1, a2, a3, ..]: [u64; 6],
    ) -> Answer<T> {
        if self.frame.role == Role::JobOfCode && !JOB_SYSCALLS.iter().any(|known| known.as_bytes() == symbol)
        {
            return Err(self.failed(Cause::UnknownSyscall));
        }
        match symbol {
            b"input_v1" => self.input(execution, a0, a1),
            b"return_value_v1" => Err(Exit::Returned(self.output(execution, a0, a1)?)),
            b"revert_v1" => {
                let output = self.output(execution, a0, a1)?;
                Err(Exit::Failed(Fault { output, ..self.context.fault(Cause::Reverted) }))
            }
            b"storage_get_v1" => self.storage_get(execution, (a0, a1), (a2, a3)),
            b"storage_set_v1" => self.storage_set(execution, (a0, a1), (a2, a3)),
            b"storage_remove_v1" => self.storage_remove(execution, (a0, a1)),
            b"caller_v1" => self.put(execution, a0, |frame| frame.caller.encode()),
            b"address_v1" => self.put(execution, a0, |frame| frame.instance.encode()),
            b"value_v1" => self.put(execution, a0, |frame| amount_bytes::<T>(frame.value)),
            b"balance_v1" => self.balance(execution, a0),
            b"block_number_v1" => {
                self.charge(T::WeightInfo::syscall_context())?;
                Ok(frame_system::Pallet::<T>::block_number().saturated_into())
            }
            b"gas_left_v1" => {
                self.charge(T::WeightInfo::syscall_context())?;
                Ok(self.context.meter.gas_left().unsigned_abs())
            }
            b"transfer_v1" => self.transfer(execution, a0, a1),
            b"emit_event_v1" => self.emit_event(execution, (a0, a1), (a2, a3)),
            b"call_v1" => self.call(execution, a0),
            b"returned_v1" => self.returned(execution, a0, a1),
            b"hash_blake2_128_v1" => self.hash(execution, (a0, a1), a2, sp_io::hashing::blake2_128),
            b"hash_blake2_256_v1" => self.hash(execution, (a0, a1), a2, sp_io::hashing::blake2_256),
            b"hash_keccak_256_v1" => self.hash(execution, (a0, a1), a2, sp_io::hashing::keccak_256),
            b"debug_print_v1" => self.debug_print(execution, a0, a1),
            b"terminate_v1" => self.terminate(execution, a0),
            // A job's is not answered here but in the next slice.
            YIELD => {
                self.charge(T::WeightInfo::syscall_context())?;
                Ok(DONE)
            }
            _ => Err(self.failed(Cause::UnknownSyscall)),
        }
    }

    fn input(&mut self, execution: &mut Execution, buffer: u64, capacity: u64) -> Answer<T> {
        self.charge(T::WeightInfo::syscall_input(copied(&self.frame.input, capacity)))?;
        guest::write_some(execution, buffer, capacity, &self.frame.input)
            .map_err(|argument| self.invalid(argument))
    }

    fn returned(&mut self, execution: &mut Execution, buffer: u64, capacity: u64) -> Answer<T> {
        self.charge(T::WeightInfo::syscall_input(copied(&self.returned, capacity)))?;
        guest::write_some(execution, buffer, capacity, &self.returned)
            .map_err(|argument| self.invalid(argument))
    }

    fn output(&mut self, execution: &mut Execution, pointer: u64, length: u64) -> Result<Vec<u8>, Exit<T>> {
        self.charge_by_length(length, T::WeightInfo::syscall_return_value)?;
        self.read(execution, pointer, length, T::MaxPayloadLen::get(), Argument::Length)
    }

    fn storage_get(&mut self, execution: &mut Execution, key: (u64, u64), buffer: (u64, u64)) -> Answer<T> {
        let most = T::WeightInfo::syscall_storage_get(T::MaxValueLen::get());
        self.charge(most)?;
        let key = self.key(execution, key)?;
        let item = items::get::<T>(&self.frame.info.trie_id, &key);
        let value = item.map(|item| item.value);
        let needed = T::WeightInfo::syscall_storage_get(value.as_deref().map_or(0, length));
        self.context.meter.refund(most.saturating_sub(needed));
        let Some(value) = value else { return Ok(Code::NotFound.to_register()) };
        guest::write_some(execution, buffer.0, buffer.1, &value).map_err(|argument| self.invalid(argument))
    }

    fn storage_set(&mut self, execution: &mut Execution, key: (u64, u64), value: (u64, u64)) -> Answer<T> {
        let new = u32::try_from(value.1)
            .ok()
            .filter(|length| *length <= T::MaxValueLen::get())
            .ok_or_else(|| self.invalid(Argument::Length))?;
        let most = T::WeightInfo::syscall_storage_set(new, T::MaxValueLen::get());
        self.charge_change(most)?;
        let key = self.key(execution, key)?;
        let value = self.read(execution, value.0, value.1, T::MaxValueLen::get(), Argument::Length)?;
        let Context { deposits, .. } = self.context;
        let old = items::set::<T>(deposits, &mut self.frame.info, &key, value)
            .map_err(|cause| self.failed(cause))?;
        let needed = T::WeightInfo::syscall_storage_set(new, old.unwrap_or(0));
        self.context.meter.refund(most.saturating_sub(needed));
        Ok(old.map_or(Code::NotFound.to_register(), u64::from))
    }

    fn storage_remove(&mut self, execution: &mut Execution, key: (u64, u64)) -> Answer<T> {
        let most = T::WeightInfo::syscall_storage_remove(T::MaxValueLen::get());
        self.charge_change(most)?;
        let key = self.key(execution, key)?;
        let Context { deposits, .. } = self.context;
        let old = items::remove::<T>(deposits, &mut self.frame.info, &key);
        let needed = T::WeightInfo::syscall_storage_remove(old.unwrap_or(0));
        self.context.meter.refund(most.saturating_sub(needed));
        Ok(old.map_or(Code::NotFound.to_register(), u64::from))
    }

    /// Writes something small that is known already.
    fn put(
        &mut self,
        execution: &mut Execution,
        buffer: u64,
        bytes: impl FnOnce(&Frame<T>) -> Vec<u8>,
    ) -> Answer<T> {
        self.charge(T::WeightInfo::syscall_context())?;
        let bytes = bytes(self.frame);
        guest::write(execution, buffer, &bytes).map_err(|argument| self.invalid(argument))?;
        Ok(DONE)
    }

    fn balance(&mut self, execution: &mut Execution, buffer: u64) -> Answer<T> {
        self.charge(T::WeightInfo::syscall_balance())?;
        let bytes = amount_bytes::<T>(T::Currency::balance(&self.frame.instance));
        guest::write(execution, buffer, &bytes).map_err(|argument| self.invalid(argument))?;
        Ok(DONE)
    }

    fn transfer(&mut self, execution: &mut Execution, account: u64, amount: u64) -> Answer<T> {
        self.charge(T::WeightInfo::syscall_transfer())?;
        let to = self.account(execution, account)?;
        let Some(amount) = self.amount(execution, amount)? else {
            return Ok(Code::TransferFailed.to_register());
        };
        // The instance keeps what it needs to exist.
        match T::Currency::transfer(&self.frame.instance, &to, amount, Preservation::Preserve) {
            Ok(_) => Ok(DONE),
            Err(_) => Ok(Code::TransferFailed.to_register()),
        }
    }

    fn emit_event(&mut self, execution: &mut Execution, topics: (u64, u64), data: (u64, u64)) -> Answer<T> {
        let (pointer, count) = topics;
        if count > MAX_TOPICS {
            return Err(self.invalid(Argument::Topics));
        }
        let hash_bytes = T::Hash::max_encoded_len() as u64;
        self.charge_by_length(data.1, |length| {
            let bytes = u64::from(length) + count * hash_bytes + EVENT_OVERHEAD;
            let room = REF_TIME_PER_EVENT_BYTE.saturating_mul(bytes);
            T::WeightInfo::syscall_emit_event(count as u32, length)
                .saturating_add(Weight::from_parts(room, 0))
        })?;
        let bytes = self.read(execution, pointer, count * hash_bytes, u32::MAX, Argument::Topics)?;
        let mut rest = &*bytes;
        let mut topics = Vec::new();
        for _ in 0..count {
            topics.push(T::Hash::decode(&mut rest).map_err(|_| self.invalid(Argument::Topics))?);
        }
        let data = self.read(execution, data.0, data.1, T::MaxPayloadLen::get(), Argument::Length)?;
        let event = Event::<T>::Emitted { instance: self.frame.instance.clone(), data };
        frame_system::Pallet::<T>::deposit_event_indexed(&topics, event.into());
        Ok(DONE)
    }

    fn call(&mut self, execution: &mut Execution, arguments: u64) -> Answer<T> {
        self.charge(T::WeightInfo::syscall_call(0))?;
        let mut bytes = [0; CallArguments::BYTES];
        self.read_exact(execution, arguments, &mut bytes)?;
        let arguments = CallArguments::read(&bytes);
        if arguments.flags & !UNWIND != 0 {
            return Err(self.invalid(Argument::Flags));
        }
        let extra =
            |length| T::WeightInfo::syscall_call(length).saturating_sub(T::WeightInfo::syscall_call(0));
        self.charge_by_length(arguments.input_length, extra)?;
        let callee = self.account(execution, arguments.account)?;
        let export = self.read(
            execution,
            arguments.export,
            arguments.export_length,
            T::MaxExportLen::get(),
            Argument::Length,
        )?;
        let value = if arguments.value == 0 {
            Some(BalanceOf::<T>::default())
        } else {
            self.amount(execution, arguments.value)?
        };
        let input = self.read(
            execution,
            arguments.input,
            arguments.input_length,
            T::MaxPayloadLen::get(),
            Argument::Length,
        )?;
        let Some(value) = value else { return Ok(Code::TransferFailed.to_register()) };

        let limit = self.context.meter.forward(arguments.gas);
        let caller = self.frame.instance.clone();
        let result = self.context.call_instance(caller, callee.clone(), &export, value, input);
        self.context.meter.restore(limit);
        match result {
            Ok(output) => {
                self.returned = output;
                Ok(self.returned.len() as u64)
            }
            Err(fault) if arguments.flags & UNWIND != 0 => Err(Exit::Failed(fault)),
            Err(Fault { reason, output }) => {
                self.returned = output;
                Ok(self.call_failed(callee, reason).to_register())
            }
        }
    }

    /// Tells of a call that failed while the caller goes on.
    fn call_failed(&self, instance: T::AccountId, reason: FaultReason) -> Code {
        let failure = match reason {
            FaultReason::Guest(failure) => failure,
            // What fails without a guest is the opening of another storage layer.
            FaultReason::Other(_) => {
                Failure { cause: Cause::CallDepthExceeded, depth: depth_of_callee(self.context) }
            }
        };
        let caller = self.frame.instance.clone();
        Pallet::<T>::deposit_event(Event::CallFailed { instance, caller, failure });
        failure.cause.into()
    }

    fn hash<const N: usize>(
        &mut self,
        execution: &mut Execution,
        (pointer, length): (u64, u64),
        buffer: u64,
        hash: fn(&[u8]) -> [u8; N],
    ) -> Answer<T> {
        self.charge_by_length(length, T::WeightInfo::syscall_hash)?;
        let bytes = self.read(execution, pointer, length, T::MaxPayloadLen::get(), Argument::Length)?;
        guest::write(execution, buffer, &hash(&bytes)).map_err(|argument| self.invalid(argument))?;
        Ok(DONE)
    }

    fn debug_print(&mut self, execution: &mut Execution, pointer: u64, length: u64) -> Answer<T> {
        self.charge_by_length(length, T::WeightInfo::syscall_debug_print)?;
        let message = self.read(execution, pointer, length, T::MaxPayloadLen::get(), Argument::Length)?;
        log::debug!(
            target: LOG_TARGET,
            "{:?}: {}",
            self.frame.instance,
            String::from_utf8_lossy(&message),
        );
        if let Some(debug) = self.context.debug {
            debug.push(&self.frame.instance, message);
        }
        Ok(DONE)
    }

    fn terminate(&mut self, execution: &mut Execution, beneficiary: u64) -> Answer<T> {
        self.charge(T::WeightInfo::syscall_terminate())?;
        if self.frame.role == Role::Constructor {
            return Err(self.failed(Cause::TerminatedInConstructor));
        }
        let beneficiary = self.account(execution, beneficiary)?;
        if beneficiary == self.frame.instance {
            return Err(self.invalid(Argument::Account));
        }
        Err(Exit::Terminated(beneficiary))
    }

    /// Pays for a change of what the instance stores, and with the first one for writing its record at the end of the call.
    fn charge_change(&mut self, weight: Weight) -> Result<(), Exit<T>> {
        let record = if self.is_record_paid { Weight::zero() } else { T::DbWeight::get().writes(1) };
        self.charge(weight.saturating_add(record))?;
        self.is_record_paid = true;
        Ok(())
    }

    fn charge(&mut self, weight: Weight) -> Result<(), Exit<T>> {
        self.context.charge(weight).map_err(Exit::Failed)
    }

    /// Pays for something that takes bytes, if it may have so many.
    fn charge_by_length(&mut self, length: u64, weight: impl FnOnce(u32) -> Weight) -> Result<(), Exit<T>> {
        match u32::try_from(length) {
            Ok(length) if length <= T::MaxPayloadLen::get() => self.charge(weight(length)),
            _ => Err(self.invalid(Argument::Length)),
        }
    }

    fn key(&self, execution: &mut Execution, (pointer, length): (u64, u64)) -> Result<Vec<u8>, Exit<T>> {
        if length == 0 {
            return Err(self.invalid(Argument::Key));
        }
        self.read(execution, pointer, length, T::MaxKeyLen::get(), Argument::Key)
    }

    fn account(&self, execution: &mut Execution, pointer: u64) -> Result<T::AccountId, Exit<T>> {
        let mut bytes = vec![0; T::AccountId::max_encoded_len()];
        self.read_exact(execution, pointer, &mut bytes)?;
        decode_account::<T>(&bytes).ok_or_else(|| self.invalid(Argument::Account))
    }

    /// An amount, if there can be so much.
    fn amount(&self, execution: &mut Execution, pointer: u64) -> Result<Option<BalanceOf<T>>, Exit<T>> {
        let mut bytes = [0; 16];
        self.read_exact(execution, pointer, &mut bytes)?;
        Ok(u128::from_le_bytes(bytes).try_into().ok())
    }

    fn read(
        &self,
        execution: &mut Execution,
        pointer: u64,
        length: u64,
        most: u32,
        too_long: Argument,
    ) -> Result<Vec<u8>, Exit<T>> {
        guest::read(execution, pointer, length, most, too_long).map_err(|argument| self.invalid(argument))
    }

    fn read_exact(&self, execution: &mut Execution, pointer: u64, bytes: &mut [u8]) -> Result<(), Exit<T>> {
        guest::read_exact(execution, pointer, bytes).map_err(|argument| self.invalid(argument))
    }

    fn invalid(&self, argument: Argument) -> Exit<T> {
        self.failed(Cause::InvalidArgument(argument))
    }

    fn failed(&self, cause: Cause) -> Exit<T> {
        Exit::Failed(self.context.fault(cause))
    }
}

/// How many bytes go into a buffer.
fn copied(bytes: &[u8], capacity: u64) -> u32 {
    length(bytes).min(u32::try_from(capacity).unwrap_or(u32::MAX))
}

fn depth_of_callee<T: Config>(context: &Context<'_, T>) -> u8 {
    u8::try_from(context.stack.len()).unwrap_or(u8::MAX)
}

/// An amount as guests see it: 16 bytes, the lowest first.
fn amount_bytes<T: Config>(amount: BalanceOf<T>) -> Vec<u8> {
    amount.saturated_into::<u128>().to_le_bytes().to_vec()
}
