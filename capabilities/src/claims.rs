//! What calls that have not ended have put into a directory: it goes away again with what they give up.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use crate::cap::Cap;
use crate::hash::CapHash;

/// What a call from outside has put into a directory where nobody else has it.
///
/// Where this is dropped, what is still in it is nobody's: the directory forgets it when it looks next.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// None before anything was made.
    claimant: Option<Arc<()>>,
    /// With the times at which they were made, or what they name.
    made: BTreeSet<(u64, CapHash)>,
    times: HashMap<CapHash, u64>,
    clock: u64,
}

/// The calls that have made something which nobody else keeps.
#[derive(Debug, Default)]
pub(crate) struct Claimants(Vec<Weak<()>>);

impl Claims {
    /// The time of what is made next; at the time 0 nothing was made.
    pub(crate) const fn now(&self) -> u64 {
        self.clock + 1
    }

    /// Takes note that the call has made this, beside others perhaps.
    ///
    /// Nodes and instances are put when they are settled, which is paid once, by who has changed them: they stay as long as what they
    /// name, for others that hold them, even if who had them settled faults.
    pub(crate) fn note(&mut self, hash: CapHash, cap: &Cap, claimants: &mut Claimants) {
        if !claimants.contain(self) {
            claimants.0.push(Arc::downgrade(self.claimant.get_or_insert_default()));
        }
        if self.times.contains_key(&hash) {
            return;
        }
        let time = match cap {
            Cap::CNode(_) | Cap::Instance(_) => {
                let named = cap.references().into_iter().filter_map(|(named, _)| self.times.get(&named));
                named.copied().max().unwrap_or(0)
            }
            Cap::Image(_) | Cap::Data(_) | Cap::Type(_) => {
                self.clock += 1;
                self.clock
            }
        };
        self.made.insert((time, hash));
        self.times.insert(hash, time);
    }

    /// Something that was made at this time or later, which is the call's no more.
    pub(crate) fn give_up(&mut self, since: u64) -> Option<CapHash> {
        let &(time, hash) = self.made.last().filter(|(time, _)| *time >= since)?;
        self.made.remove(&(time, hash));
        self.times.remove(&hash);
        Some(hash)
    }

    fn are_of(&self, claimant: &Weak<()>) -> bool {
        self.claimant.as_ref().is_some_and(|own| Arc::as_ptr(own) == claimant.as_ptr())
    }

    /// All that was made.
    pub(crate) fn made(&self) -> impl Iterator<Item = CapHash> {
        self.made.iter().map(|&(_, hash)| hash)
    }
}

impl Claimants {
    /// Whether this call is among them.
    pub(crate) fn contain(&self, claims: &Claims) -> bool {
        self.0.iter().any(|other| claims.are_of(other))
    }

    /// Removes a call.
    pub(crate) fn remove(&mut self, claims: &Claims) {
        self.0.retain(|other| !claims.are_of(other));
    }

    /// Whether no call is left that could still want it.
    pub(crate) fn are_gone(&self) -> bool {
        self.0.iter().all(|claimant| claimant.strong_count() == 0)
    }
}
