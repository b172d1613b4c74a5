//! Builds this crate a second time, as Wasm.

#[cfg(feature = "std")]
fn main() {
    let builder = substrate_wasm_builder::WasmBuilder::init_with_defaults();
    // The symbol and the decimals are part of what a wallet proves, so that they are of the hash.
    #[cfg(feature = "metadata-hash")]
    let builder = builder.enable_metadata_hash("HATCH", 12);
    builder.build();
}

#[cfg(not(feature = "std"))]
fn main() {}
