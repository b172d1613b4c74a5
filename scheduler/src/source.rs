//! Where programs come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use hatchery_engine::{CompileError, DataSource, Engine, HostError, Module};

/// A program: a part of the bytes that have an identifier.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Program {
    /// The name of the bytes. Any bytes.
    pub identifier: Arc<[u8]>,
    /// Where the program starts in them.
    pub offset: u64,
    /// How many bytes it has; 0: all from the offset on.
    pub length: u64,
}

impl Program {
    /// All bytes that have this identifier.
    pub fn whole(identifier: impl AsRef<[u8]>) -> Self {
        Self { identifier: identifier.as_ref().into(), offset: 0, length: 0 }
    }
}

/// What is known of the bytes that have an identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listing {
    /// How many there are.
    pub length: u64,
    /// Whether they were compiled before, and paid for. Otherwise whoever starts them pays for compiling, each time.
    pub is_compiled: bool,
}

/// Where the programs of a tree of processes come from.
///
/// Its answers are part of consensus: they must be the same whenever the tree does the same. Whether a module was still there or had to
/// be compiled again is the host's affair.
pub trait ProgramSource {
    /// What is known of the bytes with this identifier; none: there are none.
    fn find(&mut self, identifier: &[u8]) -> Option<Listing>;

    /// The compiled program. It is asked only for parts of bytes that `find` has listed, with a length other than 0.
    ///
    /// # Errors
    /// If the bytes are no program, or the host fails.
    fn load(&mut self, program: &Program) -> Result<Module, LoadError>;

    /// Where the data is that processes' pages were taken from, for trees that are resumed. Only who records sources (see
    /// [`MemoryMut::record_source`](hatchery_engine::MemoryMut::record_source)) needs any.
    fn data(&self) -> &dyn DataSource {
        &()
    }
}

/// Why there is no module of a program.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes are no program. What they were for ends as a bad image.
    #[error(transparent)]
    Bad(CompileError),
    /// This part of the bytes has not been compiled, and is not. What it was for ends as a bad image.
    #[error("there is no module of this part of the bytes")]
    NoPart,
    /// The host lacks memory. The call is made again by the next run.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The source does not have what it has listed: a defect of the source.
    #[error("the source of programs has lost what it listed: {0}")]
    Lost(String),
}

impl From<CompileError> for LoadError {
    fn from(error: CompileError) -> Self {
        match error {
            CompileError::Host(error) => Self::Host(error),
            error => Self::Bad(error),
        }
    }
}

/// Programs in memory, compiled when they are started. The last few modules are kept.
#[derive(Clone, Debug)]
pub struct Blobs {
    engine: Engine,
    blobs: BTreeMap<Vec<u8>, Arc<[u8]>>,
    /// The one that was used last is the last.
    compiled: Vec<(Program, Module)>,
    data: BTreeMap<[u8; 32], Arc<[u8]>>,
}

impl Blobs {
    /// How many modules are kept.
    const KEPT: usize = 32;

    /// No programs; what is added will be compiled by this engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine, blobs: BTreeMap::new(), compiled: Vec::new(), data: BTreeMap::new() }
    }

    /// Adds a program, which is not looked at yet.
    #[must_use]
    pub fn with(mut self, identifier: impl Into<Vec<u8>>, blob: impl Into<Arc<[u8]>>) -> Self {
        let identifier = identifier.into();
        self.compiled.retain(|(program, _)| *program.identifier != *identifier);
        self.blobs.insert(identifier, blob.into());
        self
    }

    /// Adds data that pages were taken from, by the hash that it was recorded with.
    #[must_use]
    pub fn with_data(mut self, hash: [u8; 32], data: impl Into<Arc<[u8]>>) -> Self {
        self.data.insert(hash, data.into());
        self
    }

    /// The engine that compiles.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl ProgramSource for Blobs {
    fn find(&mut self, identifier: &[u8]) -> Option<Listing> {
        self.blobs.get(identifier).map(|blob| Listing { length: blob.len() as u64, is_compiled: false })
    }

    fn load(&mut self, program: &Program) -> Result<Module, LoadError> {
        if let Some(at) = self.compiled.iter().rposition(|(known, _)| known == program) {
            self.compiled[at..].rotate_left(1);
            return match self.compiled.last() {
                Some((_, module)) => Ok(module.clone()),
                None => Err(LoadError::Lost("a module that was there".to_owned())),
            };
        }
        let part = self.blobs.get(&*program.identifier).and_then(|blob| {
            let start = usize::try_from(program.offset).ok()?;
            let length = usize::try_from(program.length).ok()?;
            blob.get(start..)?.get(..length)
        });
        let Some(part) = part else { return Err(LoadError::Lost(format!("{program:?}"))) };
        let module = self.engine.compile(part)?;
        if self.compiled.len() == Self::KEPT {
            self.compiled.remove(0);
        }
        self.compiled.push((program.clone(), module.clone()));
        Ok(module)
    }

    fn data(&self) -> &dyn DataSource {
        &self.data
    }
}

/// A fixed list of modules that were compiled, and paid for, before. What can be started are whole programs, and those parts of
/// bytes of which there is a module.
#[derive(Clone, Debug, Default)]
pub struct Modules {
    listed: BTreeMap<Vec<u8>, Listed>,
}

/// The modules of the bytes with one identifier.
#[derive(Clone, Debug)]
struct Listed {
    /// How many bytes there are.
    length: u64,
    /// By the offset and the length of the part that they were made of.
    parts: BTreeMap<(u64, u64), Module>,
}

impl Modules {
    /// Adds a module, in place of what had the identifier, if anything. It is the whole of the bytes with that identifier; their
    /// number is taken to be that of its code, since what else was in them is not known any more.
    #[must_use]
    pub fn with(mut self, identifier: impl Into<Vec<u8>>, module: Module) -> Self {
        let length = module.code().length().into();
        let parts = BTreeMap::from([((0, length), module)]);
        self.listed.insert(identifier.into(), Listed { length, parts });
        self
    }

    /// Adds a module that was made of a part of `bytes` bytes: who names exactly that part starts it. Other parts of these bytes are
    /// bad images, unless they are added as well. Length 0 means the rest. What there was of bytes in another number with this
    /// identifier is forgotten.
    ///
    /// # Errors
    /// [`LoadError::NoPart`] if there is no such part of so many bytes.
    pub fn with_part(mut self, part: &Program, bytes: u64, module: Module) -> Result<Self, LoadError> {
        let length = crate::call::part(bytes, part.offset, part.length).ok_or(LoadError::NoPart)?;
        let none = || Listed { length: bytes, parts: BTreeMap::new() };
        let listed = self.listed.entry(part.identifier.to_vec()).or_insert_with(none);
        if listed.length != bytes {
            *listed = none();
        }
        listed.parts.insert((part.offset, length), module);
        Ok(self)
    }

    /// The modules in the order of their identifiers, and of the parts that they were made of.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Module)> {
        let modules = |(identifier, listed)| {
            let (identifier, Listed { parts, .. }): (&Vec<u8>, &Listed) = (identifier, listed);
            parts.values().map(move |module| (identifier.as_slice(), module))
        };
        self.listed.iter().flat_map(modules)
    }
}

impl ProgramSource for Modules {
    fn find(&mut self, identifier: &[u8]) -> Option<Listing> {
        let length = self.listed.get(identifier)?.length;
        Some(Listing { length, is_compiled: true })
    }

    fn load(&mut self, program: &Program) -> Result<Module, LoadError> {
        let Some(listed) = self.listed.get(&*program.identifier) else {
            return Err(LoadError::Lost(format!("{program:?}")));
        };
        listed.parts.get(&(program.offset, program.length)).cloned().ok_or(LoadError::NoPart)
    }
}
