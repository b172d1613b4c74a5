//! Programs in C, compiled against the installed library.

#![cfg(unix)]

mod common;

use std::process::Command;

use common::{compile, installed, is_there, package, scratch, succeed};

/// Compiles and runs a test program, which says `ok` at the end.
fn passes(name: &str) {
    if is_there("cc") {
        let program = compile(&package().join("tests/c").join(name).with_extension("c"), &[]);
        assert_eq!(succeed(&mut Command::new(program)), "ok\n");
    }
}

#[test]
fn the_header_keeps_its_promises() {
    passes("contract");
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
#[test]
fn the_shared_library_exports_the_interface_only() {
    if !is_there("readelf") {
        return;
    }
    let library = installed().join("lib/libpvm.so");
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
