//! Counting of set bits, with the processor's instruction where it has it.
//!
//! Code for every processor does it in a dozen operations, so that a guest's loop of nothing else would take more time for its gas
//! than any other by half.

pub(crate) use native::detect;
pub(super) use native::set_bits;

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod native {
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Whether the processor has the instruction. The standard library's own memory of that is read by a call, for which a handler
    /// would have to save what it holds in registers.
    static HAS_POPCNT: AtomicBool = AtomicBool::new(false);

    /// Looks what the processor has. Until then, bits are counted without.
    pub(crate) fn detect() {
        HAS_POPCNT.store(std::is_x86_feature_detected!("popcnt"), Ordering::Relaxed);
    }

    /// The number of bits that are set.
    #[inline(always)]
    pub(in super::super) fn set_bits(value: u64) -> u64 {
        if !HAS_POPCNT.load(Ordering::Relaxed) {
            return u64::from(value.count_ones());
        }
        let count: u64;
        // SAFETY: the processor has the instruction, which reads and writes nothing but its operand and flags.
        unsafe {
            // In place: some processors wait for the last value of a register that is only written.
            core::arch::asm!("popcnt {0}, {0}", inout(reg) value => count, options(pure, nomem, nostack));
        }
        count
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
mod native {
    pub(crate) const fn detect() {}

    #[inline(always)]
    pub(in super::super) fn set_bits(value: u64) -> u64 {
        u64::from(value.count_ones())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_language() {
        let ones = (0..=64).map(|count| 1_u64.checked_shl(count).unwrap_or(0).wrapping_sub(1));
        let single = (0..64).map(|bit| 1 << bit);
        let mixed = [0x8000_0000_0000_0001, 0x0123_4567_89ab_cdef, u64::MAX - 1, 0x5555_5555_5555_5555];
        let values: Vec<u64> = ones.chain(single).chain(mixed).collect();
        let check = || {
            for value in &values {
                assert_eq!(set_bits(*value), u64::from(value.count_ones()), "{value:#x}");
            }
        };
        check();
        detect();
        check();
    }
}
