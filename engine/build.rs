//! Decides whether the interpreter threads its handlers directly (`src/interpreter/threaded.rs`).
//!
//! That relies on the compiler turning calls in tail position into jumps, which the language does not promise. rustc does it on
//! x86-64 and aarch64 from optimization level 2 on. It does not without optimization, nor where something is added to functions:
//! debug assertions (which the source asks for itself, since build scripts are not told), sanitizers, coverage, Miri. There, and
//! with `--cfg hatchery_portable_dispatch` in `RUSTFLAGS`, the portable loop is used, which does the same. With `--cfg
//! hatchery_direct_dispatch` handlers are threaded in optimized builds all the same, so that a sanitizer sees them.
//!
//! Whether it holds, a test finds out that runs every operation in long loops on a small stack, in a release build.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(hatchery_direct_threading)");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let is_set = |name: &str| std::env::var_os(name).is_some();
    let is_optimized = matches!(variable("OPT_LEVEL").as_str(), "2" | "3" | "s" | "z");
    let is_known = matches!(variable("CARGO_CFG_TARGET_ARCH").as_str(), "x86_64" | "aarch64");
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    let adds_something = ["sanitizer", "instrument-coverage", "debug-assertions", "overflow-checks"]
        .into_iter()
        .any(|flag| flags.contains(flag));
    let is_instrumented = adds_something || is_set("CARGO_CFG_SANITIZE");
    let is_forced = is_set("CARGO_CFG_HATCHERY_DIRECT_DISPATCH");
    let is_unwanted = is_set("CARGO_CFG_MIRI") || is_set("CARGO_CFG_HATCHERY_PORTABLE_DISPATCH");
    if is_optimized && is_known && (is_forced || !is_instrumented) && !is_unwanted {
        println!("cargo::rustc-cfg=hatchery_direct_threading");
    }
}
