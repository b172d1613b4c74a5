//! An instance on the call stack.

use hatchery_engine::{ProgramCounter, Reg};

use crate::assist::KernelAssist;
use crate::body::{Body, Registers};
use crate::cache::{CacheDirectory, CacheError};
use crate::cap::{Cap, CapHashOrRef};
use crate::cnode::{CNode, SlotPath};
use crate::hash::CapHash;
use crate::image::Endpoint;
use crate::kernel::KernelImage;

use super::VmError;

/// An instance on the call stack.
#[derive(Debug)]
pub struct InstanceEntry {
    pub(super) body: Body,
    pub(super) origin: Origin,
    /// What its caller had in slot 0, which it gets back if this one faults.
    pub(super) given: Option<CapHashOrRef>,
    /// Before the call.
    pub(super) checkpoint: u64,
    /// When it was entered, as the directory counts what the call puts there. 0: nothing was put there before, or it stays anyway.
    pub(super) entered: u64,
    /// The meters in its gas slots when it was entered.
    pub(super) meters: Vec<(u64, CapHash)>,
    /// What there was not enough gas for, or what comes first.
    pub(super) pending: Option<Pending>,
    /// Whether it waits behind a YIELD, not for gas.
    pub(super) has_yielded: bool,
}

/// What an instance waits with, before it executes anything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pending {
    /// It is the first of a call and has not begun.
    Enter,
    /// It has stopped at an operation.
    Operation(u32),
    /// It has returned.
    Return,
}

/// Who called an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    Embedder,
    /// The instance below, which has it in this slot.
    Slot {
        path: SlotPath,
        /// Whether what becomes of it goes there when it replies: not if the slot is pinned.
        writes_back: bool,
    },
}

/// How an instance is entered.
pub(super) struct Entrance {
    pub(super) regs: Registers,
    pub(super) endpoint: u8,
    pub(super) args: [u64; 4],
    pub(super) origin: Origin,
    pub(super) given: Option<CapHashOrRef>,
}

/// Why an instance cannot be entered.
pub(super) enum NotEntered {
    Guest(&'static str),
    Cache(CacheError),
}

impl From<CacheError> for NotEntered {
    fn from(error: CacheError) -> Self {
        Self::Cache(error)
    }
}

impl InstanceEntry {
    pub(super) fn new<K: KernelAssist>(
        mut body: Body,
        entrance: Entrance,
        cache: &mut CacheDirectory,
        assist: &mut K,
    ) -> Result<Self, NotEntered> {
        let Entrance { regs, endpoint, args, origin, given } = entrance;
        let image = std::sync::Arc::clone(&body.program.image);
        let Some(endpoint) = image.endpoints.get(usize::from(endpoint)) else {
            return Err(NotEntered::Guest("the image has no endpoint of this number"));
        };
        check_argument(endpoint, &body.root, cache)?;
        let mut entered = endpoint.initial_regs;
        for (at, &reg) in regs.iter().enumerate() {
            if reg != 0 {
                entered[at] = reg;
            }
        }
        for (at, &arg) in args.iter().enumerate().take(endpoint.argument_registers.into()) {
            entered[Reg::A0 as usize + at] = arg;
        }
        body.set_registers(&entered);
        body.machine.set_pc(ProgramCounter(endpoint.entry_pc));
        let meters = meters(&body, cache)?;
        let checkpoint = assist.checkpoint();
        let now = cache.claims_now();
        let pending = (origin == Origin::Embedder).then_some(Pending::Enter);
        Ok(Self { body, origin, given, checkpoint, entered: now, meters, pending, has_yielded: false })
    }

    /// What it is an instance of.
    pub const fn chain(&self) -> CapHash {
        self.body.chain
    }

    /// Its image.
    pub fn image_hash(&self) -> CapHash {
        self.body.program.hash
    }

    /// Its slots.
    pub const fn slots(&self) -> &CNode {
        &self.body.root
    }

    /// The instruction it is at.
    pub const fn pc(&self) -> u32 {
        self.body.machine.pc().0
    }

    /// Its registers.
    pub fn registers(&self) -> [u64; 13] {
        self.body.registers()
    }

    /// The slot of the instance below that it lies in; none if the embedder called it.
    pub const fn called_through(&self) -> Option<SlotPath> {
        match self.origin {
            Origin::Embedder => None,
            Origin::Slot { path, .. } => Some(path),
        }
    }

    /// The meters that it spends from; if there are none, it spends what the one below does.
    pub fn gas_meters(&self) -> impl Iterator<Item = u64> {
        self.meters.iter().map(|&(meter, _)| meter)
    }

    pub(super) fn reg(&self, reg: Reg) -> u64 {
        self.body.machine.reg(reg)
    }

    pub(super) fn set_reg(&mut self, reg: Reg, value: u64) {
        self.body.machine.set_reg(reg, value);
    }

    pub(super) fn set_slot_zero(&mut self, cap: Option<CapHashOrRef>) -> Result<(), VmError> {
        self.body.root.set(0, cap).map_err(CacheError::from)?;
        Ok(())
    }
}

/// The meters in the gas slots.
pub(super) fn meters(body: &Body, cache: &mut CacheDirectory) -> Result<Vec<(u64, CapHash)>, CacheError> {
    kernel_caps(body, &body.program.image.gas_slots, KernelImage::Gas, cache)
}

/// What these slots hold of this kind.
pub(super) fn kernel_caps(
    body: &Body,
    slots: &[u8],
    wanted: KernelImage,
    cache: &mut CacheDirectory,
) -> Result<Vec<(u64, CapHash)>, CacheError> {
    let mut found: Vec<(u64, CapHash)> = Vec::new();
    for &slot in slots {
        let Some(hash) = body.root.get(slot.into()).and_then(CapHashOrRef::hash) else { continue };
        if let Cap::Instance(instance) = &*cache.get(hash)?
            && let Some((kind, id)) = instance.kernel()
            && kind == wanted
            && found.iter().all(|&(other, _)| other != id)
        {
            found.push((id, hash));
        }
    }
    Ok(found)
}

fn check_argument(endpoint: &Endpoint, root: &CNode, cache: &mut CacheDirectory) -> Result<(), NotEntered> {
    let Some(wanted) = endpoint.argument_cnode else { return Ok(()) };
    let size_log = match root.get(0) {
        None => None,
        Some(CapHashOrRef::Ref(working)) => working.cnode().map(CNode::size_log),
        Some(CapHashOrRef::Hash(hash)) => match &*cache.get(*hash)? {
            Cap::CNode(node) => Some(node.size_log()),
            _ => None,
        },
    };
    if size_log == Some(wanted) {
        return Ok(());
    }
    Err(NotEntered::Guest("the endpoint wants a node of another size in slot 0"))
}
