//! The directory of capabilities: immutable ones by hash, over a store, and those that are being worked on.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::cap::{Cap, CapDecodeError, CapHashOrRef, DataCap, InstanceCap, Kind, Unsettled};
use crate::claims::{Claimants, Claims};
use crate::cnode::{CNode, ROOT_SIZE_LOG, SlotError};
use crate::hash::CapHash;
use crate::store::{BlobStore, Change, MemoryStore, Record, StoreError};
use crate::vm::SuspendedCall;
use crate::working::{CapRef, Counter, Working};

/// How much memory a directory takes by default: 256 MiB of what its store has, too.
const DEFAULT_LIMIT: usize = 256 << 20;
/// How many capabilities can be worked on at the same time by default.
const DEFAULT_WORKING_LIMIT: usize = 1 << 21;
/// What the names of the records begin with in which a store keeps suspended calls.
pub(crate) const CALL_RECORD: &[u8] = b"call:";

/// Capabilities by hash.
///
/// New ones go into its store with the next [`CacheDirectory::commit`] and stay in memory until then; what the store has is
/// read when it is wanted and forgotten when memory runs short, the longest unused first.
///
/// What an instance makes that then faults, or is given up, is forgotten with it, unless it was put, held, given to a machine or committed
/// by whoever owns the directory while the call was paused.
#[derive(Debug)]
pub struct CacheDirectory {
    store: Box<dyn BlobStore>,
    blobs: HashMap<CapHash, Blob>,
    /// Which blob that the store has, too, was used when, the longest unused first.
    by_use: BTreeMap<u64, CapHash>,
    clock: u64,
    bytes: usize,
    limit: usize,
    /// New since the last commit.
    new: BTreeSet<CapHash>,
    /// Those of them that only calls have made which have not ended. Nothing but these names any of them.
    claimed: HashMap<CapHash, Claimants>,
    /// What the call has made that is being executed.
    claims: Option<Claims>,
    /// How often something outside holds a capability, which keeps it and what it names.
    roots: BTreeMap<CapHash, u64>,
    counter: Counter,
    working_limit: usize,
    /// Held by whoever has a paused call in memory.
    paused: Arc<()>,
}

/// The first `length` bytes of data with this hash, or fewer if there are no more.
pub(crate) fn data_bytes(hash: CapHash, data: &DataCap, length: u64) -> Result<Vec<u8>, CacheError> {
    let missing = |_| CacheError::MissingPage { data: hash, page: data.missing_page().unwrap_or_default() };
    data.prefix(length).map_err(missing)
}

/// Says that a call is paused which needs what is in a directory.
#[derive(Debug)]
pub(crate) struct PausedCall(#[expect(dead_code, reason = "it is counted")] Arc<()>);

#[derive(Debug)]
struct Blob {
    cap: Arc<Cap>,
    weight: usize,
    /// When it was used; none if it is new, so that it cannot be forgotten.
    used: Option<u64>,
}

/// Why a capability cannot be kept or found. Nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// It is not here.
    #[error("there is no capability {hash}")]
    Unknown {
        /// Its hash.
        hash: CapHash,
    },
    /// It names one that is not here.
    #[error("it names the capability {hash}, which is not here")]
    Dangling {
        /// The hash of the other.
        hash: CapHash,
    },
    /// It is of another kind than it has to be.
    #[error("the capability {hash} is of the kind {found}, not {wanted}")]
    Kind {
        /// Its hash.
        hash: CapHash,
        /// What it is.
        found: Kind,
        /// What it has to be.
        wanted: Kind,
    },
    /// Instances have 256 slots.
    #[error("the root node {hash} of an instance has 2^{size_log} slots, not 256")]
    RootSize {
        /// The node.
        hash: CapHash,
        /// Its size.
        size_log: u8,
    },
    /// It is being worked on.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
    /// It breaks a rule of its kind.
    #[error(transparent)]
    Invalid(#[from] CapDecodeError),
    /// The store has other bytes under this hash.
    #[error("the store is damaged: what it has as {hash} is {found}")]
    Damaged {
        /// The hash.
        hash: CapHash,
        /// What the bytes are.
        found: String,
    },
    /// A record of the store is not what was written.
    #[error("the store is damaged: its record `{name}` is not what was written")]
    Record {
        /// Its name.
        name: String,
    },
    /// Calls are paused in memory whose needs nobody told.
    #[error("{paused} calls are paused, the roots of {known} are known: collect by their machines")]
    Paused {
        /// How many are paused.
        paused: usize,
        /// Of how many the roots were given.
        known: usize,
    },
    /// More is being worked on than the limit allows.
    #[error("{limit} capabilities are being worked on: there cannot be more")]
    TooManyWorking {
        /// The limit.
        limit: usize,
    },
    /// Bytes of data are not here, only the root of their page's tree. Put the data with them: it has the same hash.
    #[error("page {page} of the data {data} is not here")]
    MissingPage {
        /// The data.
        data: CapHash,
        /// The number of the first such page.
        page: usize,
    },
    /// A slot cannot be filled.
    #[error(transparent)]
    Slot(#[from] SlotError),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Default for CacheDirectory {
    fn default() -> Self {
        Self::new(MemoryStore::default())
    }
}

impl CacheDirectory {
    /// A directory over a store.
    pub fn new(store: impl BlobStore + 'static) -> Self {
        let mut directory = Self {
            store: Box::new(store),
            blobs: HashMap::new(),
            by_use: BTreeMap::new(),
            clock: 0,
            bytes: 0,
            limit: DEFAULT_LIMIT,
            new: BTreeSet::new(),
            claimed: HashMap::new(),
            claims: None,
            roots: BTreeMap::new(),
            counter: Counter::default(),
            working_limit: DEFAULT_WORKING_LIMIT,
            paused: Arc::default(),
        };
        // What every kernel instance names.
        let nothing = Cap::CNode(CNode::nothing());
        directory.new.insert(CNode::nothing_hash());
        directory.insert(CNode::nothing_hash(), Arc::new(nothing), true);
        directory
    }

    /// Limits the memory for capabilities that the store has, too, in bytes.
    #[must_use]
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Limits how many capabilities can be worked on at the same time, two million at first. Machines refuse to begin a call, or to go
    /// on with one, if there is not room for all that it may make ([`Vm::working_limit`](crate::Vm::working_limit)).
    #[must_use]
    pub fn working_limit(mut self, entries: usize) -> Self {
        self.working_limit = entries;
        self
    }

    /// Keeps a capability and gives its hash. If it is here already nothing changes, but that data get the pages that they lacked.
    ///
    /// # Errors
    /// If it breaks a rule of its kind, or names what is not here or of the wrong kind.
    pub fn put(&mut self, cap: Cap) -> Result<CapHash, CacheError> {
        // First of all: what breaks a rule may have the hash of what does not.
        cap.check()?;
        let hash = cap.hash()?;
        let known = match (self.blobs.get(&hash), &cap) {
            (Some(blob), _) => Some(Arc::clone(&blob.cap)),
            // The store may have pages that these data lack.
            (None, Cap::Data(data)) if data.missing_page().is_some() => self.found(hash)?,
            (None, _) => None,
        };
        if let Some(known) = known {
            if let (Cap::Data(known), Cap::Data(data)) = (&*known, &cap)
                && let Some(data) = known.completed(data)
            {
                self.forget(hash);
                self.new.insert(hash);
                self.insert(hash, Arc::new(Cap::Data(data)), true);
            }
            self.note_put(hash);
            return Ok(hash);
        }
        for (named, wanted) in cap.references() {
            let found = match self.get(named) {
                Err(CacheError::Unknown { hash }) => return Err(CacheError::Dangling { hash }),
                found => found?,
            };
            if let Some(wanted) = wanted
                && found.kind() != wanted
            {
                return Err(CacheError::Kind { hash: named, found: found.kind(), wanted });
            }
            if let (Cap::Instance(instance), Cap::CNode(node)) = (&cap, &*found)
                && instance.kernel().is_none()
                && node.size_log() != ROOT_SIZE_LOG
            {
                return Err(CacheError::RootSize { hash: named, size_log: node.size_log() });
            }
        }
        self.new.insert(hash);
        self.insert(hash, Arc::new(cap), true);
        self.claimed.insert(hash, Claimants::default());
        self.note_put(hash);
        Ok(hash)
    }

    /// Says who has put what is here: the call that is being executed, or whoever owns the directory, who keeps it.
    fn note_put(&mut self, hash: CapHash) {
        let Some(claims) = &mut self.claims else { return self.keep(hash) };
        // What is not claimed is kept anyway.
        if let Some(claimants) = self.claimed.get_mut(&hash)
            && let Some(blob) = self.blobs.get(&hash)
        {
            claims.note(hash, &blob.cap, claimants);
        }
    }

    /// Keeps what calls have made, and all that it names, whatever becomes of them.
    pub(crate) fn keep(&mut self, hash: CapHash) {
        let mut pending = vec![hash];
        while let Some(hash) = pending.pop() {
            if self.claimed.remove(&hash).is_some()
                && let Some(blob) = self.blobs.get(&hash)
            {
                pending.extend(blob.cap.references().into_iter().map(|(named, _)| named));
            }
        }
    }

    /// From now on a call puts what is put, which has made this so far.
    pub(crate) fn begin_claims(&mut self, claims: Claims) {
        debug_assert!(self.claims.is_none(), "one call at a time");
        self.claims = Some(claims);
    }

    /// The opposite of [`CacheDirectory::begin_claims`].
    pub(crate) fn end_claims(&mut self) -> Claims {
        self.claims.take().unwrap_or_default()
    }

    /// The time of what the call that is being executed makes next; 0 if none is.
    pub(crate) fn claims_now(&self) -> u64 {
        self.claims.as_ref().map_or(0, Claims::now)
    }

    /// Forgets what the call that is being executed has made since then.
    pub(crate) fn undo_claims(&mut self, since: u64) {
        if let Some(mut claims) = self.claims.take() {
            self.undo(&mut claims, since);
            self.claims = Some(claims);
        }
    }

    /// Forgets what a call has made since then and nobody else keeps.
    pub(crate) fn undo(&mut self, claims: &mut Claims, since: u64) {
        while let Some(hash) = claims.give_up(since) {
            let Some(claimants) = self.claimed.get_mut(&hash) else { continue };
            claimants.remove(claims);
            if claimants.are_gone() {
                self.forget_claimed(hash);
            }
        }
    }

    /// Keeps what a call has made.
    pub(crate) fn keep_claims(&mut self, claims: &Claims) {
        for hash in claims.made() {
            self.claimed.remove(&hash);
        }
    }

    /// Forgets what only calls have made that were given up.
    pub(crate) fn forget_abandoned(&mut self) {
        let gone = self.claimed.iter().filter(|(_, claimants)| claimants.are_gone());
        let gone: Vec<CapHash> = gone.map(|(&hash, _)| hash).collect();
        for hash in gone {
            self.forget_claimed(hash);
        }
    }

    fn forget_claimed(&mut self, hash: CapHash) {
        self.claimed.remove(&hash);
        self.new.remove(&hash);
        self.forget(hash);
    }

    /// The capability with this hash.
    ///
    /// # Errors
    /// If it is not here, or the store is damaged or cannot be read.
    pub fn get(&mut self, hash: CapHash) -> Result<Arc<Cap>, CacheError> {
        if let Some(blob) = self.blobs.get_mut(&hash) {
            let cap = Arc::clone(&blob.cap);
            // Moving it to the end of the queue every time would cost more than it is worth.
            if let Some(used) = blob.used
                && self.clock - used > 1024
            {
                self.by_use.remove(&used);
                self.clock += 1;
                blob.used = Some(self.clock);
                self.by_use.insert(self.clock, hash);
            }
            return Ok(cap);
        }
        let bytes = self.store.blob(hash)?.ok_or(CacheError::Unknown { hash })?;
        let damaged = |found: String| CacheError::Damaged { hash, found };
        let cap = Cap::from_bytes(&bytes).map_err(|error| damaged(error.to_string()))?;
        let actual = cap.hash()?;
        if actual != hash {
            return Err(damaged(format!("{} {actual}", cap.kind())));
        }
        let cap = Arc::new(cap);
        self.insert(hash, Arc::clone(&cap), false);
        Ok(cap)
    }

    fn found(&mut self, hash: CapHash) -> Result<Option<Arc<Cap>>, CacheError> {
        match self.get(hash) {
            Err(CacheError::Unknown { .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    /// The instance with this hash.
    ///
    /// # Errors
    /// As [`CacheDirectory::get`], and if it is something else.
    pub fn instance(&mut self, hash: CapHash) -> Result<InstanceCap, CacheError> {
        match &*self.get(hash)? {
            Cap::Instance(instance) => Ok(instance.clone()),
            other => Err(CacheError::Kind { hash, found: other.kind(), wanted: Kind::Instance }),
        }
    }

    /// The node with this hash.
    ///
    /// # Errors
    /// As [`CacheDirectory::get`], and if it is something else.
    pub fn cnode(&mut self, hash: CapHash) -> Result<CNode, CacheError> {
        match &*self.get(hash)? {
            Cap::CNode(node) => Ok(node.clone()),
            other => Err(CacheError::Kind { hash, found: other.kind(), wanted: Kind::CNode }),
        }
    }

    /// Whether there is a capability with this hash.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn contains(&self, hash: CapHash) -> Result<bool, CacheError> {
        Ok(self.blobs.contains_key(&hash) || self.store.blob(hash)?.is_some())
    }

    /// How many bytes the capabilities in memory take, roughly.
    pub const fn resident_bytes(&self) -> usize {
        self.bytes
    }

    /// How many capabilities are being worked on.
    pub fn working(&self) -> usize {
        self.counter.live()
    }

    /// How many capabilities more can be worked on.
    pub fn room(&self) -> usize {
        self.working_limit.saturating_sub(self.counter.live())
    }

    /// Notes that a call is paused, until what this gives is dropped.
    pub(crate) fn note_paused(&self) -> PausedCall {
        PausedCall(Arc::clone(&self.paused))
    }

    /// Begins to work on a node.
    ///
    /// # Errors
    /// If too many are being worked on.
    pub fn work_on(&self, node: CNode) -> Result<CapRef, CacheError> {
        self.work(Working::CNode(node))
    }

    pub(crate) fn work(&self, content: Working) -> Result<CapRef, CacheError> {
        if self.counter.live() >= self.working_limit {
            return Err(CacheError::TooManyWorking { limit: self.working_limit });
        }
        Ok(CapRef::new(content, &self.counter))
    }

    /// Gives what is being worked on its hash, and everything in it first. What was settled before, and has not changed since, takes no
    /// time.
    ///
    /// # Errors
    /// If something in it breaks a rule.
    pub fn settle(&mut self, cap: &CapHashOrRef) -> Result<CapHash, CacheError> {
        let working = match cap {
            CapHashOrRef::Hash(hash) => return Ok(*hash),
            CapHashOrRef::Ref(working) => working,
        };
        if let Some(hash) = self.settled(working)? {
            return Ok(hash);
        }
        // Without recursion: guests choose how deep nodes lie in each other.
        let mut settled: HashMap<u64, CapHash> = HashMap::new();
        let mut pending = vec![working.clone()];
        while let Some(top) = pending.last().cloned() {
            let mut missing = Vec::new();
            for inner in top.inner() {
                if settled.contains_key(&inner.id()) {
                    continue;
                }
                match self.settled(inner)? {
                    Some(hash) => drop(settled.insert(inner.id(), hash)),
                    None => missing.push(inner.clone()),
                }
            }
            if !missing.is_empty() {
                pending.extend(missing);
                continue;
            }
            pending.pop();
            if !settled.contains_key(&top.id()) {
                let hash = self.settle_one(&top, |inner| settled.get(&inner.id()).copied())?;
                top.note_settled(hash);
                settled.insert(top.id(), hash);
            }
        }
        Ok(settled[&working.id()])
    }

    /// The hash that something got when it was settled, unless what it is of went away since, or stays only as long as other calls do.
    fn settled(&self, working: &CapRef) -> Result<Option<CapHash>, CacheError> {
        let Some(hash) = working.settled() else { return Ok(None) };
        let stays = match self.claimed.get(&hash) {
            Some(claimants) => self.claims.as_ref().is_some_and(|claims| claimants.contain(claims)),
            None => self.contains(hash)?,
        };
        Ok(stays.then_some(hash))
    }

    /// As [`CacheDirectory::settle`], all slots of a node that nobody shares.
    ///
    /// # Errors
    /// As there.
    pub fn settle_node(&mut self, node: &mut CNode) -> Result<(), CacheError> {
        let working: Vec<CapRef> = node.working().cloned().collect();
        let mut settled = HashMap::new();
        for inner in working {
            let hash = self.settle(&inner.clone().into())?;
            settled.insert(inner.id(), hash);
        }
        node.replace(|inner| settled.get(&inner.id()).copied());
        Ok(())
    }

    fn settle_one(
        &mut self,
        working: &CapRef,
        hash_of: impl FnMut(&CapRef) -> Option<CapHash>,
    ) -> Result<CapHash, CacheError> {
        match working.content() {
            Working::CNode(node) => {
                let mut node = node.clone();
                node.replace(hash_of);
                self.put(Cap::CNode(node))
            }
            Working::Instance(instance) => {
                let mut root = instance.root().clone();
                root.replace(hash_of);
                instance.settle(self, root)
            }
        }
    }

    /// Keeps a capability, and all that it names, until it is released as often as it was held.
    pub fn hold(&mut self, hash: CapHash) {
        self.keep(hash);
        *self.roots.entry(hash).or_insert(0) += 1;
    }

    /// The opposite of [`CacheDirectory::hold`].
    pub fn release(&mut self, hash: CapHash) {
        if let Some(count) = self.roots.get_mut(&hash) {
            *count -= 1;
            if *count == 0 {
                self.roots.remove(&hash);
            }
        }
    }

    /// Writes what is new to the store, with these records, as one change. What paused calls have made is among it, and stays there until
    /// it is collected.
    ///
    /// # Errors
    /// If the store cannot be written; everything stays in memory then.
    pub fn commit(&mut self, records: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Result<(), CacheError> {
        self.forget_abandoned();
        let mut changes = Vec::with_capacity(self.new.len() + records.len());
        for &hash in &self.new {
            if let Some(blob) = self.blobs.get(&hash) {
                changes.push(Change::Put { hash, bytes: blob.cap.to_bytes()? });
            }
        }
        changes.extend(records.into_iter().map(|(name, value)| Change::Record { name, value }));
        self.store.commit(changes)?;
        self.claimed.clear();
        for hash in core::mem::take(&mut self.new) {
            if let Some(blob) = self.blobs.get_mut(&hash) {
                self.clock += 1;
                blob.used = Some(self.clock);
                self.by_use.insert(self.clock, hash);
            }
        }
        self.make_room();
        Ok(())
    }

    /// Returns when all that was committed survives the end of the process.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn sync(&mut self) -> Result<(), CacheError> {
        Ok(self.store.sync()?)
    }

    /// A record of the store.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn record(&self, name: &[u8]) -> Result<Option<Vec<u8>>, CacheError> {
        Ok(self.store.record(name)?)
    }

    /// All records of the store.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn records(&self) -> Result<Vec<Record>, CacheError> {
        Ok(self.store.records()?)
    }

    /// Removes every capability that neither is held, nor in `roots`, nor named by one that stays, from memory and from the store,
    /// and says how many. What suspended calls need that the store keeps
    /// ([`SuspendedCall::record`](crate::SuspendedCall::record)) stays, too.
    ///
    /// # Errors
    /// If a call is paused in memory, whose machine knows what it needs: [`Vm::collect`](crate::Vm::collect). If something that
    /// stays cannot be read, or the store cannot be written. Then nothing was removed.
    pub fn collect(&mut self, roots: impl IntoIterator<Item = CapHash>) -> Result<usize, CacheError> {
        self.collect_beside(0, roots)
    }

    /// As [`CacheDirectory::collect`], beside so many paused calls whose roots ([`Vm::roots`](crate::Vm::roots)) are in `roots`.
    ///
    /// # Errors
    /// As there, if more calls are paused.
    pub fn collect_beside(
        &mut self,
        paused: usize,
        roots: impl IntoIterator<Item = CapHash>,
    ) -> Result<usize, CacheError> {
        let (known, paused) = (paused, Arc::strong_count(&self.paused) - 1);
        if known < paused {
            return Err(CacheError::Paused { paused, known });
        }
        self.forget_abandoned();
        let mut pending: Vec<CapHash> = self.roots.keys().copied().chain(roots).collect();
        for (name, bytes) in self.store.records()? {
            if name.starts_with(CALL_RECORD) {
                let call = SuspendedCall::from_bytes(&bytes, usize::MAX);
                let damaged = |_| CacheError::Record { name: String::from_utf8_lossy(&name).into_owned() };
                pending.extend(call.map_err(damaged)?.roots());
            }
        }
        pending.push(CNode::nothing_hash());
        let mut reached: HashSet<CapHash> = HashSet::new();
        while let Some(hash) = pending.pop() {
            if reached.insert(hash) {
                pending.extend(self.get(hash)?.references().into_iter().map(|(named, _)| named));
            }
        }
        let mut garbage: BTreeSet<CapHash> = self.store.hashes()?.into_iter().collect();
        garbage.extend(self.blobs.keys());
        garbage.retain(|hash| !reached.contains(hash));
        self.store.commit(garbage.iter().map(|&hash| Change::Remove { hash }).collect())?;
        for hash in &garbage {
            self.forget_claimed(*hash);
        }
        Ok(garbage.len())
    }

    fn insert(&mut self, hash: CapHash, cap: Arc<Cap>, is_new: bool) {
        let weight = cap.weight();
        self.bytes += weight;
        let used = (!is_new).then(|| {
            self.clock += 1;
            self.by_use.insert(self.clock, hash);
            self.clock
        });
        self.blobs.insert(hash, Blob { cap, weight, used });
        self.make_room();
    }

    fn forget(&mut self, hash: CapHash) {
        if let Some(blob) = self.blobs.remove(&hash) {
            if let Some(used) = blob.used {
                self.by_use.remove(&used);
            }
            self.bytes -= blob.weight;
        }
    }

    /// Forgets what the store has, too, the longest unused first.
    fn make_room(&mut self) {
        while self.bytes > self.limit
            && let Some((_, hash)) = self.by_use.pop_first()
        {
            self.forget(hash);
        }
    }
}
