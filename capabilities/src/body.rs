//! The memory and slots of instances: loading what is settled, and settling what was executed.

use std::sync::{Arc, Mutex, PoisonError};

use hatchery_engine::memory::PAGE_SIZE;
use hatchery_engine::{Instance, MemoryError, Permission, Reg, RestoreError, Snapshot};

use crate::cache::{CacheDirectory, CacheError};
use crate::cap::{Cap, DataCap, InstanceCap, Overlay, PAGE, Page};
use crate::cnode::{CNode, ROOT_SIZE_LOG};
use crate::hash::CapHash;
use crate::image::{Image, Mapping};
use crate::program::{Place, Program, ProgramLoadError, Programs, base, fitting};

/// Registers, all of them.
pub(crate) type Registers = [u64; 13];

/// An instance as it can be executed.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) chain: CapHash,
    pub(crate) program: Arc<Program>,
    pub(crate) root: CNode,
    pub(crate) machine: Instance,
    /// Pages of its own that it had when it was entered. Those that are still the same need not be hashed again.
    loaded: Vec<Overlay>,
}

/// The pages of an instance that are not as its mappings show.
#[derive(Debug)]
pub(crate) struct OwnPages {
    /// In ascending order.
    overlays: Vec<Overlay>,
    /// How many of them it did not have like this when it was entered.
    pub(crate) changed: u64,
}

/// An instance that waits in a slot to be called, and has no hash so far. It is never changed.
#[derive(Debug)]
pub(crate) struct Resting {
    chain: CapHash,
    image: CapHash,
    root: CNode,
    mem_size: u32,
    regs: Registers,
    pc: u64,
    overlays: Vec<Overlay>,
    /// None before the first call.
    memory: Option<RestingMemory>,
}

#[derive(Debug)]
struct RestingMemory {
    program: Arc<Program>,
    /// Locked because forking and reading note what was written; nobody waits.
    machine: Mutex<Instance>,
}

/// An instance cannot be loaded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Its image cannot be executed, or its data cannot be mapped.
    #[error(transparent)]
    Program(#[from] ProgramLoadError),
    /// Something it needs is not there.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A page of its memory lies where it cannot have written.
    #[error("the page at {start:#010x} lies in no mapping that can be written")]
    Overlay {
        /// Its address.
        start: u32,
    },
    /// The machine knows it without code: it cannot be called.
    #[error("the instance {hash} has no code")]
    Kernel {
        /// Its hash.
        hash: CapHash,
    },
    /// The engine refuses what it should not.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl Body {
    /// A body with these slots, whose memory is as its mappings say.
    pub(crate) fn fresh(
        cache: &mut CacheDirectory,
        program: Arc<Program>,
        chain: CapHash,
        root: CNode,
    ) -> Result<Self, LoadError> {
        let mut machine = program.module.instantiate();
        let image = Arc::clone(&program.image);
        for (mapping, place) in image.mappings.iter().zip(&program.places) {
            let base = base(cache, &root, mapping)?;
            let shown = match place {
                Place::Layout(shown) => *shown,
                Place::Pages => None,
            };
            if base == shown && matches!(place, Place::Layout(_)) {
                continue;
            }
            let data = base.map(|base| fitting(cache, base, mapping)).transpose()?;
            show(&mut machine, &image, mapping, base, data.as_ref())?;
        }
        Ok(Self { chain, program, root, machine, loaded: Vec::new() })
    }

    /// A body with these slots in the state that a snapshot tells, which had these pages when it was entered; none if its permissions
    /// are not those of its image, or it has not the slots of an instance.
    pub(crate) fn restored(
        program: Arc<Program>,
        chain: CapHash,
        root: CNode,
        loaded: Vec<Overlay>,
        snapshot: &Snapshot,
    ) -> Result<Option<Self>, RestoreError> {
        let machine = program.module.restore(snapshot, &())?;
        let mut pristine = program.module.instantiate();
        for (mapping, place) in program.image.mappings.iter().zip(&program.places) {
            if *place == Place::Pages && permit(&mut pristine, &program.image, mapping).is_err() {
                return Ok(None);
            }
        }
        let pristine = pristine.snapshot();
        let is_ours = root.size_log() == ROOT_SIZE_LOG
            && snapshot.permissions().eq(pristine.permissions())
            && snapshot.sources().len() == 0
            && (snapshot.heap_top(), snapshot.auxiliary_length(), snapshot.gas())
                == (pristine.heap_top(), pristine.auxiliary_length(), 0);
        Ok(is_ours.then(|| Self { chain, program, root, machine, loaded }))
    }

    /// The instance as it was settled, and its registers.
    pub(crate) fn load(
        cache: &mut CacheDirectory,
        programs: &mut Programs,
        hash: CapHash,
    ) -> Result<(Self, Registers), LoadError> {
        let instance = cache.instance(hash)?;
        if instance.kernel().is_some() {
            return Err(LoadError::Kernel { hash });
        }
        let program = programs.load(cache, instance.image_hash)?;
        let root = cache.cnode(instance.root_cnode)?;
        let mut body = Self::fresh(cache, program, instance.image_hash_chain, root)?;
        body.lay(&instance.rw_overlays)?;
        body.loaded = instance.rw_overlays;
        Ok((body, instance.regs))
    }

    fn lay(&mut self, overlays: &[Overlay]) -> Result<(), LoadError> {
        let image = &self.program.image;
        for Overlay { start, bytes } in overlays {
            let page = start / PAGE_SIZE;
            let mapping = image.mappings.iter().find(|mapping| mapping.pages().contains(&page));
            if mapping.is_none_or(|mapping| image.is_read_only(mapping)) {
                return Err(LoadError::Overlay { start: *start });
            }
            self.machine.memory_mut().write(*start, bytes.bytes())?;
        }
        Ok(())
    }

    /// All registers.
    pub(crate) fn registers(&self) -> Registers {
        Reg::ALL.map(|reg| self.machine.reg(reg))
    }

    pub(crate) fn set_registers(&mut self, regs: &Registers) {
        for (reg, &value) in Reg::ALL.into_iter().zip(regs) {
            self.machine.set_reg(reg, value);
        }
    }

    /// The instance after it has replied. What it had on the stack is gone with its stack pointer and return address.
    pub(crate) fn rest(self, pages: OwnPages) -> Resting {
        let mut regs = self.registers();
        regs[Reg::RA as usize] = 0;
        regs[Reg::SP as usize] = 0;
        let Self { chain, program, root, machine, .. } = self;
        Resting {
            chain,
            image: program.hash,
            root,
            mem_size: program.image.mem_size(),
            regs,
            pc: machine.pc().0.into(),
            overlays: pages.overlays,
            memory: Some(RestingMemory { program, machine: Mutex::new(machine) }),
        }
    }

    /// The pages that are not as the sources of the mappings say. Takes time in proportion to the pages written, unless a source
    /// shows something else than the image says at first.
    pub(crate) fn own_pages(&mut self, cache: &mut CacheDirectory) -> Result<OwnPages, CacheError> {
        let pages = self.machine.changed_pages();
        let Program { image, places, .. } = &*self.program;
        let mut overlays = Vec::new();
        let mut changed = 0;
        for (mapping, place) in image.mappings.iter().zip(places) {
            if image.is_read_only(mapping) {
                continue;
            }
            let now = base(cache, &self.root, mapping)?;
            let source = now.map(|hash| cache.get(hash)).transpose()?;
            let data = match source.as_deref() {
                Some(Cap::Data(data)) => Some(data),
                _ => None,
            };
            let range = mapping.pages();
            let all: Vec<u32>;
            // What the program's layout does not show was written when it was loaded.
            let candidates = if *place == Place::Layout(now) {
                let within = |page: u32| pages.partition_point(|&other| other < page);
                &pages[within(range.start)..within(range.end)]
            } else {
                all = range.clone().collect();
                &all
            };
            for &page in candidates {
                let mut bytes = [0; PAGE];
                // Mappings are mapped.
                let read = self.machine.memory().read(page * PAGE_SIZE, &mut bytes);
                debug_assert!(read.is_ok(), "{read:?}");
                let shown = data.and_then(|data| data.page((page - range.start) as usize).ok().flatten());
                let same = shown.map_or_else(|| bytes == [0; PAGE], |shown| *shown.bytes() == bytes);
                if !same {
                    let start = page * PAGE_SIZE;
                    let before = self.loaded.binary_search_by_key(&start, |overlay| overlay.start);
                    let before =
                        before.ok().map(|at| &self.loaded[at].bytes).filter(|page| *page.bytes() == bytes);
                    changed += u64::from(before.is_none());
                    let bytes = before.map_or_else(|| Arc::new(Page::new(bytes)), Arc::clone);
                    overlays.push(Overlay { start, bytes });
                }
            }
        }
        Ok(OwnPages { overlays, changed })
    }

    /// Copies pages that both can write from `other`, in whose place it comes.
    pub(crate) fn take_over(&mut self, other: &mut Self) -> Result<(), LoadError> {
        let (new, old) = (&self.program.image, &other.program.image);
        let mut bytes = [0; PAGE];
        for mapping in new.mappings.iter().filter(|mapping| !new.is_read_only(mapping)) {
            for page in mapping.pages() {
                let before = old.mappings.iter().find(|mapping| mapping.pages().contains(&page));
                if before.is_some_and(|mapping| !old.is_read_only(mapping)) {
                    other.machine.memory().read(page * PAGE_SIZE, &mut bytes)?;
                    self.machine.memory_mut().write(page * PAGE_SIZE, &bytes)?;
                }
            }
        }
        self.loaded = core::mem::take(&mut other.loaded);
        Ok(())
    }
}

impl Resting {
    /// An instance that was never called.
    pub(crate) fn new(chain: CapHash, hash: CapHash, image: &Image, root: CNode) -> Self {
        let mem_size = image.mem_size();
        Self { chain, image: hash, root, mem_size, regs: [0; 13], pc: 0, overlays: Vec::new(), memory: None }
    }

    pub(crate) const fn chain(&self) -> CapHash {
        self.chain
    }

    pub(crate) const fn image(&self) -> CapHash {
        self.image
    }

    pub(crate) const fn root(&self) -> &CNode {
        &self.root
    }

    pub(crate) fn into_root(self) -> CNode {
        self.root
    }

    /// How many pages are not as its mappings show.
    pub(crate) fn own_pages(&self) -> usize {
        self.overlays.len()
    }

    /// Its program, if it was called before.
    pub(crate) fn program(&self) -> Option<&Program> {
        self.memory.as_ref().map(|memory| &*memory.program)
    }

    /// A copy to be executed, and its registers.
    pub(crate) fn wake(
        &self,
        cache: &mut CacheDirectory,
        programs: &mut Programs,
    ) -> Result<(Body, Registers), LoadError> {
        let body = match &self.memory {
            Some(RestingMemory { program, machine }) => Body {
                chain: self.chain,
                program: Arc::clone(program),
                root: self.root.clone(),
                machine: machine.lock().unwrap_or_else(PoisonError::into_inner).fork(),
                loaded: self.overlays.clone(),
            },
            None => {
                let program = programs.load(cache, self.image)?;
                Body::fresh(cache, program, self.chain, self.root.clone())?
            }
        };
        Ok((body, self.regs))
    }

    /// Keeps it under its hash. `root` is its root node with everything in it settled.
    pub(crate) fn settle(&self, cache: &mut CacheDirectory, root: CNode) -> Result<CapHash, CacheError> {
        let root_cnode = cache.put(Cap::CNode(root))?;
        cache.put(Cap::Instance(InstanceCap {
            image_hash_chain: self.chain,
            image_hash: self.image,
            root_cnode,
            rw_overlays: self.overlays.clone(),
            mem_size: self.mem_size,
            regs: self.regs,
            pc: self.pc,
            gas_remaining: 0,
        }))
    }
}

/// Makes a mapping show these data.
fn show(
    machine: &mut Instance,
    image: &Image,
    mapping: &Mapping,
    hash: Option<CapHash>,
    data: Option<&DataCap>,
) -> Result<(), LoadError> {
    let mut memory = machine.memory_mut();
    memory.protect(mapping.start, mapping.size.into(), Permission::ReadWrite)?;
    memory.zero(mapping.start, mapping.size)?;
    for (number, page) in mapping.pages().enumerate().take(data.map_or(0, |data| data.pages.len())) {
        let bytes = data.map_or(Ok(None), |data| data.page(number));
        let bytes = bytes.map_err(|_| ProgramLoadError::MissingPage { data: hash.unwrap_or_default() })?;
        if let Some(bytes) = bytes {
            memory.write(page * PAGE_SIZE, bytes.bytes())?;
        }
    }
    permit(machine, image, mapping)?;
    Ok(())
}

/// Allows a program what it may do with a mapping.
fn permit(machine: &mut Instance, image: &Image, mapping: &Mapping) -> Result<(), MemoryError> {
    let permission = if image.is_read_only(mapping) { Permission::Read } else { Permission::ReadWrite };
    machine.memory_mut().protect(mapping.start, mapping.size.into(), permission)
}
