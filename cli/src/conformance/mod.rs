//! `hatchery conformance`: the engine against test vectors of the community.
//!
//! A vector is a JSON file of one of three kinds, which [`Case::parse`] brings into one form: steps to take and block costs
//! to find. [`Checker`] takes the steps.

mod check;
mod report;
mod schema;
mod subject;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hatchery_engine::Config;

pub use check::{Checker, Failure};
pub use schema::{Assert, BlockCost, Case, CaseError, Chunk, Status as CaseStatus, Step};

use crate::args::ConformanceArguments;
use crate::error::Error;
use crate::status::Status;
use report::Report;

/// Runs `hatchery conformance`.
pub(crate) fn conformance(arguments: &ConformanceArguments, out: &mut dyn Write) -> Result<Status, Error> {
    let ConformanceArguments { dir, isa, gas_model, backend, via_capi, filter } = arguments;
    let config = Config::default().gas_model(*gas_model).backend(backend.backend);
    let checker = match via_capi {
        false => Checker::new(config, *isa)?,
        true => Checker::via_capi(*gas_model, backend.backend, *isa)
            .map_err(|reason| Error::Library { reason })?,
    };
    let mut files = vectors(dir).map_err(|source| Error::Read { path: dir.clone(), source })?;
    if let Some(filter) = filter {
        files.retain(|file| name(file).contains(filter));
    }

    let mut report = Report::new(files.len(), out);
    for file in &files {
        report.start(file);
        let bytes = crate::file::read(file)?;
        if is_schema(&bytes) {
            report.skipped(file, "a JSON Schema, no vector")?;
        } else {
            let result = Case::parse(&bytes).map_err(Failure::from).and_then(|case| checker.check(&case));
            report.done(file, result)?;
        }
    }
    Ok(if report.finish()? { Status::Success } else { Status::Failure })
}

/// The JSON files in a folder and its subfolders, in the order of their paths; or the one file that is named.
///
/// # Errors
/// If a folder cannot be read, or nothing is there.
pub fn vectors(path: &Path) -> io::Result<Vec<PathBuf>> {
    if path.metadata()?.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            // Links to folders are not followed: they could lead in circles.
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|extension| extension == "json") {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The name of a vector: that of its file without `.json`.
fn name(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Sets of vectors come with a description of their format, which is JSON too.
fn is_schema(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Schema {
        #[serde(rename = "$schema")]
        _schema: String,
    }
    serde_json::from_slice::<Schema>(bytes).is_ok()
}
