//! Trees of processes behind the host functions: one instance to all of them, whoever of the tree calls.

use crate::common::{Guest, Layout, on_each_backend};
use codec::{DecodeAll, Encode};
use hatchery_client::{ConsensusConstants, Limits, TracedEnd, Tracer, VirtManager};
use hatchery_primitives::{
    CallResult, ControlError, ExecBuffer, ExecError, ExecStatus, ExitInfo, InstanceId, MemoryError, ModuleId,
    Refusal, SnapshotParts, Stop, TransactionType, TrapKind, Usage, VirtControlBackend, VirtManagerBackend,
};
use polkavm_common_033::program::{Instruction, InstructionSetKind, Reg, asm};

const GAS: i64 = 50_000_000;
const LAYOUT: Layout = Layout { read_only: 0, read_write: 3 * 4096, stack: 4096 };
/// Where the data of a guest begins. Its first byte is 7, the others are not.
const DATA: i32 = 0x2_0000;
/// The identifier that is in a guest's memory.
const CHILD: &[u8] = &[7];

/// Starts the program that the first byte of data names, and waits for it, by the syscalls with these numbers. The code that
/// starting returned is in S0 then, and the end behind the id.
fn start_and_wait(spawn: u32, wait: u32) -> Vec<Instruction> {
    vec![
        asm::load_imm(Reg::A0, DATA as u32),
        asm::load_imm(Reg::A1, 1),
        asm::load_imm(Reg::A2, 0),
        asm::load_imm(Reg::A3, 0),
        asm::load_imm(Reg::A4, 0),
        asm::load_imm(Reg::A5, DATA as u32 + 0x1000),
        asm::ecalli(spawn),
        asm::move_reg(Reg::S0, Reg::A0),
        asm::load_u64(Reg::A0, DATA as u32 + 0x1000),
        asm::load_imm(Reg::A1, DATA as u32 + 0x1008),
        asm::ecalli(wait),
    ]
}

/// Starts the program that its first byte of data names, waits for it, calls `look` with the end that it had, and returns the answer.
fn parent() -> Vec<u8> {
    let mut body = start_and_wait(0, 1);
    body.extend([
        asm::load_u64(Reg::A0, DATA as u32 + 0x1008),
        asm::move_reg(Reg::A1, Reg::S0),
        asm::ecalli(2),
        asm::ret(),
    ]);
    let deadlock =
        [asm::load_imm(Reg::A0, 0), asm::load_imm(Reg::A1, DATA as u32), asm::ecalli(1), asm::ret()];
    let bad_pointer = [asm::load_imm(Reg::A1, 0x1234), asm::ecalli(1), asm::ret()];
    let exec = [
        asm::load_imm(Reg::A0, DATA as u32),
        asm::load_imm(Reg::A1, 1),
        asm::load_imm(Reg::A2, 0),
        asm::load_imm(Reg::A3, 0),
        asm::load_imm(Reg::A5, 0),
        asm::ecalli(3),
        asm::ret(),
    ];
    let store = [asm::store_u8(Reg::A0, DATA as u32 + 0x2000), asm::ret()];
    let load = [asm::load_u8(Reg::A0, DATA as u32 + 0x2000), asm::ret()];
    Guest::jam()
        .import(b"process_spawn")
        .import(b"process_wait")
        .import(b"look")
        .import(b"process_exec")
        .memory(LAYOUT)
        .export("main", &body)
        .export("deadlock", &deadlock)
        .export("bad_pointer", &bad_pointer)
        .export("exec", &exec)
        .export("store", &store)
        .export("load", &load)
        .export("trap", &[asm::trap()])
        .build()
}

/// Calls `glance` and exits with what it is answered.
fn child() -> Vec<u8> {
    let body = [
        asm::load_imm(Reg::A0, 11),
        asm::store_u8(Reg::A0, DATA as u32),
        asm::load_imm(Reg::A1, 12),
        asm::ecalli(0),
        asm::ret(),
    ];
    Guest::jam().import(b"glance").memory(LAYOUT).export("main", &body).build()
}

/// A program with an export `main`.
fn program(body: &[Instruction]) -> Vec<u8> {
    Guest::jam().memory(LAYOUT).export("main", body).build()
}

/// A manager with these constants and the parent as module 0, the child as module 1.
fn manager_with(constants: ConsensusConstants) -> VirtManager {
    let mut manager = VirtManager::new(constants);
    manager.compile(&parent(), None).unwrap();
    manager.compile(&child(), None).unwrap();
    manager
}

fn manager() -> VirtManager {
    manager_with(ConsensusConstants::v1())
}

fn listed() -> Vec<(Vec<u8>, ModuleId)> {
    vec![(CHILD.to_vec(), 1.into())]
}

fn tree(manager: &mut VirtManager) -> InstanceId {
    manager.process_instantiate(0.into(), &listed()).unwrap()
}

/// Prepares an export and runs it with plenty of gas.
fn call(
    manager: &mut VirtManager,
    id: InstanceId,
    export: &str,
    a0: u64,
) -> (Result<ExecStatus, ExecError>, ExecBuffer) {
    manager.prepare(id, export.as_bytes()).unwrap();
    let mut buffer = ExecBuffer::default();
    (manager.run(id, GAS, a0, &mut buffer), buffer)
}

fn info(manager: &mut VirtManager, id: InstanceId) -> ExitInfo {
    manager.exit_info(Some(id)).unwrap()
}

#[test]
fn a_syscall_fixes_the_process_that_registers_and_memory_are_of() {
    let mut manager = manager();
    let id = tree(&mut manager);
    assert_eq!(info(&mut manager, id), ExitInfo::default());
    manager.prepare(id, b"main").unwrap();
    assert_eq!(info(&mut manager, id).stop, Stop::Ready);
    let mut byte = [0];
    assert_eq!(manager.read_memory(id, DATA as u32, &mut byte), Ok(()));
    assert_eq!(byte, [7], "before the first run it is the root's");

    let mut buffer = ExecBuffer::default();
    assert_eq!(manager.run(id, GAS, 0, &mut buffer), Ok(ExecStatus::Syscall));
    assert_eq!(buffer.syscall_symbol.as_ref(), b"glance");
    assert_eq!([buffer.a0, buffer.a1], [11, 12]);
    let seen = info(&mut manager, id);
    assert_eq!((seen.process, &seen.stop, seen.gas_left), (1, &Stop::Syscall { import: 0 }, buffer.gas_left));
    manager.read_memory(id, DATA as u32, &mut byte).unwrap();
    assert_eq!(byte, [11], "the child's memory");
    manager.write_memory(id, DATA as u32 + 1, &[1, 2]).unwrap();
    manager.zero_memory(id, DATA as u32 + 1, 1).unwrap();

    // It ends with the answer; the root goes on.
    let left = buffer.gas_left;
    assert_eq!(manager.run(id, left, 42, &mut buffer), Ok(ExecStatus::Syscall));
    assert_eq!(buffer.syscall_symbol.as_ref(), b"look");
    assert_eq!([buffer.a0, buffer.a1], [42 << 32, 0], "kind 0, code 42; spawned with code 0");
    assert_eq!(info(&mut manager, id).process, 0);
    manager.read_memory(id, DATA as u32, &mut byte).unwrap();
    assert_eq!(byte, [7]);
    let left = buffer.gas_left;
    assert!(left < GAS - 20_000, "what starting a process costs is on the one meter");
    assert_eq!(manager.result(id), Err(ControlError::InvalidState));
    assert_eq!(manager.run(id, left, 5, &mut buffer), Ok(ExecStatus::Finished));
    assert_eq!(manager.result(id).map(|CallResult { a0, .. }| a0), Ok(5));
    assert_eq!(info(&mut manager, id).stop, Stop::Finished);
    assert_eq!(manager.read_memory(id, DATA as u32, &mut byte), Err(MemoryError::InvalidInstance));
    assert_eq!(manager.run(id, left, 5, &mut buffer), Err(ExecError::InvalidInstance));
    assert_eq!(manager.destroy(id), Ok(()));
    assert_eq!((manager.limits().instances.used, manager.limits().pages.used), (0, 0));
}

/// One meter, whatever it is cut into: the sum is the same.
#[test]
fn one_meter_that_cuts_do_not_touch() {
    let run = |slice: i64| {
        let mut manager = manager();
        let id = tree(&mut manager);
        manager.prepare(id, b"main").unwrap();
        let (mut buffer, mut used, mut symbols, mut cuts) = (ExecBuffer::default(), 0, Vec::new(), 0);
        let mut result = manager.run(id, slice, 0, &mut buffer);
        loop {
            used += slice - info(&mut manager, id).gas_left;
            result = match result {
                Ok(ExecStatus::Finished) => return (used, symbols, cuts),
                Ok(ExecStatus::Syscall) => {
                    symbols.push(buffer.syscall_symbol.as_ref().to_vec());
                    manager.run(id, slice, 3, &mut buffer)
                }
                Err(ExecError::OutOfGas) => {
                    cuts += 1;
                    assert!(cuts < 100, "a slice of {slice} suffices for every step");
                    manager.resume(id, slice, &mut buffer)
                }
                Err(error) => panic!("{error:?}"),
            };
        }
    };
    let (used, symbols, cuts) = run(GAS);
    assert_eq!((symbols.len(), cuts), (2, 0));
    for slice in [20_500, 20_700, 21_000, 22_000, 30_000] {
        let (sum, seen, _) = run(slice);
        assert_eq!((sum, &seen), (used, &symbols), "{slice}");
    }
    assert!(run(20_500).2 > 0);
}

/// Everything that a runtime can learn by going on.
fn future(manager: &mut VirtManager, id: InstanceId) -> String {
    let mut seen = format!("{:?}", manager.exit_info(Some(id)));
    for answer in 0..4 {
        let mut buffer = ExecBuffer::default();
        let result = match manager.run(id, GAS, answer, &mut buffer) {
            Err(ExecError::InvalidInstance) => manager.resume(id, GAS, &mut buffer),
            result => result,
        };
        let mut bytes = [0; 4];
        let read = manager.read_memory(id, DATA as u32, &mut bytes);
        seen += &format!(" {result:?} {:?} {read:?} {bytes:?}", result.is_ok().then_some(buffer));
        seen += &format!(" {:?} {:?}", manager.exit_info(Some(id)), manager.result(id));
    }
    seen
}

#[test]
fn a_tree_goes_on_in_another_block_from_any_state() {
    // As many steps of so much gas.
    for (steps, gas) in
        [(0, 0), (1, 0), (1, 1), (1, 5_000), (1, GAS), (2, GAS), (3, GAS), (7, 5_000), (9, 25_000)]
    {
        let mut before = manager();
        let id = tree(&mut before);
        let mut buffer = ExecBuffer::default();
        if steps > 0 {
            before.prepare(id, b"main").unwrap();
        }
        for _ in 0..steps {
            if before.run(id, gas, 3, &mut buffer) == Err(ExecError::InvalidInstance) {
                let _ = before.resume(id, gas, &mut buffer);
            }
        }
        let snapshot = before.snapshot(id).unwrap();
        assert_eq!(before.snapshot(id), Ok(snapshot.clone()), "taking one changes nothing");
        let mut after = manager();
        let restored = after.process_restore(0.into(), &listed(), &snapshot).unwrap();
        assert_eq!(after.snapshot(restored), Ok(snapshot.clone()), "{steps} {gas}");
        assert_eq!(after.limits().nesting, before.limits().nesting, "{steps} {gas}");
        assert_eq!(after.limits().pages, before.limits().pages);
        let fork = after.fork(restored).unwrap();
        let (a, b, c) = (future(&mut before, id), future(&mut after, restored), future(&mut after, fork));
        assert_eq!((&a, &a), (&b, &c), "{steps} {gas}");
        // No byte of it can be changed.
        for at in (0..snapshot.len()).step_by(snapshot.len() / 60) {
            let mut changed = snapshot.clone();
            changed[at] ^= 4;
            let result = after.process_restore(0.into(), &listed(), &changed);
            assert_eq!(result, Err(ControlError::InvalidSnapshot), "byte {at}");
        }
    }
}

/// Whoever can write a snapshot can write its hash. What then is no state of a tree is refused all the same, and what is one has no
/// other bytes.
#[test]
fn bytes_that_were_changed_on_purpose() {
    let mut manager = manager();
    let id = tree(&mut manager);
    let mut snapshots = vec![manager.snapshot(id).unwrap()];
    let mut buffer = ExecBuffer::default();
    manager.prepare(id, b"main").unwrap();
    for gas in [5_000, GAS, GAS, GAS] {
        snapshots.push(manager.snapshot(id).unwrap());
        if manager.run(id, gas, 3, &mut buffer) == Err(ExecError::InvalidInstance) {
            manager.resume(id, gas, &mut buffer).unwrap();
        }
    }
    snapshots.push(manager.snapshot(id).unwrap());
    manager.destroy(id).unwrap();

    // A generator of the kind of Knuth's.
    let mut seed = 1u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let (mut refused, mut restored) = (0, 0);
    for snapshot in &snapshots {
        for _ in 0..500 {
            let mut parts = SnapshotParts::decode_all(&mut &snapshot[..]).unwrap();
            let (head, pages) = (parts.head.len(), parts.pages.len());
            match random(8) {
                0 if pages > 0 => drop(parts.pages.remove(random(pages))),
                1 if pages > 0 => parts.pages[random(pages)].0 ^= 1 << random(28),
                2 if pages > 1 => parts.pages.swap(0, pages - 1),
                3 if pages > 0 => parts.pages.push((parts.pages[pages - 1].0 + 1, vec![1])),
                4 => drop(parts.head.remove(random(head))),
                _ => parts.head[random(head)] ^= 1 << random(8),
            }
            let content = (parts.version, &parts.head, &parts.pages).encode();
            let hash = blake2b_simd::Params::new().hash_length(32).hash(&content);
            parts.digest.copy_from_slice(hash.as_bytes());
            let bytes = parts.encode();
            match manager.process_restore(0.into(), &listed(), &bytes) {
                Ok(id) => {
                    restored += u32::from(bytes != *snapshot);
                    assert_eq!(manager.snapshot(id), Ok(bytes));
                    future(&mut manager, id);
                    manager.destroy(id).unwrap();
                }
                Err(error) => {
                    refused += 1;
                    assert_eq!(error, ControlError::InvalidSnapshot);
                }
            }
        }
    }
    assert_eq!(manager.limits().instances.used, 0);
    assert!(refused > 2_000 && restored > 10, "{refused} refused, {restored} restored");
}

/// As of a single instance: permissions that no host here sets would be memory that no limit counts.
#[test]
fn no_snapshot_of_a_tree_brings_memory_that_is_not_counted() {
    // A tree that has not run: the hash of its root's program, the list, gas, a 0, and the root's snapshot.
    type Head = ([u8; 32], Vec<(Vec<u8>, [u8; 32])>, i64, u8, Vec<u8>);
    let mut manager = manager();
    let id = tree(&mut manager);
    let snapshot = manager.snapshot(id).unwrap();
    let seal = |mut parts: SnapshotParts| {
        let content = (parts.version, &parts.head, &parts.pages).encode();
        let hash = blake2b_simd::Params::new().hash_length(32).hash(&content);
        parts.digest.copy_from_slice(hash.as_bytes());
        parts.encode()
    };
    let mut restore = |permissions: &[(u32, u8)]| {
        let mut parts = SnapshotParts::decode_all(&mut &snapshot[..]).unwrap();
        let mut head = Head::decode_all(&mut &parts.head[..]).unwrap();
        let mut root = SnapshotParts::decode_all(&mut &head.4[..]).unwrap();
        assert!(head.3 == 0 && parts.pages.is_empty() && root.pages.is_empty());
        assert_eq!(root.head.split_off(root.head.len() - 2), [0, 0], "neither permissions nor sources");
        root.head.extend((permissions, 0u8).encode());
        head.4 = seal(root);
        parts.head = head.encode();
        manager.process_restore(0.into(), &listed(), &seal(parts))
    };
    for permission in [1, 2] {
        assert_eq!(restore(&[(0x5_0000, permission)]), Err(ControlError::InvalidSnapshot), "{permission}");
    }
    let restored = restore(&[]);
    assert!(restored.is_ok(), "{restored:?}");
}

/// Each process could have as much memory as an instance, so it is looked at first how many pages there would be.
#[test]
fn a_snapshot_of_more_pages_than_are_left_is_refused_before_they_are_made() {
    let mut manager = manager();
    let id = tree(&mut manager);
    let snapshot = manager.snapshot(id).unwrap();
    let Usage { used, limit } = manager.limits().pages;
    // Without the hash of it all, which would be looked at later.
    let mut restore = |pages: u64| {
        let mut parts = SnapshotParts::decode_all(&mut &snapshot[..]).unwrap();
        parts.pages = (0..pages).map(|page| (page as u32, vec![1])).collect();
        let result = manager.process_restore(0.into(), &listed(), &parts.encode());
        (result, manager.exit_info(None).unwrap().refusal)
    };
    let refused = (Err(ControlError::LimitReached), Some(Refusal::Pages));
    assert_eq!(restore(limit - used + 1), refused);
    let invalid = (Err(ControlError::InvalidSnapshot), Some(Refusal::InvalidSnapshot));
    assert_eq!(restore(limit - used), invalid);
}

#[test]
fn a_snapshot_is_of_one_list_of_programs() {
    let mut manager = manager();
    let id = tree(&mut manager);
    let snapshot = manager.snapshot(id).unwrap();
    let single = manager.instantiate(0.into()).unwrap();
    let of_single = manager.snapshot(single).unwrap();
    let named = |name: &[u8], module: u32| (name.to_vec(), ModuleId::from(module));
    for list in
        [vec![], vec![named(CHILD, 0)], vec![named(b"other", 1)], vec![named(CHILD, 1), named(b"b", 1)]]
    {
        let result = manager.process_restore(0.into(), &list, &snapshot);
        assert_eq!(result, Err(ControlError::InvalidSnapshot), "{list:?}");
    }
    assert_eq!(manager.process_restore(1.into(), &listed(), &snapshot), Err(ControlError::InvalidSnapshot));
    assert_eq!(manager.process_restore(0.into(), &listed(), &of_single), Err(ControlError::InvalidSnapshot));
    assert_eq!(manager.restore(0.into(), &snapshot), Err(ControlError::InvalidSnapshot));
    assert!(manager.process_restore(0.into(), &listed(), &snapshot).is_ok());
    // Nor of a chain where trees have other limits.
    let limits = Limits { processes: 16, ..Limits::V1 };
    let mut buffer = ExecBuffer::default();
    manager.prepare(id, b"main").unwrap();
    manager.run(id, GAS, 0, &mut buffer).unwrap();
    let snapshot = manager.snapshot(id).unwrap();
    let mut other = manager_with(ConsensusConstants::v1().limits(limits));
    assert_eq!(other.process_restore(0.into(), &listed(), &snapshot), Err(ControlError::InvalidSnapshot));
}

#[test]
fn lists_that_are_none() {
    let mut manager = manager();
    let named = |name: &[u8], module: u32| (name.to_vec(), ModuleId::from(module));
    let mut made = |root: u32, list: &[(Vec<u8>, ModuleId)]| manager.process_instantiate(root.into(), list);
    assert_eq!(made(9, &[]), Err(ControlError::InvalidModule));
    assert_eq!(made(0, &[named(b"a", 2)]), Err(ControlError::InvalidModule));
    assert_eq!(made(0, &[named(b"a", 0), named(b"a", 1)]), Err(ControlError::InvalidPrograms));
    assert_eq!(made(0, &[named(&[b'a'; 65], 0)]), Err(ControlError::InvalidPrograms));
    assert_eq!(made(0, &[named(&[b'a'; 64], 0), named(b"", 1)]), Ok(0.into()), "no id was used up");
}

/// What is not in the list is not there, the root's own program included.
#[test]
fn the_list_is_all_that_can_be_started() {
    let mut manager = manager();
    let id = manager.process_instantiate(0.into(), &[]).unwrap();
    let (result, buffer) = call(&mut manager, id, "main", 0);
    assert_eq!(result, Ok(ExecStatus::Syscall));
    assert_eq!(buffer.a1, 1, "there is no such program");
    // A program's handle may be given up.
    let mut manager = self::manager();
    let id = tree(&mut manager);
    manager.release_module(0.into()).unwrap();
    manager.release_module(1.into()).unwrap();
    let (result, buffer) = call(&mut manager, id, "main", 0);
    assert_eq!((result, buffer.syscall_symbol.as_ref()), (Ok(ExecStatus::Syscall), &b"glance"[..]));
}

#[test]
fn ends_of_the_root_and_of_others() {
    let mut manager = manager();
    manager.compile(&program(&[asm::trap()]), None).unwrap();
    manager.compile(&Guest::jam().memory(LAYOUT).export("other", &[asm::ret()]).build(), None).unwrap();
    let id = tree(&mut manager);
    let told = |manager: &mut VirtManager, id, export: &str| {
        let (result, _) = call(manager, id, export, 0);
        (result, info(manager, id).stop)
    };
    assert_eq!(told(&mut manager, id, "deadlock"), (Err(ExecError::Trap), Stop::Deadlock));
    let (result, stop) = told(&mut manager, id, "bad_pointer");
    assert_eq!(result, Err(ExecError::Trap));
    assert_eq!(stop, Stop::Trap { kind: TrapKind::CALL_ARGUMENT, address: Some(0x1234) });
    let trap = Stop::Trap { kind: TrapKind::TRAP, address: None };
    assert_eq!(told(&mut manager, id, "trap"), (Err(ExecError::Trap), trap));
    assert_eq!(manager.resume(id, GAS, &mut ExecBuffer::default()), Err(ExecError::InvalidInstance));

    // A child's trap is for who waits for it.
    let id = manager.process_instantiate(0.into(), &[(CHILD.to_vec(), 2.into())]).unwrap();
    let (result, buffer) = call(&mut manager, id, "main", 0);
    assert_eq!((result, buffer.a0), (Ok(ExecStatus::Syscall), 1), "kind 1, code 0");
    // The root becomes something that has no `main`.
    let id = manager.process_instantiate(0.into(), &[(CHILD.to_vec(), 3.into())]).unwrap();
    let told = told(&mut manager, id, "exec");
    assert_eq!(told, (Err(ExecError::InvalidImage), Stop::BadImage { reason: 1 }));
}

/// The root's memory lasts from call to call, as that of any instance, but not beyond its program.
#[test]
fn what_lasts_between_two_calls() {
    let mut manager = manager();
    let id = tree(&mut manager);
    let value = |manager: &mut VirtManager| {
        assert_eq!(call(manager, id, "load", 0).0, Ok(ExecStatus::Finished));
        manager.result(id).unwrap().a0
    };
    assert_eq!(call(&mut manager, id, "store", 77).0, Ok(ExecStatus::Finished));
    assert_eq!(value(&mut manager), 77);
    assert_eq!(
        call(&mut manager, id, "exec", 0).0,
        Ok(ExecStatus::Syscall),
        "as the child it calls `glance`"
    );
    let mut buffer = ExecBuffer::default();
    assert_eq!(manager.run(id, GAS, 0, &mut buffer), Ok(ExecStatus::Finished));
    assert_eq!(value(&mut manager), 0);
    assert_eq!(call(&mut manager, id, "store", 78).0, Ok(ExecStatus::Finished));
    manager.reset(id).unwrap();
    assert_eq!(info(&mut manager, id).stop, Stop::Idle);
    assert_eq!(value(&mut manager), 0);
    assert_eq!(manager.prepare(id, b"absent"), Err(ExecError::InvalidImage));
    assert_eq!(info(&mut manager, id).refusal, Some(Refusal::UnknownExport));
}

#[test]
fn a_tree_counts_as_all_that_it_may_come_to() {
    let limits = |limits| manager_with(ConsensusConstants::v1().limits(limits));
    let refusal = |manager: &mut VirtManager| manager.exit_info(None).unwrap().refusal;
    let mut manager = limits(Limits { instances: 34, ..Limits::V1 });
    let id = tree(&mut manager);
    assert_eq!(manager.limits().instances.used, 17);
    assert_eq!(manager.limits().pages.used, 17 * 4, "three pages of data and one of stack each");
    manager.fork(id).unwrap();
    assert_eq!(manager.fork(id), Err(ControlError::LimitReached));
    assert_eq!(manager.process_instantiate(0.into(), &listed()), Err(ControlError::LimitReached));
    assert_eq!(refusal(&mut manager), Some(Refusal::Instances));
    assert!(manager.instantiate(0.into()).is_err());
    manager.destroy(id).unwrap();
    assert!(manager.process_instantiate(0.into(), &[]).is_ok());
    assert_eq!(manager.limits().instances.used, 18, "with nothing to start it stays alone");

    let mut manager = limits(Limits { pages: 67, ..Limits::V1 });
    assert_eq!(manager.process_instantiate(0.into(), &listed()), Err(ControlError::LimitReached));
    assert_eq!(refusal(&mut manager), Some(Refusal::Pages));

    // One process at a time, and none but the root.
    let mut manager = limits(Limits { processes: 1, ..Limits::V1 });
    let id = tree(&mut manager);
    assert_eq!(manager.limits().most_processes, 1);
    assert_eq!(call(&mut manager, id, "main", 0).1.a1, 8, "as many processes as the limit");
    let mut manager = limits(Limits { snapshot_bytes: 900, ..Limits::V1 });
    let id = tree(&mut manager);
    let idle = manager.snapshot(id).unwrap();
    assert_eq!(call(&mut manager, id, "main", 0).0, Ok(ExecStatus::Syscall));
    assert_eq!(manager.snapshot(id), Err(ControlError::LimitReached));
    assert_eq!(refusal(&mut manager), Some(Refusal::SnapshotBytes));
    let longer = vec![0; 901];
    assert_eq!(manager.process_restore(0.into(), &listed(), &longer), Err(ControlError::LimitReached));
    assert!(manager.process_restore(0.into(), &listed(), &idle).is_ok());
    let mut manager = limits(Limits { modules: 2, ..Limits::V1 });
    let many = ["a", "b", "c"].map(|name| (name.as_bytes().to_vec(), ModuleId::from(1)));
    assert_eq!(manager.process_instantiate(0.into(), &many), Err(ControlError::LimitReached));
}

/// Grows its heap by a0, starts the program that its first byte of data names, waits for its end, and grows by five pages; and a
/// program that grows by four. Both tell in a syscall where their heaps end.
fn growing() -> [Vec<u8>; 2] {
    let layout = Layout { read_write: 2 * 4096, ..LAYOUT };
    let guest = || Guest::new(InstructionSetKind::Latest64).import(b"look").memory(layout);
    let mut root = vec![asm::sbrk(Reg::A0, Reg::A0)];
    root.extend(start_and_wait(1, 2));
    root.extend([asm::load_imm(Reg::A0, 5 * 4096), asm::sbrk(Reg::A0, Reg::A0), asm::ecalli(0), asm::ret()]);
    let child = [
        asm::load_imm(Reg::A0, 4 * 4096),
        asm::sbrk(Reg::A0, Reg::A0),
        asm::ecalli(0),
        asm::fallthrough(),
        asm::ret(),
    ];
    [
        guest().import(b"process_spawn").import(b"process_wait").export("main", &root).build(),
        guest().export("main", &child).build(),
    ]
}

/// Heaps of processes count as those of instances do: as they grow, and until the process ends.
#[test]
fn heaps_of_processes_count_as_they_grow() {
    const HEAP: u64 = DATA as u64 + 2 * 4096;
    on_each_backend(|cache| {
        // Two processes of three pages, and five pages for heaps.
        let limits = Limits { processes: 2, pages: 11, ..Limits::V1 };
        let new = || {
            let mut manager = VirtManager::new(ConsensusConstants::v1().limits(limits));
            manager = manager.with_cache(cache.clone());
            for program in growing() {
                manager.compile(&program, None).unwrap();
            }
            let id = tree(&mut manager);
            assert_eq!(manager.limits().pages.used, 6);
            (manager, id)
        };
        let used = |manager: &mut VirtManager| manager.limits().pages.used;
        let (mut manager, id) = new();
        let (result, mut buffer) = call(&mut manager, id, "main", 0);
        assert_eq!((result, buffer.a0), (Ok(ExecStatus::Syscall), HEAP + 4 * 4096), "the child's");
        assert_eq!(used(&mut manager), 10);
        assert_eq!(manager.fork(id), Err(ControlError::LimitReached));
        let snapshot = manager.snapshot(id).unwrap();
        let listed = listed();
        assert_eq!(manager.process_restore(0.into(), &listed, &snapshot), Err(ControlError::LimitReached));
        assert_eq!(manager.exit_info(None).unwrap().refusal, Some(Refusal::Pages));
        let (mut other, first) = new();
        other.destroy(first).unwrap();
        let restored = other.process_restore(0.into(), &listed, &snapshot).unwrap();
        assert_eq!(used(&mut other), 10);

        // The child ends in the run in which the root grows, and its heap with it.
        manager.start_transaction(TransactionType::Host);
        for (manager, id) in [(&mut manager, id), (&mut other, restored)] {
            assert_eq!(manager.run(id, GAS, 0, &mut buffer), Ok(ExecStatus::Syscall));
            assert_eq!(buffer.a0, HEAP + 5 * 4096, "the root's");
            assert_eq!(used(manager), 11);
        }
        manager.rollback_transaction(TransactionType::Host);
        assert_eq!(used(&mut manager), 10);
        assert_eq!(other.run(restored, GAS, 0, &mut buffer), Ok(ExecStatus::Finished));
        assert_eq!(used(&mut other), 11, "the root keeps its memory from call to call");
        assert_eq!(call(&mut other, restored, "main", 0).1.a0, 0, "so there is no room for the child's");
        other.reset(restored).unwrap();
        assert_eq!(used(&mut other), 6);

        // What one has grown by, others cannot have.
        let (result, mut buffer) = call(&mut other, restored, "main", 2 * 4096);
        assert_eq!((result, buffer.a0, used(&mut other)), (Ok(ExecStatus::Syscall), 0, 8), "the child");
        assert_eq!(other.run(restored, GAS, 0, &mut buffer), Ok(ExecStatus::Syscall));
        assert_eq!((buffer.a0, used(&mut other)), (0, 8), "the root: three pages are left");
        other.destroy(restored).unwrap();
        assert_eq!(used(&mut other), 0);
        // A call that is given up takes the heaps of its processes with it.
        assert_eq!(manager.run(id, 0, 0, &mut buffer), Err(ExecError::OutOfGas));
        assert_eq!(used(&mut manager), 10);
        manager.prepare(id, b"main").unwrap();
        assert_eq!(used(&mut manager), 6);
    });
}

#[test]
fn what_a_node_tries_and_gives_up_leaves_the_tree_as_it_was() {
    let mut manager = manager();
    let id = tree(&mut manager);
    assert_eq!(call(&mut manager, id, "main", 0).0, Ok(ExecStatus::Syscall));
    let before = (manager.snapshot(id), manager.limits());
    manager.start_transaction(TransactionType::Host);
    let mut buffer = ExecBuffer::default();
    assert_eq!(manager.run(id, GAS, 9, &mut buffer), Ok(ExecStatus::Syscall));
    manager.write_memory(id, DATA as u32, &[1; 64]).unwrap();
    let inside = tree(&mut manager);
    manager.destroy(id).unwrap();
    manager.rollback_transaction(TransactionType::Host);
    assert_eq!((manager.snapshot(id), manager.limits()), before);
    assert_eq!(manager.snapshot(inside), Err(ControlError::InvalidInstance));
    assert_eq!(manager.run(id, GAS, 42, &mut buffer), Ok(ExecStatus::Syscall));
    assert_eq!(buffer.a0, 42 << 32);
}

/// A tracer writes a tree's call down as one call, with the process that made each syscall.
#[test]
fn a_tracer_tells_the_processes_apart() {
    let mut tracer = Tracer::new(manager(), 100);
    tracer.compile(&Guest::jam().memory(LAYOUT).export("other", &[asm::ret()]).build(), None).unwrap();
    let id = tracer.process_instantiate(0.into(), &listed()).unwrap();
    let mut buffer = ExecBuffer::default();
    let mut snapshot = Vec::new();
    tracer.prepare(id, b"main").unwrap();
    for answer in [0, 42, 5] {
        let _ = tracer.run(id, GAS, answer, &mut buffer);
        if answer == 0 {
            snapshot = tracer.snapshot(id).unwrap();
        }
    }
    for export in [&b"deadlock"[..], b"bad_pointer", b"trap"] {
        tracer.prepare(id, export).unwrap();
        assert_eq!(tracer.run(id, GAS, 0, &mut buffer), Err(ExecError::Trap));
    }
    let id = tracer.process_instantiate(0.into(), &[(CHILD.to_vec(), 2.into())]).unwrap();
    tracer.prepare(id, b"exec").unwrap();
    assert_eq!(tracer.run(id, GAS, 0, &mut buffer), Err(ExecError::InvalidImage));
    let restored = tracer.process_restore(0.into(), &listed(), &snapshot).unwrap();
    assert_eq!(tracer.run(restored, GAS, 42, &mut buffer), Ok(ExecStatus::Syscall));

    let calls = tracer.trace().take().calls;
    let syscalls = |at: usize| -> Vec<_> {
        let syscalls = calls[at].syscalls.iter();
        syscalls.map(|call| (call.process, call.symbol.as_slice(), call.answer)).collect()
    };
    assert_eq!(syscalls(0), [(1, &b"glance"[..], Some(42)), (0, b"look", Some(5))]);
    assert_eq!(syscalls(5), [(0, &b"look"[..], None)], "restored where the child waited");
    assert!(calls[0].gas_used > 20_000);
    let ends: Vec<_> = calls.iter().map(|call| call.end.clone()).collect();
    assert_eq!(
        [&ends[..3], &ends[4..]].concat(),
        [
            Some(TracedEnd::Finished),
            Some(TracedEnd::Deadlock),
            Some(TracedEnd::CallArgument { address: Some(0x1234) }),
            Some(TracedEnd::BadImage),
            None
        ]
    );
    let Some(TracedEnd::Trapped { symbol: Some((name, 0)), .. }) = &ends[3] else { panic!("{ends:?}") };
    assert_eq!(name, b"trap");
}

/// A program that Rust made: four workers, pipes, and the sum.
#[test]
fn the_demonstration_counts_its_primes() {
    let demo = include_bytes!("../../../guests/blobs/jam-v1/process-demo.polkavm");
    let mut manager = VirtManager::default();
    manager.compile(demo, None).unwrap();
    let listed = [(b"process-demo".to_vec(), ModuleId::from(0))];
    let mut id = manager.process_instantiate(0.into(), &listed).unwrap();
    manager.prepare(id, b"main").unwrap();
    let mut buffer = ExecBuffer::default();
    let mut result = manager.run(id, 1_000_000, 0, &mut buffer);
    let mut blocks = 1;
    while result == Err(ExecError::OutOfGas) {
        let snapshot = manager.snapshot(id).unwrap();
        manager = VirtManager::default();
        manager.compile(demo, None).unwrap();
        id = manager.process_restore(0.into(), &listed, &snapshot).unwrap();
        result = manager.resume(id, 1_000_000, &mut buffer);
        blocks += 1;
    }
    assert_eq!((result, buffer.syscall_symbol.as_ref()), (Ok(ExecStatus::Syscall), &b"print"[..]));
    assert!(blocks > 5, "{blocks}");
    let mut text = vec![0; buffer.a1 as usize];
    manager.read_memory(id, buffer.a0 as u32, &mut text).unwrap();
    assert_eq!(text, b"9592");
    assert_eq!(manager.run(id, 1_000_000, 0, &mut buffer), Ok(ExecStatus::Finished));
    assert_eq!(manager.result(id).unwrap().a0, 0);
}
