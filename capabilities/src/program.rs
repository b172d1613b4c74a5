//! Images made ready to be executed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hatchery_engine::memory::{LOWEST_ADDRESS, MemoryMap};
use hatchery_engine::program::MemoryConfig;
use hatchery_engine::{Backend, Config, Engine, EngineError, GasModel, Module};

use crate::cache::{CacheDirectory, CacheError, data_bytes};
use crate::cap::{Cap, CapHashOrRef, DataCap, Kind};
use crate::cnode::CNode;
use crate::hash::CapHash;
use crate::image::{Image, ImageError, Mapping};
use crate::slots;

/// End of the stack in the engine's layout without auxiliary data.
const STACK_END: u64 = 0xfffe_0000;
/// Parts of the engine's layout begin at multiples of this.
const GRANULE: u32 = 0x1_0000;

/// An image made ready.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) hash: CapHash,
    pub(crate) image: Arc<Image>,
    pub(crate) module: Module,
    /// For each mapping, how the engine provides for it.
    pub(crate) places: Vec<Place>,
}

/// How the engine provides for a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// It is part of the program's layout, and shows this capability, or zeros, at first.
    Layout(Option<CapHash>),
    /// Pages are protected one by one in every instance.
    Pages,
}

/// Why an image cannot be executed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramLoadError {
    /// Something it needs is not there.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// It does not compile.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Data do not fit the mapping that shows them.
    #[error("the data {data} have {length} bytes, the mapping at {start:#010x} has {size}")]
    TooLong {
        /// The data.
        data: CapHash,
        /// Their length in bytes.
        length: u64,
        /// Where the mapping is.
        start: u32,
        /// Its length in bytes.
        size: u32,
    },
    /// The engine cannot be configured like this.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Programs by the hashes of their images. Engines are shared by all images with the same gas profile.
#[derive(Debug)]
pub(crate) struct Programs {
    backend: Backend,
    engines: Vec<(GasModel, Engine)>,
    programs: HashMap<CapHash, (u64, Arc<Program>)>,
    clock: u64,
    limit: usize,
    /// Those that were entered in the call from outside, which has paid for them: they stay as long as it does. None: it goes on
    /// here, and has not come back to them.
    entered: BTreeMap<CapHash, Option<Arc<Program>>>,
}

impl Programs {
    pub(crate) fn new(backend: Backend, limit: usize) -> Self {
        Self {
            backend,
            engines: Vec::new(),
            programs: HashMap::new(),
            clock: 0,
            limit: limit.max(1),
            entered: BTreeMap::new(),
        }
    }

    /// Whether an image was entered in this call.
    pub(crate) fn is_entered(&self, hash: CapHash) -> bool {
        self.entered.contains_key(&hash)
    }

    /// Notes that an image was entered in this call.
    pub(crate) fn note_entered(&mut self, hash: CapHash, program: &Arc<Program>) {
        self.entered.entry(hash).or_default().get_or_insert_with(|| Arc::clone(program));
    }

    /// The images that were entered in this call, in ascending order.
    pub(crate) fn entered(&self) -> impl Iterator<Item = CapHash> {
        self.entered.keys().copied()
    }

    /// Begins another call, in which these images were entered.
    pub(crate) fn begin_call(&mut self, entered: impl IntoIterator<Item = CapHash>) {
        self.entered = entered.into_iter().map(|hash| (hash, None)).collect();
    }

    /// How many are ready.
    pub(crate) fn len(&self) -> usize {
        self.programs.len()
    }

    /// The program of an image.
    pub(crate) fn load(
        &mut self,
        cache: &mut CacheDirectory,
        hash: CapHash,
    ) -> Result<Arc<Program>, ProgramLoadError> {
        self.clock += 1;
        if let Some(Some(program)) = self.entered.get(&hash) {
            return Ok(Arc::clone(program));
        }
        if let Some((used, program)) = self.programs.get_mut(&hash) {
            *used = self.clock;
            return Ok(Arc::clone(program));
        }
        let image = match &*cache.get(hash)? {
            Cap::Image(image) => Arc::new(image.clone()),
            other => return Err(CacheError::Kind { hash, found: other.kind(), wanted: Kind::Image }.into()),
        };
        let engine = self.engine(image.gas_profile.model()?)?;
        let program = Arc::new(Program::new(cache, hash, image, &engine)?);
        if self.programs.len() >= self.limit
            && let Some(oldest) =
                self.programs.iter().min_by_key(|(_, (used, _))| *used).map(|(hash, _)| *hash)
        {
            self.programs.remove(&oldest);
        }
        self.programs.insert(hash, (self.clock, Arc::clone(&program)));
        Ok(program)
    }

    pub(crate) fn engine(&mut self, model: GasModel) -> Result<Engine, EngineError> {
        if let Some((_, engine)) = self.engines.iter().find(|(other, _)| *other == model) {
            return Ok(engine.clone());
        }
        let engine = Engine::new(Config::default().backend(self.backend).gas_model(model))?;
        self.engines.push((model, engine.clone()));
        Ok(engine)
    }
}

impl Program {
    fn new(
        cache: &mut CacheDirectory,
        hash: CapHash,
        image: Arc<Image>,
        engine: &Engine,
    ) -> Result<Self, ProgramLoadError> {
        let mut memory = MemoryConfig::default();
        let places = places(&image);
        if let Some(layout) = Layout::of(&image) {
            for (part, mapping) in [layout.read_only, layout.read_write, layout.stack].into_iter().enumerate()
            {
                let Some(index) = mapping else { continue };
                let mapping = &image.mappings[index];
                let declared = if let Place::Layout(declared) = places[index] { declared } else { None };
                let bytes = match declared {
                    Some(hash) if cache.get(hash)?.kind() == Kind::Data => {
                        data_bytes(hash, &fitting(cache, hash, mapping)?, u64::MAX)?
                    }
                    // What is no data shows zeros.
                    _ => Vec::new(),
                };
                match part {
                    0 => (memory.ro_size, memory.ro_data) = (mapping.size, bytes),
                    1 => (memory.rw_size, memory.rw_data) = (mapping.size, bytes),
                    _ => memory.stack_size = mapping.size,
                }
            }
        }
        let module = image.compile(engine, memory)?;
        Ok(Self { hash, image, module, places })
    }
}

/// How the engine provides for the mappings of an image.
pub(crate) fn places(image: &Image) -> Vec<Place> {
    let mut places = vec![Place::Pages; image.mappings.len()];
    if let Some(layout) = Layout::of(image) {
        for index in [layout.read_only, layout.read_write].into_iter().flatten() {
            places[index] = Place::Layout(declared(image, &image.mappings[index]));
        }
        // A stack has no contents in the engine's layout.
        if let Some(index) = layout.stack {
            places[index] = Place::Layout(None);
        }
    }
    places
}

/// How many pages the engine has to be told of one by one when an instance of an image is entered that has these slots: those of
/// mappings that are not in its layout, or show something else than the image says at first.
pub(crate) fn pages_aside(
    cache: &mut CacheDirectory,
    image: &Image,
    places: &[Place],
    root: &CNode,
) -> Result<u64, CacheError> {
    let mut pages = 0;
    for (mapping, place) in image.mappings.iter().zip(places) {
        let is_as_declared = match place {
            Place::Layout(declared) => base(cache, root, mapping)? == *declared,
            Place::Pages => false,
        };
        if !is_as_declared {
            pages += mapping.pages().len() as u64;
        }
    }
    Ok(pages)
}

/// The data that the source of a mapping shows in these slots; none where there are none.
pub(crate) fn base(
    cache: &mut CacheDirectory,
    root: &CNode,
    mapping: &Mapping,
) -> Result<Option<CapHash>, CacheError> {
    let held = match slots::read(root, cache, &mapping.source) {
        Ok(held) => held,
        Err(slots::Refused::Slot(_)) => None,
        Err(slots::Refused::Cache(error)) => return Err(error),
    };
    // Data is never worked on; whatever else lies there shows nothing.
    let Some(hash) = held.as_ref().and_then(CapHashOrRef::hash) else { return Ok(None) };
    Ok(matches!(&*cache.get(hash)?, Cap::Data(_)).then_some(hash))
}

/// How many pages of data a program has to be given when it is made ready.
pub(crate) fn declared_pages(cache: &mut CacheDirectory, image: &Image) -> Result<u64, CacheError> {
    let mut pages = 0;
    for place in places(image) {
        if let Place::Layout(Some(hash)) = place
            && let Cap::Data(data) = &*cache.get(hash)?
        {
            pages += data.pages.len() as u64;
        }
    }
    Ok(pages)
}

/// The data with this hash, which must not exceed the mapping that shows them.
pub(crate) fn fitting(
    cache: &mut CacheDirectory,
    hash: CapHash,
    mapping: &Mapping,
) -> Result<DataCap, ProgramLoadError> {
    match &*cache.get(hash)? {
        Cap::Data(data) if data.length() > mapping.size.into() => Err(ProgramLoadError::TooLong {
            data: hash,
            length: data.length(),
            start: mapping.start,
            size: mapping.size,
        }),
        Cap::Data(data) => Ok(data.clone()),
        other => Err(CacheError::Kind { hash, found: other.kind(), wanted: Kind::Data }.into()),
    }
}

/// What the image itself puts into the source of a mapping.
fn declared(image: &Image, mapping: &Mapping) -> Option<CapHash> {
    match mapping.source.steps() {
        &[slot] => image.pinned(slot).or_else(|| image.initial(slot)),
        _ => None,
    }
}

/// The mappings that lie where the engine puts the parts of a program, by number.
#[derive(Default)]
struct Layout {
    read_only: Option<usize>,
    read_write: Option<usize>,
    stack: Option<usize>,
}

impl Layout {
    /// None if the mappings together are no layout of the engine.
    fn of(image: &Image) -> Option<Self> {
        let find = |is: &dyn Fn(&Mapping) -> bool, read_only: bool| {
            image.mappings.iter().position(|mapping| is(mapping) && image.is_read_only(mapping) == read_only)
        };
        let size = |index: Option<usize>| index.map_or(0, |index| image.mappings[index].size);
        let read_only = find(&|mapping| mapping.start == LOWEST_ADDRESS, true);
        let rw_start = LOWEST_ADDRESS + size(read_only).next_multiple_of(GRANULE) + GRANULE;
        let read_write = find(&|mapping| mapping.start == rw_start, false);
        let stack =
            find(&|mapping| mapping.end() == STACK_END, false).filter(|&index| Some(index) != read_write);
        let layout = Self { read_only, read_write, stack };
        // Parts that do not fit together with the engine's guards are not in its layout.
        let map = MemoryMap::new(size(read_only), size(read_write), size(stack), 0).ok()?;
        debug_assert!(read_write.is_none() || map.rw_data().start == rw_start);
        Some(layout)
    }
}
