//! What calls cost, in gas. These numbers are part of consensus: whoever changes one changes what every tree of processes costs.
//!
//! All is charged before the work is done, from the one meter of the tree. Where gas is short nothing is charged and nothing is
//! done, and the call is made again when there is more. Where a call fails, what was done until then is charged.
//!
//! How they were chosen: a unit of the default gas model is a cycle of a processor, so that nothing here may take longer than a third of a
//! nanosecond for each gas, on whichever backend, in the worst case. `cargo bench -p hatchery-scheduler` measures that; the figures
//! behind the constants are from 2026-11-21, of an AMD EPYC with Zen 5. `docs/processes.md` has all of them.

/// Every call, whatever it returns. Half of a read and a write that meet takes 65 to 80 ns, and took 125 to 140 when this was chosen;
/// other calls take 40 to 50.
pub const CALL: u64 = 400;

/// [`Call::Id`](crate::Call::Id) and [`Call::Gas`](crate::Call::Gas): 30 to 35 ns.
pub const QUERY: u64 = 120;

/// Starting a process, its end included: 1.3 us where a window is at hand, some 5 us more where one has to be taken from another
/// process.
pub const SPAWN: u64 = 20_000;

/// Replacing a program: 1.2 us, and as much more as for a new process.
pub const EXEC: u64 = 20_000;

/// Each byte of a program that has to be compiled, whether the host has it compiled already or not. Ordinary programs take 15 ns
/// (interpreter) to 38 ns (recompiler), blocks of one byte 131 ns and 79 ns, up to their first execution.
pub const COMPILE_BYTE: u64 = 400;

/// So many bytes are copied for one gas: through pipes (0.04 ns a byte), arguments (0.1 ns), identifiers.
pub const BYTES_PER_GAS: u64 = 4;

/// Each page of 4096 bytes that a buffer lies in, touched or not.
pub const PAGE: u64 = 16;

/// Each descriptor that is handed on or listed.
pub const DESCRIPTOR: u64 = 60;

/// What copying so many bytes costs.
pub const fn copy(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_GAS)
}

/// What a buffer of so many bytes at an address costs.
pub(crate) const fn pages(address: u32, bytes: u64) -> u64 {
    let first = (address >> 12) as u64;
    let end = (address as u64).saturating_add(bytes).div_ceil(4096);
    if bytes == 0 { 0 } else { (end - first).saturating_mul(PAGE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consensus_constants_are_pinned() {
        assert_eq!((CALL, QUERY, SPAWN, EXEC), (400, 120, 20_000, 20_000));
        assert_eq!((COMPILE_BYTE, BYTES_PER_GAS, PAGE, DESCRIPTOR), (400, 4, 16, 60));
    }

    #[test]
    fn bytes_and_pages_are_rounded_up() {
        assert_eq!([0, 1, 4, 5, 1024].map(copy), [0, 1, 1, 2, 256]);
        assert_eq!(pages(4095, 0), 0);
        assert_eq!(pages(4095, 1), PAGE);
        assert_eq!(pages(4095, 2), 2 * PAGE);
        assert_eq!(pages(0, 4096), PAGE);
        assert_eq!(pages(u32::MAX, 1), PAGE);
        assert_eq!(pages(0, 1 << 32), (1 << 20) * PAGE);
        assert!(pages(1, u64::MAX) > 1 << 55);
    }
}
