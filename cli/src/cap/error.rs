//! What can go wrong with capabilities.

use hatchery_capabilities::{CacheError, ManifestError, StoreError, SuspendedCallError, VmError};
use miette::Diagnostic;

use crate::status::Status;

/// Why a command on capabilities could not do its work.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum CapError {
    #[error("the store cannot be used")]
    Store(#[from] StoreError),

    #[error("the capability cannot be kept or found")]
    Cache(#[from] CacheError),

    #[error("the program is no image")]
    Manifest(#[from] ManifestError),

    #[error("the instance cannot be called")]
    Vm(#[from] VmError),

    #[error("the paused call cannot be gone on with")]
    Suspended(#[from] SuspendedCallError),

    #[error("there is nothing named `{name}`, and it is no hash")]
    #[diagnostic(help("`hatchery cap inspect` lists the names"))]
    Unknown { name: String },

    #[error("the image of the instance has no endpoint `{endpoint}`: it has {known}")]
    Endpoint { endpoint: String, known: String },

    #[error("{count} arguments: an endpoint takes at most four")]
    Arguments { count: usize },

    #[error("a call is paused")]
    #[diagnostic(help("go on with `hatchery cap resume`, or give it up with `hatchery cap resume --drop`"))]
    Paused,

    #[error("no call is paused")]
    NotPaused,

    #[error("the record `{name}` of the store is damaged")]
    Record { name: String },
}

impl CapError {
    /// The exit status that says this.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Manifest(_) => Status::BadProgram,
            Self::Unknown { .. }
            | Self::Endpoint { .. }
            | Self::Arguments { .. }
            | Self::Paused
            | Self::NotPaused
            | Self::Vm(_) => Status::Usage,
            Self::Store(_) | Self::Cache(_) | Self::Suspended(_) | Self::Record { .. } => Status::Failure,
        }
    }
}
