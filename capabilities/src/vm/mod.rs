//! The machine: calls instances and lets them call each other.

mod costs;
mod frame;
mod operations;
mod result;
mod suspended;

use std::sync::Arc;

use hatchery_engine::{Backend, Exit, Reg};

use crate::assist::KernelAssist;
use crate::body::{Body, LoadError, OwnPages, Resting};
use crate::cache::{CacheDirectory, CacheError, PausedCall};
use crate::cap::CapHashOrRef;
use crate::claims::Claims;
use crate::hash::CapHash;
use crate::kernel::KernelImage;
use crate::program::{ProgramLoadError, Programs};
use crate::slots;
use crate::stack::{CallStack, Catcher, DEFAULT_MAX_DEPTH, Entry};
use crate::working::Working;

pub use costs::{Costs, DEFAULT_WORKING_LIMIT, MAX_MINT};
pub use frame::InstanceEntry;
pub use result::{CallResult, CallStatus, FaultReason, OperationError, VmError};
pub use suspended::{SuspendedCall, SuspendedCallError};

use costs::Work;
use frame::{Entrance, NotEntered, Origin, Pending};
use operations::{Context, Leave};

/// How many programs a machine keeps ready by default.
const DEFAULT_PROGRAMS: usize = 256;

/// A machine: executes instances, one call at a time.
///
/// Capabilities are in a [`CacheDirectory`], which its caller owns; what lies outside of capabilities is in `K`.
#[derive(Debug)]
pub struct Vm<K: KernelAssist> {
    assist: K,
    programs: Programs,
    stack: CallStack<InstanceEntry>,
    /// What is left of the gas that the embedder gave for this call.
    gas: u64,
    /// What was spent since the last result.
    used: u64,
    costs: Costs,
    work: Work,
    /// What the embedder has called.
    called: CapHash,
    /// As long as a call is paused.
    paused: Option<PausedCall>,
    /// What a suspended form of that call names.
    suspended: Vec<CapHash>,
    /// What that call has put into the directory, while it is paused.
    claims: Claims,
}

impl<K: KernelAssist> Vm<K> {
    /// A machine with an empty stack of at most 256 instances.
    pub fn new(assist: K) -> Self {
        Self::with_max_depth(assist, DEFAULT_MAX_DEPTH)
    }

    /// A machine with an empty stack of at most so many instances.
    pub fn with_max_depth(assist: K, max_depth: usize) -> Self {
        Self {
            assist,
            programs: Programs::new(Backend::Auto, DEFAULT_PROGRAMS),
            stack: CallStack::new(max_depth),
            gas: 0,
            used: 0,
            costs: Costs::DEFAULT,
            work: Work { made: 0, limit: DEFAULT_WORKING_LIMIT },
            called: CapHash::default(),
            paused: None,
            suspended: Vec::new(),
            claims: Claims::default(),
        }
    }

    /// What executes programs. Makes no difference but speed.
    #[must_use]
    pub fn backend(mut self, backend: Backend) -> Self {
        self.programs = Programs::new(backend, DEFAULT_PROGRAMS);
        self
    }

    /// What operations cost. Machines that are to agree need the same, also those that go on with a suspended call.
    #[must_use]
    pub const fn costs(mut self, costs: Costs) -> Self {
        self.costs = costs;
        self
    }

    /// How many nodes and instances a call from outside may make, a million at first. Counted are nodes and instances that are made,
    /// instances that reply, and each node below the root on the way to a slot that is written. An operation that would exceed it
    /// traps. Machines that are to agree need the same.
    ///
    /// The directory must have room for as many ([`CacheDirectory::working_limit`]).
    #[must_use]
    pub const fn working_limit(mut self, limit: u64) -> Self {
        self.work.limit = limit;
        self
    }

    /// What lies outside of capabilities.
    pub const fn assist(&self) -> &K {
        &self.assist
    }

    /// What lies outside of capabilities, to be changed.
    pub const fn assist_mut(&mut self) -> &mut K {
        &mut self.assist
    }

    /// Who called whom. Empty unless a call is paused.
    pub const fn call_stack(&self) -> &CallStack<InstanceEntry> {
        &self.stack
    }

    /// How many programs are ready to be executed.
    pub fn programs(&self) -> usize {
        self.programs.len()
    }

    /// What is left of the gas that was given with the call.
    pub const fn gas(&self) -> u64 {
        self.gas
    }

    /// Adds to the gas that was given with the call.
    pub const fn add_gas(&mut self, gas: u64) {
        self.gas = self.gas.saturating_add(gas);
    }

    /// Calls an endpoint of an instance with these arguments in `a0` to `a3`, and runs it until it ends or yields.
    ///
    /// It spends `gas`, unless its gas slots hold meters.
    ///
    /// # Errors
    /// If the instance is not there or cannot be entered, a call is paused, or the host fails.
    pub fn invoke(
        &mut self,
        cache: &mut CacheDirectory,
        instance: CapHash,
        endpoint: u8,
        args: [u64; 4],
        gas: u64,
    ) -> Result<CallResult, VmError> {
        self.invoke_with(cache, instance, endpoint, args, gas, None)
    }

    /// As [`Vm::invoke`], with a capability in slot 0.
    ///
    /// # Errors
    /// As there, and if there is no such capability.
    pub fn invoke_with(
        &mut self,
        cache: &mut CacheDirectory,
        instance: CapHash,
        endpoint: u8,
        args: [u64; 4],
        gas: u64,
        scratchpad: Option<CapHash>,
    ) -> Result<CallResult, VmError> {
        if !self.stack.is_empty() {
            return Err(VmError::Paused);
        }
        check_room(cache, self.work.limit)?;
        self.programs.begin_call([]);
        cache.forget_abandoned();
        cache.keep(instance);
        let (mut body, regs) = match Body::load(cache, &mut self.programs, instance) {
            Err(LoadError::Cache(error) | LoadError::Program(ProgramLoadError::Cache(error))) => {
                return Err(error.into());
            }
            loaded => loaded?,
        };
        let given = scratchpad.map(CapHashOrRef::Hash);
        if let Some(hash) = scratchpad {
            cache.get(hash)?;
            cache.keep(hash);
            body.root.set(0, given.clone()).map_err(CacheError::from)?;
        }
        let entrance = Entrance { regs, endpoint, args, origin: Origin::Embedder, given };
        let entry = match InstanceEntry::new(body, entrance, cache, &mut self.assist) {
            Ok(entry) => entry,
            Err(NotEntered::Guest(reason)) => return Err(VmError::Entry { reason }),
            Err(NotEntered::Cache(error)) => return Err(error.into()),
        };
        self.stack
            .push_instance(entry)
            .map_err(|_| VmError::Defect { reason: "no room for the first call" })?;
        self.gas = gas;
        self.work.made = 0;
        self.called = instance;
        self.drive(cache)
    }

    /// Goes on with a paused call. A capability that is given lies in slot 0 of who yielded, which finds 1 in `a0` then, and 0
    /// otherwise. One that ran out of gas just goes on.
    ///
    /// # Errors
    /// If no call is paused, there is no such capability, or the host fails.
    pub fn resume(
        &mut self,
        cache: &mut CacheDirectory,
        scratchpad: Option<CapHash>,
    ) -> Result<CallResult, VmError> {
        self.stack.caught_by().ok_or(VmError::NotPaused)?;
        if let Some(hash) = scratchpad {
            cache.get(hash)?;
        }
        check_room(cache, self.work.limit.saturating_sub(self.work.made))?;
        if let Some(hash) = scratchpad {
            cache.keep(hash);
        }
        self.stack.pop();
        let top = self.top()?;
        let entry = self.stack.instance_mut(top).ok_or(NO_INSTANCE)?;
        if core::mem::take(&mut entry.has_yielded) {
            entry.set_reg(Reg::A0, scratchpad.is_some().into());
        }
        if let Some(hash) = scratchpad {
            entry.set_slot_zero(Some(hash.into()))?;
        }
        self.drive(cache)
    }

    /// Gives up a paused call: nothing has changed but gas meters. What it has put into the directory is forgotten when that commits
    /// or collects the next time, or a call begins.
    ///
    /// # Errors
    /// If no call is paused.
    pub fn drop_paused(&mut self) -> Result<(), VmError> {
        self.stack.caught_by().ok_or(VmError::NotPaused)?;
        self.abort();
        Ok(())
    }

    /// Gives up what the catcher of a paused call has called, directly or not: it goes on behind its CALL and finds
    /// [`CallStatus::Dropped`]. If the embedder is the catcher, nothing is left to go on: none.
    ///
    /// # Errors
    /// If no call is paused, or the host fails.
    pub fn drop_to_catcher(&mut self, cache: &mut CacheDirectory) -> Result<Option<CallResult>, VmError> {
        let Catcher::Entry(catcher) = self.stack.caught_by().ok_or(VmError::NotPaused)? else {
            cache.undo(&mut self.claims, 0);
            self.abort();
            return Ok(None);
        };
        check_room(cache, self.work.limit.saturating_sub(self.work.made))?;
        self.stack.pop();
        while self.top()? > catcher {
            let Some(Entry::Instance(entry)) = self.stack.pop() else { return Err(NO_INSTANCE) };
            self.assist.roll_back(entry.checkpoint);
            cache.undo(&mut self.claims, entry.entered);
            if self.top()? == catcher {
                self.answer(0, CallStatus::Dropped, Some(entry.given))?;
            }
        }
        self.drive(cache).map(Some)
    }

    /// Runs the uppermost instance, and those that come to lie there, until there is a result.
    fn drive(&mut self, cache: &mut CacheDirectory) -> Result<CallResult, VmError> {
        self.used = 0;
        self.paused = None;
        self.suspended.clear();
        cache.begin_claims(core::mem::take(&mut self.claims));
        let result = loop {
            match self.advance(cache) {
                Ok(Some(result)) => break Ok(result),
                Ok(None) => {}
                Err(error) => break Err(error),
            }
        };
        let mut claims = cache.end_claims();
        match &result {
            Ok(CallResult::Paused { .. }) => {
                self.paused = Some(cache.note_paused());
                self.claims = claims;
            }
            Ok(_) => {
                // What faulted has undone its own.
                cache.keep_claims(&claims);
                self.programs.begin_call([]);
            }
            Err(_) => {
                cache.undo(&mut claims, 0);
                self.abort();
            }
        }
        result
    }

    /// Runs the uppermost instance until control leaves it.
    fn advance(&mut self, cache: &mut CacheDirectory) -> Result<Option<CallResult>, VmError> {
        let top = self.top()?;
        match self.execute(cache, top)? {
            Leave::Halt(pages) => self.halted(cache, pages),
            Leave::Call(callee) => {
                let pushed = self.stack.push_instance(*callee);
                pushed.map_err(|_| VmError::Defect { reason: "room for a call was gone" })?;
                Ok(None)
            }
            Leave::Changed { meters } => {
                self.stack.instance_mut(top).ok_or(NO_INSTANCE)?.meters = meters;
                Ok(None)
            }
            Leave::Yield { marker } => self.yielded(cache, top, marker),
            Leave::OutOfGas { done } => self.out_of_gas(cache, top, done),
            Leave::Fault(reason) => self.faulted(cache, reason),
        }
    }

    fn execute(&mut self, cache: &mut CacheDirectory, top: usize) -> Result<Leave, VmError> {
        let available = self.available(top);
        let room = self.stack.check_room();
        let entry = self.stack.instance_mut(top).ok_or(NO_INSTANCE)?;
        let gas = i64::try_from(available).unwrap_or(i64::MAX);
        entry.body.machine.set_gas(gas);
        let mut context = Context {
            assist: &mut self.assist,
            programs: &mut self.programs,
            cache,
            costs: &self.costs,
            work: &mut self.work,
            room,
        };
        let leave = loop {
            let pending = match entry.pending.take() {
                Some(pending) => pending,
                None => match entry.body.machine.run()? {
                    Exit::Syscall(number) => Pending::Operation(number),
                    Exit::Finished => Pending::Return,
                    Exit::OutOfGas => break Leave::OutOfGas { done: 0 },
                    Exit::Trap(trap) => break Leave::Fault(FaultReason::Program(trap)),
                    Exit::PageFault(_) | Exit::Paused => {
                        return Err(VmError::Defect { reason: "the engine stopped for no reason" });
                    }
                },
            };
            if let Some(leave) = context.operate(entry, pending)? {
                break leave;
            }
        };
        let left = entry.body.machine.gas();
        self.spend(top, gas.saturating_sub(left).unsigned_abs());
        Ok(leave)
    }

    /// The position whose meters the instance at `position` spends from; none: the embedder's gas.
    fn payer(&self, position: usize) -> Option<usize> {
        (0..=position).rev().find(|&at| self.stack.instance(at).is_some_and(|entry| !entry.meters.is_empty()))
    }

    fn available(&self, position: usize) -> u64 {
        match self.payer(position).and_then(|payer| self.stack.instance(payer)) {
            None => self.gas,
            Some(payer) => payer
                .meters
                .iter()
                .fold(0, |sum: u64, &(meter, _)| sum.saturating_add(self.assist.gas_meter(meter))),
        }
    }

    fn spend(&mut self, position: usize, gas: u64) {
        self.used = self.used.saturating_add(gas);
        let payer = self.payer(position);
        let Some(payer) = payer.and_then(|payer| self.stack.instance(payer)) else {
            self.gas = self.gas.saturating_sub(gas);
            return;
        };
        let mut due = gas;
        for &(meter, _) in &payer.meters {
            if due == 0 {
                break;
            }
            let left = self.assist.gas_meter(meter);
            let part = due.min(left);
            self.assist.set_gas_meter(meter, left - part);
            due -= part;
        }
    }

    fn halted(&mut self, cache: &mut CacheDirectory, pages: OwnPages) -> Result<Option<CallResult>, VmError> {
        let Some(Entry::Instance(mut entry)) = self.stack.pop() else { return Err(NO_INSTANCE) };
        let return_value = entry.reg(Reg::A0);
        let reflected = entry.body.root.take(0);
        match entry.origin {
            Origin::Embedder => {
                let settled = settled(cache, entry.body.rest(pages), reflected);
                if settled.is_err() {
                    // It is not on the stack any more, from where everything else is undone.
                    self.assist.roll_back(entry.checkpoint);
                }
                self.assist.forget_checkpoints();
                let (post_instance_hash, reflected_slot0) = settled?;
                Ok(Some(CallResult::Halt {
                    return_value,
                    post_instance_hash,
                    reflected_slot0,
                    gas_used: self.used,
                }))
            }
            Origin::Slot { path, writes_back } => {
                let top = self.top()?;
                let caller = self.stack.instance_mut(top).ok_or(NO_INSTANCE)?;
                if writes_back {
                    let resting = cache.work(Working::Instance(Arc::new(entry.body.rest(pages))))?;
                    let image = Arc::clone(&caller.body.program.image);
                    match slots::write(&mut caller.body.root, &image, cache, &path, Some(resting.into())) {
                        Ok(_) => {}
                        Err(slots::Refused::Cache(error)) => return Err(error.into()),
                        Err(slots::Refused::Slot(_)) => {
                            return Err(VmError::Defect { reason: "the slot of a callee went away" });
                        }
                    }
                }
                // An empty slot 0 of the callee leaves that of the caller as the call has left it: empty.
                self.answer(return_value, CallStatus::Halted, reflected.map(Some))?;
                Ok(None)
            }
        }
    }

    fn faulted(
        &mut self,
        cache: &mut CacheDirectory,
        reason: FaultReason,
    ) -> Result<Option<CallResult>, VmError> {
        let Some(Entry::Instance(entry)) = self.stack.pop() else { return Err(NO_INSTANCE) };
        self.assist.roll_back(entry.checkpoint);
        cache.undo_claims(entry.entered);
        if entry.origin == Origin::Embedder {
            self.assist.forget_checkpoints();
            let reflected_slot0 = entry.given.map(|cap| cache.settle(&cap)).transpose()?;
            return Ok(Some(CallResult::Faulted { reason, reflected_slot0, gas_used: self.used }));
        }
        self.answer(0, reason.status(), Some(entry.given))?;
        Ok(None)
    }

    /// Tells the uppermost instance what came of its CALL.
    fn answer(
        &mut self,
        value: u64,
        status: CallStatus,
        slot_zero: Option<Option<CapHashOrRef>>,
    ) -> Result<(), VmError> {
        let top = self.top()?;
        let caller = self.stack.instance_mut(top).ok_or(NO_INSTANCE)?;
        caller.set_reg(Reg::A0, value);
        caller.set_reg(Reg::A1, status as u64);
        match slot_zero {
            Some(cap) => caller.set_slot_zero(cap),
            None => Ok(()),
        }
    }

    fn yielded(
        &mut self,
        cache: &mut CacheDirectory,
        top: usize,
        marker: CapHash,
    ) -> Result<Option<CallResult>, VmError> {
        let Some(catcher) = self.catcher(cache, top, marker)? else {
            let entry = self.stack.instance(top).ok_or(NO_INSTANCE)?;
            let error = OperationError::UnhandledMarker { marker };
            let number = crate::Operation::Yield.number();
            return self.faulted_at(cache, entry.pc(), number, error);
        };
        if let Some(entry) = self.stack.instance_mut(top) {
            entry.has_yielded = true;
        }
        self.pause(marker, Some(marker), catcher)
    }

    fn faulted_at(
        &mut self,
        cache: &mut CacheDirectory,
        pc: u32,
        number: u32,
        error: OperationError,
    ) -> Result<Option<CallResult>, VmError> {
        self.faulted(cache, FaultReason::Operation { number, pc, error })
    }

    /// `done`: the gas for what had to be done to find out that there is not enough.
    fn out_of_gas(
        &mut self,
        cache: &mut CacheDirectory,
        top: usize,
        done: u64,
    ) -> Result<Option<CallResult>, VmError> {
        let marker = KernelImage::OogMarker.hash();
        let Some(catcher) = self.catcher(cache, top, marker)? else {
            self.spend(top, done);
            return self.faulted(cache, FaultReason::OutOfGas);
        };
        let payer = self.payer(top).and_then(|payer| self.stack.instance(payer));
        let meter = payer.and_then(|payer| payer.meters.first()).map(|&(_, cap)| cap);
        self.pause(marker, meter, catcher)
    }

    fn pause(
        &mut self,
        marker: CapHash,
        payload: Option<CapHash>,
        catcher: Catcher,
    ) -> Result<Option<CallResult>, VmError> {
        let pushed = self.stack.push_reference(catcher);
        pushed.map_err(|_| VmError::Defect { reason: "a catcher is not on the stack" })?;
        Ok(Some(CallResult::Paused { marker, payload, catcher, gas_used: self.used }))
    }

    /// Who deals with a yield of the instance at `top`: the nearest below that catches the marker, or the embedder.
    fn catcher(
        &self,
        cache: &mut CacheDirectory,
        top: usize,
        marker: CapHash,
    ) -> Result<Option<Catcher>, VmError> {
        for position in (0..top).rev() {
            let Some(entry) = self.stack.instance(position) else { continue };
            let slot = entry.body.program.image.yield_marker_slot;
            let Some(cap) = slot.and_then(|slot| entry.body.root.get(slot.into())) else { continue };
            let hash = cache.settle(cap)?;
            if self.assist.catches(hash, marker) {
                return Ok(Some(Catcher::Entry(position)));
            }
        }
        Ok(self.assist.embedder_catches(marker).then_some(Catcher::Embedder))
    }

    fn top(&self) -> Result<usize, VmError> {
        self.stack.depth().checked_sub(1).ok_or(NO_INSTANCE)
    }

    /// Gives up everything on the stack, and what was put into the directory for it.
    fn abort(&mut self) {
        self.claims = Claims::default();
        if let Some(bottom) = self.stack.instance(0) {
            let checkpoint = bottom.checkpoint;
            self.assist.roll_back(checkpoint);
        }
        self.assist.forget_checkpoints();
        self.stack.clear();
        self.programs.begin_call([]);
        self.paused = None;
    }
}

/// Whether a call can make so much: who executes programs must not find out in the middle.
fn check_room(cache: &CacheDirectory, wanted: u64) -> Result<(), VmError> {
    let room = cache.room() as u64;
    if room < wanted { Err(VmError::Room { room, wanted }) } else { Ok(()) }
}

/// What became of an instance, and of what it left in slot 0.
fn settled(
    cache: &mut CacheDirectory,
    resting: Resting,
    reflected: Option<CapHashOrRef>,
) -> Result<(CapHash, Option<CapHash>), CacheError> {
    let mut root = resting.root().clone();
    cache.settle_node(&mut root)?;
    let instance = resting.settle(cache, root)?;
    Ok((instance, reflected.map(|cap| cache.settle(&cap)).transpose()?))
}

const NO_INSTANCE: VmError = VmError::Defect { reason: "there is no instance where one should be" };
