//! The interface between runtime and node, written out: it is what has to stay when crates change.

use hatchery_runtime_tests::Failure;
use hatchery_test_runtime::Flavour;
use sp_wasm_interface::{HostFunctions, Signature, ValueType};
use wasmparser::{CompositeInnerType, Parser, Payload, TypeRef, ValType};

/// Every host function that a runtime with all of the runtime-side API imports.
const INTERFACE: [&str; 9] = [
    "ext_virtualization_compile_from_bytes_version_1(i64, i64) -> i64",
    "ext_virtualization_compile_from_storage_key_version_1(i64, i64) -> i64",
    "ext_virtualization_destroy_version_1(i32) -> i64",
    "ext_virtualization_instantiate_version_1(i32) -> i64",
    "ext_virtualization_lookup_version_1(i64) -> i64",
    "ext_virtualization_prepare_version_1(i32, i64) -> i64",
    "ext_virtualization_read_memory_version_1(i32, i32, i64) -> i64",
    "ext_virtualization_run_version_1(i32, i64, i64, i32) -> i64",
    "ext_virtualization_write_memory_version_1(i32, i32, i64) -> i64",
];

/// What a runtime with the feature `control` imports in addition.
const CONTROL: [&str; 14] = [
    "ext_virtualization_control_exit_info_version_1(i32, i64) -> i64",
    "ext_virtualization_control_fork_version_1(i32) -> i64",
    "ext_virtualization_control_limits_version_1(i64) -> i64",
    "ext_virtualization_control_module_info_version_1(i32, i64) -> i64",
    "ext_virtualization_control_prepare_with_args_version_1(i32, i64, i64, i64, i64, i64, i64) -> i64",
    "ext_virtualization_control_process_instantiate_version_1(i32, i64) -> i64",
    "ext_virtualization_control_process_restore_version_1(i32, i64, i64) -> i64",
    "ext_virtualization_control_release_module_version_1(i32) -> i64",
    "ext_virtualization_control_reset_version_1(i32) -> i64",
    "ext_virtualization_control_restore_version_1(i32, i64) -> i64",
    "ext_virtualization_control_result_version_1(i32, i32) -> i64",
    "ext_virtualization_control_resume_version_1(i32, i64, i32) -> i64",
    "ext_virtualization_control_snapshot_version_1(i32, i64) -> i64",
    "ext_virtualization_control_zero_memory_version_1(i32, i32, i32) -> i64",
];

#[test]
fn runtime_with_control_imports_both_interfaces() {
    let mut both: Vec<_> = INTERFACE.into_iter().chain(CONTROL).collect();
    both.sort_unstable();
    assert_eq!(virtualization_imports(Flavour::Control), both);
}

#[test]
fn hatchery_node_offers_both_interfaces() {
    let mut both: Vec<_> = INTERFACE.into_iter().chain(CONTROL).collect();
    both.sort_unstable();
    assert_eq!(offered::<hatchery_primitives::HostFunctions>(), both);
}

#[test]
fn runtime_against_hatchery_imports_the_interface() {
    assert_eq!(virtualization_imports(Flavour::Hatchery), INTERFACE);
}

#[test]
fn runtime_against_upstream_imports_the_interface() {
    assert_eq!(virtualization_imports(Flavour::Upstream), INTERFACE);
}

#[test]
fn hatchery_node_offers_the_interface() {
    assert_eq!(offered::<hatchery_primitives::virtualization::HostFunctions>(), INTERFACE);
}

#[test]
fn upstream_node_offers_the_interface() {
    assert_eq!(offered::<sp_virtualization::HostFunctions>(), INTERFACE);
}

/// Whatever else a runtime needs, nodes have long offered: nothing comes from a place of our own.
#[test]
fn every_other_import_is_an_ordinary_one() {
    let ordinary: Vec<String> = sp_io::SubstrateHostFunctions::host_functions()
        .iter()
        .map(|function| function.name().to_owned())
        .collect();
    for flavour in [Flavour::Hatchery, Flavour::Upstream, Flavour::Control] {
        for (module, import) in imports(flavour) {
            assert_eq!(module, "env", "{import}");
            let name = import.split('(').next().unwrap_or_default().to_owned();
            let known =
                name == "memory" || name.starts_with("ext_virtualization_") || ordinary.contains(&name);
            assert!(known, "the {flavour:?} flavour imports {import}");
        }
    }
}

fn virtualization_imports(flavour: Flavour) -> Vec<String> {
    let mut imports: Vec<_> = imports(flavour)
        .into_iter()
        .map(|(_, import)| import)
        .filter(|import| import.contains("virtualization"))
        .collect();
    imports.sort();
    imports
}

/// The imports as module and "name(parameters) -> result".
fn imports(flavour: Flavour) -> Vec<(String, String)> {
    let wasm = flavour.wasm().unwrap_or_else(|| panic!("{}", Failure::NoWasm(flavour)));
    let limit = sp_maybe_compressed_blob::CODE_BLOB_BOMB_LIMIT;
    let wasm = sp_maybe_compressed_blob::decompress(wasm, limit).expect("the builder compressed it");
    let mut types = Vec::new();
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(&wasm) {
        match payload.expect("the builder gives valid Wasm") {
            Payload::TypeSection(section) => {
                for group in section {
                    for kind in group.expect("valid").into_types() {
                        types.push(match kind.composite_type.inner {
                            CompositeInnerType::Func(function) => {
                                signature(&text(function.params()), &text(function.results()))
                            }
                            _ => String::from("not a function"),
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section {
                    let import = import.expect("valid");
                    let signature = match import.ty {
                        TypeRef::Func(index) => types[index as usize].as_str(),
                        _ => "",
                    };
                    imports.push((import.module.to_owned(), format!("{}{signature}", import.name)));
                }
            }
            _ => {}
        }
    }
    imports
}

fn offered<H: HostFunctions>() -> Vec<String> {
    let describe = |kind: &ValueType| match kind {
        ValueType::I32 => "i32",
        ValueType::I64 => "i64",
        ValueType::F32 => "f32",
        ValueType::F64 => "f64",
    };
    let mut offered: Vec<_> = H::host_functions()
        .iter()
        .map(|function| {
            let Signature { args, return_value } = function.signature();
            let arguments: Vec<_> = args.iter().map(|kind| describe(kind).to_owned()).collect();
            let results: Vec<_> = return_value.iter().map(|kind| describe(kind).to_owned()).collect();
            format!("{}{}", function.name(), signature(&arguments, &results))
        })
        .collect();
    offered.sort();
    offered
}

fn text(kinds: &[ValType]) -> Vec<String> {
    kinds.iter().map(ToString::to_string).collect()
}

fn signature(parameters: &[String], results: &[String]) -> String {
    format!("({}) -> {}", parameters.join(", "), results.join(", "))
}
