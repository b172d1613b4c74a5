//! What is measured.

mod calls;
mod compiling;
mod gas;
mod instances;
pub(crate) mod many;
mod processes;
mod work;

use crate::engines::{Description, Engine};
use crate::measure::{Contestant, Plan, compete};
use crate::programs::Program;
use crate::results::{Entry, Outcome, Row, Section, Unit};
use anyhow::Result;
use std::cell::RefCell;
use std::collections::HashMap;

/// What a run has to do with.
pub(crate) struct Run {
    pub(crate) plan: Plan,
    /// Rows and engines whose names do not contain this are left out.
    pub(crate) filter: Option<String>,
    engines: Vec<(Description, Box<dyn Engine>)>,
    /// Engines that this machine does not have, and why.
    missing: Vec<(String, String)>,
    programs: RefCell<HashMap<String, Program>>,
}

impl Run {
    /// With all engines, or with one of which there will be many instances.
    pub(crate) fn new(plan: Plan, filter: Option<String>, many: Option<&str>) -> Self {
        let (mut engines, mut missing) = (Vec::new(), Vec::new());
        for (id, engine) in crate::engines::all(many.is_some()) {
            match engine {
                _ if many.is_some_and(|many| many != id) => {}
                Ok(engine) => engines.push((engine.description(), engine)),
                Err(error) => missing.push((id, format!("{error:#}"))),
            }
        }
        Self { plan, filter, engines, missing, programs: RefCell::default() }
    }

    /// The engines that there are.
    pub(crate) fn descriptions(&self) -> Vec<Description> {
        self.engines.iter().map(|(description, _)| description.clone()).collect()
    }

    /// The engines that this machine does not have, and why.
    pub(crate) fn missing(&self) -> &[(String, String)] {
        &self.missing
    }

    /// An engine by its id.
    pub(crate) fn engine(&self, id: &str) -> Option<&dyn Engine> {
        self.engines.iter().find(|(description, _)| description.id == id).map(|(_, engine)| &**engine)
    }

    fn program(&self, name: &str) -> Result<Program> {
        if let Some(program) = self.programs.borrow().get(name) {
            return Ok(program.clone());
        }
        let program = Program::load(name)?;
        self.programs.borrow_mut().insert(name.into(), program.clone());
        Ok(program)
    }

    /// Whether a row is wanted.
    fn wants(&self, id: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| id.contains(filter.as_str()))
    }

    /// Measures a row. `prepare` makes a contestant of each engine, or says why that one does not take part; none: it has no place in this
    /// row.
    fn row<'a>(
        &'a self,
        id: &str,
        title: impl Into<String>,
        things: f64,
        mut prepare: impl FnMut(&'a dyn Engine) -> Result<Option<Repeat<'a>>>,
    ) -> Row {
        let contestants = self.engines.iter().filter_map(|(description, engine)| {
            let contestant = prepare(&**engine).transpose()?;
            let contestant = contestant.map(|repeat| Contestant { clock: description.clock, repeat });
            Some((description.id.clone(), contestant))
        });
        self.compete(id, title, things, contestants.collect())
    }

    /// Measures a row of contestants, by the names that they have in results; of those that do not take part it is said why.
    fn compete(
        &self,
        id: &str,
        title: impl Into<String>,
        things: f64,
        contestants: Vec<(String, Result<Contestant<'_>>)>,
    ) -> Row {
        let mut entries = Vec::new();
        let (mut competing, mut places) = (Vec::new(), Vec::new());
        for (engine, contestant) in contestants {
            let outcome = match contestant {
                Ok(contestant) => {
                    competing.push(contestant);
                    places.push(entries.len());
                    Outcome::Missing("not measured".into())
                }
                Err(error) => Outcome::Missing(format!("{error:#}")),
            };
            entries.push(Entry { engine, outcome });
        }
        for (place, times) in places.into_iter().zip(compete(self.plan, competing)) {
            entries[place].outcome = match times {
                Ok(times) => Outcome::Times(times.per(things)),
                Err(error) => Outcome::Missing(format!("{error:#}")),
            };
        }
        let row = Row { id: id.into(), title: title.into(), unit: Unit::Time, entries };
        crate::report::table::progress(&row);
        row
    }
}

/// Does something so many times.
type Repeat<'a> = Box<dyn FnMut(u64) -> Result<()> + 'a>;

/// Measures everything that is wanted.
pub(crate) fn measure(run: &Run) -> Result<Vec<Section>> {
    let sections = [
        work::section,
        calls::section,
        instances::section,
        processes::section,
        compiling::section,
        gas::section,
    ];
    let mut measured = Vec::new();
    for section in sections {
        let section = section(run)?;
        if !section.rows.is_empty() {
            measured.push(section);
        }
    }
    Ok(measured)
}
