//! The wire format is compared with the crate that it has to be equal to.

use hatchery_primitives::{
    CompileStatus, ExecBuffer, ExecStatus, SyscallSymbol, virtualization, virtualization_control,
};
use sp_runtime_interface::sp_wasm_interface::{Function, HostFunctions, ValueType};

fn signatures(functions: Vec<&'static dyn Function>) -> Vec<String> {
    functions.iter().map(|function| format!("{} {:?}", function.name(), function.signature())).collect()
}

#[test]
fn the_host_functions_are_those_of_upstream() {
    let ours = signatures(virtualization::HostFunctions::host_functions());
    let upstreams = signatures(sp_virtualization::HostFunctions::host_functions());
    assert_eq!(ours, upstreams);
}

#[test]
fn the_host_functions_are_the_nine_of_version_1() {
    let functions = virtualization::HostFunctions::host_functions();
    let names: Vec<_> = functions.iter().map(|function| function.name()).collect();
    assert_eq!(
        names,
        [
            "ext_virtualization_compile_from_bytes_version_1",
            "ext_virtualization_compile_from_storage_key_version_1",
            "ext_virtualization_destroy_version_1",
            "ext_virtualization_instantiate_version_1",
            "ext_virtualization_lookup_version_1",
            "ext_virtualization_prepare_version_1",
            "ext_virtualization_read_memory_version_1",
            "ext_virtualization_run_version_1",
            "ext_virtualization_write_memory_version_1",
        ]
    );
}

/// The second set, with its signatures, of which upstream has none.
#[test]
fn the_control_functions_are_the_fourteen_of_version_1() {
    use ValueType::{I32, I64};
    let expected: [(&str, &[ValueType]); 14] = [
        ("exit_info", &[I32, I64]),
        ("fork", &[I32]),
        ("limits", &[I64]),
        ("module_info", &[I32, I64]),
        ("prepare_with_args", &[I32, I64, I64, I64, I64, I64, I64]),
        ("process_instantiate", &[I32, I64]),
        ("process_restore", &[I32, I64, I64]),
        ("release_module", &[I32]),
        ("reset", &[I32]),
        ("restore", &[I32, I64]),
        ("result", &[I32, I32]),
        ("resume", &[I32, I64, I32]),
        ("snapshot", &[I32, I64]),
        ("zero_memory", &[I32, I32, I32]),
    ];
    let functions = virtualization_control::HostFunctions::host_functions();
    assert_eq!(functions.len(), expected.len());
    for (function, (name, arguments)) in functions.iter().zip(expected) {
        assert_eq!(function.name(), format!("ext_virtualization_control_{name}_version_1"));
        let signature = function.signature();
        assert_eq!(signature.args.as_ref(), arguments, "{name}");
        assert_eq!(signature.return_value, Some(I64), "{name}");
    }
}

#[test]
fn a_node_offers_both_sets() {
    let both = hatchery_primitives::HostFunctions::host_functions();
    assert_eq!(both.len(), 23);
}

#[test]
fn the_buffer_has_the_bytes_of_upstreams() {
    let symbol = b"a_symbol_of_exactly_32_bytes_long".split_at(32).0;
    let ours = ExecBuffer {
        gas_left: i64::MIN + 1,
        syscall_symbol: SyscallSymbol::new(symbol).unwrap(),
        a0: 10,
        a1: 11 << 56,
        a2: 12,
        a3: 13,
        a4: 14,
        a5: u64::MAX - 1,
    };
    let upstreams = sp_virtualization::ExecBuffer {
        gas_left: i64::MIN + 1,
        syscall_symbol: sp_virtualization::SyscallSymbol::new(symbol).unwrap(),
        a0: 10,
        a1: 11 << 56,
        a2: 12,
        a3: 13,
        a4: 14,
        a5: u64::MAX - 1,
    };
    assert_eq!(ours.as_ref(), upstreams.as_ref());
}

/// Variant by variant, the number of ours and of upstream's.
macro_rules! assert_same_numbers {
    ($number:ty: $($enumeration:ident { $($variant:ident),+ })+) => {$($(
        assert_eq!(
            <$number>::from(hatchery_primitives::$enumeration::$variant),
            <$number>::from(sp_virtualization::$enumeration::$variant),
            concat!(stringify!($enumeration), "::", stringify!($variant)),
        );
    )+)+};
}

#[test]
fn the_enums_have_the_numbers_of_upstreams() {
    assert_same_numbers!(i32:
        ModuleError { InvalidImage, NotCached, NotFound }
        InstantiateError { InvalidImage, InvalidModule }
        ExecError { InvalidInstance, InvalidImage, OutOfGas, Trap }
        MemoryError { InvalidInstance, OutOfBounds }
        DestroyError { InvalidInstance }
    );
    assert_same_numbers!(u8: CompileStatus { Cached, Compiled });
    assert_same_numbers!(u32: ExecStatus { Finished, Syscall });
    assert_eq!(u8::from(CompileStatus::Compiled), 1);
    assert_eq!(u32::from(ExecStatus::Syscall), 1);
}

#[test]
fn the_limits_and_names_are_those_of_upstream() {
    assert_eq!(hatchery_primitives::MAX_SYSCALL_SYMBOL_LEN, sp_virtualization::MAX_SYSCALL_SYMBOL_LEN);
    assert_eq!(hatchery_primitives::LOG_TARGET, sp_virtualization::LOG_TARGET);
}
