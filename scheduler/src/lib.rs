//! A deterministic scheduler of processes: programs that start one another, wait for one another and talk through pipes.
//!
//! A *tree* of processes begins with its root. Processes run one at a time, each until its next call; then the runnable process
//! with the largest id is next. What they do, what it costs and how it ends is a function of the programs and of what the
//! embedder answers: not of the backend, the machine, or how often the tree was stopped, parked or moved on the way.
//!
//! ```
//! use hatchery_engine::{Config, Engine};
//! use hatchery_scheduler::{Blobs, Limits, Program, RunMode, Scheduler, Status, Stop};
//!
//! let engine = Engine::new(Config::default())?;
//! let blob = std::fs::read("../guests/blobs/jam-v1/process-demo.polkavm")?;
//! let programs = Blobs::new(engine).with("process-demo", blob);
//! let mut tree = Scheduler::new(programs, Limits::default(), &Program::whole("process-demo"), b"")?;
//! loop {
//!     match tree.run(RunMode::Limit(1_000_000_000))? {
//!         Stop::Ended(status) => break assert_eq!(status, Status::Exited(0)),
//!         Stop::Syscall { process, .. } => { /* a symbol that is not a call of processes */ }
//!         stop => panic!("{stop}"), // out of gas, a deadlock
//!     }
//! }
//! println!("{} gas", tree.gas_used());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | what |
//! |---|---|
//! | `abi` | calls, return codes, ids, descriptors: what guests see |
//! | [`cost`] | what calls cost |
//! | `limits` | how much of everything a tree may have |
//! | `status` | how processes end |
//! | `source` | where programs come from |
//! | `scheduler` | the tree and its run loop |
//! | `call` | what each call does |
//! | `table`, `pipe` | live processes and open pipes |
//! | `ended` | ends that nobody has been told |
//! | `deadlock` | who waits for whom |
//! | `suspend` | the state of a tree as bytes, and back |
//! | `trace` | the schedule as it was, its hash, and whether another is the same |
//!
//! `docs/processes.md` has the rules for authors of guests.

#![forbid(unsafe_code)]

mod abi;
mod call;
pub mod cost;
mod deadlock;
mod ended;
mod limits;
mod pipe;
mod scheduler;
mod source;
mod status;
mod suspend;
mod table;
mod trace;

/// The examples of the document are tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/processes.md")]
struct Document;

pub use abi::{Call, Code, Descriptor, ProcessId};
pub use deadlock::{Activity, Deadlock};
pub use limits::{LimitError, Limits};
pub use scheduler::{Error, Iteration, Peek, RunMode, Scheduler, StartError, Stop};
pub use source::{Blobs, Listing, LoadError, Modules, Program, ProgramSource};
pub use status::{BadImage, Fault, FaultKind, Status};
pub use suspend::ResumeError;
pub use trace::{Divergence, Entry, Event, Trace};
