//! The memory and slots of instances: loading what is settled, and settling what was executed.

use core::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use hatchery_engine::memory::PAGE_SIZE;
use hatchery_engine::{Instance, MemoryError, Permission, Reg, RestoreError, Snapshot};

use crate::cache::{CacheDirectory, CacheError};
use crate::cap::{Cap, DataCap, InstanceCap, Overlay, PAGE, Page};
use crate::cnode::{CNode, ROOT_SIZE_LOG};
use crate::hash::CapHash;
use crate::image::{Image, Mapping};
use crate::program::{Place, Program, ProgramLoadError, Programs, base, fitting, pages_aside};

/// How many pages an instance's memory may have of its own between two calls that nobody pays for, because they are as they would be
/// anyway: what they take when it is called is little beside the rest.
const MOST_SPARE_PAGES: usize = 16;

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
    /// Whether its memory has hardly more pages of its own than those, and those aside.
    is_lean: bool,
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
    program: Option<Arc<Program>>,
    /// None if it has to be made anew, of the sources and the overlays, because that takes less time than to copy it, or before the
    /// first call. Locked because forking and reading note what was written; nobody waits.
    memory: Option<Mutex<Instance>>,
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
            program: Some(program),
            memory: pages.is_lean.then(|| Mutex::new(machine)),
        }
    }

    /// How many pages the engine has that nobody has to have written and that may not be as the sources of the mappings say, for these are
    /// not what the image has there. A function of the slots.
    pub(crate) fn replaced_pages(&self, cache: &mut CacheDirectory) -> Result<u64, CacheError> {
        let mut pages = 0;
        for (mapping, place) in self.writable() {
            if let Place::Layout(declared) = *place {
                let now = base(cache, &self.root, mapping)?;
                pages += replaced(cache, mapping, declared, now)?.len() as u64;
            }
        }
        Ok(pages)
    }

    /// The pages that are not as the sources of the mappings say. Takes time in proportion to the pages written, those of
    /// mappings that are prepared page by page, and [`Body::replaced_pages`].
    pub(crate) fn own_pages(&mut self, cache: &mut CacheDirectory) -> Result<OwnPages, CacheError> {
        let touched = self.machine.changed_pages();
        let mut overlays = Vec::new();
        let mut changed = 0;
        for (mapping, place) in self.writable() {
            let now = base(cache, &self.root, mapping)?;
            let source = now.map(|hash| cache.get(hash)).transpose()?;
            let data = match source.as_deref() {
                Some(Cap::Data(data)) => &data.pages[..],
                _ => &[],
            };
            let pages = mapping.pages();
            let unwritten = match *place {
                Place::Layout(declared) => replaced(cache, mapping, declared, now)?,
                Place::Pages => pages.clone(),
            };
            for page in candidates(&pages, unwritten, &touched) {
                let mut bytes = [0; PAGE];
                // Mappings are mapped.
                let read = self.machine.memory().read(page * PAGE_SIZE, &mut bytes);
                debug_assert!(read.is_ok(), "{read:?}");
                let shown = data.get((page - pages.start) as usize);
                if shown.map_or_else(|| bytes == [0; PAGE], |shown| shown.is(&bytes)) {
                    continue;
                }
                let start = page * PAGE_SIZE;
                let before = self.loaded.binary_search_by_key(&start, |overlay| overlay.start);
                let before =
                    before.ok().map(|at| &self.loaded[at].bytes).filter(|page| *page.bytes() == bytes);
                changed += u64::from(before.is_none());
                let bytes = before.map_or_else(|| Arc::new(Page::new(bytes)), Arc::clone);
                overlays.push(Overlay { start, bytes });
            }
        }
        let paid = overlays.len() + MOST_SPARE_PAGES;
        let Program { image, places, .. } = &*self.program;
        let is_lean = touched.len() <= paid
            || touched.len() as u64 <= paid as u64 + pages_aside(cache, image, places, &self.root)?;
        Ok(OwnPages { overlays, changed, is_lean })
    }

    /// The mappings that it can write, and how the engine provides for them.
    fn writable(&self) -> impl Iterator<Item = (&Mapping, &Place)> {
        let Program { image, places, .. } = &*self.program;
        image.mappings.iter().zip(places).filter(|(mapping, _)| !image.is_read_only(mapping))
    }

    /// Copies pages that both can write from `other`, in whose place it comes. Takes time in proportion to those pages, memory to those
    /// that differ.
    pub(crate) fn take_over(&mut self, other: &mut Self) -> Result<(), LoadError> {
        let (mut before, mut here) = ([0; PAGE], [0; PAGE]);
        let program = Arc::clone(&self.program);
        let mappings = program.image.mappings.iter();
        for new in mappings.filter(|mapping| !program.image.is_read_only(mapping)).map(Mapping::pages) {
            let old: Vec<_> = other.writable().map(|(mapping, _)| mapping.pages()).collect();
            for old in old {
                for page in new.start.max(old.start)..new.end.min(old.end) {
                    other.machine.memory().read(page * PAGE_SIZE, &mut before)?;
                    self.machine.memory().read(page * PAGE_SIZE, &mut here)?;
                    if before != here {
                        self.machine.memory_mut().write(page * PAGE_SIZE, &before)?;
                    }
                }
            }
        }
        self.loaded = core::mem::take(&mut other.loaded);
        Ok(())
    }
}

/// The pages of a mapping that has this source now and had another where the engine got its pages: those that either has data for.
fn replaced(
    cache: &mut CacheDirectory,
    mapping: &Mapping,
    declared: Option<CapHash>,
    now: Option<CapHash>,
) -> Result<Range<u32>, CacheError> {
    let pages = mapping.pages();
    if declared == now {
        return Ok(pages.start..pages.start);
    }
    let mut most = 0;
    for hash in [declared, now].into_iter().flatten() {
        if let Cap::Data(data) = &*cache.get(hash)? {
            most = most.max(data.pages.len());
        }
    }
    let end = u64::from(pages.start) + most as u64;
    Ok(pages.start..end.min(pages.end.into()) as u32)
}

/// The pages of a mapping that have to be compared with its source, in ascending order: those at its beginning that differ though nobody
/// has written them, perhaps, and those behind that were touched.
fn candidates(pages: &Range<u32>, unwritten: Range<u32>, touched: &[u32]) -> impl Iterator<Item = u32> {
    let within = |page: u32| touched.partition_point(|&other| other < page);
    let behind = &touched[within(unwritten.end)..within(pages.end)];
    unwritten.chain(behind.iter().copied())
}

impl Resting {
    /// An instance that was never called.
    pub(crate) fn new(chain: CapHash, hash: CapHash, image: &Image, root: CNode) -> Self {
        let mem_size = image.mem_size();
        Self {
            chain,
            image: hash,
            root,
            mem_size,
            regs: [0; 13],
            pc: 0,
            overlays: Vec::new(),
            program: None,
            memory: None,
        }
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
        self.program.as_deref()
    }

    /// A copy to be executed, and its registers.
    pub(crate) fn wake(
        &self,
        cache: &mut CacheDirectory,
        programs: &mut Programs,
    ) -> Result<(Body, Registers), LoadError> {
        let program = match &self.program {
            Some(program) => Arc::clone(program),
            None => programs.load(cache, self.image)?,
        };
        let root = self.root.clone();
        let mut body = match &self.memory {
            Some(machine) => {
                let machine = machine.lock().unwrap_or_else(PoisonError::into_inner).fork();
                Body { chain: self.chain, program, root, machine, loaded: Vec::new() }
            }
            None => {
                let mut body = Body::fresh(cache, program, self.chain, root)?;
                body.lay(&self.overlays)?;
                body
            }
        };
        body.loaded.clone_from(&self.overlays);
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
        let missing = |_| CacheError::MissingPage { data: hash.unwrap_or_default(), page: number };
        if let Some(bytes) = bytes.map_err(missing)? {
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

#[cfg(test)]
mod tests {
    use hatchery_engine::Backend;

    use super::*;
    use crate::cnode::SlotPath;
    use crate::image::SlotContent;

    const START: u32 = 0x2_0000;
    const PAGES: u32 = 200;

    /// A body with a mapping of slot 14 where PolkaVM puts data, and these slots.
    fn body(cache: &mut CacheDirectory, pages: u32, initial: Option<CapHash>, now: Option<CapHash>) -> Body {
        let mut image = Image::from_code(vec![0], vec![1]);
        let mapping = Mapping { start: START, size: pages * PAGE_SIZE, source: SlotPath::slot(14) };
        image.mappings = vec![mapping];
        image.initial = initial.map(|cap| SlotContent { slot: 14, cap }).into_iter().collect();
        let image = cache.put(Cap::Image(image)).unwrap();
        let program = Programs::new(Backend::Auto, 1).load(cache, image).unwrap();
        let mut root = CNode::root();
        root.set(14, now).unwrap();
        Body::fresh(cache, program, CapHash::default(), root).unwrap()
    }

    fn data(cache: &mut CacheDirectory, pages: usize, byte: u8) -> CapHash {
        cache.put(Cap::Data(DataCap::new(&vec![byte; pages * PAGE]))).unwrap()
    }

    fn fill(body: &mut Body, page: u32, byte: u8) {
        body.machine.memory_mut().write(START + page * PAGE_SIZE, &[byte; PAGE]).unwrap();
    }

    fn first_byte(body: &Body, page: u32) -> u8 {
        let mut byte = [0];
        body.machine.memory().read(START + page * PAGE_SIZE, &mut byte).unwrap();
        byte[0]
    }

    #[test]
    fn pages_that_are_as_they_would_be_anyway_are_not_kept_between_calls() {
        let mut cache = CacheDirectory::default();
        let mut programs = Programs::new(Backend::Auto, 1);
        let (old, new) = (data(&mut cache, 100, 1), data(&mut cache, 100, 2));
        for (declared, now, shown) in [(None, None, 0), (Some(old), Some(old), 1), (Some(old), Some(new), 2)]
        {
            let mut body = body(&mut cache, PAGES, declared, now);
            (0..100).for_each(|page| fill(&mut body, page, 9));
            let own = body.own_pages(&mut cache).unwrap();
            assert_eq!((own.overlays.len(), own.changed, own.is_lean), (100, 100, true));
            let resting = body.rest(own);
            assert!(resting.memory.is_some());
            // It puts back all but three.
            let (mut body, _) = resting.wake(&mut cache, &mut programs).unwrap();
            (3..100).for_each(|page| fill(&mut body, page, shown));
            let own = body.own_pages(&mut cache).unwrap();
            assert_eq!((own.overlays.len(), own.changed), (3, 0));
            // Where all pages of the mapping are prepared one by one, they are paid for one by one, too.
            assert_eq!(own.is_lean, declared != now);
            let resting = body.rest(own);
            assert_eq!(resting.memory.is_some(), declared != now);
            let (mut body, _) = resting.wake(&mut cache, &mut programs).unwrap();
            let found: Vec<u8> = [0, 2, 3, 99, 100].map(|page| first_byte(&body, page)).to_vec();
            assert_eq!(found, [9, 9, shown, shown, 0]);
            assert!(declared != now || body.machine.changed_pages().len() == 3);
            let own = body.own_pages(&mut cache).unwrap();
            assert_eq!((own.overlays.len(), own.changed, own.is_lean), (3, 0, true));
        }
    }

    #[test]
    fn a_few_pages_to_spare_are_kept() {
        let mut cache = CacheDirectory::default();
        for (touched, is_lean) in [(MOST_SPARE_PAGES, true), (MOST_SPARE_PAGES + 1, false)] {
            let mut body = body(&mut cache, PAGES, None, None);
            for byte in [1, 0] {
                (0..touched as u32).for_each(|page| fill(&mut body, page, byte));
                body.machine.changed_pages();
            }
            let own = body.own_pages(&mut cache).unwrap();
            assert_eq!((own.overlays.len(), own.is_lean), (0, is_lean));
        }
    }

    #[test]
    fn of_a_source_that_is_replaced_only_what_has_data_is_compared() {
        let mut cache = CacheDirectory::default();
        let (zeros, three) = (data(&mut cache, 1, 0), data(&mut cache, 3, 5));
        // All memory that there can be.
        let mut body = body(&mut cache, (crate::MAX_MEMORY / PAGE as u64) as u32, None, None);
        let mut own = |source: Option<CapHash>| {
            body.root.set(14, source).unwrap();
            let replaced = body.replaced_pages(&mut cache).unwrap();
            let own = body.own_pages(&mut cache).unwrap();
            assert!(own.is_lean);
            (replaced, own.overlays.iter().map(|overlay| overlay.start).collect::<Vec<_>>())
        };
        assert_eq!(own(None), (0, vec![]));
        assert_eq!(own(Some(zeros)), (1, vec![]));
        assert_eq!(own(Some(three)), (3, vec![START, START + PAGE_SIZE, START + 2 * PAGE_SIZE]));
        let pages = 0x20..0x100;
        let found = |unwritten: Range<u32>| -> Vec<u32> {
            candidates(&pages, unwritten, &[0x1f, 0x20, 0x22, 0x80, 0x100]).collect()
        };
        assert_eq!(found(0x20..0x20), [0x20, 0x22, 0x80]);
        assert_eq!(found(0x20..0x23), [0x20, 0x21, 0x22, 0x80]);
    }

    #[test]
    fn who_comes_in_the_place_of_another_has_pages_of_its_own_only_where_they_differ() {
        let mut cache = CacheDirectory::default();
        let shown = data(&mut cache, 2, 1);
        let mut old = body(&mut cache, PAGES, Some(shown), Some(shown));
        fill(&mut old, 1, 7);
        fill(&mut old, 50, 0);
        let mut new = body(&mut cache, 2 * PAGES, Some(shown), Some(shown));
        new.take_over(&mut old).unwrap();
        assert_eq!([0, 1, 2, 50].map(|page| first_byte(&new, page)), [1, 7, 0, 0]);
        assert_eq!(new.machine.changed_pages(), [START / PAGE_SIZE + 1]);
    }
}
