//! The interpreter.
//!
//! | file | what |
//! |---|---|
//! | `kinds` | the list of operations |
//! | `operations` | what an operation is, and a place among them |
//! | `regions` | the operations of a module, made region by region when they are reached |
//! | `make` | makes the operations of a region |
//! | `fusion` | which operations are executed together |
//! | `handlers` | what each operation does |
//! | `bits` | counting of set bits |
//! | `threaded` | one way from operation to operation: each handler jumps to the next |
//! | `portable` | the other way: a loop |
//! | `execute` | what handlers leave to be done: stops, faults, pages, entries of regions |

mod bits;
mod execute;
mod fusion;
mod handlers;
mod kinds;
mod make;
mod operations;
mod portable;
mod regions;
#[cfg(test)]
mod tests;
#[cfg(all(hatchery_direct_threading, not(debug_assertions)))]
mod threaded;
#[cfg(not(all(hatchery_direct_threading, not(debug_assertions))))]
#[path = "not_threaded.rs"]
mod threaded;

pub(crate) use bits::detect;
pub(crate) use execute::{Machine, RETURN_TO_HOST, Stop};
pub(crate) use operations::Position;
pub(crate) use regions::Regions;
pub(crate) use threaded::DIRECT_THREADING;
/// What the recompiler shares.
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
pub(crate) use {
    execute::stop,
    regions::{BlockNumbers, bit},
};

/// A register, loaded for itself. Compilers like to load two that lie side by side at once; when each has just been stored for itself,
/// as both backends do, the processor makes such a load wait until both have reached the cache.
#[inline(always)]
pub(crate) fn load_alone(register: &u64) -> u64 {
    // SAFETY: it is a reference.
    unsafe { core::ptr::from_ref(register).read_volatile() }
}
