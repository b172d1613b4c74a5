//! What the calls, hooks and syscalls of this pallet cost.
//!
//! The trait is written by hand in `weights.hbs`, the numbers are measured: by `cargo xtask weights`, on 2026-11-22, with
//! AMD EPYC. That runs `benchmark pallet` of the node (version 64.0.0, 20 steps, 10 repetitions,
//! Compiled) with each backend of guests, keeping no compiled program from run to run, and takes the greatest of each
//! number. `docs/node.md` has more about it.

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
    // At least: 163_464 ns (interpreter), 320_387 ns (recompiler).
    fn upload_code(c: u32) -> Weight {
        Weight::from_parts(390_593_309, 3_604)
            .saturating_add(Weight::from_parts(95_307, 0).saturating_mul(c.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // At least: 71_506 ns (interpreter), 75_863 ns (recompiler).
    fn remove_code() -> Weight {
        Weight::from_parts(102_914_000, 3_604)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // At least: 107_491 ns (interpreter), 112_267 ns (recompiler).
    fn instantiate(i: u32) -> Weight {
        Weight::from_parts(154_398_578, 6_196)
            .saturating_add(Weight::from_parts(1_601, 0).saturating_mul(i.into()))
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    // At least: 60_390 ns (interpreter), 64_476 ns (recompiler).
    fn call(i: u32) -> Weight {
        Weight::from_parts(100_985_534, 6_196)
            .saturating_add(Weight::from_parts(549, 0).saturating_mul(i.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // At least: 100_299 ns (interpreter), 106_349 ns (recompiler).
    fn remove_instance() -> Weight {
        Weight::from_parts(155_982_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(7))
    }

    // At least: 91_065 ns (interpreter), 130_895 ns (recompiler).
    fn compile(c: u32) -> Weight {
        Weight::from_parts(596_232_540, 3_503)
            .saturating_add(Weight::from_parts(113_639, 0).saturating_mul(c.into()))
            .saturating_add(Weight::from_parts(0, 1).saturating_mul(c.into()))
            .saturating_add(T::DbWeight::get().reads(1))
    }

    // At least: 882 ns (interpreter), 1_082 ns (recompiler).
    fn memory(p: u32) -> Weight {
        Weight::from_parts(50_118_445, 0)
            .saturating_add(Weight::from_parts(2_229_213, 0).saturating_mul(p.into()))
    }

    // At least: 2_634 ns (interpreter), 2_704 ns (recompiler).
    fn clear_nothing() -> Weight {
        Weight::from_parts(4_267_000, 1_501).saturating_add(T::DbWeight::get().reads(1))
    }

    // At least: 17_766 ns (interpreter), 20_130 ns (recompiler).
    fn clear_trie() -> Weight {
        Weight::from_parts(23_285_000, 3_730)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // At least: 8_182 ns (interpreter), 9_234 ns (recompiler).
    fn clear_item() -> Weight {
        Weight::from_parts(12_218_000, 4_115)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // At least: 46_900 ns (interpreter), 50_385 ns (recompiler).
    fn clear_deposit() -> Weight {
        Weight::from_parts(77_816_000, 6_132)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // At least: 97_725 ns (interpreter), 103_695 ns (recompiler).
    fn start_job(i: u32) -> Weight {
        Weight::from_parts(153_226_520, 3_604)
            .saturating_add(Weight::from_parts(466, 0).saturating_mul(i.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(8))
    }

    // At least: 98_166 ns (interpreter), 102_302 ns (recompiler).
    fn cancel_job(p: u32) -> Weight {
        Weight::from_parts(141_965_549, 5_732)
            .saturating_add(Weight::from_parts(1_121_806, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(0, 19).saturating_mul(p.into()))
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(8))
            .saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(p.into())))
    }

    // At least: 162_983 ns (interpreter), 164_555 ns (recompiler).
    fn job_slice(p: u32) -> Weight {
        Weight::from_parts(170_699_944, 5_732)
            .saturating_add(Weight::from_parts(43_749_040, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(0, 4_173).saturating_mul(p.into()))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(p.into())))
            .saturating_add(T::DbWeight::get().writes(8))
            .saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(p.into())))
    }

    // At least: 430 ns (interpreter), 471 ns (recompiler).
    fn gas(g: u32) -> Weight {
        Weight::from_parts(1_650_888_909, 0)
            .saturating_add(Weight::from_parts(5_038_454, 0).saturating_mul(g.into()))
    }

    // At least: 982 ns (interpreter), 1_312 ns (recompiler).
    fn syscall_context() -> Weight {
        Weight::from_parts(2_764_000, 0)
    }

    // At least: 741 ns (interpreter), 821 ns (recompiler).
    fn syscall_input(b: u32) -> Weight {
        Weight::from_parts(3_040_752, 0).saturating_add(Weight::from_parts(126, 0).saturating_mul(b.into()))
    }

    // At least: 2_764 ns (interpreter), 3_085 ns (recompiler).
    fn syscall_return_value(b: u32) -> Weight {
        Weight::from_parts(5_928_951, 0).saturating_add(Weight::from_parts(329, 0).saturating_mul(b.into()))
    }

    // At least: 8_863 ns (interpreter), 9_764 ns (recompiler).
    fn syscall_storage_get(v: u32) -> Weight {
        Weight::from_parts(14_746_440, 3_762)
            .saturating_add(Weight::from_parts(833, 0).saturating_mul(v.into()))
            .saturating_add(Weight::from_parts(0, 1).saturating_mul(v.into()))
            .saturating_add(T::DbWeight::get().reads(1))
    }

    // At least: 102_753 ns (interpreter), 105_056 ns (recompiler).
    fn syscall_storage_set(n: u32, o: u32) -> Weight {
        Weight::from_parts(124_027_233, 6_218)
            .saturating_add(Weight::from_parts(972, 0).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(1_349, 0).saturating_mul(o.into()))
            .saturating_add(Weight::from_parts(0, 1).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(7))
    }

    // At least: 52_037 ns (interpreter), 55_433 ns (recompiler).
    fn syscall_storage_remove(o: u32) -> Weight {
        Weight::from_parts(82_158_869, 4_194)
            .saturating_add(Weight::from_parts(911, 0).saturating_mul(o.into()))
            .saturating_add(Weight::from_parts(0, 1).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // At least: 5_879 ns (interpreter), 6_310 ns (recompiler).
    fn syscall_balance() -> Weight {
        Weight::from_parts(11_327_000, 3_593).saturating_add(T::DbWeight::get().reads(1))
    }

    // At least: 45_648 ns (interpreter), 47_781 ns (recompiler).
    fn syscall_transfer() -> Weight {
        Weight::from_parts(73_419_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // At least: 13_310 ns (interpreter), 15_262 ns (recompiler).
    fn syscall_emit_event(t: u32, b: u32) -> Weight {
        Weight::from_parts(11_068_775, 990)
            .saturating_add(Weight::from_parts(3_519_777, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(784, 0).saturating_mul(b.into()))
            .saturating_add(Weight::from_parts(0, 2_475).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(t.into())))
            .saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(t.into())))
    }

    // At least: 59_358 ns (interpreter), 62_984 ns (recompiler).
    fn syscall_call(i: u32) -> Weight {
        Weight::from_parts(91_982_615, 6_196)
            .saturating_add(Weight::from_parts(517, 0).saturating_mul(i.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // At least: 1_802 ns (interpreter), 2_304 ns (recompiler).
    fn syscall_hash(b: u32) -> Weight {
        Weight::from_parts(5_136_903, 0).saturating_add(Weight::from_parts(4_037, 0).saturating_mul(b.into()))
    }

    // At least: 802 ns (interpreter), 1_062 ns (recompiler).
    fn syscall_debug_print(b: u32) -> Weight {
        Weight::from_parts(3_966_093, 0).saturating_add(Weight::from_parts(395, 0).saturating_mul(b.into()))
    }

    // At least: 100_570 ns (interpreter), 104_525 ns (recompiler).
    fn syscall_terminate() -> Weight {
        Weight::from_parts(152_948_000, 8_799)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(8))
    }
}

/// Weights with the costs of RocksDB, for tests.
impl WeightInfo for () {
    // At least: 163_464 ns (interpreter), 320_387 ns (recompiler).
    fn upload_code(c: u32) -> Weight {
        Weight::from_parts(390_593_309, 3_604)
            .saturating_add(Weight::from_parts(95_307, 0).saturating_mul(c.into()))
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(4))
    }

    // At least: 71_506 ns (interpreter), 75_863 ns (recompiler).
    fn remove_code() -> Weight {
        Weight::from_parts(102_914_000, 3_604)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(4))
    }

    // At least: 107_491 ns (interpreter), 112_267 ns (recompiler).
    fn instantiate(i: u32) -> Weight {
        Weight::from_parts(154_398_578, 6_196)
            .saturating_add(Weight::from_parts(1_601, 0).saturating_mul(i.into()))
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(6))
    }

    // At least: 60_390 ns (interpreter), 64_476 ns (recompiler).
    fn call(i: u32) -> Weight {
        Weight::from_parts(100_985_534, 6_196)
            .saturating_add(Weight::from_parts(549, 0).saturating_mul(i.into()))
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // At least: 100_299 ns (interpreter), 106_349 ns (recompiler).
    fn remove_instance() -> Weight {
        Weight::from_parts(155_982_000, 6_196)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(7))
    }

    // At least: 91_065 ns (interpreter), 130_895 ns (recompiler).
    fn compile(c: u32) -> Weight {
        Weight::from_parts(596_232_540, 3_503)
            .saturating_add(Weight::from_parts(113_639, 0).saturating_mul(c.into()))
            .saturating_add(Weight::from_parts(0, 1).saturating_mul(c.into()))
            .saturating_add(RocksDbWeight::get().reads(1))
    }

    // At least: 882 ns (interpreter), 1_082 ns (recompiler).
    fn memory(p: u32) -> Weight {
        Weight::from_parts(50_118_445, 0)
            .saturating_add(Weight::from_parts(2_229_213, 0).saturating_mul(p.into()))
    }

    // At least: 2_634 ns (interpreter), 2_704 ns (recompiler).
    fn clear_nothing() -> Weight {
        Weight::from_parts(4_267_000, 1_501).saturating_add(RocksDbWeight::get().reads(1))
    }

    // At least: 17_766 ns (interpreter), 20_130 ns (recompiler).
    fn clear_trie() -> Weight {
        Weight::from_parts(23_285_000, 3_730)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // At least: 8_182 ns (interpreter), 9_234 ns (recompiler).
    fn clear_item() -> Weight {
        Weight::from_parts(12_218_000, 4_115)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // At least: 46_900 ns (interpreter), 50_385 ns (recompiler).
    fn clear_deposit() -> Weight {
        Weight::from_parts(77_816_000, 6_132)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(3))
    }

    // At least: 97_725 ns (interpreter), 103_695 ns (recompiler).
    fn start_job(i: u32) -> Weight {
        Weight::from_parts(153_226_520, 3_604)
            .saturating_add(Weight::from_parts(466, 0).saturating_mul(i.into()))
            .saturating_add(RocksDbWeight::get().reads(5))
            .saturating_add(RocksDbWeight::get().writes(8))
    }

    // At least: 98_166 ns (interpreter), 102_302 ns (recompiler).
    fn cancel_job(p: u32) -> Weight {
        Weight::from_parts(141_965_549, 5_732)
            .saturating_add(Weight::from_parts(1_121_806, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(0, 19).saturating_mul(p.into()))
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(8))
            .saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(p.into())))
    }

    // At least: 162_983 ns (interpreter), 164_555 ns (recompiler).
    fn job_slice(p: u32) -> Weight {
        Weight::from_parts(170_699_944, 5_732)
            .saturating_add(Weight::from_parts(43_749_040, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(0, 4_173).saturating_mul(p.into()))
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(p.into())))
            .saturating_add(RocksDbWeight::get().writes(8))
            .saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(p.into())))
    }

    // At least: 430 ns (interpreter), 471 ns (recompiler).
    fn gas(g: u32) -> Weight {
        Weight::from_parts(1_650_888_909, 0)
            .saturating_add(Weight::from_parts(5_038_454, 0).saturating_mul(g.into()))
    }

    // At least: 982 ns (interpreter), 1_312 ns (recompiler).
    fn syscall_context() -> Weight {
        Weight::from_parts(2_764_000, 0)
    }

    // At least: 741 ns (interpreter), 821 ns (recompiler).
    fn syscall_input(b: u32) -> Weight {
        Weight::from_parts(3_040_752, 0).saturating_add(Weight::from_parts(126, 0).saturating_mul(b.into()))
    }

    // At least: 2_764 ns (interpreter), 3_085 ns (recompiler).
    fn syscall_return_value(b: u32) -> Weight {
        Weight::from_parts(5_928_951, 0).saturating_add(Weight::from_parts(329, 0).saturating_mul(b.into()))
    }

    // At least: 8_863 ns (interpreter), 9_764 ns (recompiler).
    fn syscall_storage_get(v: u32) -> Weight {
        Weight::from_parts(14_746_440, 3_762)
            .saturating_add(Weight::from_parts(833, 0).saturating_mul(v.into()))
            .saturating_add(Weight::from_parts(0, 1).saturating_mul(v.into()))
            .saturating_add(RocksDbWeight::get().reads(1))
    }

    // At least: 102_753 ns (interpreter), 105_056 ns (recompiler).
    fn syscall_storage_set(n: u32, o: u32) -> Weight {
        Weight::from_parts(124_027_233, 6_218)
            .saturating_add(Weight::from_parts(972, 0).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(1_349, 0).saturating_mul(o.into()))
            .saturating_add(Weight::from_parts(0, 1).saturating_mul(o.into()))
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(7))
    }

    // At least: 52_037 ns (interpreter), 55_433 ns (recompiler).
    fn syscall_storage_remove(o: u32) -> Weight {
        Weight::from_parts(82_158_869, 4_194)
            .saturating_add(Weight::from_parts(911, 0).saturating_mul(o.into()))
            .saturating_add(Weight::from_parts(0, 1).saturating_mul(o.into()))
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(4))
    }

    // At least: 5_879 ns (interpreter), 6_310 ns (recompiler).
    fn syscall_balance() -> Weight {
        Weight::from_parts(11_327_000, 3_593).saturating_add(RocksDbWeight::get().reads(1))
    }

    // At least: 45_648 ns (interpreter), 47_781 ns (recompiler).
    fn syscall_transfer() -> Weight {
        Weight::from_parts(73_419_000, 6_196)
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // At least: 13_310 ns (interpreter), 15_262 ns (recompiler).
    fn syscall_emit_event(t: u32, b: u32) -> Weight {
        Weight::from_parts(11_068_775, 990)
            .saturating_add(Weight::from_parts(3_519_777, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(784, 0).saturating_mul(b.into()))
            .saturating_add(Weight::from_parts(0, 2_475).saturating_mul(t.into()))
            .saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(t.into())))
            .saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(t.into())))
    }

    // At least: 59_358 ns (interpreter), 62_984 ns (recompiler).
    fn syscall_call(i: u32) -> Weight {
        Weight::from_parts(91_982_615, 6_196)
            .saturating_add(Weight::from_parts(517, 0).saturating_mul(i.into()))
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // At least: 1_802 ns (interpreter), 2_304 ns (recompiler).
    fn syscall_hash(b: u32) -> Weight {
        Weight::from_parts(5_136_903, 0).saturating_add(Weight::from_parts(4_037, 0).saturating_mul(b.into()))
    }

    // At least: 802 ns (interpreter), 1_062 ns (recompiler).
    fn syscall_debug_print(b: u32) -> Weight {
        Weight::from_parts(3_966_093, 0).saturating_add(Weight::from_parts(395, 0).saturating_mul(b.into()))
    }

    // At least: 100_570 ns (interpreter), 104_525 ns (recompiler).
    fn syscall_terminate() -> Weight {
        Weight::from_parts(152_948_000, 8_799)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(8))
    }
}
