//! Who waits for whom.

use core::fmt;

use crate::abi::{Descriptor, ProcessId};

/// What a process does at the moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Activity {
    /// It runs, or will when it is its turn.
    Runnable,
    /// It waits for the end of a process.
    Waiting {
        /// Which.
        process: ProcessId,
    },
    /// It waits for bytes.
    Reading {
        /// Where from.
        descriptor: Descriptor,
        /// How many at most.
        length: u64,
        /// Who has the other end.
        writer: ProcessId,
    },
    /// It waits for somebody to take its bytes.
    Writing {
        /// Where to.
        descriptor: Descriptor,
        /// How many there are.
        length: u64,
        /// How many of them were taken.
        done: u64,
        /// Who has the other end.
        reader: ProcessId,
    },
}

/// All processes wait for one another, and will for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deadlock {
    /// Every live process, in the order of ids, and what it waits for.
    pub blocked: Vec<(ProcessId, Activity)>,
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runnable => f.write_str("is runnable"),
            Self::Waiting { process } => write!(f, "waits for the end of process {process}"),
            Self::Reading { descriptor, writer, .. } => {
                write!(
                    f,
                    "reads descriptor {descriptor}, whose other end {} process {writer} has",
                    descriptor.other_end()
                )
            }
            Self::Writing { descriptor, length, done, reader } => write!(
                f,
                "writes descriptor {descriptor} ({done} of {length} bytes taken), whose other end {} process {reader} has",
                descriptor.other_end()
            ),
        }
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadlock:")?;
        for (at, (process, activity)) in self.blocked.iter().enumerate() {
            write!(f, "{}process {process} {activity}", if at == 0 { " " } else { "; " })?;
        }
        Ok(())
    }
}
