//! The stages of a block's instructions in the gas model's pipeline, drawn cycle by cycle.

use hatchery_engine::gas::{Stages, Timeline};

/// What the letters mean.
pub(crate) const LEGEND: &str = "D decoded, = waits, e executes, E executed, - waits to retire, R retired, m only renames; \
the cost is the number of cycles less 3, at least 1";

/// The widest chart in which all rows share one time axis. In wider ones each row begins where its instruction is decoded.
const WIDEST: u32 = 100;

/// A row for each instruction: the cycle in which it is decoded, then what happens to it.
pub(crate) fn rows(timeline: &Timeline) -> impl Iterator<Item = String> {
    let is_aligned = cycles(timeline) <= WIDEST;
    timeline.instructions.iter().map(move |stages| {
        let indent = if is_aligned { stages.decoded as usize } else { 0 };
        format!("{:>6} {:indent$}{}", stages.decoded, "", row(stages))
    })
}

/// How many cycles the block takes.
pub(crate) fn cycles(timeline: &Timeline) -> u32 {
    let last = |stages: &Stages| stages.execution.map_or(stages.decoded, |execution| execution.retired);
    timeline.instructions.iter().map(last).max().map_or(0, |last| last + 1)
}

/// What happens to an instruction from the cycle on in which it is decoded.
fn row(stages: &Stages) -> String {
    let Some(execution) = stages.execution else { return "m".to_owned() };
    let mut row = String::from("D");
    let mut now = stages.decoded + 1;
    let mut draw = |letter: char, end: u32| {
        row.extend((now..end).map(|_| letter));
        now = now.max(end);
    };
    draw('=', execution.started);
    draw('e', execution.executed);
    draw('E', execution.executed + 1);
    draw('-', execution.retired);
    draw('R', execution.retired + 1);
    row
}

#[cfg(test)]
mod tests {
    use hatchery_engine::gas::Execution;

    use super::*;

    #[test]
    fn each_cycle_has_a_letter() {
        let execution = Execution { started: 4, executed: 7, retired: 10 };
        let waits = Stages { pc: 0, decoded: 2, execution: Some(execution) };
        let renames = Stages { pc: 3, decoded: 3, execution: None };
        assert_eq!(row(&waits), "D=eeeE--R");
        let timeline = Timeline { instructions: vec![waits, renames], cost: 8 };
        assert_eq!(cycles(&timeline), 11);
        assert_eq!(rows(&timeline).collect::<Vec<_>>(), ["     2   D=eeeE--R", "     3    m"]);
    }

    #[test]
    fn wide_charts_have_no_common_axis() {
        let execution = Execution { started: 201, executed: 202, retired: 203 };
        let timeline = Timeline {
            instructions: vec![Stages { pc: 0, decoded: 200, execution: Some(execution) }],
            cost: 201,
        };
        assert_eq!(rows(&timeline).collect::<Vec<_>>(), ["   200 DeER"]);
    }
}
