//! Snapshots over the real manager: from any state, in another block, past limits, and inside transactions.

use crate::common::{Guest, Layout, counter};
use codec::{Decode, Encode};
use hatchery_client::{ConsensusConstants, Limits, VirtManager};
use hatchery_primitives::{
    ControlError, ExecBuffer, ExecError, ExecStatus, InstanceId, Refusal, SnapshotParts, Stop,
    TransactionType, VirtControlBackend, VirtManagerBackend,
};
use polkavm_common_033::program::{Reg, asm};

const GAS: i64 = 1_000_000;
const LAYOUT: Layout = Layout { read_only: 0, read_write: 3 * 4096, stack: 4096 };

/// Exports with known ends.
fn guest() -> Vec<u8> {
    Guest::jam()
        .import(b"look")
        .memory(LAYOUT)
        .export(
            "count",
            &[
                asm::store_u8(Reg::A0, 0x2_0000),
                asm::store_u8(Reg::A1, 0x2_2000),
                asm::ecalli(0),
                asm::load_u8(Reg::A1, 0x2_2000),
                asm::add_64(Reg::A0, Reg::A0, Reg::A1),
                asm::ret(),
            ],
        )
        .export("trap", &[asm::trap()])
        .export("unknown", &[asm::ecalli(7), asm::ret()])
        .build()
}

/// A manager with the guest as module 0.
fn manager() -> VirtManager {
    let mut manager = VirtManager::default();
    manager.compile(&guest(), None).unwrap();
    manager
}

/// Every state that an instance can be in, by a name.
fn states(manager: &mut VirtManager) -> Vec<(&'static str, InstanceId)> {
    let run = |manager: &mut VirtManager, export: &[u8], gas| {
        let id = manager.instantiate(0.into()).unwrap();
        manager.prepare_with_args(id, export, [3, 0, 0, 0, 0]).unwrap();
        let _ = manager.run(id, gas, 5, &mut ExecBuffer::default());
        id
    };
    let idle = manager.instantiate(0.into()).unwrap();
    let prepared = manager.instantiate(0.into()).unwrap();
    manager.prepare(prepared, b"count").unwrap();
    let finished = run(manager, b"count", GAS);
    manager.run(finished, GAS, 5, &mut ExecBuffer::default()).unwrap();
    vec![
        ("idle", idle),
        ("prepared", prepared),
        ("suspended", run(manager, b"count", GAS)),
        ("out of gas", run(manager, b"count", 1)),
        ("with less than no gas", run(manager, b"count", -1)),
        ("finished", finished),
        ("trapped", run(manager, b"trap", GAS)),
        ("at an unknown syscall", run(manager, b"unknown", GAS)),
    ]
}

/// All that a runtime can learn of an instance by going on with it.
fn future(manager: &mut VirtManager, id: InstanceId) -> String {
    let mut seen = format!("{:?} {:?}", manager.exit_info(Some(id)), manager.result(id));
    for _ in 0..3 {
        let mut buffer = ExecBuffer::default();
        let resumed = manager.resume(id, GAS, &mut buffer);
        let mut bytes = [0; 8];
        let read = manager.read_memory(id, 0x2_2000, &mut bytes);
        seen += &format!(" {resumed:?} {:?} {read:?} {bytes:?}", resumed.is_ok().then_some(buffer));
        seen += &format!(" {:?}", manager.exit_info(Some(id)));
    }
    seen + &format!(" {:?} {:?}", manager.result(id), manager.prepare(id, b"count"))
}

#[test]
fn an_instance_goes_on_in_another_block_from_any_state() {
    let mut before = manager();
    for (name, id) in states(&mut before) {
        let snapshot = before.snapshot(id).unwrap();
        let mut after = manager();
        let restored = after.restore(0.into(), &snapshot).unwrap();
        assert_eq!(after.snapshot(restored), Ok(snapshot.clone()), "{name}");
        assert_eq!(after.exit_info(Some(restored)), before.exit_info(Some(id)), "{name}");
        assert_eq!(
            after.limits().nesting.used,
            u64::from(matches!(name, "prepared" | "suspended")),
            "{name}"
        );
        assert_eq!(future(&mut after, restored), future(&mut before, id), "{name}");
    }
}

#[test]
fn a_snapshot_is_of_one_program() {
    let mut manager = manager();
    manager.compile(counter(), None).unwrap();
    let id = manager.instantiate(0.into()).unwrap();
    let snapshot = manager.snapshot(id).unwrap();
    let mut changed = snapshot.clone();
    changed[100] ^= 1;
    for (module, bytes) in [(1, &snapshot), (0, &changed), (0, &snapshot[1..].to_vec()), (0, &Vec::new())] {
        assert_eq!(manager.restore(module.into(), bytes), Err(ControlError::InvalidSnapshot));
        let refusal = manager.exit_info(None).unwrap().refusal;
        assert_eq!(refusal, Some(Refusal::InvalidSnapshot));
    }
    assert_eq!(manager.limits().instances.used, 1);
    assert_eq!(manager.restore(0.into(), &snapshot), Ok(InstanceId::from(1)), "no id was used up");
    assert_eq!(manager.exit_info(None).unwrap().refusal, None);

    // Nor is it of a chain with another gas model.
    let flat = ConsensusConstants::v1().gas_model(hatchery_engine::GasModel::Flat);
    let mut other = VirtManager::new(flat);
    other.compile(&guest(), None).unwrap();
    assert_eq!(other.restore(0.into(), &snapshot), Err(ControlError::InvalidSnapshot));
}

#[test]
fn limits_hold_for_what_is_restored() {
    let mut whole = manager();
    let mut all = states(&mut whole);
    let (_, suspended) = all.remove(2);
    let snapshot = whole.snapshot(suspended).unwrap();
    let (_, idle) = all.remove(0);
    let of_idle = whole.snapshot(idle).unwrap();
    let length = u32::try_from(snapshot.len()).unwrap();
    let limited = |limits| {
        let mut manager = VirtManager::new(ConsensusConstants::v1().limits(limits));
        manager.compile(&guest(), None).unwrap();
        manager
    };
    let refusal = |manager: &mut VirtManager| manager.exit_info(None).unwrap().refusal;

    // Of its bytes, both ways.
    let mut manager = limited(Limits { snapshot_bytes: length, ..Limits::V1 });
    let restored = manager.restore(0.into(), &snapshot).unwrap();
    assert_eq!(manager.limits().most_snapshot_bytes, length);
    assert_eq!(manager.snapshot(restored), Ok(snapshot.clone()));
    let mut manager = limited(Limits { snapshot_bytes: length - 1, ..Limits::V1 });
    assert_eq!(manager.restore(0.into(), &snapshot), Err(ControlError::LimitReached));
    assert_eq!(refusal(&mut manager), Some(Refusal::SnapshotBytes));
    let id = manager.instantiate(0.into()).unwrap();
    manager.prepare_with_args(id, b"count", [3, 0, 0, 0, 0]).unwrap();
    assert_eq!(
        manager.snapshot(id).map(|bytes| bytes.len()),
        Ok(of_idle.len()),
        "it has written nothing yet"
    );
    assert_eq!(manager.run(id, GAS, 5, &mut ExecBuffer::default()), Ok(ExecStatus::Syscall));
    assert_eq!(manager.snapshot(id), Err(ControlError::LimitReached));
    assert_eq!(refusal(&mut manager), Some(Refusal::SnapshotBytes));
    assert_eq!(
        manager.run(id, GAS, 5, &mut ExecBuffer::default()),
        Ok(ExecStatus::Finished),
        "it is as it was"
    );

    // Of instances, of pages, and of those that are suspended.
    let mut manager = limited(Limits { instances: 1, ..Limits::V1 });
    manager.restore(0.into(), &snapshot).unwrap();
    assert_eq!(manager.restore(0.into(), &snapshot), Err(ControlError::LimitReached));
    assert_eq!(refusal(&mut manager), Some(Refusal::Instances));
    let mut manager = limited(Limits { pages: 7, ..Limits::V1 });
    manager.restore(0.into(), &snapshot).unwrap();
    assert_eq!(manager.restore(0.into(), &of_idle), Err(ControlError::LimitReached));
    assert_eq!(refusal(&mut manager), Some(Refusal::Pages));
    let mut manager = limited(Limits { nesting: 1, ..Limits::V1 });
    manager.restore(0.into(), &snapshot).unwrap();
    assert_eq!(manager.restore(0.into(), &snapshot), Err(ControlError::LimitReached));
    assert_eq!(refusal(&mut manager), Some(Refusal::Nesting));
    assert!(manager.restore(0.into(), &of_idle).is_ok());
    assert_eq!(manager.limits().instances.used, 2);
}

#[test]
fn what_a_node_tries_and_gives_up_is_not_restored() {
    let mut manager = manager();
    let (_, suspended) = states(&mut manager).remove(2);
    let snapshot = manager.snapshot(suspended).unwrap();
    let before = manager.limits();
    manager.start_transaction(TransactionType::Host);
    let inside = manager.restore(0.into(), &snapshot).unwrap();
    manager.restore(0.into(), b"").unwrap_err();
    manager.rollback_transaction(TransactionType::Host);
    assert_eq!(manager.limits(), before);
    assert_eq!(manager.exit_info(None).unwrap().refusal, None);
    assert_eq!(manager.snapshot(inside), Err(ControlError::InvalidInstance));
    assert_eq!(manager.restore(0.into(), &snapshot), Ok(inside));
    manager.start_transaction(TransactionType::Host);
    let buffer = &mut ExecBuffer::default();
    assert_eq!(manager.run(inside, GAS, 7, buffer), Ok(ExecStatus::Finished));
    manager.rollback_transaction(TransactionType::Host);
    assert_eq!(manager.snapshot(inside), Ok(snapshot));
}

/// Whoever can write a snapshot can write its hash. Permissions of pages are the host's to set, and here no host sets any: with them a
/// guest would have memory that no limit counts. Nor does anybody here note where bytes of pages are from.
#[test]
fn no_snapshot_brings_memory_that_is_not_counted() {
    let mut manager = manager();
    let (_, suspended) = states(&mut manager).remove(2);
    let parts = SnapshotParts::decode(&mut &manager.snapshot(suspended).unwrap()[..]).unwrap();
    let before = manager.limits();
    let mut restore = |permissions: &[(u32, u8)], sources: &[Source]| {
        let mut parts = parts.clone();
        // The head ends with both lists.
        assert_eq!(parts.head.split_off(parts.head.len() - 2), [0, 0]);
        parts.head.extend((permissions, sources).encode());
        let content = (parts.version, &parts.head, &parts.pages).encode();
        let hash = blake2b_simd::Params::new().hash_length(32).hash(&content);
        parts.digest.copy_from_slice(hash.as_bytes());
        manager.restore(0.into(), &parts.encode())
    };
    let (unmapped, of_stack) = (0x5_0000, 0xf_ffdf);
    let refused = Err(ControlError::InvalidSnapshot);
    for permission in [1, 2] {
        assert_eq!(restore(&[(unmapped, permission)], &[]), refused, "{permission}");
    }
    for permission in [0, 1] {
        assert_eq!(restore(&[(of_stack, permission)], &[]), refused, "{permission}");
    }
    assert_eq!(restore(&[], &[(0x21, [1; 32], 0, 1, [2; 32], false)]), refused);
    let restored = restore(&[], &[]);
    assert!(restored.is_ok(), "{restored:?}");
    let mut after = manager.limits();
    assert_eq!(after.pages.used, before.pages.used + 4);
    (after.pages, after.instances, after.nesting) = (before.pages, before.instances, before.nesting);
    assert_eq!(after, before);
}

/// Of a page: its number, and of the bytes that it had the hash, the place and how many, with what they were and whether they are so.
type Source = (u32, [u8; 32], u64, u32, [u8; 32], bool);

/// Whoever stores the parts one by one gets the bytes back, and pages that did not change are the same.
#[test]
fn a_snapshot_comes_apart_at_its_pages() {
    let mut manager = manager();
    let (_, suspended) = states(&mut manager).remove(2);
    let parts = |manager: &mut VirtManager| {
        let bytes = manager.snapshot(suspended).unwrap();
        let parts = SnapshotParts::decode(&mut &bytes[..]).unwrap();
        assert_eq!(parts.encode(), bytes);
        parts
    };
    let before = parts(&mut manager);
    let numbers = |parts: &SnapshotParts| parts.pages.iter().map(|(page, _)| *page).collect::<Vec<_>>();
    assert_eq!(numbers(&before), [0x20, 0x22]);
    assert_eq!((before.pages[0].1[0], before.pages[1].1[0]), (5, 3), "what the guest has stored");
    manager.write_memory(suspended, 0x2_1002, &[9]).unwrap();
    let after = parts(&mut manager);
    assert_eq!(numbers(&after), [0x20, 0x21, 0x22]);
    assert_eq!((after.pages[1].1[2], &after.head), (9, &before.head));
    assert_eq!([&after.pages[0], &after.pages[2]], [&before.pages[0], &before.pages[1]]);
}

/// A runtime that has been handed bytes by somebody cannot be made to run what never was.
#[test]
fn the_first_set_of_host_functions_treats_what_is_restored_as_what_it_is() {
    let mut before = manager();
    for (name, id) in states(&mut before) {
        let snapshot = before.snapshot(id).unwrap();
        let mut after = manager();
        let restored = after.restore(0.into(), &snapshot).unwrap();
        let is_ready = matches!(name, "prepared" | "suspended");
        let stop = after.exit_info(Some(restored)).unwrap().stop;
        assert_eq!(matches!(stop, Stop::Ready | Stop::Syscall { .. }), is_ready, "{name}");
        let prepared = after.prepare(restored, b"count");
        let ran = after.run(restored, GAS, 1, &mut ExecBuffer::default());
        let expected = if is_ready { Err(ExecError::InvalidInstance) } else { Ok(()) };
        assert_eq!(prepared, expected, "{name}");
        assert!(ran.is_ok(), "{name}: {ran:?}");
    }
}
