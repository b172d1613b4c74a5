//! Benchmarks of Hatchery beside its peers: `cargo bench -p hatchery-benches`.
//!
//! | benchmark | what |
//! |---|---|
//! | `gas` | the cost of every block of a program, under the pipeline model |

#![forbid(unsafe_code)]
