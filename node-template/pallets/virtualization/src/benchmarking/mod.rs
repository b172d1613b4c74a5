//! Benchmarks of every call, hook and syscall, and of what one gas takes.
//!
//! They need externalities with a manager that keeps no compiled programs, so that compiling is measured.

#![allow(missing_docs, missing_debug_implementations, reason = "what the macro makes")]

pub(crate) mod programs;

use crate::{
    BalanceOf, Call, CodeHash, Config, Event, Instances, JobId, JobTarget, Jobs, Pallet, RemovalQueue,
    Removals, StorageDeposits,
    deposits::DepositMeter,
    execution::{BUFFER, Suspended},
    items::{ItemOf, child_trie, trie_key},
    jobs::PAGE,
    removals,
};
use alloc::{vec, vec::Vec};
use codec::Encode as _;
use frame_benchmarking::v2::*;
use frame_support::{
    BoundedVec,
    storage::child,
    traits::{
        Get,
        fungible::{Inspect as _, Mutate as _},
    },
    weights::Weight,
};
use frame_system::RawOrigin;
use hatchery_primitives::{ExecError, ExecResult, Module};
use sp_runtime::{
    Saturating as _,
    traits::{Bounded as _, One as _},
};

/// The guest that does what its input says.
const SCRIPT: &[u8] = include_bytes!("../../../../../guests/blobs/jam-v1/script.polkavm");

/// The kernel of [`programs`] of which one gas takes the longest: see `benches/gas.rs`.
const SLOWEST_KERNEL: &str = "count_bits";

/// An account that has as much as it could need, and is not in anybody's way.
fn rich<T: Config>(name: &'static str) -> T::AccountId {
    let account: T::AccountId = account(name, 0, 0);
    T::Currency::set_balance(&account, BalanceOf::<T>::max_value() / 1024u32.into());
    account
}

fn upload<T: Config>(owner: &T::AccountId, code: &[u8]) -> CodeHash {
    let code = BoundedVec::try_from(code.to_vec()).expect("benchmarks upload what is short enough");
    Pallet::<T>::do_upload_code(owner.clone(), code).expect("the program is valid and paid for")
}

fn make_instance<T: Config>(owner: &T::AccountId, code_hash: CodeHash, salt: u8) -> T::AccountId {
    let call = Call::<T>::instantiate {
        code_hash,
        value: T::Currency::minimum_balance().saturating_mul(100u32.into()),
        salt: [salt; 32],
        input: BoundedVec::default(),
        gas_limit: most::<T>(),
        storage_deposit_limit: None,
    };
    let origin = RawOrigin::Signed(owner.clone()).into();
    frame_support::traits::UnfilteredDispatchable::dispatch_bypass_filter(call, origin)
        .expect("the instance can be made");
    Pallet::<T>::instance_address(owner, code_hash, &[], &[salt; 32])
}

/// More than any benchmark uses.
fn most<T: Config>() -> Weight {
    T::BlockWeights::get().max_block
}

/// An owner, an instance of the guest `script`, and an account that calls it.
fn script<T: Config>() -> (T::AccountId, T::AccountId, T::AccountId) {
    let owner = rich::<T>("owner");
    let code_hash = upload::<T>(&owner, SCRIPT);
    let instance = make_instance::<T>(&owner, code_hash, 0);
    (owner, instance, rich::<T>("caller"))
}

/// A guest that waits at a syscall.
fn suspended<T: Config>(input: Vec<u8>) -> Suspended<T> {
    let (_, instance, caller) = script::<T>();
    Suspended::new(caller, instance, input)
}

/// A guest that waits at a syscall and has stored an item of `length` bytes that somebody else paid for, at a time when prices
/// were low, so that whatever replaces it has another depositor. The key is the longest, at the start of the buffer.
fn with_item<T: Config>(length: u32) -> Suspended<T> {
    let (owner, instance, caller) = script::<T>();
    let mut before = Suspended::<T>::new(owner, instance.clone(), Vec::new());
    let (key, buffer) = (u64::from(T::MaxKeyLen::get()), before.buffer);
    before.step(b"storage_set_v1", [buffer, key, buffer, length.into()]);
    before.save();
    drop(before);
    let trie_id = Instances::<T>::get(&instance).expect("it was just made").trie_id;
    let (trie, trie_key) = (child_trie(&trie_id), trie_key(&vec![0x5a; key as usize]));
    let mut item: ItemOf<T> = child::get(&trie, &trie_key).expect("it was just stored");
    item.deposit = BalanceOf::<T>::one();
    child::put(&trie, &trie_key, &item);
    let suspended = Suspended::new(caller, instance, Vec::new());
    assert_eq!(suspended.buffer, buffer);
    suspended
}

/// How many pages of a job there can be: their snapshot is a little longer than they are.
fn most_pages<T: Config>() -> u32 {
    T::MaxJobSnapshotLen::get() / PAGE - 1
}

/// A job that has had one slice and changes `pages` pages in each, with its owner.
fn job<T: Config>(pages: u32) -> (T::AccountId, JobId) {
    let owner = rich::<T>("owner");
    let code_hash = upload::<T>(&owner, &programs::pages(pages));
    let gas = Weight::from_parts(T::RefTimePerGas::get().saturating_mul(u64::from(pages) * 100), 0);
    let job = Pallet::<T>::do_start_job(owner.clone(), JobTarget::Code(code_hash), b"main", &[], gas, 2)
        .expect("the job can be started");
    Pallet::<T>::run_jobs(Weight::MAX);
    assert_eq!(Jobs::<T>::get(job).map(|job| job.slices), Some(1));
    (owner, job)
}

/// A removed instance with `items` items and the deposits of `depositors` accounts in its child trie.
fn removed<T: Config>(items: u32, depositors: u32) -> crate::TrieId {
    let (owner, instance, _) = script::<T>();
    let info = Instances::<T>::get(&instance).expect("it was just made");
    let value = vec![1_u8; T::MaxValueLen::get() as usize];
    for number in 0..items {
        let key = vec![number as u8; T::MaxKeyLen::get() as usize];
        child::put(&child_trie(&info.trie_id), &trie_key(&key), &value);
    }
    for number in 0..depositors {
        let depositor: T::AccountId = account("depositor", number, 0);
        T::Currency::set_balance(&depositor, BalanceOf::<T>::max_value() / 1_000_000u32.into());
        let amount = T::Currency::minimum_balance();
        crate::deposits::hold::<T>(crate::HoldReason::Storage, &depositor, amount).expect("it has so much");
        StorageDeposits::<T>::insert(info.trie_id, depositor, amount);
    }
    Pallet::<T>::do_remove_instance(&owner, &instance).expect("the owner can remove it");
    info.trie_id
}

#[benchmarks]
mod benches {
    use super::*;

    /// A program of `c` bytes with as many exports and imports as it may have.
    #[benchmark]
    fn upload_code(c: Linear<4096, { T::MaxCodeLen::get() }>) {
        let owner = rich::<T>("owner");
        let code = programs::symbols(c, crate::MAX_EXPORTS, crate::MAX_IMPORTS);
        let code: BoundedVec<_, _> = code.try_into().expect("it is short enough");
        let code_hash = Pallet::<T>::code_hash(&code);
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), code);
        assert!(crate::CodeInfos::<T>::contains_key(code_hash));
    }

    #[benchmark]
    fn remove_code() {
        let owner = rich::<T>("owner");
        let longest = programs::blocks(T::MaxCodeLen::get());
        let code_hash = upload::<T>(&owner, &longest);
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), code_hash);
        assert!(!crate::CodeInfos::<T>::contains_key(code_hash));
    }

    /// `i` bytes of input, to a constructor that does nothing, of a program that is compiled already.
    #[benchmark]
    fn instantiate(i: Linear<0, { T::MaxPayloadLen::get() }>) {
        let owner = rich::<T>("owner");
        let code_hash = upload::<T>(&owner, &programs::returning("init"));
        // The first use pays for compiling, and reads the program.
        make_instance::<T>(&owner, code_hash, 1);
        let input: BoundedVec<_, _> = vec![1; i as usize].try_into().expect("it is short enough");
        let value = T::Currency::minimum_balance();
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), code_hash, value, [0; 32], input, most::<T>(), None);
        assert_eq!(Instances::<T>::iter_keys().count(), 2);
    }

    /// `i` bytes of input, to an export that does nothing, of a program that is compiled already.
    #[benchmark]
    fn call(i: Linear<0, { T::MaxPayloadLen::get() }>) {
        let (_, instance, caller) = script::<T>();
        let export: BoundedVec<_, _> = b"nothing".to_vec().try_into().expect("it is short enough");
        let input: BoundedVec<_, _> = vec![1; i as usize].try_into().expect("it is short enough");
        let value = T::Currency::minimum_balance();
        let before = T::Currency::balance(&instance);
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), instance.clone(), export, value, input, most::<T>(), None);
        assert_eq!(T::Currency::balance(&instance), before.saturating_add(value));
    }

    #[benchmark]
    fn remove_instance() {
        let (owner, instance, _) = script::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), instance.clone());
        assert!(!Instances::<T>::contains_key(instance));
    }

    /// Reading and compiling a program of `c` bytes, an instance of it, and the first execution of all of its code, as a part
    /// of compiling is put off until then.
    #[benchmark(pov_mode = Measured)]
    fn compile(c: Linear<1024, { T::MaxCodeLen::get() }>) {
        let code: BoundedVec<_, T::MaxCodeLen> = programs::blocks(c).try_into().expect("it is short enough");
        let code_hash = Pallet::<T>::code_hash(&code);
        crate::Codes::<T>::insert(code_hash, code);
        let finished;
        #[block]
        {
            let code = crate::Codes::<T>::get(code_hash).expect("it was just stored");
            // Without its hash as identifier: repetitions share a manager, which would know it from the second on.
            let (module, _) = Module::from_bytes(&code, None).expect("it is valid");
            let execution = module.instantiate().ok().and_then(|machine| machine.prepare(b"main").ok());
            finished = execution.map(|execution| execution.run(i64::MAX, 0));
        }
        assert!(matches!(finished, Some(ExecResult::Finished { .. })));
    }

    /// A machine with `p` pages of memory besides its stack, and a write to each of them.
    #[benchmark]
    fn memory(p: Linear<1, { T::MaxProgramPages::get() - 1 }>) {
        let (module, _) = Module::from_bytes(&programs::touching(p), None).expect("it is valid");
        let run = |pages: u32| {
            let execution = module.instantiate().ok().and_then(|machine| machine.prepare(b"main").ok());
            execution.map(|execution| execution.run(i64::MAX, pages.into()))
        };
        // The first entry into a block is part of compiling. Of memory no more than a page is touched before: what a machine of the
        // same program has touched is there for the next one.
        drop(run(1));
        let finished;
        #[block]
        {
            finished = run(p);
        }
        assert!(matches!(finished, Some(ExecResult::Finished { .. })));
    }

    #[benchmark]
    fn clear_nothing() {
        let used;
        #[block]
        {
            used = Pallet::<T>::clear_removed(most::<T>());
        }
        assert!(used.all_lte(most::<T>()));
    }

    #[benchmark]
    fn clear_trie() {
        let trie_id = removed::<T>(0, 0);
        #[block]
        {
            Pallet::<T>::clear_removed(most::<T>());
        }
        assert_eq!(Removals::<T>::iter().count(), 0);
        assert_eq!(RemovalQueue::<T>::get().first, 1);
        frame_system::Pallet::<T>::assert_last_event(Event::<T>::StorageCleared { trie_id }.into());
    }

    /// One item of the greatest size, among others.
    #[benchmark]
    fn clear_item() {
        let trie_id = removed::<T>(20, 0);
        let next;
        #[block]
        {
            next = removals::clear_next_item(&trie_id, &[]);
        }
        assert!(next.is_some());
    }

    #[benchmark]
    fn clear_deposit() {
        let trie_id = removed::<T>(0, 2);
        #[block]
        {
            removals::release_next_deposit::<T>(&mut StorageDeposits::<T>::drain_prefix(trie_id));
        }
        assert_eq!(StorageDeposits::<T>::iter_prefix(trie_id).count(), 1);
    }

    /// `i` bytes of input, for a program whose name of the export is the longest.
    #[benchmark]
    fn start_job(i: Linear<0, { T::MaxPayloadLen::get() }>) {
        let owner = rich::<T>("owner");
        let code_hash = upload::<T>(&owner, &programs::returning("main"));
        let export: BoundedVec<_, _> =
            vec![b'm'; T::MaxExportLen::get() as usize].try_into().expect("it is not too long");
        let input: BoundedVec<_, _> = vec![1; i as usize].try_into().expect("it is short enough");
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), JobTarget::Code(code_hash), export, input, Weight::zero(), 1);
        assert_eq!(Jobs::<T>::iter_keys().count(), 1);
    }

    /// With `p` pages.
    #[benchmark]
    fn cancel_job(p: Linear<1, { most_pages::<T>() }>) {
        let (owner, job) = job::<T>(p);
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), job);
        assert!(!Jobs::<T>::contains_key(job));
    }

    /// `p` pages, all of which change. The job ends, as it has had its last slice; what it has stored before is replaced first.
    #[benchmark]
    fn job_slice(p: Linear<1, { most_pages::<T>() }>) {
        let (_, job) = job::<T>(p);
        Jobs::<T>::mutate_extant(job, |job| job.max_slices = job.slices + 1);
        let used;
        #[block]
        {
            used = Pallet::<T>::run_jobs(Weight::MAX);
        }
        assert!(used.ref_time() > 0);
        assert!(!Jobs::<T>::contains_key(job));
    }

    /// `g` thousand gas, spent on what takes the longest for its gas.
    #[benchmark]
    fn gas(g: Linear<0, 10_000>) {
        let (module, _) = Module::from_bytes(&programs::kernel(SLOWEST_KERNEL), None).expect("it is valid");
        let machine = module.instantiate().expect("it can be instantiated");
        let Ok(execution) = machine.prepare(SLOWEST_KERNEL.as_bytes()) else { panic!("it has this export") };
        // The first entry into a block is part of compiling.
        let ExecResult::Error { instance, .. } = execution.run(10_000, 0) else {
            panic!("the loop has no end")
        };
        let Ok(execution) = instance.prepare(SLOWEST_KERNEL.as_bytes()) else { panic!("it has this export") };
        let end;
        #[block]
        {
            end = execution.run(i64::from(g) * 1000, 0);
        }
        assert!(matches!(end, ExecResult::Error { error: ExecError::OutOfGas, .. }));
    }

    /// The dearest of those that tell something known: the account of the caller.
    #[benchmark]
    fn syscall_context() {
        let mut suspended = suspended::<T>(Vec::new());
        let buffer = suspended.buffer;
        #[block]
        {
            suspended.step(b"caller_v1", [buffer, 0, 0, 0]);
        }
    }

    /// `b` bytes.
    #[benchmark]
    fn syscall_input(b: Linear<0, { T::MaxPayloadLen::get() }>) {
        let mut suspended = suspended::<T>(vec![1; b as usize]);
        let buffer = suspended.buffer;
        #[block]
        {
            suspended.step(b"input_v1", [buffer, BUFFER, 0, 0]);
        }
    }

    /// `b` bytes.
    #[benchmark]
    fn syscall_return_value(b: Linear<0, { T::MaxPayloadLen::get() }>) {
        let mut suspended = suspended::<T>(Vec::new());
        let buffer = suspended.buffer;
        #[block]
        {
            suspended.step(b"return_value_v1", [buffer, b.into(), 0, 0]);
        }
    }

    /// An item of `v` bytes.
    #[benchmark]
    fn syscall_storage_get(v: Linear<0, { T::MaxValueLen::get() }>) {
        let mut suspended = with_item::<T>(v);
        let (buffer, key) = (suspended.buffer, u64::from(T::MaxKeyLen::get()));
        #[block]
        {
            suspended.step(b"storage_get_v1", [buffer, key, buffer + 1024, BUFFER - 1024]);
        }
    }

    /// An item of `n` bytes in place of one of `o` bytes that another account paid for.
    #[benchmark]
    fn syscall_storage_set(n: Linear<0, { T::MaxValueLen::get() }>, o: Linear<0, { T::MaxValueLen::get() }>) {
        let mut suspended = with_item::<T>(o);
        let (buffer, key) = (suspended.buffer, u64::from(T::MaxKeyLen::get()));
        #[block]
        {
            suspended.step(b"storage_set_v1", [buffer, key, buffer, n.into()]);
        }
        assert_eq!(suspended.info().storage.bytes, key + u64::from(n));
    }

    /// An item of `o` bytes that another account paid for.
    #[benchmark]
    fn syscall_storage_remove(o: Linear<0, { T::MaxValueLen::get() }>) {
        let mut suspended = with_item::<T>(o);
        let (buffer, key) = (suspended.buffer, u64::from(T::MaxKeyLen::get()));
        #[block]
        {
            suspended.step(b"storage_remove_v1", [buffer, key, 0, 0]);
        }
        assert_eq!(suspended.info().storage.items, 0);
    }

    #[benchmark]
    fn syscall_balance() {
        let mut suspended = suspended::<T>(Vec::new());
        let buffer = suspended.buffer;
        #[block]
        {
            suspended.step(b"balance_v1", [buffer, 0, 0, 0]);
        }
    }

    /// To an account that does not exist yet.
    #[benchmark]
    fn syscall_transfer() {
        let mut suspended = suspended::<T>(Vec::new());
        let receiver: T::AccountId = account("receiver", 0, 0);
        let amount: u128 = T::Currency::minimum_balance().try_into().unwrap_or_default();
        suspended.write(0, &receiver.encode());
        suspended.write(1024, &amount.to_le_bytes());
        let buffer = suspended.buffer;
        #[block]
        {
            suspended.step(b"transfer_v1", [buffer, buffer + 1024, 0, 0]);
        }
        assert_eq!(T::Currency::balance(&receiver), T::Currency::minimum_balance());
    }

    /// `t` topics, `b` bytes.
    #[benchmark]
    fn syscall_emit_event(t: Linear<0, 4>, b: Linear<0, { T::MaxPayloadLen::get() }>) {
        let mut suspended = suspended::<T>(Vec::new());
        for topic in 0..t {
            suspended.write(u64::from(topic) * 32, &[topic as u8; 32]);
        }
        let buffer = suspended.buffer;
        let before = frame_system::Pallet::<T>::event_count();
        #[block]
        {
            suspended.step(b"emit_event_v1", [buffer, t.into(), buffer, b.into()]);
        }
        assert_eq!(frame_system::Pallet::<T>::event_count(), before + 1);
    }

    /// `i` bytes of input and a transfer, to an export that does nothing, of a program that is compiled already.
    #[benchmark]
    fn syscall_call(i: Linear<0, { T::MaxPayloadLen::get() }>) {
        let (owner, instance, caller) = script::<T>();
        let code_hash = Instances::<T>::get(&instance).expect("it was just made").code_hash;
        let callee = make_instance::<T>(&owner, code_hash, 1);
        let mut suspended = Suspended::<T>::new(caller, instance, Vec::new());
        let amount: u128 = T::Currency::minimum_balance().try_into().unwrap_or_default();
        suspended.write(64, &callee.encode());
        suspended.write(256, b"nothing");
        suspended.write(512, &amount.to_le_bytes());
        let buffer = suspended.buffer;
        let arguments = [buffer + 64, buffer + 256, 7, buffer + 512, buffer + 1024, i.into(), u64::MAX, 0];
        for (number, argument) in arguments.into_iter().enumerate() {
            suspended.write(number as u64 * 8, &argument.to_le_bytes());
        }
        let before = T::Currency::balance(&callee);
        #[block]
        {
            suspended.step(b"call_v1", [buffer, 0, 0, 0]);
        }
        assert!(T::Currency::balance(&callee) > before);
    }

    /// `b` bytes, by the slowest of the hashes.
    #[benchmark]
    fn syscall_hash(b: Linear<0, { T::MaxPayloadLen::get() }>) {
        let mut suspended = suspended::<T>(Vec::new());
        let buffer = suspended.buffer;
        #[block]
        {
            suspended.step(b"hash_keccak_256_v1", [buffer, b.into(), buffer, 0]);
        }
    }

    /// `b` bytes.
    #[benchmark]
    fn syscall_debug_print(b: Linear<0, { T::MaxPayloadLen::get() }>) {
        let mut suspended = suspended::<T>(Vec::new());
        let buffer = suspended.buffer;
        #[block]
        {
            suspended.step(b"debug_print_v1", [buffer, b.into(), 0, 0]);
        }
    }

    /// To an account that does not exist yet.
    #[benchmark]
    fn syscall_terminate() {
        let (_, instance, caller) = script::<T>();
        let mut meter = DepositMeter::<T>::new(caller.clone(), None);
        let mut suspended = Suspended::<T>::new(caller, instance.clone(), Vec::new());
        let beneficiary: T::AccountId = account("beneficiary", 0, 0);
        suspended.write(0, &beneficiary.encode());
        let buffer = suspended.buffer;
        #[block]
        {
            let beneficiary = suspended.step(b"terminate_v1", [buffer, 0, 0, 0]).expect("it terminates");
            let deposits = Some(&mut meter);
            Pallet::<T>::end_instance(&instance, suspended.info(), &beneficiary, deposits)
                .expect("it can end");
        }
        assert!(!Instances::<T>::contains_key(&instance));
        assert!(!T::Currency::balance(&beneficiary).eq(&BalanceOf::<T>::default()));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::externalities(), crate::mock::Test);
}
