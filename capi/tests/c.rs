//! Programs in C, compiled against the installed library.

#![cfg(unix)]

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod common;

use std::process::Command;

use common::{compile, installed, is_there, package, run, scratch, succeed};

/// Compiles and runs a test program, which says `ok` at the end.
fn passes(name: &str) {
    if is_there("cc") {
        let examples = format!("-DEXAMPLES=\"{}\"", package().join("examples/programs").display());
        let program = compile(&package().join("tests/c").join(name).with_extension("c"), &[&examples]);
        assert_eq!(succeed(&mut run(&program)), "ok\n");
    }
}

#[test]
fn the_header_keeps_its_promises() {
    passes("contract");
}

#[test]
fn inner_machines_snapshots_recordings_and_traces_work() {
    passes("features");
}

#[test]
fn recordings_are_right_or_refused() {
    passes("recordings");
}

#[test]
fn threads_do_not_get_in_each_others_way() {
    passes("threads");
}

#[test]
fn logging_to_nowhere_does_not_abort() {
    passes("closed_output");
}

#[test]
fn hosts_keep_their_signal_handlers() {
    if is_there("cc") {
        let program = compile(&package().join("tests/c/signals.c"), &[]);
        for order in ["first", "second"] {
            assert_eq!(succeed(run(&program).arg(order)), "ok\n", "{order}");
        }
    }
}

#[test]
fn code_for_the_proposed_header_compiles_and_runs() {
    passes("short_names");
}

#[test]
fn the_header_is_cpp_too() {
    if !is_there("c++") {
        return;
    }
    let source = scratch("programs").join("header.cpp");
    std::fs::write(
        &source,
        "#include \"pvm.h\"\nint main() { return pvm_abi_version() != PVM_ABI_VERSION; }\n",
    )
    .unwrap();
    let mut cpp = Command::new("c++");
    cpp.args(["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I"])
        .arg(installed().join("include"))
        .arg(&source);
    succeed(&mut cpp);
}

/// The static library, with the flags that pkg-config gives.
#[cfg(target_os = "linux")]
#[test]
fn pkg_config_links_the_static_library() {
    if !is_there("cc") || !is_there("pkg-config") || std::env::var_os("HATCHERY_CFLAGS").is_some() {
        return;
    }
    let lib = installed().join("lib");
    let flags = succeed(
        Command::new("pkg-config")
            .args(["--static", "--cflags", "--libs", "pvm"])
            .env("PKG_CONFIG_PATH", lib.join("pkgconfig")),
    );
    let program = scratch("programs").join("static");
    let flags = flags.trim().replace("-lpvm", "-Wl,-Bstatic -lpvm -Wl,-Bdynamic");
    let mut cc = Command::new("cc");
    cc.arg(package().join("tests/c/short_names.c")).args(flags.split_whitespace()).arg("-o").arg(&program);
    succeed(&mut cc);
    assert_eq!(succeed(&mut Command::new(&program)), "ok\n");
    let linked = succeed(Command::new("ldd").arg(&program));
    assert!(!linked.contains("libpvm"), "{linked}");
}

/// Nothing but the interface is exported, under the name that the dynamic linker looks for.
#[cfg(target_os = "linux")]
#[test]
fn the_shared_library_exports_the_interface_only() {
    // A sanitizer exports things of its own.
    if !is_there("readelf") || std::env::var_os("HATCHERY_CFLAGS").is_some() {
        return;
    }
    let library = common::shared_library();
    let dynamic = succeed(Command::new("readelf").arg("-d").arg(&library));
    assert!(dynamic.contains("[libpvm.so.1]"), "{dynamic}");
    let symbols = succeed(Command::new("readelf").args(["--wide", "--dyn-syms"]).arg(&library));
    let header = std::fs::read_to_string(package().join("include/pvm.h")).unwrap();
    let mut count = 0;
    for line in symbols.lines().filter(|line| line.contains(" GLOBAL ") && !line.contains(" UND ")) {
        let name = line.split_whitespace().last().unwrap();
        assert!(header.contains(&format!("{name}(")), "{name} is exported and not in the header");
        count += 1;
    }
    assert!(count > 60, "only {count} symbols are exported");
}

/// The examples say what their documents say.
#[test]
fn examples_run() {
    if !is_there("cc") {
        return;
    }
    let run_example = |name: &str, program: &str, arguments: &[&str]| {
        let example = compile(&package().join("examples/c").join(name).with_extension("c"), &[]);
        let program = package().join("examples/programs").join(program);
        succeed(run(&example).arg(program).args(arguments))
    };
    let hello = run_example("hello", "service.jam", &["1", "2", "250"]);
    assert!(hello.starts_with("log: summed up\nhalted pc="), "{hello}");
    assert!(hello.ends_with("sum: 253\n"), "{hello}");
    // 100 for the first call, then the squares of 9 to 1.
    let calls = run_example("host_calls", "calls.jam", &[]);
    let sums: Vec<_> = calls.lines().filter(|line| line.starts_with("sum: 385, gas left: ")).collect();
    assert_eq!(sums.len(), 3, "{calls}");
    assert!(sums.iter().all(|sum| *sum == sums[0]), "{calls}");
    let faults = run_example("page_faults", "pages.pvm", &[]);
    assert_eq!(faults.matches("page 0x10").count(), 5, "{faults}");
    assert!(faults.ends_with("\nsum: 10\n"), "{faults}");
    let inner = run_example("inner_machine", "inner.pvm", &[]);
    for line in [
        "machine: 0\n",
        "invoke: host call 3, gas left ",
        "invoke: state 0, ",
        "peek: 42\n",
        "expunge: pc 0\n",
    ] {
        assert!(inner.contains(line), "{line} is not in\n{inner}");
    }
    let table = run_example("gas_table", "pages.pvm", &[]);
    assert!(table.starts_with("@0: ") && table.contains("\n    load_indirect_u8 t1, a0, 0\n"), "{table}");
}
