//! A deterministic engine for PolkaVM and JAM programs.
//!
//! A *program* is code for a register machine with 13 registers, 32-bit addresses and up to 4 GiB of memory, in one of
//! several instruction sets and containers. An [`Engine`] compiles it to a [`Module`], of which any number of
//! [`Instance`]s can be made. An instance runs until something stops it, and an [`Exit`] says what:
//!
//! ```
//! use hatchery_engine::{Config, Engine, Exit, Reg};
//!
//! let blob = std::fs::read("../guests/blobs/jam-v1/primes.polkavm")?;
//! let engine = Engine::new(Config::default())?;
//! let module = engine.compile(&blob)?;
//! let mut instance = module.instantiate();
//! instance.prepare("primes", &[100])?;
//! instance.set_gas(1_000_000);
//! loop {
//!     match instance.run()? {
//!         Exit::Finished => break,
//!         Exit::Syscall(number) => { /* read registers and memory, answer in a0 */ }
//!         Exit::OutOfGas => { /* set_gas and go on, or give up */ }
//!         exit => panic!("{exit:?}"),
//!     }
//! }
//! assert_eq!(instance.reg(Reg::A0), 25);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Gas
//!
//! Programs pay for the *basic blocks* they enter, in full and in advance, see [`gas`]. If there is not enough gas for a
//! block, nothing of it runs and nothing is deducted; execution goes on when there is more.
//!
//! # Determinism
//!
//! Results, gas, traps and their places are a function of the program, its [`Config`] and what its host does. They do not
//! depend on the [`Backend`], the machine, time, other instances, or how often execution was paused or parked.
//!
//! # Where things are
//!
//! | module | what |
//! |---|---|
//! | [`program`] | containers: from bytes to code, data, imports and exports |
//! | [`isa`] | instructions, from one table: decoding, encoding, disassembly |
//! | [`gas`] | what blocks cost |
//! | [`memory`] | layout, permissions, the two forms of an instance's memory |
//! | `interpreter` | operations, their handlers and two dispatchers |
//! | `recompiler` | native code and its host |
//! | `snapshot` | the state of an instance as data |
//!
//! `unsafe` code is confined to `memory`, `interpreter` and `recompiler`.

#![deny(unsafe_code)]

mod config;
mod engine;
mod exit;
pub mod gas;
mod instance;
#[expect(unsafe_code, reason = "operations are followed by pointers")]
mod interpreter;
pub mod isa;
#[expect(unsafe_code, reason = "guest memory is raw memory of the operating system")]
pub mod memory;
mod module;
mod pause;
pub mod program;
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
#[expect(unsafe_code, reason = "native code is written, called and interrupted")]
mod recompiler;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code)))))]
#[path = "recompiler/absent.rs"]
mod recompiler;
mod snapshot;
mod verify;

pub use config::{Backend, Charge, Config};
pub use engine::{CompileError, Engine, EngineError};
pub use exit::{Exit, PageFault, Status, Trap, TrapKind};
pub use gas::GasModel;
pub use instance::{Instance, Memory, MemoryMut, PrepareError, RunError};
pub use isa::{InstructionSet, Reg};
pub use memory::{HostError, MemoryError, Permission};
pub use module::{Block, Module, ProgramCounter};
pub use pause::Pause;
pub use snapshot::{DataRange, DataSource, NoSuchData, RestoreError, Snapshot, SnapshotError};
pub use verify::{Difference, Disagreement};

/// The examples of the document are tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/snapshots.md")]
struct Document;
