//! How an engine works.

use crate::gas::GasModel;
use crate::isa::InstructionSet;
use crate::memory::WindowKind;

/// Settings of an [`Engine`](crate::Engine). Nothing is read from the environment.
///
/// The first group decides what programs can observe and must be the same wherever their results are compared; the second
/// is the host's affair and cannot be observed.
///
/// ```
/// use hatchery_engine::{Config, GasModel};
///
/// let config = Config::default().gas_model(GasModel::Flat).memory_limit(16 << 20);
/// assert_eq!(config.gas(), GasModel::Flat);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Config {
    pub(crate) gas_model: GasModel,
    pub(crate) latest64: InstructionSet,
    pub(crate) charge: Charge,
    pub(crate) memory_limit: u64,
    pub(crate) faults_to_host: bool,
    pub(crate) backend: Backend,
    pub(crate) window_kind: WindowKind,
    pub(crate) window_limit: usize,
    pub(crate) portable_dispatch: bool,
}

/// What executes programs. All backends give the same results, gas and stops.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Backend {
    /// The recompiler where the machine and the other settings allow it, otherwise the interpreter, which also executes programs for
    /// whose native code there is no memory.
    ///
    /// The recompiler runs programs some ten times as fast, and takes longer to compile them: what runs once and briefly is done
    /// sooner by the interpreter. It also installs a handler for SIGSEGV in the process, see `docs/engine.md`.
    #[default]
    Auto,
    /// The portable interpreter.
    Interpreter,
    /// Native code. On x86-64 with Linux only, in windows of kind [`Reserved`](WindowKind); otherwise the engine cannot be made. Under
    /// [`Charge::Instruction`] programs are interpreted all the same.
    Recompiler,
    /// Native code and the interpreter, block by block: [`Instance::run`](crate::Instance::run) fails at the first difference. For
    /// those who look for defects of the engine.
    Verify,
}

impl Backend {
    /// The backends that this machine has.
    pub const AVAILABLE: &[Self] = &[
        Self::Interpreter,
        #[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
        Self::Recompiler,
        #[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
        Self::Verify,
    ];

    /// Whether it can execute programs in windows of this kind: native code needs those with guard pages.
    pub const fn runs_in(self, kind: WindowKind) -> bool {
        !matches!((self, kind), (Self::Recompiler | Self::Verify, WindowKind::Portable))
    }

    /// The name used on command lines and in documents, such as `interpreter`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Interpreter => "interpreter",
            Self::Recompiler => "recompiler",
            Self::Verify => "verify",
        }
    }
}

/// When gas is charged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Charge {
    /// For each basic block in full before its first instruction.
    #[default]
    Block,
    /// One gas before each instruction, as the text of the Gray Paper 0.7.2. Only with [`GasModel::Flat`].
    Instruction,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            gas_model: GasModel::PIPELINE_L2,
            latest64: InstructionSet::Latest64Extended,
            charge: Charge::Block,
            memory_limit: 1 << 32,
            faults_to_host: false,
            backend: Backend::Auto,
            window_kind: WindowKind::BEST,
            window_limit: 64,
            portable_dispatch: false,
        }
    }
}

impl Config {
    /// What blocks cost. Default: [`GasModel::PIPELINE_L2`], as sc-virtualization 0.3.
    #[must_use]
    pub const fn gas_model(mut self, model: GasModel) -> Self {
        self.gas_model = model;
        self
    }

    /// When gas is charged. Default: [`Charge::Block`].
    #[must_use]
    pub const fn charge(mut self, charge: Charge) -> Self {
        self.charge = charge;
        self
    }

    /// What version byte 2 of a PolkaVM container means, which the format cannot tell:
    /// [`InstructionSet::Latest64Bitmask`] (polkavm-linker up to 0.35, and sc-virtualization 0.3) or
    /// [`InstructionSet::Latest64Extended`] (polkavm-linker from 0.37 on). Default: the latter.
    #[must_use]
    pub const fn latest64(mut self, set: InstructionSet) -> Self {
        self.latest64 = set;
        self
    }

    /// The most bytes of memory a program may have, in whole pages: read-only and read-write data, stack and heap together. A
    /// program that declares more does not compile, `sbrk` beyond it gives 0. Default: 4 GiB, which is no limit.
    #[must_use]
    pub const fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Whether accesses to memory that is not mapped, or is write-protected, stop with
    /// [`Exit::PageFault`](crate::Exit::PageFault) for the host to resolve, instead of a trap. Default: no.
    #[must_use]
    pub const fn faults_to_host(mut self, enabled: bool) -> Self {
        self.faults_to_host = enabled;
        self
    }

    /// What executes programs. Default: [`Backend::Auto`].
    #[must_use]
    pub const fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// What the windows are made of in which instances run. Default: the best that the platform has.
    #[must_use]
    pub const fn window_kind(mut self, kind: WindowKind) -> Self {
        self.window_kind = kind;
        self
    }

    /// How many windows to have at most, unless more instances are running at the same time: then, of the instances that are
    /// not, the one that was not used for the longest time loses its window to the next one. While more than half of the
    /// windows are free, instances that stop keep theirs for good, because that saves time. Default: 64.
    #[must_use]
    pub const fn window_limit(mut self, windows: usize) -> Self {
        self.window_limit = windows;
        self
    }

    /// Whether the interpreter uses its portable dispatcher even where it has a better one. Default: no. For tests of the engine.
    #[doc(hidden)]
    #[must_use]
    pub const fn portable_dispatch(mut self, enabled: bool) -> Self {
        self.portable_dispatch = enabled;
        self
    }

    /// Whether this build of the interpreter has another dispatcher than the portable one. For tests of the engine.
    #[doc(hidden)]
    pub const HAS_DIRECT_THREADING: bool = crate::interpreter::DIRECT_THREADING;

    /// The gas model.
    pub const fn gas(&self) -> GasModel {
        self.gas_model
    }

    /// What [`Config::faults_to_host`] was set to.
    pub const fn gives_faults_to_host(&self) -> bool {
        self.faults_to_host
    }
}
