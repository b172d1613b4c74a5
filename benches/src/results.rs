//! What a run found, as it is written to a file.

use crate::engines::Description;
use crate::measure::Times;
use serde::{Deserialize, Serialize};

/// A run of the benchmarks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) about: About,
    pub(crate) engines: Vec<Description>,
    pub(crate) sections: Vec<Section>,
}

/// Where, when and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) processor: String,
    /// Logical processors.
    pub(crate) processors: usize,
    pub(crate) system: String,
    /// Of the last minute, when the run began and when it ended.
    pub(crate) load: [f64; 2],
    /// Of this repository. It ends with `-dirty` if there were changes.
    pub(crate) commit: String,
    pub(crate) date: String,
    pub(crate) command: String,
    /// That compiled the engines, and that compiled the programs.
    pub(crate) compilers: [String; 2],
    /// Samples of each engine, and milliseconds that each takes at least.
    pub(crate) samples: usize,
    pub(crate) sample_milliseconds: u64,
    /// What the one who ran it wants to be known.
    pub(crate) remark: Option<String>,
}

/// Rows that belong together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) rows: Vec<Row>,
}

/// What all engines did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) unit: Unit,
    pub(crate) entries: Vec<Entry>,
}

/// What a number of a row is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    /// Nanoseconds.
    Time,
    /// Bytes.
    Bytes,
}

/// What an engine did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its id, or in sections about something else what it is.
    pub(crate) engine: String,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// It took time.
    Times(Times),
    /// It took memory.
    Bytes(f64),
    /// It did not do it, for a reason.
    Missing(String),
}

impl Outcome {
    /// The number, in the unit of its row.
    pub(crate) fn value(&self) -> Option<f64> {
        match self {
            Self::Times(times) => Some(times.median),
            Self::Bytes(bytes) => Some(*bytes),
            Self::Missing(_) => None,
        }
    }

    /// How far samples were apart, as part of the number.
    pub(crate) fn spread(&self) -> f64 {
        match self {
            Self::Times(times) => times.spread(),
            Self::Bytes(_) | Self::Missing(_) => 0.0,
        }
    }
}

impl Results {
    /// What an engine did in a row.
    pub(crate) fn outcome(&self, row: &str, engine: &str) -> Option<&Outcome> {
        let mut rows = self.sections.iter().flat_map(|section| &section.rows);
        let row = rows.find(|candidate| candidate.id == row)?;
        Some(&row.entries.iter().find(|entry| entry.engine == engine)?.outcome)
    }

    /// What an engine is.
    pub(crate) fn engine(&self, id: &str) -> Option<&Description> {
        self.engines.iter().find(|engine| engine.id == id)
    }
}

/// A number of a row, for people: three digits.
pub(crate) fn number(value: f64, unit: Unit) -> String {
    let (scales, step): (&[&str], f64) = match unit {
        Unit::Time => (&["ns", "us", "ms", "s"], 1000.0),
        Unit::Bytes => (&["B", "KiB", "MiB", "GiB"], 1024.0),
    };
    let (mut value, mut scale) = (value, 0);
    while value >= step * 0.9995 && scale + 1 < scales.len() {
        value /= step;
        scale += 1;
    }
    let digits = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {}", scales[scale])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!(number(0.25, Unit::Time), "0.25 ns");
        assert_eq!(number(12.345, Unit::Time), "12.3 ns");
        assert_eq!(number(999.7, Unit::Time), "1.00 us");
        assert_eq!(number(123_456.0, Unit::Time), "123 us");
        assert_eq!(number(4_560_000_000.0, Unit::Time), "4.56 s");
        assert_eq!(number(2048.0, Unit::Bytes), "2.00 KiB");
    }
}
