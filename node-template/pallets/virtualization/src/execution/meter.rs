//! Weight that a call may use, and gas, which is weight to a guest.

use crate::Resource;
use frame_support::weights::Weight;

/// How much weight was used, and how much may be.
///
/// There is one meter for a whole call. What one instance forwards to another is a nearer limit for the time being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meter {
    /// Used so far.
    pub(crate) consumed: Weight,
    /// The most that was counted as used at any time; more than `consumed` after a refund.
    pub(crate) peak: Weight,
    limit: Weight,
    ref_time_per_gas: u64,
}

impl Meter {
    pub(crate) fn new(limit: Weight, ref_time_per_gas: u64) -> Self {
        Self {
            consumed: Weight::zero(),
            peak: Weight::zero(),
            limit,
            ref_time_per_gas: ref_time_per_gas.max(1),
        }
    }

    /// Uses weight, before what it pays for is done.
    ///
    /// # Errors
    /// Names the part of the limit that does not suffice. Nothing is used then.
    pub(crate) fn charge(&mut self, weight: Weight) -> Result<(), Resource> {
        let consumed = self.consumed.saturating_add(weight);
        if consumed.ref_time() > self.limit.ref_time() {
            return Err(Resource::RefTime);
        }
        if consumed.proof_size() > self.limit.proof_size() {
            return Err(Resource::ProofSize);
        }
        self.set_consumed(consumed);
        Ok(())
    }

    /// Takes back a part of what was charged.
    pub(crate) fn refund(&mut self, weight: Weight) {
        self.consumed = self.consumed.saturating_sub(weight);
    }

    /// The gas that the rest of the limit is.
    pub(crate) fn gas_left(&self) -> i64 {
        let left = self.limit.ref_time().saturating_sub(self.consumed.ref_time());
        i64::try_from(left / self.ref_time_per_gas).unwrap_or(i64::MAX)
    }

    /// Uses the weight of the gas between two readings of a guest's gas.
    pub(crate) fn settle(&mut self, gas_given: i64, gas_left: i64) {
        let gas = u64::try_from(gas_given.saturating_sub(gas_left)).unwrap_or(0);
        let weight = Weight::from_parts(gas.saturating_mul(self.ref_time_per_gas), 0);
        self.set_consumed(self.consumed.saturating_add(weight));
    }

    /// Narrows the limit to `gas` from now on, if that is nearer. Gives the limit to go back to.
    pub(crate) fn forward(&mut self, gas: u64) -> Weight {
        let outer = self.limit;
        let forwarded = self.consumed.ref_time().saturating_add(gas.saturating_mul(self.ref_time_per_gas));
        self.limit = outer.set_ref_time(outer.ref_time().min(forwarded));
        outer
    }

    /// Goes back to the limit that was before [`Self::forward`].
    pub(crate) fn restore(&mut self, outer: Weight) {
        self.limit = outer;
    }

    fn set_consumed(&mut self, consumed: Weight) {
        self.consumed = consumed;
        self.peak = self.peak.max(consumed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(ref_time: u64, proof_size: u64) -> Meter {
        Meter::new(Weight::from_parts(ref_time, proof_size), 10)
    }

    #[test]
    fn a_charge_beyond_the_limit_uses_nothing_and_names_what_is_missing() {
        let mut meter = meter(100, 50);
        assert_eq!(meter.charge(Weight::from_parts(100, 50)), Ok(()));
        meter.refund(Weight::from_parts(60, 20));
        let before = meter;
        assert_eq!(meter.charge(Weight::from_parts(61, 0)), Err(Resource::RefTime));
        assert_eq!(meter.charge(Weight::from_parts(60, 21)), Err(Resource::ProofSize));
        assert_eq!(meter, before);
        assert_eq!(meter.peak, Weight::from_parts(100, 50));
        assert_eq!(meter.charge(Weight::from_parts(60, 20)), Ok(()));
    }

    #[test]
    fn gas_is_what_is_left_rounded_down() {
        let mut meter = meter(109, 0);
        assert_eq!(meter.gas_left(), 10);
        meter.settle(10, 7);
        assert_eq!(meter.consumed, Weight::from_parts(30, 0));
        assert_eq!(meter.gas_left(), 7);
        // The part of a gas that is left over stays.
        meter.settle(7, 0);
        assert_eq!(meter.gas_left(), 0);
        assert_eq!(meter.consumed.ref_time(), 100);
    }

    #[test]
    fn forwarded_gas_is_a_nearer_limit_never_a_farther_one() {
        let mut meter = meter(100, 5);
        meter.settle(10, 8);
        let outer = meter.forward(3);
        assert_eq!(meter.gas_left(), 3);
        let inner = meter.forward(1000);
        assert_eq!(meter.gas_left(), 3);
        meter.settle(3, 1);
        meter.restore(inner);
        assert_eq!(meter.gas_left(), 1);
        meter.restore(outer);
        assert_eq!(meter.gas_left(), 6);
        meter.forward(u64::MAX);
        assert_eq!(meter.gas_left(), 6);
    }

    #[test]
    fn more_than_fits_into_an_i64_is_given_as_its_greatest() {
        let mut meter = Meter::new(Weight::MAX, 1);
        assert_eq!(meter.gas_left(), i64::MAX);
        meter.settle(i64::MAX, i64::MIN);
        assert_eq!(meter.consumed.ref_time(), i64::MAX as u64);
    }
}
