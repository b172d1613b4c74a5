//! The host functions as numbers: ids, packing, errors, buffers.

use super::{Case, PLENTY, cases, guests};
use crate::guests::Layout;
use hatchery_test_runtime::{
    Input,
    outcome::{HostCall, Returned, Transaction},
    scenario,
};

/// `CompiledModule` with the status `Compiled`: 1 in bits 32 to 39, the id below.
const COMPILED: i64 = 1 << 32;

/// `CompiledModule` with the status `Cached`.
const CACHED: i64 = 0;

const LAYOUT: Layout = Layout { read_only: 0x1000, read_write: 0x1000, stack: 0x1000 };

cases! {
    ids_count_up_and_are_not_reused = Case::new(
        script([
            compile(),
            compile(),
            instantiate(0),
            instantiate(1),
            instantiate(0),
            destroy(1),
            instantiate(1),
            destroy(0),
            destroy(2),
            instantiate(0),
        ]),
        |returned| assert_eq!(values(&returned), [COMPILED, COMPILED + 1, 0, 1, 2, 0, 3, 0, 0, 4]),
    );

    every_answer_with_a_module_has_a_new_id = Case::new(
        script([
            compile_as(b"a"),
            compile_as(b"a"),
            lookup(b"a"),
            compile(),
            from_storage(b"code"),
            from_storage(b"code"),
            instantiate(5),
            instantiate(6),
        ]),
        |returned| {
            let expected = [COMPILED, CACHED + 1, 2, COMPILED + 3, COMPILED + 4, CACHED + 5, 0, -2];
            assert_eq!(values(&returned), expected);
        },
    )
    .stored(b"code", guests::marked(1));

    refusals_use_up_no_ids = Case::new(
        script([
            HostCall::CompileFromBytes { program: b"no program".to_vec(), identifier: Some(b"a".to_vec()) },
            lookup(b"a"),
            from_storage(b"absent"),
            instantiate(0),
            compile(),
            instantiate(0),
            prepare(0, b"absent"),
            instantiate(0),
        ]),
        |returned| assert_eq!(values(&returned), [-1, -2, -3, -2, COMPILED, 0, -2, 1]),
    );

    unknown_ids = Case::new(
        script([
            instantiate(0),
            instantiate(u32::MAX),
            prepare(0, b"look"),
            run(0, PLENTY),
            destroy(0),
            read(0),
            write(0),
            prepare(u32::MAX, b"look"),
            run(u32::MAX, PLENTY),
            destroy(u32::MAX),
            read(u32::MAX),
            write(u32::MAX),
        ]),
        |returned| {
            assert_eq!(values(&returned), [-2, -2, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1]);
            assert_buffers_are_zero(&returned);
        },
    );

    use_after_destroy = Case::new(
        script([
            compile(),
            instantiate(0),
            prepare(0, b"look"),
            run(0, PLENTY),
            destroy(0),
            run(0, PLENTY),
            read(0),
            write(0),
            prepare(0, b"look"),
            destroy(0),
        ]),
        |returned| {
            assert_eq!(values(&returned), [COMPILED, 0, 0, 1, 0, -1, -1, -1, -1, -1]);
            assert_buffers_are_zero(&returned[4..]);
        },
    );

    idle_instance = Case::new(
        script([compile(), instantiate(0), run(0, PLENTY), read(0), write(0), prepare(0, b"look"), read(0)]),
        |returned| {
            assert_eq!(values(&returned), [COMPILED, 0, -1, -1, -1, 0, 0]);
            assert_buffers_are_zero(&returned[..6]);
        },
    );

    prepared_instance_cannot_be_prepared = Case::new(
        script([
            compile(),
            instantiate(0),
            prepare(0, b"look"),
            prepare(0, b"look"),
            prepare(0, b"absent"),
            run(0, PLENTY),
            prepare(0, b"look"),
            run(0, PLENTY),
            prepare(0, b"look"),
        ]),
        |returned| assert_eq!(values(&returned), [COMPILED, 0, 0, -1, -1, 1, -1, 0, 0]),
    );

    idle_after_finishing = Case::new(
        script([
            compile(),
            instantiate(0),
            prepare(0, b"look"),
            run(0, PLENTY),
            run(0, PLENTY),
            run(0, PLENTY),
            read(0),
            write(0),
        ]),
        |returned| {
            assert_eq!(values(&returned), [COMPILED, 0, 0, 1, 0, -1, -1, -1]);
            let finished = &returned[4].buffer;
            assert!(finished[..8].iter().any(|byte| *byte != 0), "gas is left");
            assert_eq!(finished[8..], [0; 88], "and nothing else is told");
            assert_buffers_are_zero(&returned[5..]);
        },
    );

    idle_after_running_out_of_gas = Case::new(
        script([
            compile(),
            instantiate(0),
            prepare(0, b"look"),
            run(0, 0),
            run(0, PLENTY),
            read(0),
            prepare(0, b"look"),
            run(0, PLENTY),
        ]),
        |returned| {
            assert_eq!(values(&returned), [COMPILED, 0, 0, -3, -1, -1, 0, 1]);
            assert_buffers_are_zero(&returned[..7]);
        },
    );

    idle_after_a_trap = Case::new(
        script([
            compile(),
            instantiate(0),
            // a0 is 0: `peek` loads from there.
            prepare(0, b"peek"),
            run(0, PLENTY),
            run(0, PLENTY),
            write(0),
            prepare(0, b"look"),
            run(0, PLENTY),
        ]),
        |returned| {
            assert_eq!(values(&returned), [COMPILED, 0, 0, -4, -1, -1, 0, 1]);
            assert_buffers_are_zero(&returned[..7]);
        },
    );

    /// A storage layer that is rolled back takes its identifiers along. Ids and instances stay: the runtime has their handles.
    handles_outlive_a_layer_that_is_rolled_back = Case::new(
        script([
            HostCall::Transaction(Transaction::Start),
            compile(),
            instantiate(0),
            prepare(0, b"look"),
            run(0, PLENTY),
            HostCall::Transaction(Transaction::Rollback),
            run(0, PLENTY),
            instantiate(0),
            compile(),
            prepare(1, b"look"),
        ]),
        |returned| {
            assert_eq!(values(&returned), [0, COMPILED, 0, 0, 1, 0, 0, 1, COMPILED + 1, 0]);
        },
    );

    /// What was made before the layer was opened, and has run inside, is where it has run to.
    handles_from_before_a_layer_that_is_rolled_back = Case::new(
        script([
            HostCall::CompileFromBytes { program: guests::registers(), identifier: None },
            instantiate(0),
            prepare(0, b"main"),
            run(0, PLENTY),
            HostCall::Transaction(Transaction::Start),
            run(0, PLENTY),
            instantiate(0),
            HostCall::Transaction(Transaction::Rollback),
            run(0, PLENTY),
            run(0, PLENTY),
            prepare(1, b"main"),
            run(1, PLENTY),
        ]),
        |returned| {
            assert_eq!(values(&returned), [COMPILED, 0, 0, 1, 0, 1, 1, 0, 0, -1, 0, 1]);
        },
    );

    buffer_of_a_syscall = Case::new(
        script([
            HostCall::CompileFromBytes { program: guests::registers(), identifier: None },
            instantiate(0),
            prepare(0, b"main"),
            HostCall::Run { instance: 0, gas: 1_000_000, a0: 0x0807_0605_0403_0201 },
        ]),
        |returned| {
            assert_eq!(values(&returned), [COMPILED, 0, 0, 1]);
            let buffer = &returned[3].buffer;
            assert_eq!(buffer.len(), 96);
            let number = |at: usize| i64::from_le_bytes(buffer[at..at + 8].try_into().unwrap());
            assert!((1..1_000_000).contains(&number(0)), "gas left: {}", number(0));
            assert_eq!(&buffer[8..12], b"look");
            assert_eq!(buffer[12..40], [0; 28]);
            assert_eq!(number(40), 4, "length of the symbol");
            assert_eq!(buffer[48..56], [1, 2, 3, 4, 5, 6, 7, 8], "a0");
            assert_eq!(buffer[56..], [0; 40], "a1 to a5");
        },
    );

    syscall_beyond_the_imports_is_minus_2 = Case::new(
        script([
            HostCall::CompileFromBytes { program: guests::importing(&[b"look"], 1), identifier: None },
            instantiate(0),
            prepare(0, b"main"),
            run(0, PLENTY),
            run(0, PLENTY),
            prepare(0, b"return"),
            run(0, PLENTY),
        ]),
        |returned| {
            assert_eq!(values(&returned), [COMPILED, 0, 0, -2, -1, 0, 0]);
            assert_buffers_are_zero(&returned[..5]);
        },
    );

    memory_errors = Case::new(
        script([
            compile(),
            instantiate(0),
            prepare(0, b"look"),
            HostCall::ReadMemory { instance: 0, address: 0, length: 4 },
            HostCall::ReadMemory { instance: 0, address: LAYOUT.read_only_end() - 2, length: 4 },
            HostCall::WriteMemory { instance: 0, address: 0, bytes: vec![1; 4] },
            HostCall::WriteMemory { instance: 0, address: LAYOUT.read_only_start(), bytes: vec![1; 4] },
            HostCall::ReadMemory { instance: 0, address: LAYOUT.read_only_start(), length: 0 },
        ]),
        |returned| {
            assert_eq!(values(&returned), [COMPILED, 0, 0, -2, -2, -2, -2, 0]);
            assert_buffers_are_zero(&returned);
        },
    );
}

fn script<const N: usize>(calls: [HostCall; N]) -> Input<Vec<Returned>> {
    scenario::wire(calls.to_vec())
}

fn compile() -> HostCall {
    HostCall::CompileFromBytes { program: guests::probe(LAYOUT), identifier: None }
}

fn compile_as(identifier: &[u8]) -> HostCall {
    HostCall::CompileFromBytes { program: guests::probe(LAYOUT), identifier: Some(identifier.to_vec()) }
}

fn lookup(identifier: &[u8]) -> HostCall {
    HostCall::Lookup { identifier: identifier.to_vec() }
}

fn from_storage(key: &[u8]) -> HostCall {
    HostCall::CompileFromStorageKey { key: key.to_vec(), child_trie: Vec::new() }
}

fn instantiate(module: u32) -> HostCall {
    HostCall::Instantiate { module }
}

fn prepare(instance: u32, export: &[u8]) -> HostCall {
    HostCall::Prepare { instance, export: export.to_vec() }
}

fn run(instance: u32, gas: i64) -> HostCall {
    HostCall::Run { instance, gas, a0: 0 }
}

fn destroy(instance: u32) -> HostCall {
    HostCall::Destroy { instance }
}

fn read(instance: u32) -> HostCall {
    HostCall::ReadMemory { instance, address: LAYOUT.read_write_start(), length: 8 }
}

fn write(instance: u32) -> HostCall {
    HostCall::WriteMemory { instance, address: LAYOUT.read_write_start(), bytes: vec![1; 8] }
}

fn values(returned: &[Returned]) -> Vec<i64> {
    returned.iter().map(|returned| returned.value).collect()
}

/// After an error, what a buffer held before the call is gone.
fn assert_buffers_are_zero(returned: &[Returned]) {
    for (at, Returned { value, buffer }) in returned.iter().enumerate() {
        let zero = buffer.iter().all(|byte| *byte == 0);
        assert!(zero || *value >= 0, "call {at} returned {value} and the buffer {buffer:?}");
    }
}
