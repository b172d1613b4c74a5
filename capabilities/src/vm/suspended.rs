//! A paused call as data: to be stored, and gone on with later, in another process or on another backend.

use std::collections::BTreeSet;
use std::sync::Arc;

use codec::{Decode, DecodeAll, Encode};
use hatchery_engine::{Exit, RestoreError, Snapshot, Status};

use crate::assist::KernelAssist;
use crate::body::{Body, LoadError};
use crate::cache::{CALL_RECORD, CacheDirectory, CacheError};
use crate::cap::{Cap, CapHashOrRef};
use crate::cnode::SlotPath;
use crate::hash::{CapHash, blake2b};
use crate::kernel::KernelImage;
use crate::operation::Operation;
use crate::program::Programs;
use crate::slots::{self, Refused};
use crate::stack::{CallStack, Catcher, Entry};

use super::frame::{InstanceEntry, Origin, Pending};
use super::{NO_INSTANCE, Vm, VmError};

/// What the first byte of the byte form says.
const VERSION: u8 = 2;
/// Bytes of the hash at the end of the byte form.
const DIGEST: usize = 32;

/// A paused call: the stack of a machine as plain data. Made by [`Vm::suspend`], gone on with after [`Vm::restore`].
///
/// It names capabilities by their hashes ([`SuspendedCall::roots`]) and does not contain them: they must be in the directory where
/// it is restored. What the machine's [`KernelAssist`] knows has to be kept beside it.
///
/// Its byte form is canonical: equal states have equal bytes, on whichever backend and however they came about, and what can be
/// decoded encodes to the same bytes again.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SuspendedCall {
    /// The instance that the embedder has called.
    called: CapHash,
    /// What is left of the gas that was given with the call.
    gas: u64,
    /// How many nodes and instances were made.
    made: u64,
    /// The images that were entered, in ascending order.
    entered: Vec<CapHash>,
    /// Whether the uppermost instance waits behind a YIELD, not for gas.
    has_yielded: bool,
    /// The position of who deals with it; none: the embedder.
    catcher: Option<u32>,
    /// From the bottom.
    frames: Vec<Frame>,
}

/// An instance on the stack.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
struct Frame {
    /// Where its caller has it; none for the first.
    called_through: Option<SlotPath>,
    chain: CapHash,
    image: CapHash,
    root: CapHash,
    given: Option<CapHash>,
    checkpoint: u64,
    meters: Vec<CapHash>,
    machine: Snapshot,
}

/// Bytes are no suspended call, or a machine cannot go on with one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuspendedCallError {
    /// There are more bytes than allowed.
    #[error("{length} bytes: a suspended call may have {limit}")]
    TooLong {
        /// How many there are.
        length: usize,
        /// How many may be.
        limit: usize,
    },
    /// They are malformed, or not what was written.
    #[error("not a suspended call: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
    /// The machine has a paused call: resume or drop it first.
    #[error("a call is paused: resume or drop it first")]
    Busy,
    /// The machine's stack is smaller.
    #[error("{depth} instances: the call stack has room for {limit}")]
    Depth {
        /// How many there are.
        depth: usize,
        /// How many there can be.
        limit: usize,
    },
    /// No machine ever pauses like this.
    #[error("instance {position} of the stack: {problem}")]
    Frame {
        /// Its position, from the bottom.
        position: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// An instance cannot be loaded.
    #[error("instance {position} of the stack cannot be loaded")]
    Load {
        /// Its position, from the bottom.
        position: usize,
        /// Why.
        source: LoadError,
    },
    /// The state of a program is not one of its image.
    #[error("instance {position} of the stack is in no state of its image")]
    Snapshot {
        /// Its position, from the bottom.
        position: usize,
        /// Why.
        source: RestoreError,
    },
    /// A capability is not there, or cannot be read.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl SuspendedCall {
    /// The byte form: a version, the state in SCALE, and the Blake2b-256 hash of both.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        self.encode_to(&mut bytes);
        bytes.extend(blake2b(&bytes).0);
        bytes
    }

    /// Decodes the byte form, of at most `limit` bytes. Pages in it are shortened: in memory it takes at most some 700 times as much.
    ///
    /// # Errors
    /// If there are more bytes, or they are not exactly what [`SuspendedCall::to_bytes`] gives.
    pub fn from_bytes(bytes: &[u8], limit: usize) -> Result<Self, SuspendedCallError> {
        if bytes.len() > limit {
            return Err(SuspendedCallError::TooLong { length: bytes.len(), limit });
        }
        let malformed = |reason: &str| SuspendedCallError::Malformed { reason: reason.to_owned() };
        let Some((content, digest)) = bytes.len().checked_sub(DIGEST).map(|at| bytes.split_at(at)) else {
            return Err(malformed("there are too few bytes"));
        };
        if blake2b(content).0 != digest {
            return Err(malformed("its hash is not that of its bytes, which were changed"));
        }
        let Some((&VERSION, mut content)) = content.split_first() else {
            return Err(malformed("its version is not 2"));
        };
        let call = Self::decode_all(&mut content).map_err(|error| {
            // The codec takes a line for each part that something is in.
            malformed(&error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
        })?;
        if !call.entered.is_sorted_by(|a, b| a < b) {
            return Err(malformed("the images that were entered are not in ascending order"));
        }
        Ok(call)
    }

    /// The record to give to [`CacheDirectory::commit`], by which a store keeps the call under a name. As long as it is there, nothing
    /// that the call needs is collected. A record of this name without a value removes it ([`SuspendedCall::removal`]).
    pub fn record(&self, name: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        (Self::record_name(name), Some(self.to_bytes()))
    }

    /// The record that removes the call with this name from a store.
    pub fn removal(name: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        (Self::record_name(name), None)
    }

    /// The call that the store of a directory keeps under a name, of at most `limit` bytes.
    ///
    /// # Errors
    /// If the store cannot be read, or has something else there.
    pub fn load(
        cache: &CacheDirectory,
        name: &str,
        limit: usize,
    ) -> Result<Option<Self>, SuspendedCallError> {
        let bytes = cache.record(&Self::record_name(name))?;
        bytes.map(|bytes| Self::from_bytes(&bytes, limit)).transpose()
    }

    fn record_name(name: &str) -> Vec<u8> {
        [CALL_RECORD, name.as_bytes()].concat()
    }

    /// The capabilities that it needs: what must not be collected as garbage while it is kept.
    pub fn roots(&self) -> impl Iterator<Item = CapHash> {
        let frames = self.frames.iter().flat_map(|frame| {
            let named = [Some(frame.image), Some(frame.root), frame.given];
            named.into_iter().flatten().chain(frame.meters.iter().copied())
        });
        core::iter::once(self.called).chain(frames)
    }

    /// How many instances are on the stack.
    pub fn depth(&self) -> usize {
        self.frames.len()
    }

    /// What is left of the gas that was given with the call.
    pub const fn gas(&self) -> u64 {
        self.gas
    }
}

impl<K: KernelAssist> Vm<K> {
    /// The paused call as data. The machine stays as it is and can go on with it, too.
    ///
    /// What is being worked on gets its hash, as if it were settled: the directory has to be committed for another process to find it.
    /// What the call has made so far stays in the directory from now on, until it is collected.
    ///
    /// # Errors
    /// If no call is paused, or a capability cannot be kept.
    pub fn suspend(&mut self, cache: &mut CacheDirectory) -> Result<SuspendedCall, VmError> {
        let catcher = match self.stack.caught_by().ok_or(VmError::NotPaused)? {
            Catcher::Embedder => None,
            Catcher::Entry(position) => Some(position as u32),
        };
        // It can go on elsewhere, whatever becomes of it here.
        cache.keep_claims(&self.claims);
        let depth = self.stack.depth().saturating_sub(1);
        let mut frames = Vec::with_capacity(depth);
        for position in 0..depth {
            let entry = self.stack.instance_mut(position).ok_or(NO_INSTANCE)?;
            frames.push(entry.suspended(cache)?);
        }
        let has_yielded = self.stack.instance(depth.wrapping_sub(1)).is_some_and(|top| top.has_yielded);
        let entered = self.programs.entered().collect();
        let (called, gas, made) = (self.called, self.gas, self.work.made);
        let call = SuspendedCall { called, gas, made, entered, has_yielded, catcher, frames };
        // The nodes of the instances have hashes now, which they had not before.
        self.suspended = call.roots().collect();
        Ok(call)
    }

    /// Makes this machine's stack what that of another was: [`Vm::resume`], [`Vm::drop_paused`] and [`Vm::drop_to_catcher`] do what
    /// they would have done there, for the same gas, if [`Vm::assist`] is in the same state.
    ///
    /// # Errors
    /// If a call is paused here, a capability is missing, or no machine ever pauses like this. The machine stays as it was then.
    pub fn restore(
        &mut self,
        cache: &mut CacheDirectory,
        suspended: &SuspendedCall,
    ) -> Result<(), SuspendedCallError> {
        if !self.stack.is_empty() {
            return Err(SuspendedCallError::Busy);
        }
        let SuspendedCall { called, gas, made, entered, has_yielded, catcher, frames } = suspended;
        let limit = self.stack.max_depth();
        if frames.len() > limit {
            return Err(SuspendedCallError::Depth { depth: frames.len(), limit });
        }
        let mut stack: CallStack<InstanceEntry> = CallStack::new(limit);
        for (position, frame) in frames.iter().enumerate() {
            let caller = position.checked_sub(1).and_then(|below| stack.instance(below));
            let mut entry = frame.restored(position, caller, *called, cache, &mut self.programs)?;
            let wrong = |problem| SuspendedCallError::Frame { position, problem };
            let is_top = position + 1 == frames.len();
            entry.has_yielded = is_top && *has_yielded;
            let status = frame.machine.status();
            if status != Status::Ready && entered.binary_search(&frame.image).is_err() {
                return Err(wrong("its image was not entered"));
            }
            entry.pending = match status {
                Status::Stopped(Exit::Syscall(number)) if is_top && !has_yielded => {
                    Some(Pending::Operation(number))
                }
                Status::Stopped(Exit::Finished) if is_top && !has_yielded => Some(Pending::Return),
                Status::Ready if is_top && !has_yielded && position == 0 && entered.is_empty() => {
                    Some(Pending::Enter)
                }
                Status::Stopped(Exit::OutOfGas) if is_top && !has_yielded => None,
                Status::Stopped(Exit::Syscall(number)) if number == entry.waits_at(is_top) => None,
                _ => return Err(wrong("it is not where a machine pauses")),
            };
            stack.push_instance(entry).map_err(|_| wrong("there is no room for it"))?;
        }
        let catcher = match *catcher {
            None => Catcher::Embedder,
            Some(position) => Catcher::Entry(position as usize),
        };
        let position = frames.len().saturating_sub(1);
        let problem = "who is said to deal with it is no instance below";
        stack.push_reference(catcher).map_err(|_| SuspendedCallError::Frame { position, problem })?;
        self.stack = stack;
        self.gas = *gas;
        self.work.made = *made;
        self.called = *called;
        self.programs.begin_call(entered.iter().copied());
        self.paused = Some(cache.note_paused());
        Ok(())
    }

    /// As [`CacheDirectory::collect`], and keeps what this machine needs: for its paused call, if it has one, and for what its
    /// [`KernelAssist`] names.
    ///
    /// # Errors
    /// As there, also if another machine has a paused call.
    pub fn collect(
        &self,
        cache: &mut CacheDirectory,
        roots: impl IntoIterator<Item = CapHash>,
    ) -> Result<usize, CacheError> {
        cache.collect_beside(usize::from(self.paused.is_some()), roots.into_iter().chain(self.roots()))
    }

    /// The capabilities that this machine needs: for its paused call, if it has one, and what its [`KernelAssist`] names. For
    /// [`CacheDirectory::collect_beside`], where several machines have paused calls. What [`Vm::suspend`] has given is among it until
    /// the call goes on here.
    pub fn roots(&self) -> Vec<CapHash> {
        let mut found: BTreeSet<CapHash> = self.assist.roots().into_iter().collect();
        if self.paused.is_some() {
            found.insert(self.called);
            found.extend(&self.suspended);
        }
        let mut nodes = Vec::new();
        let mut seen = BTreeSet::new();
        for (_, entry) in self.stack.entries() {
            let Entry::Instance(entry) = entry else { continue };
            found.insert(entry.image_hash());
            found.extend(entry.meters.iter().map(|&(_, cap)| cap));
            let held = entry.body.root.iter().map(|(_, cap)| cap).chain(&entry.given);
            for cap in held {
                match cap {
                    CapHashOrRef::Hash(hash) => drop(found.insert(*hash)),
                    CapHashOrRef::Ref(working) => nodes.push(working),
                }
            }
        }
        // Without recursion: guests choose how deep nodes lie in each other.
        while let Some(working) = nodes.pop() {
            if seen.insert(working.id()) {
                found.extend(working.named());
                nodes.extend(working.inner());
            }
        }
        found.into_iter().collect()
    }
}

impl InstanceEntry {
    fn suspended(&mut self, cache: &mut CacheDirectory) -> Result<Frame, VmError> {
        cache.settle_node(&mut self.body.root)?;
        if let Some(given) = &mut self.given {
            *given = cache.settle(given)?.into();
        }
        let root = cache.put(Cap::CNode(self.body.root.clone()))?;
        // It is set when the instance goes on: what is left from before is of no meaning.
        self.body.machine.set_gas(0);
        Ok(Frame {
            called_through: self.called_through(),
            chain: self.body.chain,
            image: self.image_hash(),
            root,
            given: self.given.as_ref().and_then(CapHashOrRef::hash),
            checkpoint: self.checkpoint,
            meters: self.meters.iter().map(|&(_, cap)| cap).collect(),
            machine: self.body.machine.snapshot(),
        })
    }

    /// The operation at which it waits, if it does not wait for gas.
    fn waits_at(&self, is_top: bool) -> u32 {
        if is_top { Operation::Yield.number() } else { Operation::Call.number() }
    }
}

impl Frame {
    fn restored(
        &self,
        position: usize,
        caller: Option<&InstanceEntry>,
        called: CapHash,
        cache: &mut CacheDirectory,
        programs: &mut Programs,
    ) -> Result<InstanceEntry, SuspendedCallError> {
        let wrong = |problem| SuspendedCallError::Frame { position, problem };
        let load = |source: LoadError| SuspendedCallError::Load { position, source };
        let (origin, before) = match (caller, self.called_through) {
            (None, None) => (Origin::Embedder, called),
            (Some(caller), Some(path)) => {
                let body = &caller.body;
                let before = match slots::read(&body.root, cache, &path) {
                    Ok(Some(CapHashOrRef::Hash(before))) if path.first() != 0 => before,
                    Err(Refused::Cache(error)) => return Err(error.into()),
                    _ => return Err(wrong("its caller does not have it where it is said to")),
                };
                let writes_back = body.program.image.pinned(path.first()).is_none();
                (Origin::Slot { path, writes_back }, before)
            }
            _ => return Err(wrong("the first was called by the embedder, the others were not")),
        };
        let mut meters = Vec::with_capacity(self.meters.len());
        for &hash in &self.meters {
            match cache.instance(hash)?.kernel() {
                Some((KernelImage::Gas, id)) if meters.iter().all(|&(other, _)| other != id) => {
                    meters.push((id, hash));
                }
                _ => return Err(wrong("it spends from what is no gas meter, or is one twice")),
            }
        }
        if let Some(given) = self.given {
            cache.get(given)?;
        }
        let program = programs.load(cache, self.image).map_err(|error| load(error.into()))?;
        let root = cache.cnode(self.root)?;
        // As it was before the call.
        let loaded = match &*cache.get(before)? {
            Cap::Instance(instance) => instance.rw_overlays.clone(),
            _ => return Err(wrong("what was called is no instance")),
        };
        let body = Body::restored(Arc::clone(&program), self.chain, root, loaded, &self.machine)
            .map_err(|source| SuspendedCallError::Snapshot { position, source })?
            .ok_or_else(|| wrong("its slots or its memory are not those of its image"))?;
        Ok(InstanceEntry {
            body,
            origin,
            given: self.given.map(CapHashOrRef::Hash),
            checkpoint: self.checkpoint,
            entered: 0,
            meters,
            pending: None,
            has_yielded: false,
        })
    }
}
