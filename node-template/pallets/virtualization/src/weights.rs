//! What the calls, hooks and syscalls of this pallet cost.
//!
//! The trait is written by hand, the numbers are measured, on 2026-11-21 on one core of a shared AMD EPYC (Zen 5). The runtime
//! ran as Wasm in `sc-executor` 0.51 (pooling, copy on write), guests on the interpreter, with no compiled program kept
//! between two runs; components at their least, middle and greatest values, 30 rounds each. Times are the processor's: medians,
//! and lines through them (`frame_benchmarking::Analysis`) that are raised until no median is above. A proof is what was
//! recorded, and for each read 2,475 bytes more, as in a trie of a million entries.
//!
//! `benchmark pallet` of a node that is built with `runtime-benchmarks` measures the same on other machines.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{Weight, constants::RocksDbWeight},
};

/// What the calls, hooks and syscalls of this pallet cost. Lengths are in bytes.
pub trait WeightInfo {
    /// `upload_code` of a program of `c` bytes.
    fn upload_code(c: u32) -> Weight;
    /// `remove_code`.
    fn remove_code() -> Weight;
    /// `instantiate` with `i` bytes of input, without the program's compilation and execution.
    fn instantiate(i: u32) -> Weight;
    /// `call` with `i` bytes of input, without the program's compilation and execution.
    fn call(i: u32) -> Weight;
    /// `remove_instance`.
    fn remove_instance() -> Weight;
    /// Reading and compiling a program of `c` bytes.
    fn compile(c: u32) -> Weight;
    /// The memory of a machine, `p` pages of it, each written for the first time.
    fn memory(p: u32) -> Weight;
    /// Clearing when nothing is to be cleared.
    fn clear_nothing() -> Weight;
    /// Clearing an empty child trie.
    fn clear_trie() -> Weight;
    /// Clearing an item of a child trie.
    fn clear_item() -> Weight;
    /// Releasing the deposit of one account for a child trie.
    fn clear_deposit() -> Weight;
    /// `start_job` with `i` bytes of input, of one program.
    fn start_job(i: u32) -> Weight;
    /// `cancel_job` of a job of which `p` pages are stored.
    fn cancel_job(p: u32) -> Weight;
    /// A slice of a job of which `p` pages are read and written, and its end, without the programs' compilation and execution.
    fn job_slice(p: u32) -> Weight;
    /// `g` thousand gas, spent on what takes the longest for its gas.
    fn gas(g: u32) -> Weight;
    /// A syscall that tells something that is known already.
    fn syscall_context() -> Weight;
    /// `input_v1` and `returned_v1`, of `b` bytes.
    fn syscall_input(b: u32) -> Weight;
    /// `return_value_v1` and `revert_v1`, of `b` bytes.
    fn syscall_return_value(b: u32) -> Weight;
    /// `storage_get_v1` of a value of `v` bytes.
    fn syscall_storage_get(v: u32) -> Weight;
    /// `storage_set_v1` of a value of `n` bytes that replaces one of `o` bytes.
    fn syscall_storage_set(n: u32, o: u32) -> Weight;
    /// `storage_remove_v1` of a value of `o` bytes.
    fn syscall_storage_remove(o: u32) -> Weight;
    /// `balance_v1`.
    fn syscall_balance() -> Weight;
    /// `transfer_v1`.
    fn syscall_transfer() -> Weight;
    /// `emit_event_v1` with `t` topics and `b` bytes.
    fn syscall_emit_event(t: u32, b: u32) -> Weight;
    /// `call_v1` with `i` bytes of input, without the callee's compilation and execution.
    fn syscall_call(i: u32) -> Weight;
    /// The dearest hash of `b` bytes.
    fn syscall_hash(b: u32) -> Weight;
    /// `debug_print_v1` of `b` bytes.
    fn syscall_debug_print(b: u32) -> Weight;
    /// `terminate_v1`.
    fn syscall_terminate() -> Weight;
}

/// Weights with the costs of the runtime's database.
#[derive(Debug)]
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Least time: 78_327 ns.
    fn upload_code(c: u32) -> Weight {
        Weight::from_parts(5_165_169_296, 7_477)
            .saturating_add(Weight::from_parts(19_306, 0).saturating_mul(c.into()))
            .saturating_add(T::DbWeight::get().reads_writes(3, 4))
    }

    // Least time: 68_026 ns.
    fn remove_code() -> Weight {
        Weight::from_parts(72_729_000, 7_664).saturating_add(T::DbWeight::get().reads_writes(3, 4))
    }

    // Least time: 137_174 ns.
    fn instantiate(i: u32) -> Weight {
        Weight::from_parts(143_302_608, 15_089)
            .saturating_add(Weight::from_parts(1_872, 0).saturating_mul(i.into()))
            .saturating_add(T::DbWeight::get().reads_writes(6, 6))
    }

    // Least time: 60_490 ns.
    fn call(i: u32) -> Weight {
        Weight::from_parts(67_045_600, 10_425)
            .saturating_add(Weight::from_parts(900, 0).saturating_mul(i.into()))
            .saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }

    // Least time: 109_944 ns.
    fn remove_instance() -> Weight {
        Weight::from_parts(113_269_000, 15_503).saturating_add(T::DbWeight::get().reads_writes(6, 7))
    }

    // Least time: 108_071 ns.
    fn compile(c: u32) -> Weight {
        Weight::from_parts(15_860_192, 2_483)
            .saturating_add(Weight::from_parts(97_707, 1).saturating_mul(c.into()))
            .saturating_add(T::DbWeight::get().reads_writes(1, 0))
    }

    // Least time: 1_000 ns.
    fn memory(p: u32) -> Weight {
        Weight::from_parts(20_000_000, 0)
            .saturating_add(Weight::from_parts(1_000_000, 0).saturating_mul(p.into()))
    }

    // Least time: 1_623 ns.
    fn clear_nothing() -> Weight {
        Weight::from_parts(1_722_000, 2_475).saturating_add(T::DbWeight::get().reads_writes(1, 0))
    }

    // Least time: 19_168 ns.
    fn clear_trie() -> Weight {
        Weight::from_parts(20_400_000, 10_139).saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }

    // Least time: 7_491 ns.
    fn clear_item() -> Weight {
        Weight::from_parts(8_192_000, 3_029).saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }

    // Least time: 50_916 ns.
    fn clear_deposit() -> Weight {
        Weight::from_parts(53_369_000, 10_440).saturating_add(T::DbWeight::get().reads_writes(4, 3))
    }

    // Put together, not measured: see `jobs`.
    fn start_job(i: u32) -> Weight {
        jobs::start_job::<Self>(i)
    }

    // Put together, not measured: see `jobs`.
    fn cancel_job(p: u32) -> Weight {
        jobs::cancel_job::<Self>(p)
    }

    // Put together, not measured: see `jobs`.
    fn job_slice(p: u32) -> Weight {
        jobs::job_slice::<Self>(p)
    }

    // Least time: 1_482 ns.
    fn gas(g: u32) -> Weight {
        Weight::from_parts(7_473_000, 0)
            .saturating_add(Weight::from_parts(8_548_688, 0).saturating_mul(g.into()))
    }

    // Least time: 2_884 ns.
    fn syscall_context() -> Weight {
        Weight::from_parts(3_245_000, 0)
    }

    // Least time: 2_053 ns.
    fn syscall_input(b: u32) -> Weight {
        Weight::from_parts(2_653_896, 0).saturating_add(Weight::from_parts(103, 0).saturating_mul(b.into()))
    }

    // Least time: 4_296 ns.
    fn syscall_return_value(b: u32) -> Weight {
        Weight::from_parts(5_810_624, 0).saturating_add(Weight::from_parts(507, 0).saturating_mul(b.into()))
    }

    // Least time: 7_171 ns.
    fn syscall_storage_get(v: u32) -> Weight {
        Weight::from_parts(8_393_328, 2_675)
            .saturating_add(Weight::from_parts(783, 1).saturating_mul(v.into()))
            .saturating_add(T::DbWeight::get().reads_writes(1, 0))
    }

    // Least time: 111_707 ns.
    fn syscall_storage_set(n: u32, o: u32) -> Weight {
        Weight::from_parts(124_430_896, 18_008)
            .saturating_add(Weight::from_parts(273, 0).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(116, 1).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads_writes(7, 7))
    }

    // Least time: 54_581 ns.
    fn syscall_storage_remove(o: u32) -> Weight {
        Weight::from_parts(56_283_024, 10_532)
            .saturating_add(Weight::from_parts(703, 1).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads_writes(4, 4))
    }

    // Least time: 6_770 ns.
    fn syscall_balance() -> Weight {
        Weight::from_parts(7_491_000, 2_577).saturating_add(T::DbWeight::get().reads_writes(1, 0))
    }

    // Least time: 47_641 ns.
    fn syscall_transfer() -> Weight {
        Weight::from_parts(49_744_000, 5_052).saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }

    // Least time: 15_913 ns.
    fn syscall_emit_event(t: u32, b: u32) -> Weight {
        Weight::from_parts(15_846_592, 9_900)
            .saturating_add(Weight::from_parts(2_123_000, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(1_053, 0).saturating_mul(b.into()))
            .saturating_add(T::DbWeight::get().reads_writes(4, 4))
    }

    // Least time: 79_759 ns.
    fn syscall_call(i: u32) -> Weight {
        Weight::from_parts(84_986_824, 10_463)
            .saturating_add(Weight::from_parts(482, 0).saturating_mul(i.into()))
            .saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }

    // Least time: 3_806 ns.
    fn syscall_hash(b: u32) -> Weight {
        Weight::from_parts(5_393_768, 0).saturating_add(Weight::from_parts(2_999, 0).saturating_mul(b.into()))
    }

    // Least time: 2_183 ns.
    fn syscall_debug_print(b: u32) -> Weight {
        Weight::from_parts(2_944_448, 0).saturating_add(Weight::from_parts(489, 0).saturating_mul(b.into()))
    }

    // Least time: 108_722 ns.
    fn syscall_terminate() -> Weight {
        Weight::from_parts(113_169_000, 15_323).saturating_add(T::DbWeight::get().reads_writes(6, 8))
    }
}

/// Weights with the costs of RocksDB, for tests.
impl WeightInfo for () {
    // Least time: 78_327 ns.
    fn upload_code(c: u32) -> Weight {
        Weight::from_parts(5_165_169_296, 7_477)
            .saturating_add(Weight::from_parts(19_306, 0).saturating_mul(c.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(3, 4))
    }

    // Least time: 68_026 ns.
    fn remove_code() -> Weight {
        Weight::from_parts(72_729_000, 7_664).saturating_add(RocksDbWeight::get().reads_writes(3, 4))
    }

    // Least time: 137_174 ns.
    fn instantiate(i: u32) -> Weight {
        Weight::from_parts(143_302_608, 15_089)
            .saturating_add(Weight::from_parts(1_872, 0).saturating_mul(i.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(6, 6))
    }

    // Least time: 60_490 ns.
    fn call(i: u32) -> Weight {
        Weight::from_parts(67_045_600, 10_425)
            .saturating_add(Weight::from_parts(900, 0).saturating_mul(i.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(4, 2))
    }

    // Least time: 109_944 ns.
    fn remove_instance() -> Weight {
        Weight::from_parts(113_269_000, 15_503).saturating_add(RocksDbWeight::get().reads_writes(6, 7))
    }

    // Least time: 108_071 ns.
    fn compile(c: u32) -> Weight {
        Weight::from_parts(15_860_192, 2_483)
            .saturating_add(Weight::from_parts(97_707, 1).saturating_mul(c.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(1, 0))
    }

    // Least time: 1_000 ns.
    fn memory(p: u32) -> Weight {
        Weight::from_parts(20_000_000, 0)
            .saturating_add(Weight::from_parts(1_000_000, 0).saturating_mul(p.into()))
    }

    // Least time: 1_623 ns.
    fn clear_nothing() -> Weight {
        Weight::from_parts(1_722_000, 2_475).saturating_add(RocksDbWeight::get().reads_writes(1, 0))
    }

    // Least time: 19_168 ns.
    fn clear_trie() -> Weight {
        Weight::from_parts(20_400_000, 10_139).saturating_add(RocksDbWeight::get().reads_writes(4, 2))
    }

    // Least time: 7_491 ns.
    fn clear_item() -> Weight {
        Weight::from_parts(8_192_000, 3_029).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
    }

    // Least time: 50_916 ns.
    fn clear_deposit() -> Weight {
        Weight::from_parts(53_369_000, 10_440).saturating_add(RocksDbWeight::get().reads_writes(4, 3))
    }

    // Put together, not measured: see `jobs`.
    fn start_job(i: u32) -> Weight {
        jobs::start_job::<Self>(i)
    }

    // Put together, not measured: see `jobs`.
    fn cancel_job(p: u32) -> Weight {
        jobs::cancel_job::<Self>(p)
    }

    // Put together, not measured: see `jobs`.
    fn job_slice(p: u32) -> Weight {
        jobs::job_slice::<Self>(p)
    }

    // Least time: 1_482 ns.
    fn gas(g: u32) -> Weight {
        Weight::from_parts(7_473_000, 0)
            .saturating_add(Weight::from_parts(8_548_688, 0).saturating_mul(g.into()))
    }

    // Least time: 2_884 ns.
    fn syscall_context() -> Weight {
        Weight::from_parts(3_245_000, 0)
    }

    // Least time: 2_053 ns.
    fn syscall_input(b: u32) -> Weight {
        Weight::from_parts(2_653_896, 0).saturating_add(Weight::from_parts(103, 0).saturating_mul(b.into()))
    }

    // Least time: 4_296 ns.
    fn syscall_return_value(b: u32) -> Weight {
        Weight::from_parts(5_810_624, 0).saturating_add(Weight::from_parts(507, 0).saturating_mul(b.into()))
    }

    // Least time: 7_171 ns.
    fn syscall_storage_get(v: u32) -> Weight {
        Weight::from_parts(8_393_328, 2_675)
            .saturating_add(Weight::from_parts(783, 1).saturating_mul(v.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(1, 0))
    }

    // Least time: 111_707 ns.
    fn syscall_storage_set(n: u32, o: u32) -> Weight {
        Weight::from_parts(124_430_896, 18_008)
            .saturating_add(Weight::from_parts(273, 0).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(116, 1).saturating_mul(o.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(7, 7))
    }

    // Least time: 54_581 ns.
    fn syscall_storage_remove(o: u32) -> Weight {
        Weight::from_parts(56_283_024, 10_532)
            .saturating_add(Weight::from_parts(703, 1).saturating_mul(o.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(4, 4))
    }

    // Least time: 6_770 ns.
    fn syscall_balance() -> Weight {
        Weight::from_parts(7_491_000, 2_577).saturating_add(RocksDbWeight::get().reads_writes(1, 0))
    }

    // Least time: 47_641 ns.
    fn syscall_transfer() -> Weight {
        Weight::from_parts(49_744_000, 5_052).saturating_add(RocksDbWeight::get().reads_writes(2, 2))
    }

    // Least time: 15_913 ns.
    fn syscall_emit_event(t: u32, b: u32) -> Weight {
        Weight::from_parts(15_846_592, 9_900)
            .saturating_add(Weight::from_parts(2_123_000, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(1_053, 0).saturating_mul(b.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(4, 4))
    }

    // Least time: 79_759 ns.
    fn syscall_call(i: u32) -> Weight {
        Weight::from_parts(84_986_824, 10_463)
            .saturating_add(Weight::from_parts(482, 0).saturating_mul(i.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(4, 2))
    }

    // Least time: 3_806 ns.
    fn syscall_hash(b: u32) -> Weight {
        Weight::from_parts(5_393_768, 0).saturating_add(Weight::from_parts(2_999, 0).saturating_mul(b.into()))
    }

    // Least time: 2_183 ns.
    fn syscall_debug_print(b: u32) -> Weight {
        Weight::from_parts(2_944_448, 0).saturating_add(Weight::from_parts(489, 0).saturating_mul(b.into()))
    }

    // Least time: 108_722 ns.
    fn syscall_terminate() -> Weight {
        Weight::from_parts(113_169_000, 15_323).saturating_add(RocksDbWeight::get().reads_writes(6, 8))
    }
}

/// Weights of jobs, each put together of measured ones that do more, until the benchmarks of the same names have been run.
mod jobs {
    use super::{Weight, WeightInfo};

    /// Bytes of a page.
    const PAGE: u32 = 4096;

    /// An upload takes a deposit and changes a program's record; an instance takes another deposit, an item and a record.
    pub(super) fn start_job<W: WeightInfo>(i: u32) -> Weight {
        W::upload_code(0).saturating_add(W::instantiate(i))
    }

    /// The end of an instance releases a deposit and changes a program's record. Besides the pages, three items are removed.
    pub(super) fn cancel_job<W: WeightInfo>(p: u32) -> Weight {
        W::remove_instance()
            .saturating_add(W::clear_trie())
            .saturating_add(W::clear_item().saturating_mul(u64::from(p) + 3))
    }

    /// A syscall reads or writes an item with a deposit, which takes more than a page. A snapshot is hashed as it is taken and as it is
    /// restored, by a faster hash than the dearest.
    pub(super) fn job_slice<W: WeightInfo>(p: u32) -> Weight {
        const LONGEST_INPUT: u32 = 64 * 1024;
        let page = W::syscall_storage_get(PAGE).saturating_add(W::syscall_storage_set(PAGE, PAGE));
        let hashes = W::syscall_hash(p.saturating_add(1).saturating_mul(PAGE)).saturating_mul(2);
        W::call(LONGEST_INPUT)
            .saturating_add(W::syscall_storage_get(LONGEST_INPUT))
            .saturating_add(page.saturating_mul(p.into()))
            .saturating_add(hashes)
            .saturating_add(cancel_job::<W>(p))
    }
}
