//! Builds this crate a second time as Wasm, once per flavour.

#[cfg(feature = "std")]
fn main() {
    // Code inside `WASM_BINARY` calls the host functions through `hatchery-primitives`.
    flavour().build();
    // With the second set of host functions, which upstream's nodes do not have.
    flavour().enable_feature("control").set_file_name("control.rs").build();
    // The same scenarios, compiled against upstream's crate.
    flavour().enable_feature("upstream").set_file_name("upstream.rs").build();
}

#[cfg(feature = "std")]
fn flavour() -> substrate_wasm_builder::WasmBuilder {
    // This runtime has no `Core` API and so no version to embed.
    substrate_wasm_builder::WasmBuilder::init_with_defaults().disable_runtime_version_section_check()
}

#[cfg(not(feature = "std"))]
fn main() {}
