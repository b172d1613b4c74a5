//! What the operations do.

use std::sync::Arc;

use codec::Decode;
use hatchery_engine::program::MemoryConfig;
use hatchery_engine::{CompileError, ProgramCounter, Reg};

use crate::assist::{Embedded, EmbedderCall, KernelAssist};
use crate::body::{Body, LoadError, OwnPages, Registers, Resting};
use crate::cache::{CacheDirectory, CacheError, data_bytes};
use crate::cap::{Cap, CapHashOrRef, DataCap, Kind, PAGE, TypeCap};
use crate::cnode::{CNode, ROOT_SIZE_LOG, SlotError, SlotPath};
use crate::hash::{CapHash, extended_chain};
use crate::image::{Image, ImageError, SlotContent};
use crate::kernel::KernelImage;
use crate::operation::{FIRST_EMBEDDER_OPERATION, Operation};
use crate::program::{Program, ProgramLoadError, Programs, declared_pages, pages_aside, places};
use crate::slots::{self, Refused};
use crate::stack::StackError;
use crate::working::Working;

use super::NO_INSTANCE;
use super::costs::{Costs, MAX_MINT, Work};
use super::frame::{Entrance, InstanceEntry, NotEntered, Origin, Pending, kernel_caps, meters};
use super::result::{FaultReason, OperationError, VmError};

/// What a register says instead of a path where there may be none.
const NO_PATH: u64 = u64::MAX;

/// What operations work with, beside the instance that does them.
pub(super) struct Context<'a, K> {
    pub(super) assist: &'a mut K,
    pub(super) programs: &'a mut Programs,
    pub(super) cache: &'a mut CacheDirectory,
    pub(super) costs: &'a Costs,
    pub(super) work: &'a mut Work,
    /// Whether the stack has room for one more.
    pub(super) room: Result<(), StackError>,
}

/// Why control leaves an instance.
pub(super) enum Leave {
    Halt(OwnPages),
    Call(Box<InstanceEntry>),
    Yield {
        marker: CapHash,
    },
    /// It has another image, and these meters from now on.
    Changed {
        meters: Vec<(u64, CapHash)>,
    },
    OutOfGas {
        /// Gas for what had to be done to find that out.
        done: u64,
    },
    Fault(FaultReason),
}

/// Why an operation was not done.
enum Stop {
    /// There is not enough gas. Nothing was done that can be seen; `done` is the gas for what was.
    OutOfGas {
        done: u64,
    },
    Trap(OperationError),
    Host(VmError),
}

impl<E: Into<OperationError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Trap(error.into())
    }
}

type Done<T = ()> = Result<T, Stop>;

/// A store that fails is no fault of the program.
fn host<T>(result: Result<T, CacheError>) -> Done<T> {
    result.map_err(|error| Stop::Host(error.into()))
}

fn slot<T>(result: Result<T, Refused>) -> Done<T> {
    result.map_err(|refused| match refused {
        Refused::Slot(error) => error.into(),
        Refused::Cache(error) => Stop::Host(error.into()),
    })
}

fn load<T>(result: Result<T, LoadError>) -> Done<T> {
    result.map_err(|error| match error {
        LoadError::Cache(error) | LoadError::Program(ProgramLoadError::Cache(error)) => {
            Stop::Host(error.into())
        }
        LoadError::Program(ProgramLoadError::Engine(error)) => Stop::Host(error.into()),
        // The host lacks memory: it is not the image's fault.
        error @ LoadError::Program(ProgramLoadError::Image(ImageError::Compile(CompileError::Host(_)))) => {
            Stop::Host(error.into())
        }
        error => error.into(),
    })
}

impl<K: KernelAssist> Context<'_, K> {
    /// Does what the instance has stopped at. None: it goes on.
    pub(super) fn operate(
        &mut self,
        entry: &mut InstanceEntry,
        pending: Pending,
    ) -> Result<Option<Leave>, VmError> {
        let done = match pending {
            Pending::Enter => self.enter(entry).map(|()| None),
            Pending::Operation(number) => self.dispatch(entry, number),
            Pending::Return => self.reply(entry, 0).map(Some),
        };
        match done {
            Ok(leave) => Ok(leave),
            Err(Stop::OutOfGas { done }) => {
                entry.pending = Some(pending);
                Ok(Some(Leave::OutOfGas { done }))
            }
            Err(Stop::Trap(error)) => {
                let number = if let Pending::Operation(number) = pending { number } else { 0 };
                Ok(Some(Leave::Fault(FaultReason::Operation { number, pc: entry.pc(), error })))
            }
            Err(Stop::Host(error)) => Err(error),
        }
    }

    /// Begins the first instance of a call.
    fn enter(&mut self, entry: &mut InstanceEntry) -> Done {
        let hash = entry.body.program.hash;
        let gas = self.program_gas(hash)?;
        take(entry, gas)?;
        self.programs.note_entered(hash, &entry.body.program);
        Ok(())
    }

    /// Ends an instance, whose pages will be hashed.
    fn reply(&mut self, entry: &mut InstanceEntry, gas: u64) -> Done<Leave> {
        let Costs { page_aside, changed_page, .. } = *self.costs;
        let replaced = host(entry.body.replaced_pages(self.cache))?;
        let comparing = times(page_aside, replaced);
        // Before anything is compared: who has no gas for that cannot have it done.
        check(entry, sum([gas, comparing]))?;
        let pages = host(entry.body.own_pages(self.cache))?;
        let taken = take(entry, sum([gas, comparing, times(changed_page, pages.changed)]));
        taken.map_err(|_| Stop::OutOfGas { done: comparing })?;
        Ok(Leave::Halt(pages))
    }

    /// What it takes to make an image ready, if that was not done in this call: whether the program happens to be at hand makes no
    /// difference.
    fn program_gas(&mut self, hash: CapHash) -> Done<u64> {
        if self.programs.is_entered(hash) {
            return Ok(0);
        }
        let cap = host(self.cache.get(hash))?;
        let Cap::Image(image) = &*cap else { return Ok(0) };
        let pages = host(declared_pages(self.cache, image))?;
        let Costs { program, program_byte, program_page, .. } = *self.costs;
        Ok(sum([program, times(program_byte, image.code.len() as u64), times(program_page, pages)]))
    }

    fn dispatch(&mut self, entry: &mut InstanceEntry, number: u32) -> Done<Option<Leave>> {
        let Some(operation) = Operation::from_number(number) else {
            return self.embedder(entry, number).map(|()| None);
        };
        match operation {
            Operation::Reply => return self.reply(entry, self.costs.operation).map(Some),
            Operation::Copy => self.copy(entry)?,
            Operation::Move => self.move_(entry)?,
            Operation::Drop => self.drop_(entry)?,
            Operation::Swap => self.swap(entry)?,
            Operation::MintCNode => self.mint_cnode(entry)?,
            Operation::Yield => return self.yield_(entry).map(Some),
            Operation::SetImage => return self.set_image(entry).map(Some),
            Operation::DeriveSpawn => self.derive_spawn(entry)?,
            Operation::MakeImage => self.make_image(entry)?,
            Operation::SameType => self.same_type(entry)?,
            Operation::TypeOf => self.type_of(entry)?,
            Operation::ReadData => self.read_data(entry)?,
            Operation::MintData => self.mint_data(entry)?,
            Operation::Open => self.open(entry)?,
            Operation::Save => self.save(entry)?,
            Operation::Call => return self.call(entry).map(Some),
        }
        Ok(None)
    }

    fn embedder(&mut self, entry: &mut InstanceEntry, number: u32) -> Done {
        if number < FIRST_EMBEDDER_OPERATION {
            return Err(OperationError::Unknown.into());
        }
        let before = entry.body.machine.gas();
        self.charge(entry, 0)?;
        let mut call = EmbedderCall { number, chain: entry.body.chain, machine: &mut entry.body.machine };
        match self.assist.ecall(&mut call) {
            Embedded::Done => Ok(()),
            Embedded::OutOfGas => {
                // All of it is charged when it is done.
                entry.body.machine.set_gas(before);
                Err(Stop::OutOfGas { done: 0 })
            }
            Embedded::Trap => Err(OperationError::Embedder.into()),
        }
    }

    fn copy(&mut self, entry: &mut InstanceEntry) -> Done {
        let [from, to] = paths(entry, [Reg::A0, Reg::A1])?;
        let image = Arc::clone(&entry.body.program.image);
        slots::check_not_pinned(&image, &from)?;
        let cap = self.filled(entry, &from)?;
        self.charge_writes(entry, 0, 0, &[to])?;
        self.write(entry, &to, Some(cap))?;
        Ok(())
    }

    fn move_(&mut self, entry: &mut InstanceEntry) -> Done {
        let [from, to] = paths(entry, [Reg::A0, Reg::A1])?;
        if to.is_below(&from) {
            return Err(SlotError::IntoItself { from, to }.into());
        }
        let image = Arc::clone(&entry.body.program.image);
        slots::check_not_pinned(&image, &from)?;
        let cap = self.filled(entry, &from)?;
        self.charge_writes(entry, 0, 0, &[from, to])?;
        // The destination first: should it not exist, nothing was done.
        if to != from {
            slot(slots::node_mut(&mut entry.body.root, &image, self.cache, &to))?;
            self.write(entry, &from, None)?;
            self.write(entry, &to, Some(cap))?;
        }
        Ok(())
    }

    fn drop_(&mut self, entry: &mut InstanceEntry) -> Done {
        let [path] = paths(entry, [Reg::A0])?;
        self.charge_writes(entry, 0, 0, &[path])?;
        self.write(entry, &path, None)?;
        Ok(())
    }

    fn swap(&mut self, entry: &mut InstanceEntry) -> Done {
        let [a, b] = paths(entry, [Reg::A0, Reg::A1])?;
        if a.is_below(&b) {
            return Err(SlotError::IntoItself { from: b, to: a }.into());
        }
        if b.is_below(&a) {
            return Err(SlotError::IntoItself { from: a, to: b }.into());
        }
        let image = Arc::clone(&entry.body.program.image);
        slots::check_not_pinned(&image, &a)?;
        slots::check_not_pinned(&image, &b)?;
        let held = [&a, &b].map(|path| slots::read(&entry.body.root, self.cache, path));
        let [in_a, in_b] = held;
        let (in_a, in_b) = (slot(in_a)?, slot(in_b)?);
        self.charge_writes(entry, 0, 0, &[a, b])?;
        self.write(entry, &a, in_b)?;
        self.write(entry, &b, in_a)?;
        Ok(())
    }

    fn mint_cnode(&mut self, entry: &mut InstanceEntry) -> Done {
        let [to] = paths(entry, [Reg::A0])?;
        let size_log = entry.reg(Reg::A1);
        let node = CNode::new(u8::try_from(size_log).unwrap_or(u8::MAX))?;
        self.charge_writes(entry, 0, 1, &[to])?;
        let working = host(self.cache.work_on(node))?;
        self.write(entry, &to, Some(working.into()))?;
        Ok(())
    }

    fn yield_(&mut self, entry: &mut InstanceEntry) -> Done<Leave> {
        let [path] = paths(entry, [Reg::A0])?;
        let cap = self.filled(entry, &path)?;
        self.charge(entry, 0)?;
        let marker = host(self.cache.settle(&cap))?;
        Ok(Leave::Yield { marker })
    }

    fn call(&mut self, entry: &mut InstanceEntry) -> Done<Leave> {
        let [path] = paths(entry, [Reg::A0])?;
        self.room?;
        if path.first() == 0 {
            return Err(OperationError::Entry {
                reason: "slot 0 goes to the callee: it cannot be the callee",
            }
            .into());
        }
        let endpoint = u8::try_from(entry.reg(Reg::A1))
            .map_err(|_| OperationError::Entry { reason: "the image has no endpoint of this number" })?;
        let args = [Reg::A2, Reg::A3, Reg::A4, Reg::A5].map(|reg| entry.reg(reg));
        let cap = self.filled(entry, &path)?;
        let writes_back = entry.body.program.image.pinned(path.first()).is_none();
        // Before anything is loaded: who has no gas for that cannot have it done.
        let gas = self.call_gas(&cap, &path)?;
        let back = if writes_back { core::slice::from_ref(&path) } else { &[] };
        self.charge_writes(entry, gas, back.len() as u64, back)?;
        let (mut body, regs) = self.wake(&cap)?;
        self.programs.note_entered(body.program.hash, &body.program);

        let given = entry.body.root.get(0).cloned();
        body.root.set(0, given.clone())?;
        let origin = Origin::Slot { path, writes_back };
        let entrance = Entrance { regs, endpoint, args, origin, given };
        let callee = match InstanceEntry::new(body, entrance, self.cache, self.assist) {
            Ok(callee) => callee,
            Err(NotEntered::Guest(reason)) => return Err(OperationError::Entry { reason }.into()),
            Err(NotEntered::Cache(error)) => return Err(Stop::Host(error.into())),
        };
        entry.body.root.take(0);
        Ok(Leave::Call(Box::new(callee)))
    }

    /// What it costs to enter what lies at `path`, which must be an instance.
    fn call_gas(&mut self, cap: &CapHashOrRef, path: &SlotPath) -> Done<u64> {
        let wrong = || OperationError::Kind { path: *path, wanted: "an instance" };
        let held = self.held(cap)?;
        let settled;
        let (root, own_pages, hash) = match &held {
            Held::Working(Working::Instance(resting)) => {
                (resting.root(), resting.own_pages(), resting.image())
            }
            Held::Working(Working::CNode(_)) => return Err(wrong().into()),
            Held::Settled(cap) => match &**cap {
                Cap::Instance(instance) if instance.kernel().is_some() => {
                    // It has no code: what it costs to find that out does not matter.
                    return Ok(self.costs.call);
                }
                Cap::Instance(instance) => {
                    settled = host(self.cache.get(instance.root_cnode))?;
                    let root = settled.as_cnode().ok_or_else(wrong)?;
                    (root, instance.rw_overlays.len(), instance.image_hash)
                }
                _ => return Err(wrong().into()),
            },
        };
        let at_hand =
            if let Held::Working(Working::Instance(resting)) = &held { resting.program() } else { None };
        let pages = match at_hand {
            Some(Program { image, places, .. }) => host(pages_aside(self.cache, image, places, root))?,
            None => {
                let image = host(self.cache.get(hash))?;
                let Cap::Image(image) = &*image else { return Err(wrong().into()) };
                host(pages_aside(self.cache, image, &places(image), root))?
            }
        };
        let Costs { call, page_aside, own_page, slot, .. } = *self.costs;
        let memory = sum([times(page_aside, pages), times(own_page, own_pages as u64)]);
        Ok(sum([call, memory, times(slot, root.filled() as u64), self.program_gas(hash)?]))
    }

    /// A copy of an instance, to be executed.
    fn wake(&mut self, cap: &CapHashOrRef) -> Done<(Body, Registers)> {
        match cap {
            CapHashOrRef::Ref(working) => match working.content() {
                Working::Instance(resting) => load(resting.wake(self.cache, self.programs)),
                Working::CNode(_) => Err(Stop::Host(NO_INSTANCE)),
            },
            CapHashOrRef::Hash(hash) => load(Body::load(self.cache, self.programs, *hash)),
        }
    }

    fn set_image(&mut self, entry: &mut InstanceEntry) -> Done<Leave> {
        let [path] = paths(entry, [Reg::A0])?;
        let (hash, cap) = self.image(entry, &path)?;
        let Cap::Image(image) = &*cap else { return Err(not_an_image(&path)) };
        let mut root = entry.body.root.clone();
        for content in &entry.body.program.image.pinned {
            root.take(content.slot.into());
        }
        furnish(&mut root, image)?;
        let Costs { set_image, set_image_page, page_aside, .. } = *self.costs;
        let aside = host(pages_aside(self.cache, image, &places(image), &root))?;
        let writable = image.mappings.iter().filter(|mapping| !image.is_read_only(mapping));
        let writable: u64 = writable.map(|mapping| mapping.pages().len() as u64).sum();
        let memory = sum([times(set_image_page, writable), times(page_aside, aside)]);
        let gas = sum([set_image, memory, self.program_gas(hash)?]);
        self.charge(entry, gas)?;
        let program = load(self.programs.load(self.cache, hash).map_err(LoadError::from))?;
        self.programs.note_entered(hash, &program);
        let chain = extended_chain(entry.body.chain, hash);
        let mut body = load(Body::fresh(self.cache, program, chain, root))?;
        load(body.take_over(&mut entry.body))?;
        body.set_registers(&entry.body.registers());
        let at = entry.body.machine.pc();
        let next = entry.body.program.module.instruction_at(at).next_pc;
        body.machine.set_pc(ProgramCounter(next));
        body.machine.set_gas(entry.body.machine.gas());
        // What was spent so far is charged to the meters before.
        let meters = host(meters(&body, self.cache))?;
        entry.body = body;
        Ok(Leave::Changed { meters })
    }

    fn derive_spawn(&mut self, entry: &mut InstanceEntry) -> Done {
        let [image, prepared, to] = paths(entry, [Reg::A0, Reg::A1, Reg::A2])?;
        if to.is_below(&prepared) {
            return Err(SlotError::IntoItself { from: prepared, to }.into());
        }
        let (hash, image_cap) = self.image(entry, &image)?;
        let Cap::Image(image) = &*image_cap else { return Err(not_an_image(&image)) };
        let pinned = Arc::clone(&entry.body.program.image);
        slots::check_not_pinned(&pinned, &prepared)?;
        let cap = self.filled(entry, &prepared)?;
        let held = self.held(&cap)?;
        let node = held.node(&prepared)?;
        if node.size_log() != ROOT_SIZE_LOG {
            return Err(OperationError::Kind { path: prepared, wanted: "a node of 256 slots" }.into());
        }
        let initial = image.initial.iter().filter(|content| node.get(content.slot.into()).is_none());
        let made = (node.filled() + image.pinned.len() + initial.count()) as u64;
        let gas = sum([self.costs.call, times(self.costs.slot, made)]);
        self.charge_writes(entry, gas, 1, &[prepared, to])?;
        let mut root = node.clone();
        furnish(&mut root, image)?;
        let chain = extended_chain(entry.body.chain, hash);
        let resting = Working::Instance(Arc::new(Resting::new(chain, hash, image, root)));
        let instance = host(self.cache.work(resting))?;
        slot(slots::node_mut(&mut entry.body.root, &pinned, self.cache, &to))?;
        self.write(entry, &prepared, None)?;
        self.write(entry, &to, Some(instance.into()))?;
        Ok(())
    }

    fn make_image(&mut self, entry: &mut InstanceEntry) -> Done {
        let [source, to] = paths(entry, [Reg::A0, Reg::A3])?;
        let (hash, cap) = self.data(entry, &source)?;
        let Cap::Data(data) = &*cap else { return Err(not_data(&source)) };
        let length = data.length();
        let gas = sum([self.costs.make_image, times(self.costs.make_image_byte, length)]);
        self.charge_writes(entry, gas, 0, &[to])?;
        let bytes = host(data_bytes(hash, data, u64::MAX))?;
        let mut rest = &bytes[..];
        let invalid = |reason: &str| OperationError::Image { reason: reason.to_owned() };
        let mut image = Image::decode(&mut rest).map_err(|error| invalid(&error.to_string()))?;
        if rest.iter().any(|&byte| byte != 0) {
            return Err(invalid("there is something behind its end").into());
        }
        // A hash is no authority: what instances are to have, their maker must have.
        if !image.pinned.is_empty() || !image.initial.is_empty() {
            return Err(invalid("it names capabilities by hash: they come from the nodes").into());
        }
        image.pinned = self.contents(entry, Reg::A1)?;
        image.initial = self.contents(entry, Reg::A2)?;
        image.check().map_err(OperationError::from)?;
        let model = image.gas_profile.model().map_err(OperationError::from)?;
        let engine = self.programs.engine(model).map_err(|error| Stop::Host(error.into()))?;
        image.compile(&engine, MemoryConfig::default()).map_err(|error| match error {
            ImageError::Compile(CompileError::Host(_)) => Stop::Host(LoadError::Program(error.into()).into()),
            error => OperationError::from(error).into(),
        })?;
        let hash = host(self.cache.put(Cap::Image(image)))?;
        self.write(entry, &to, Some(hash.into()))?;
        Ok(())
    }

    /// What a node holds, as slots of an image.
    fn contents(&mut self, entry: &InstanceEntry, reg: Reg) -> Done<Vec<SlotContent>> {
        if entry.reg(reg) == NO_PATH {
            return Ok(Vec::new());
        }
        let path = SlotPath::from_register(entry.reg(reg))?;
        slots::check_not_pinned(&entry.body.program.image, &path)?;
        let cap = self.filled(entry, &path)?;
        let held = self.held(&cap)?;
        let mut contents = Vec::new();
        for (number, cap) in held.node(&path)?.iter() {
            let wide = OperationError::Kind { path, wanted: "a node whose filled slots are below 256" };
            let slot = u8::try_from(number).map_err(|_| wide)?;
            contents.push(SlotContent { slot, cap: host(self.cache.settle(cap))? });
        }
        Ok(contents)
    }

    fn same_type(&mut self, entry: &mut InstanceEntry) -> Done {
        let [a, b] = paths(entry, [Reg::A0, Reg::A1])?;
        self.charge(entry, 0)?;
        let same = self.chain(entry, &a)? == self.chain(entry, &b)?;
        entry.set_reg(Reg::A0, same.into());
        Ok(())
    }

    fn type_of(&mut self, entry: &mut InstanceEntry) -> Done {
        let [from, to] = paths(entry, [Reg::A0, Reg::A1])?;
        let image_hash_chain = self.chain(entry, &from)?;
        self.charge_writes(entry, 0, 0, &[to])?;
        let hash = host(self.cache.put(Cap::Type(TypeCap { image_hash_chain })))?;
        self.write(entry, &to, Some(hash.into()))?;
        Ok(())
    }

    fn read_data(&mut self, entry: &mut InstanceEntry) -> Done {
        let [from] = paths(entry, [Reg::A0])?;
        let (address, length) = (address(entry.reg(Reg::A1))?, entry.reg(Reg::A2));
        let (hash, cap) = self.data(entry, &from)?;
        let Cap::Data(data) = &*cap else { return Err(not_data(&from)) };
        let length = length.min(data.length());
        self.charge(entry, times(self.costs.data_64_bytes, length.div_ceil(64)))?;
        let bytes = host(data_bytes(hash, data, length))?;
        entry.body.machine.memory_mut().write(address, &bytes)?;
        entry.set_reg(Reg::A0, length);
        Ok(())
    }

    fn mint_data(&mut self, entry: &mut InstanceEntry) -> Done {
        let (address, length) = (address(entry.reg(Reg::A0))?, entry.reg(Reg::A1));
        let quota = entry.reg(Reg::A2);
        let [to] = paths(entry, [Reg::A3])?;
        if length > MAX_MINT {
            return Err(OperationError::Length { length, limit: MAX_MINT }.into());
        }
        let padded = length.next_multiple_of(PAGE as u64);
        self.charge_writes(entry, times(self.costs.minted_64_bytes, padded.div_ceil(64)), 0, &[to])?;
        slot(slots::node_mut(&mut entry.body.root, &entry.body.program.image, self.cache, &to))?;
        let mut bytes = vec![0; length as usize];
        entry.body.machine.memory().read(address, &mut bytes)?;
        self.debit(entry, quota, padded)?;
        let hash = host(self.cache.put(Cap::Data(DataCap::new(&bytes))))?;
        self.write(entry, &to, Some(hash.into()))?;
        Ok(())
    }

    fn open(&mut self, entry: &mut InstanceEntry) -> Done {
        let file = entry.reg(Reg::A0);
        let [to] = paths(entry, [Reg::A1])?;
        self.charge_writes(entry, 0, 0, &[to])?;
        let data = self.assist.open_file(entry.body.chain, file).ok_or(OperationError::NoFile { file })?;
        if host(self.cache.get(data))?.kind() != Kind::Data {
            return Err(OperationError::NoFile { file }.into());
        }
        self.write(entry, &to, Some(data.into()))?;
        Ok(())
    }

    fn save(&mut self, entry: &mut InstanceEntry) -> Done {
        let [from] = paths(entry, [Reg::A0])?;
        let quota = entry.reg(Reg::A1);
        let (hash, cap) = self.data(entry, &from)?;
        let Cap::Data(data) = &*cap else { return Err(not_data(&from)) };
        self.charge(entry, times(self.costs.data_64_bytes, data.length().div_ceil(64)))?;
        self.debit(entry, quota, data.length())?;
        let file = self.assist.save_file(entry.body.chain, hash);
        entry.set_reg(Reg::A0, file);
        Ok(())
    }

    /// Charges a quota that the instance has in one of its quota slots.
    fn debit(&mut self, entry: &InstanceEntry, quota: u64, bytes: u64) -> Done {
        let body = &entry.body;
        let held = host(kernel_caps(body, &body.program.image.quota_slots, KernelImage::Quota, self.cache))?;
        if held.iter().all(|&(id, _)| id != quota) {
            return Err(OperationError::NoQuota { quota }.into());
        }
        let left = self.assist.storage_quota(quota);
        let Some(rest) = left.checked_sub(bytes) else {
            return Err(OperationError::QuotaExhausted { quota, left, wanted: bytes }.into());
        };
        self.assist.set_storage_quota(quota, rest);
        Ok(())
    }

    /// What a slot holds that must not be empty.
    fn filled(&mut self, entry: &InstanceEntry, path: &SlotPath) -> Done<CapHashOrRef> {
        let held = slot(slots::read(&entry.body.root, self.cache, path))?;
        Ok(held.ok_or(SlotError::Empty { path: *path })?)
    }

    fn write(&mut self, entry: &mut InstanceEntry, path: &SlotPath, cap: Option<CapHashOrRef>) -> Done {
        let Body { root, program, .. } = &mut entry.body;
        slot(slots::write(root, &program.image, self.cache, path, cap)).map(|_| ())
    }

    /// Takes gas for an operation that makes so many nodes and instances, and writes slots.
    ///
    /// What is made is counted, too, the same wherever the call is paused, stored and gone on with: each node on the way as if it were
    /// copied, which it is if others hold it or it has a hash.
    fn charge_writes(&mut self, entry: &mut InstanceEntry, gas: u64, makes: u64, to: &[SlotPath]) -> Done {
        let (mut filled, mut nodes) = (0, 0);
        for path in to {
            slots::check_not_pinned(&entry.body.program.image, path)?;
            nodes += path.steps().len() as u64 - 1;
            filled += slot(slots::filled_on_the_way(&entry.body.root, self.cache, path))?;
        }
        let Work { made, limit } = *self.work;
        let made = sum([made, makes, nodes]);
        if made > limit {
            return Err(OperationError::WorkingLimit { limit }.into());
        }
        let Costs { node, node_slot, .. } = *self.costs;
        self.charge(entry, sum([gas, times(node, makes + nodes), times(node_slot, filled)]))?;
        self.work.made = made;
        Ok(())
    }

    /// Takes gas for an operation, beside that of its `ecalli`. Nothing may have been done before.
    fn charge(&self, entry: &mut InstanceEntry, gas: u64) -> Done {
        take(entry, gas.saturating_add(self.costs.operation))
    }

    fn held<'a>(&mut self, cap: &'a CapHashOrRef) -> Done<Held<'a>> {
        Ok(match cap {
            CapHashOrRef::Ref(working) => Held::Working(working.content()),
            CapHashOrRef::Hash(hash) => Held::Settled(host(self.cache.get(*hash))?),
        })
    }

    /// The image that a slot holds, with its hash.
    fn image(&mut self, entry: &InstanceEntry, path: &SlotPath) -> Done<(CapHash, Arc<Cap>)> {
        let hash = self.filled(entry, path)?.hash().ok_or_else(|| not_an_image(path))?;
        let cap = host(self.cache.get(hash))?;
        if cap.kind() == Kind::Image { Ok((hash, cap)) } else { Err(not_an_image(path)) }
    }

    /// The data that a slot holds, with their hash.
    fn data(&mut self, entry: &InstanceEntry, path: &SlotPath) -> Done<(CapHash, Arc<Cap>)> {
        let hash = self.filled(entry, path)?.hash().ok_or_else(|| not_data(path))?;
        let cap = host(self.cache.get(hash))?;
        if cap.kind() == Kind::Data { Ok((hash, cap)) } else { Err(not_data(path)) }
    }

    /// What an instance is an instance of, or a type is the type of.
    fn chain(&mut self, entry: &InstanceEntry, path: &SlotPath) -> Done<CapHash> {
        let wrong = || OperationError::Kind { path: *path, wanted: "an instance or a type" };
        match self.filled(entry, path)? {
            CapHashOrRef::Ref(working) => match working.content() {
                Working::Instance(resting) => Ok(resting.chain()),
                Working::CNode(_) => Err(wrong().into()),
            },
            CapHashOrRef::Hash(hash) => match &*host(self.cache.get(hash))? {
                Cap::Instance(instance) => Ok(instance.image_hash_chain),
                Cap::Type(it) => Ok(it.image_hash_chain),
                _ => Err(wrong().into()),
            },
        }
    }
}

/// What a slot holds, to be looked at: neither is copied.
enum Held<'a> {
    Working(&'a Working),
    Settled(Arc<Cap>),
}

impl Held<'_> {
    fn node(&self, path: &SlotPath) -> Done<&CNode> {
        let node = match self {
            Self::Working(Working::CNode(node)) => Some(node),
            Self::Working(Working::Instance(_)) => None,
            Self::Settled(cap) => cap.as_cnode(),
        };
        Ok(node.ok_or(OperationError::Kind { path: *path, wanted: "a node" })?)
    }
}

fn not_an_image(path: &SlotPath) -> Stop {
    OperationError::Kind { path: *path, wanted: "an image" }.into()
}

fn not_data(path: &SlotPath) -> Stop {
    OperationError::Kind { path: *path, wanted: "data" }.into()
}

/// Prices are what the embedder says: no sum of them is too large.
const fn times(price: u64, count: u64) -> u64 {
    price.saturating_mul(count)
}

fn sum<const N: usize>(parts: [u64; N]) -> u64 {
    parts.into_iter().fold(0, u64::saturating_add)
}

/// Takes gas, all of it or nothing.
fn take(entry: &mut InstanceEntry, gas: u64) -> Done {
    let left = check(entry, gas)?;
    entry.body.machine.set_gas(left);
    Ok(())
}

/// What is left when so much gas is taken, which is not done.
fn check(entry: &InstanceEntry, gas: u64) -> Done<i64> {
    let cost = i64::try_from(gas).unwrap_or(i64::MAX);
    let left = entry.body.machine.gas() - cost;
    if left < 0 { Err(Stop::OutOfGas { done: 0 }) } else { Ok(left) }
}

fn paths<const N: usize>(entry: &InstanceEntry, regs: [Reg; N]) -> Done<[SlotPath; N]> {
    let mut paths = [SlotPath::slot(0); N];
    for (path, reg) in paths.iter_mut().zip(regs) {
        *path = SlotPath::from_register(entry.reg(reg))?;
    }
    Ok(paths)
}

fn address(register: u64) -> Result<u32, OperationError> {
    u32::try_from(register).map_err(|_| OperationError::Address { address: register })
}

/// Puts what an image pins into slots, which must be empty, and what it has at first into those that are.
fn furnish(root: &mut CNode, image: &Image) -> Done {
    for &SlotContent { slot, cap } in &image.pinned {
        if root.get(slot.into()).is_some() {
            return Err(OperationError::Collision { slot }.into());
        }
        root.set(slot.into(), Some(cap))?;
    }
    for &SlotContent { slot, cap } in &image.initial {
        if root.get(slot.into()).is_none() {
            root.set(slot.into(), Some(cap))?;
        }
    }
    Ok(())
}
