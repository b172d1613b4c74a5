//! Decides whether the interpreter threads its handlers directly (`src/interpreter/threaded.rs`).
//!
//! That relies on the compiler turning calls in tail position into jumps, which the language does not promise. So it is done only
//! where a test shows that it holds: one that runs every operation in long loops on a small stack, and that `cargo xtask test`
//! runs in release builds for x86-64 at optimization levels 2 and 3, with overflow checks (of which build scripts are not told) and
//! with link-time optimization, too. It does not hold without optimization, nor where something is added to functions: debug
//! assertions (which the source asks for itself, since build scripts are not told), sanitizers, coverage, Miri. There, at other
//! levels, on other processors, and with `--cfg hatchery_portable_dispatch` in `RUSTFLAGS`, the portable loop is used, which does
//! the same.
//!
//! With `--cfg hatchery_direct_dispatch` handlers are threaded in builds of levels 2 and 3 all the same, so that a sanitizer sees them,
//! or on aarch64, where nothing known speaks against it; then the test should be run there.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(hatchery_direct_threading)");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let is_set = |name: &str| std::env::var_os(name).is_some();
    let is_optimized = matches!(variable("OPT_LEVEL").as_str(), "2" | "3");
    let is_tested = variable("CARGO_CFG_TARGET_ARCH") == "x86_64";
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    let adds_something =
        ["sanitizer", "instrument-coverage", "debug-assertions"].into_iter().any(|flag| flags.contains(flag));
    let is_instrumented = adds_something || is_set("CARGO_CFG_SANITIZE");
    let is_forced = is_set("CARGO_CFG_HATCHERY_DIRECT_DISPATCH");
    let is_unwanted = is_set("CARGO_CFG_MIRI") || is_set("CARGO_CFG_HATCHERY_PORTABLE_DISPATCH");
    if is_optimized && (is_forced || is_tested && !is_instrumented) && !is_unwanted {
        println!("cargo::rustc-cfg=hatchery_direct_threading");
    }
}
