//! An instance that is a tree of processes.
//!
//! Before its call begins there is only the root's machine; the rest of the tree is made by the first run. What ended stays as it is
//! until it is prepared anew, so that it can be asked about.

use crate::{instance::is_of_a_guest_alone, program::Program};
use blake2b_simd::Params;
use codec::{Decode, DecodeAll, Encode};
use hatchery_engine::{Exit, Instance as Machine, Module, Snapshot, Status as MachineStatus};
use hatchery_primitives::{LOG_TARGET, Refusal, SnapshotParts};
use hatchery_scheduler::{
    Error, Limits, Listing, LoadError, Peek, ProcessId, Program as Name, ProgramSource, RunMode, Scheduler,
    StartError, Status, Stop,
};
use std::{collections::BTreeMap, sync::Arc};

/// The longest identifier of a program in bytes.
pub(crate) const MOST_IDENTIFIER_BYTES: u32 = 64;

/// The version of the byte form. Those of single instances count up from 1.
const VERSION: u8 = 0x81;

/// What the root's program is called. It is longer than identifiers are, so no guest can name it.
const ROOT: [u8; MOST_IDENTIFIER_BYTES as usize + 1] = [b'/'; MOST_IDENTIFIER_BYTES as usize + 1];

/// In the number of a page in a snapshot, the place of its process comes above the 20 bits of its address.
const PAGE_BITS: u32 = 20;

/// The programs of a tree, and what it may use.
pub(crate) struct Programs {
    root: Arc<Program>,
    listed: BTreeMap<Vec<u8>, Arc<Program>>,
    limits: Limits,
    can_grow: bool,
}

impl Programs {
    /// The root's program, and those that processes can start.
    pub(crate) fn new(
        root: Arc<Program>,
        listed: BTreeMap<Vec<u8>, Arc<Program>>,
        limits: Limits,
    ) -> Arc<Self> {
        let can_grow = root.can_grow() || listed.values().any(|program| program.can_grow());
        Arc::new(Self { root, listed, limits, can_grow })
    }

    pub(crate) fn root(&self) -> &Arc<Program> {
        &self.root
    }

    /// The root's program and the listed ones, which can be the same.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Program>> {
        std::iter::once(&self.root).chain(self.listed.values())
    }

    /// How many machines there can be at a time.
    pub(crate) fn most_machines(&self) -> u64 {
        if self.listed.is_empty() { 1 } else { self.limits.processes.into() }
    }

    /// How many pages they can declare together.
    pub(crate) fn most_declared_pages(&self) -> u64 {
        let listed = self.listed.values().map(|program| program.declared_pages()).max().unwrap_or(0);
        let root = self.root.declared_pages().max(listed);
        root.saturating_add(listed.saturating_mul(self.most_machines() - 1))
    }

    /// Whether a heap can grow.
    #[inline]
    pub(crate) fn can_grow(&self) -> bool {
        self.can_grow
    }

    fn find(&self, identifier: &[u8]) -> Option<&Arc<Program>> {
        if *identifier == ROOT { Some(&self.root) } else { self.listed.get(identifier) }
    }

    fn hashes(&self) -> Vec<(Vec<u8>, [u8; 32])> {
        self.listed.iter().map(|(name, program)| (name.clone(), program.hash().0)).collect()
    }
}

/// Where a tree's programs come from.
#[derive(Clone)]
struct Source(Arc<Programs>);

impl ProgramSource for Source {
    /// The length is that of the code, as if the bytes were nothing else.
    fn find(&mut self, identifier: &[u8]) -> Option<Listing> {
        let module = self.0.find(identifier)?.module();
        Some(Listing { length: module.code().length().into(), is_compiled: true })
    }

    fn load(&mut self, program: &Name) -> Result<Module, LoadError> {
        match self.0.find(&program.identifier).map(|program| program.module()) {
            Some(module) if program.offset == 0 && program.length == u64::from(module.code().length()) => {
                Ok(module.clone())
            }
            Some(_) => Err(LoadError::NoPart),
            None => Err(LoadError::Lost(format!("{program:?}"))),
        }
    }
}

/// A tree of processes.
pub(crate) struct Tree {
    programs: Arc<Programs>,
    /// The root as long as it has not run; later one that nothing has happened to.
    root: Machine,
    /// The call that has begun.
    processes: Option<Box<Scheduler<Source>>>,
    /// What was left of the gas at the last stop.
    gas_left: i64,
    /// What heaps may take together in the next run.
    heap_limit: u64,
}

/// Where a tree has stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It has not run: this is where the root is.
    Root(MachineStatus),
    /// A process has made a syscall.
    Syscall(u32),
    /// The gas did not suffice.
    OutOfGas,
    /// The root has ended.
    Ended(Status),
    /// All processes wait for one another.
    Deadlock,
}

impl Tree {
    pub(crate) fn new(programs: Arc<Programs>) -> Self {
        let root = programs.root.module().instantiate();
        Self { programs, root, processes: None, gas_left: 0, heap_limit: u64::MAX }
    }

    pub(crate) fn programs(&self) -> &Programs {
        &self.programs
    }

    pub(crate) fn gas_left(&self) -> i64 {
        self.gas_left
    }

    /// The same tree a second time. They share memory until either writes it.
    pub(crate) fn fork(&mut self) -> Self {
        Self {
            programs: self.programs.clone(),
            root: self.root.fork(),
            processes: self.processes.as_mut().map(|tree| Box::new(tree.fork())),
            ..*self
        }
    }

    /// Bytes that heaps have grown by, of all processes together.
    pub(crate) fn heap_bytes(&self) -> u64 {
        match &self.processes {
            Some(tree) => tree.heap_bytes(),
            None => self.root.memory_bytes() - self.root.module().memory_map().declared_bytes(),
        }
    }

    /// Sets what heaps may take together in the next run. They keep what they have.
    pub(crate) fn set_heap_limit(&mut self, bytes: u64) {
        self.heap_limit = bytes;
    }

    /// Back to how it was made.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.programs.clone());
    }

    /// The root's machine, to be prepared. Its memory is as the last call left it, unless that call replaced its program; all other
    /// processes are gone.
    pub(crate) fn root_to_prepare(&mut self) -> &mut Machine {
        self.gas_left = 0;
        if let Some(tree) = self.processes.take()
            && tree.peek(ProcessId::ROOT).is_some_and(|root| *root.program().identifier == ROOT)
            && let Some(root) = tree.into_root()
        {
            self.root = root;
        }
        &mut self.root
    }

    /// The machine that waits for an answer, or for its beginning.
    pub(crate) fn current(&mut self) -> Option<&mut Machine> {
        match &mut self.processes {
            Some(tree) => tree.current(),
            None => Some(&mut self.root),
        }
    }

    /// The process that the last stop is of, and its machine.
    pub(crate) fn stopped_process(&self) -> (u64, &Machine) {
        match self.peek_stopped() {
            Some(process) => (process.id().0, process.instance()),
            None => (0, &self.root),
        }
    }

    fn peek_stopped(&self) -> Option<Peek<'_>> {
        let tree = self.processes.as_ref()?;
        tree.peek(tree.current_id().or_else(|| tree.next_id()).unwrap_or(ProcessId::ROOT))
    }

    /// What that process executes.
    pub(crate) fn stopped_program(&self) -> &Arc<Program> {
        let process = self.peek_stopped();
        let program = process.and_then(|process| self.programs.find(&process.program().identifier));
        program.unwrap_or(&self.programs.root)
    }

    /// Runs until something stops it, with so much gas for all processes.
    ///
    /// # Errors
    /// If the host fails.
    pub(crate) fn run(&mut self, gas: i64) -> Result<Stopped, TreeError> {
        if self.processes.is_none() {
            let root = std::mem::replace(&mut self.root, self.programs.root.module().instantiate());
            let source = Source(self.programs.clone());
            let tree = Scheduler::adopt(source, self.programs.limits, &Name::whole(ROOT), root)?;
            self.processes = Some(Box::new(tree));
        }
        let Some(tree) = &mut self.processes else { return Ok(self.stopped()) };
        if self.programs.can_grow {
            tree.set_heap_limit(self.heap_limit);
        }
        let before = tree.gas_used();
        // Less than no gas is as good as none.
        let limit = before.saturating_add(u64::try_from(gas).unwrap_or(0));
        let stop = tree.run(RunMode::Limit(limit))?;
        let used = i64::try_from(tree.gas_used() - before).unwrap_or(i64::MAX);
        self.gas_left = gas.saturating_sub(used);
        Ok(match stop {
            Stop::Ended(status) => Stopped::Ended(status),
            Stop::Syscall { number, .. } => Stopped::Syscall(number),
            Stop::Deadlock(deadlock) => {
                tracing::debug!(target: LOG_TARGET, "{deadlock}");
                Stopped::Deadlock
            }
            // Neither pauses nor faults are asked for; another run goes on.
            Stop::OutOfGas | Stop::Paused | Stop::PageFault { .. } => Stopped::OutOfGas,
        })
    }

    /// Where it has stopped.
    pub(crate) fn stopped(&self) -> Stopped {
        let Some(tree) = &self.processes else { return Stopped::Root(self.root.status()) };
        if let Some(status) = tree.result() {
            return Stopped::Ended(status);
        }
        let current = tree.current_id().and_then(|id| tree.peek(id));
        match current.map(|process| process.instance().status()) {
            Some(MachineStatus::Stopped(Exit::Syscall(number))) => Stopped::Syscall(number),
            _ if tree.next_id().is_none() => Stopped::Deadlock,
            _ => Stopped::OutOfGas,
        }
    }

    /// Its state as bytes, if they are no more than this: in the same parts as the snapshot of a single instance.
    pub(crate) fn snapshot(&mut self, most_bytes: u32) -> Result<Vec<u8>, Refusal> {
        // Writing and hashing takes the longest, so it is not begun in vain.
        if self.least_snapshot_bytes(most_bytes.into()) > most_bytes.into() {
            return Err(Refusal::SnapshotBytes);
        }
        let mut pages = Vec::new();
        let mut take_apart = |place: u8, snapshot: &Snapshot| {
            let bytes = snapshot.to_bytes();
            let Ok(mut parts) = SnapshotParts::decode_all(&mut &bytes[..]) else { return bytes };
            for (page, bytes) in std::mem::take(&mut parts.pages) {
                pages.push((u32::from(place) << PAGE_BITS | page, bytes));
            }
            parts.encode()
        };
        let state = match &mut self.processes {
            None => TreeState::Root(take_apart(0, &self.root.snapshot())),
            Some(tree) => TreeState::Processes(tree.suspend_with(take_apart)),
        };
        pages.sort_unstable_by_key(|(number, _)| *number);
        let head = Head {
            root: self.programs.root.hash().0,
            programs: self.programs.hashes(),
            gas_left: self.gas_left,
            state,
        };
        let mut parts = SnapshotParts { version: VERSION, head: head.encode(), pages, digest: [0; 32] };
        parts.digest = digest(&parts);
        if parts.encoded_size() as u64 > most_bytes.into() {
            return Err(Refusal::SnapshotBytes);
        }
        Ok(parts.encode())
    }

    /// A number of bytes that the snapshot has at least: what its processes have by themselves, of which a tree's leaves out no more
    /// than the length of each list of pages, and adds more. Of processes behind the one that passes `most_bytes`, nothing is counted.
    fn least_snapshot_bytes(&self, most_bytes: u64) -> u64 {
        let bytes_of = |machine: &Machine| machine.snapshot().byte_length() as u64;
        let Some(tree) = &self.processes else { return bytes_of(&self.root) };
        let mut sum = 0;
        for process in tree.processes().filter_map(|id| tree.peek(id)) {
            sum += bytes_of(process.instance());
            if sum > most_bytes {
                break;
            }
        }
        sum
    }

    /// The tree that [`Tree::snapshot`] gave this of.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn restored(programs: Arc<Programs>, parts: SnapshotParts) -> Result<Self, String> {
        if parts.version != VERSION {
            return Err(format!("it has version {}, which no tree of processes has", parts.version));
        }
        if parts.digest != digest(&parts) {
            return Err("its hash is not that of its content".into());
        }
        if !parts.pages.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err("its pages do not count up".into());
        }
        let head = Head::decode_all(&mut &parts.head[..]).map_err(|error| error.to_string())?;
        if (head.root, &head.programs) != (programs.root.hash().0, &programs.hashes()) {
            return Err("it is of other programs".into());
        }
        let mut pages = parts.pages.into_iter().map(Some).collect::<Vec<_>>();
        let mut put_together = |place: u8, bytes: Vec<u8>| {
            let mut parts = SnapshotParts::decode_all(&mut &bytes[..]).ok()?;
            if !parts.pages.is_empty() || !is_of_a_guest_alone(&without_pages(&parts)?) {
                return None;
            }
            let of_process = |page: &&mut Option<(u32, Vec<u8>)>| {
                page.as_ref().is_some_and(|(number, _)| number >> PAGE_BITS == u32::from(place))
            };
            let taken = pages.iter_mut().filter(of_process).filter_map(Option::take);
            parts.pages = taken.map(|(number, bytes)| (number & ((1 << PAGE_BITS) - 1), bytes)).collect();
            Some(parts.encode())
        };
        let mut tree = Self { gas_left: head.gas_left, ..Self::new(programs) };
        match head.state {
            TreeState::Root(bytes) => {
                let bytes = put_together(0, bytes).ok_or("there is no snapshot of its root")?;
                let snapshot =
                    Snapshot::from_bytes(&bytes, bytes.len()).map_err(|error| error.to_string())?;
                let module = tree.programs.root.module();
                tree.root = module.restore(&snapshot, &()).map_err(|error| error.to_string())?;
                let status = tree.root.status();
                let is_possible = match status {
                    MachineStatus::Idle | MachineStatus::Ready => head.gas_left == 0,
                    // What a call left that was given up for another one.
                    MachineStatus::Stopped(_) => false,
                };
                if !is_possible {
                    return Err("its root has run, and there is no tree".into());
                }
            }
            TreeState::Processes(bytes) => {
                let source = Source(tree.programs.clone());
                let processes = Scheduler::resume_with(source, tree.programs.limits, &bytes, put_together);
                tree.processes = Some(Box::new(processes.map_err(|error| error.to_string())?));
            }
        }
        if pages.iter().any(Option::is_some) {
            return Err("it has pages of a process that is not there".into());
        }
        Ok(tree)
    }
}

/// Why a tree did not run: the host is at fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TreeError {
    /// It could not begin.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It could not go on.
    #[error(transparent)]
    Run(#[from] Error),
}

/// What is not pages.
#[derive(Encode, Decode)]
struct Head {
    /// The SHA-256 of the root's program.
    root: [u8; 32],
    /// The other programs, in the order of their identifiers, with the SHA-256 of each.
    programs: Vec<(Vec<u8>, [u8; 32])>,
    gas_left: i64,
    state: TreeState,
}

/// In both, snapshots of machines are without their pages.
#[derive(Encode, Decode)]
enum TreeState {
    /// The root's, which has not run.
    Root(Vec<u8>),
    /// The tree's, as the scheduler suspends it.
    Processes(Vec<u8>),
}

/// What the head of a single instance's snapshot says, as of a snapshot without pages, which has another hash.
fn without_pages(parts: &SnapshotParts) -> Option<Snapshot> {
    let mut parts = SnapshotParts { pages: Vec::new(), ..parts.clone() };
    parts.digest = digest(&parts);
    Snapshot::from_bytes(&parts.encode(), usize::MAX).ok()
}

/// BLAKE2b-256 of all but the hash itself.
fn digest(parts: &SnapshotParts) -> [u8; 32] {
    let SnapshotParts { version, head, pages, digest: _ } = parts;
    let hash = Params::new().hash_length(32).hash(&(version, head, pages).encode());
    let mut digest = [0; 32];
    digest.copy_from_slice(hash.as_bytes());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CacheStatistics, ClientConfig, ConsensusConstants, ModuleCache, program::CodeHash};
    use hatchery_engine::memory::PAGE_SIZE;
    use polkavm_common_033::{
        program::{Instruction, InstructionSetKind, Reg, asm},
        writer::ProgramBlobBuilder,
    };

    /// How many pages each process writes.
    const PAGES: u32 = 40;
    const DATA: u32 = 0x2_0000;

    fn program(cache: &ModuleCache, imports: &[&[u8]], code: &[Instruction]) -> Arc<Program> {
        let mut builder = ProgramBlobBuilder::new(InstructionSetKind::JamV1);
        imports.iter().for_each(|symbol| {
            builder.add_import(symbol);
        });
        builder.set_rw_data(b"child".to_vec());
        builder.set_rw_data_size(PAGES * PAGE_SIZE);
        builder.set_stack_size(PAGE_SIZE);
        builder.add_export_by_instruction(0, b"main");
        builder.set_code(code, &[]);
        let code = builder.into_vec().expect("the program fits the format");
        let rules = ConsensusConstants::v1().engine_rules();
        cache.compile(rules, CodeHash::of(&code), &code).expect("the program is valid")
    }

    /// Writes to all pages, and waits for itself.
    fn waiting() -> Vec<Instruction> {
        let mut code: Vec<_> =
            (1..=PAGES).map(|page| asm::store_u64(Reg::SP, DATA + page * PAGE_SIZE - 8)).collect();
        code.extend([
            asm::load_imm(Reg::A0, 0),
            asm::load_imm(Reg::A1, DATA + 16),
            asm::ecalli(0),
            asm::ret(),
        ]);
        code
    }

    /// Sixteen processes and the root, all of which have written to all their pages and wait.
    fn full_tree() -> Tree {
        let cache = ModuleCache::new(ClientConfig::default());
        let spawn = [
            asm::load_imm(Reg::S0, 16),
            asm::fallthrough(),
            asm::load_imm(Reg::A0, DATA),
            asm::load_imm(Reg::A1, 5),
            asm::load_imm(Reg::A2, 0),
            asm::load_imm(Reg::A3, 0),
            asm::load_imm(Reg::A4, 0),
            asm::load_imm(Reg::A5, DATA + 64),
            asm::ecalli(1),
            asm::add_imm_64(Reg::S0, Reg::S0, u32::MAX),
            asm::branch_not_eq_imm(Reg::S0, 0, 1),
        ];
        let root = program(
            &cache,
            &[b"process_wait", b"process_spawn"],
            &spawn.into_iter().chain(waiting()).collect::<Vec<_>>(),
        );
        let child = program(&cache, &[b"process_wait"], &waiting());
        assert_eq!(cache.statistics(), CacheStatistics { compiled: 2, ..cache.statistics() });
        let listed = BTreeMap::from([(b"child".to_vec(), child)]);
        let programs = Programs::new(root, listed, ConsensusConstants::v1().process_limits());
        let entry = programs.root().module().export(b"main").expect("it has this export");
        let mut tree = Tree::new(programs);
        tree.root_to_prepare().prepare_at(entry, &[0; 6]).expect("the root can be prepared");
        assert_eq!(tree.run(10_000_000).expect("the host does not fail"), Stopped::Deadlock);
        assert_eq!(tree.processes.as_ref().map(|tree| tree.processes().count()), Some(17));
        tree
    }

    /// A runtime that allows a job a few pages pays for looking at a few pages.
    #[test]
    fn a_tree_that_is_too_large_is_refused_before_its_pages_are_written() {
        let mut tree = full_tree();
        let process = u64::from(PAGES * PAGE_SIZE);
        for most in [0, 1000, process - 1, 3 * process, 16 * process] {
            let looked_at = tree.least_snapshot_bytes(most) / process;
            // What is not pages makes each process a little longer than that.
            assert_eq!(
                looked_at,
                most.div_ceil(process).max(1),
                "processes looked at where {most} bytes are allowed"
            );
            let most = u32::try_from(most).expect("this is not much");
            assert_eq!(tree.snapshot(most), Err(Refusal::SnapshotBytes));
        }
    }

    /// What is counted beforehand never refuses what is not too long.
    #[test]
    fn the_limit_of_a_snapshot_is_exact() {
        let mut tree = full_tree();
        let bytes = tree.snapshot(u32::MAX).expect("this is no limit");
        let length = u32::try_from(bytes.len()).expect("this is not much");
        let least = tree.least_snapshot_bytes(u64::MAX);
        assert!(least <= length.into() && u64::from(length) < least + 17 * 200, "{least} of {length}");
        assert_eq!(tree.snapshot(length), Ok(bytes));
        assert_eq!(tree.snapshot(length - 1), Err(Refusal::SnapshotBytes));
        let mut root = Tree::new(tree.programs.clone());
        let bytes = root.snapshot(u32::MAX).expect("this is no limit");
        let length = u32::try_from(bytes.len()).expect("this is not much");
        assert_eq!(root.snapshot(length), Ok(bytes));
        assert_eq!(root.snapshot(length - 1), Err(Refusal::SnapshotBytes));
    }
}
