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
    /// Only the whole has been compiled.
    #[error("there are modules of whole programs only")]
    NotWhole,
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

/// A fixed list of modules that were compiled, and paid for, before. Only whole programs can be started.
#[derive(Clone, Debug, Default)]
pub struct Modules {
    modules: BTreeMap<Vec<u8>, Module>,
}

impl Modules {
    /// Adds a module, in place of the one that had the identifier, if any.
    #[must_use]
    pub fn with(mut self, identifier: impl Into<Vec<u8>>, module: Module) -> Self {
        self.modules.insert(identifier.into(), module);
        self
    }

    /// The modules in the order of their identifiers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &Module)> {
        self.modules.iter().map(|(identifier, module)| (identifier.as_slice(), module))
    }

    fn length(module: &Module) -> u64 {
        module.code().length().into()
    }
}

impl ProgramSource for Modules {
    /// The length is that of the code: what else was in the bytes is not known any more.
    fn find(&mut self, identifier: &[u8]) -> Option<Listing> {
        let module = self.modules.get(identifier)?;
        Some(Listing { length: Self::length(module), is_compiled: true })
    }

    fn load(&mut self, program: &Program) -> Result<Module, LoadError> {
        match self.modules.get(&*program.identifier) {
            Some(module) if program.offset == 0 && program.length == Self::length(module) => {
                Ok(module.clone())
            }
            Some(_) => Err(LoadError::NotWhole),
            None => Err(LoadError::Lost(format!("{program:?}"))),
        }
    }
}
