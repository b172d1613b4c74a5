//! Calls: a Fibonacci number by its definition.

/// The `n`-th Fibonacci number.
#[must_use]
pub fn run(n: u64) -> u64 {
    if n < 2 { n } else { core::hint::black_box(run)(n - 1) + run(n - 2) }
}
