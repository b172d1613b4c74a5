//! Contracts to run, as `guests/` has them.

/// Counts in its storage, and has an export for each way in which a call can end: `guests/tally`.
pub const TALLY: &[u8] = include_bytes!("../../../guests/blobs/jam-v1/tally.polkavm");

/// Counts primes, without a syscall: `guests/primes`.
pub const PRIMES: &[u8] = include_bytes!("../../../guests/blobs/jam-v1/primes.polkavm");

/// Where `tally` stores its count, as 8 bytes, the lowest first.
pub const TALLY_COUNT: &[u8] = b"count";

/// A program with an export for every way to trap.
pub const TRAPS: &[u8] = include_bytes!("../../../guests/blobs/jam-v1/traps.polkavm");

/// The same program with the names of its functions.
pub const TRAPS_WITH_NAMES: &[u8] = include_bytes!("../../../guests/blobs/jam-v1-with-lines/traps.polkavm");

/// Does what its input says: `guests/script`.
pub const SCRIPT: &[u8] = include_bytes!("../../../guests/blobs/jam-v1/script.polkavm");
