//! Results for people: tables, charts, a document.

mod charts;
mod document;
pub(crate) mod table;

use crate::results::Results;
use crate::results_folder;
use anyhow::{Context, Result};
use std::path::Path;
use std::{fs, io};

/// The file of the results.
pub(crate) const RESULTS: &str = "results.json";

/// Writes results where they are committed, and what is made of them.
pub(crate) fn record(results: &Results) -> Result<()> {
    let file = results_folder().join(RESULTS);
    fs::create_dir_all(results_folder())?;
    fs::write(&file, serde_json::to_string_pretty(results)? + "\n")
        .with_context(|| format!("cannot write {}", file.display()))?;
    render(results)
}

/// Writes charts and BENCHMARKS.md.
pub(crate) fn render(results: &Results) -> Result<()> {
    for (name, svg) in charts::all(results)? {
        write(&results_folder().join(name), &svg)?;
    }
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../BENCHMARKS.md");
    write(&document, &document::text(results, &notes()?)?)?;
    println!("written: BENCHMARKS.md and benches/results");
    Ok(())
}

/// What is said about goals that were missed, by the goals' names.
fn notes() -> Result<document::Notes> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("notes.json");
    match fs::read_to_string(&file) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("in {}", file.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(document::Notes::default()),
        Err(error) => Err(error).with_context(|| file.display().to_string()),
    }
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    #[test]
    fn the_committed_document_and_charts_are_those_of_the_committed_results() {
        let results = recorded().unwrap();
        let read = |file: &Path| {
            fs::read_to_string(file).unwrap_or_else(|error| panic!("{error}: {}", file.display()))
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let fix = "run `cargo xtask bench --render` and commit what it changes";
        let document = document::text(&results, &notes().unwrap()).unwrap();
        assert!(document == read(&folder.join("../BENCHMARKS.md")), "BENCHMARKS.md: {fix}");
        for (name, svg) in charts::all(&results).unwrap() {
            assert!(svg == read(&folder.join("results").join(&name)), "{name}: {fix}");
        }
    }
}
