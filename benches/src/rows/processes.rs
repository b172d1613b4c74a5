//! What processes cost.

use super::Run;
use crate::measure::{Clock, Contestant};
use crate::processes::{Scheduler, Work};
use crate::programs::Processes;
use crate::results::{Row, Section};
use anyhow::Result;

/// The processes of a ring.
const RING: u64 = 17;

pub(super) fn section(run: &Run) -> Result<Section> {
    // How often something is done by one tree, so that making it does not count; and how many of what a row tells that is.
    let rows = [
        ("process-spawn", Work::Spawn, "spawn, exit, wait", 1000, 1),
        ("process-pipe-1", Work::Pipe(1), "1 byte through a pipe, and back through another", 10_000, 1),
        ("process-pipe-1-kib", Work::Pipe(1024), "1 KiB there and back", 10_000, 1),
        ("process-pipe-64-kib", Work::Pipe(65_536), "64 KiB there and back", 5000, 1),
        ("process-ring", Work::Ring, "a byte around 17 processes", 200, 1),
        ("process-park-0", Work::Park(0), "a byte to the next of 17 processes, which is mounted", 100, RING),
        ("process-park-16", Work::Park(16), "the same, and it writes to 16 pages", 100, RING),
        ("process-park-256", Work::Park(256), "the same, and it writes to 256 pages", 100, RING),
    ];
    let wanted: Vec<_> = rows.into_iter().filter(|(id, ..)| run.wants(id)).collect();
    let mut measured = Vec::new();
    if !wanted.is_empty() {
        let schedulers = crate::processes::all(&Processes::load()?);
        for (id, work, title, times, things) in wanted {
            measured.push(row(run, &schedulers, (id, title), work, times, times * things));
        }
    }
    Ok(Section {
        id: "processes".into(),
        title: "Processes".into(),
        text: "Schedulers of processes: the same program, `benches/guests/processes`, on Hatchery's and on ckb-script's. ckb-script loads a \
               program each time that it is started; Hatchery has compiled it once. ckb-script keeps four processes in memory and \
               puts others away; of Hatchery's engines in the rows about mounting only one process at a time has memory that it can \
               run in, so that each change of processes parks one and mounts one. What native code touches for the first time after \
               mounting is refused by the processor once for each page, and then provided."
            .into(),
        rows: measured,
    })
}

fn row(
    run: &Run,
    schedulers: &[(&'static str, Result<Box<dyn Scheduler>>)],
    (id, title): (&str, &str),
    work: Work,
    times: u64,
    things: u64,
) -> Row {
    let contestants = schedulers.iter().map(|(name, scheduler)| {
        let contestant = match scheduler {
            Ok(scheduler) => Ok(Contestant {
                clock: Clock::Processor,
                repeat: Box::new(move |trees| (0..trees).try_for_each(|_| scheduler.run(work, times))),
            }),
            Err(error) => Err(anyhow::anyhow!("{error:#}")),
        };
        ((*name).to_owned(), contestant)
    });
    run.compete(id, title, things as f64, contestants.collect())
}
