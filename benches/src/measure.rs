//! Time, and what is made of it.
//!
//! Contestants take turns: one sample of each, then the next of each, so that whatever disturbs the machine disturbs all of them. A
//! sample is as many calls as take long enough to be measured well.

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which time is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Clock {
    /// Processor time of the thread: what else runs on the machine counts for little.
    Processor,
    /// Time on the wall.
    Wall,
}

impl Clock {
    fn now(self) -> Duration {
        let time = match self {
            Self::Processor => clock_gettime(ClockId::ThreadCPUTime),
            Self::Wall => clock_gettime(ClockId::Monotonic),
        };
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Samples of each contestant.
    pub(crate) rounds: usize,
    /// What a sample takes at least.
    pub(crate) sample: Duration,
}

impl Plan {
    pub(crate) const FULL: Self = Self { rounds: 21, sample: Duration::from_millis(20) };
    pub(crate) const QUICK: Self = Self { rounds: 5, sample: Duration::from_millis(4) };
}

/// What is measured, of one engine.
pub(crate) struct Contestant<'a> {
    pub(crate) clock: Clock,
    /// Does it so many times.
    pub(crate) repeat: Box<dyn FnMut(u64) -> Result<()> + 'a>,
}

/// A distribution of times, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Times {
    /// Half of the samples took less.
    pub(crate) median: f64,
    /// A quarter of the samples took less.
    pub(crate) low: f64,
    /// A quarter of the samples took more.
    pub(crate) high: f64,
    /// The shortest.
    pub(crate) least: f64,
    /// How many samples there are.
    pub(crate) samples: usize,
}

impl Times {
    /// Of at least one sample.
    fn of(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * samples.len().checked_sub(1)? as f64;
            let (below, above) = (samples.get(place.floor() as usize)?, samples.get(place.ceil() as usize)?);
            Some(below + (above - below) * place.fract())
        };
        Some(Self {
            median: at(0.5)?,
            low: at(0.25)?,
            high: at(0.75)?,
            least: at(0.0)?,
            samples: samples.len(),
        })
    }

    /// All times divided by the same: of one of several things that a sample did.
    pub(crate) fn per(self, things: f64) -> Self {
        Self {
            median: self.median / things,
            low: self.low / things,
            high: self.high / things,
            least: self.least / things,
            samples: self.samples,
        }
    }

    /// Half the distance of the quartiles, as part of the median.
    pub(crate) fn spread(&self) -> f64 {
        (self.high - self.low) / 2.0 / self.median
    }
}

/// Measures contestants in turns. One that fails is out.
pub(crate) fn compete(plan: Plan, contestants: Vec<Contestant<'_>>) -> Vec<Result<Times>> {
    let mut all: Vec<Result<(Contestant<'_>, u64, Vec<f64>)>> = contestants
        .into_iter()
        .map(|mut contestant| {
            let times = calibrate(plan, &mut contestant)?;
            Ok((contestant, times, Vec::new()))
        })
        .collect();
    for _ in 0..plan.rounds {
        for entry in &mut all {
            if let Ok((contestant, times, samples)) = entry {
                match time(contestant, *times) {
                    Ok(taken) => samples.push(taken.as_nanos() as f64 / *times as f64),
                    Err(error) => *entry = Err(error),
                }
            }
        }
    }
    all.into_iter()
        .map(|entry| entry.and_then(|(_, _, samples)| Times::of(samples).context("no samples")))
        .collect()
}

/// How many times something has to be done to take long enough.
fn calibrate(plan: Plan, contestant: &mut Contestant<'_>) -> Result<u64> {
    let mut times = 1;
    loop {
        let taken = time(contestant, times)?;
        if taken >= plan.sample {
            return Ok(times);
        }
        // Twice what seems to be needed is never tried, but at least twice as often as before.
        let needed = plan.sample.as_secs_f64() / taken.as_secs_f64().max(1e-7);
        times = (times as f64 * needed.clamp(2.0, 100.0) * 1.05).ceil() as u64;
    }
}

fn time(contestant: &mut Contestant<'_>, times: u64) -> Result<Duration> {
    let before = contestant.clock.now();
    (contestant.repeat)(times)?;
    Ok(contestant.clock.now().saturating_sub(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_between_samples() {
        let times = Times::of(vec![4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((times.least, times.low, times.median, times.high), (1.0, 1.75, 2.5, 3.25));
        assert_eq!(times.per(2.0).median, 1.25);
        assert!((times.spread() - 0.3).abs() < 1e-9);
        assert_eq!(Times::of(Vec::new()), None);
    }

    #[test]
    fn contestants_take_turns_and_failures_are_told() {
        let order = std::cell::RefCell::new(String::new());
        let plan = Plan { rounds: 3, sample: Duration::ZERO };
        let contestant = |name: char| Contestant {
            clock: Clock::Wall,
            repeat: Box::new({
                let order = &order;
                move |_| {
                    order.borrow_mut().push(name);
                    anyhow::ensure!(name != 'x' || order.borrow().len() < 5, "out");
                    Ok(())
                }
            }),
        };
        let times = compete(plan, vec![contestant('a'), contestant('x'), contestant('b')]);
        // The first of each is for the calibration.
        assert_eq!(order.borrow().as_str(), "axbaxbabab");
        assert!(times[0].is_ok() && times[2].is_ok());
        assert_eq!(times[1].as_ref().unwrap_err().to_string(), "out");
    }
}
