//! The tests of the bindings, by their own test runners, over the installed library.

#![cfg(unix)]

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod common;

use std::process::Command;

use common::{installed, is_there, package, scratch, shared_library, succeed, text};

#[test]
fn python() {
    if !is_there("python3") {
        return;
    }
    let folder = package().join("python");
    let mut tests = Command::new("python3");
    tests
        .args(["-m", "unittest", "discover", "--start-directory", "tests"])
        .current_dir(&folder)
        .env("PYTHONPATH", &folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PVM_LIBRARY", shared_library());
    let output = tests.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let said = text(&output);
    assert!(said.contains("\nOK"), "{said}");
}

/// The wheel contains the library and works where nothing else is.
#[test]
fn python_wheel() {
    if !is_there("python3") {
        return;
    }
    let folder = package().join("python");
    let dist = scratch("wheel");
    let build =
        format!("import build_backend; print(build_backend.build_wheel({:?}))", dist.to_str().unwrap());
    let wheel = succeed(
        Command::new("python3")
            .args(["-c", &build])
            .current_dir(&folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PVM_LIBRARY", shared_library()),
    );
    let site = scratch("site");
    let unpack = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
    succeed(Command::new("python3").args(["-c", unpack]).arg(dist.join(wheel.trim())).arg(&site));
    let said = succeed(
        Command::new("python3")
            .arg(folder.join("examples/service.py"))
            .arg(package().join("examples/programs/service.jam"))
            .args(["1", "2", "250"])
            .env("PYTHONPATH", &site)
            .env_remove("PVM_LIBRARY"),
    );
    assert!(said.starts_with("log: summed up\nOK halted pc="), "{said}");
    assert!(said.ends_with("\nsum: 253\n"), "{said}");
}

#[test]
fn node() {
    let folder = package().join("node");
    if !is_there("node") {
        return;
    }
    if !folder.join("node_modules/koffi").is_dir() {
        eprintln!("skipped: capi/node has no packages: run `npm ci` there");
        return;
    }
    let mut tests = Command::new("node");
    tests.args(["--test", "test/"]).current_dir(&folder).env("PVM_LIBRARY", shared_library());
    let output = tests.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("# fail 0"), "{}", text(&output));
}

#[test]
fn go() {
    if !Command::new("go").arg("version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no `go`");
        return;
    }
    let lib = installed().join("lib");
    let go = |arguments: &[&str]| {
        let mut command = Command::new("go");
        command
            .args(arguments)
            .current_dir(package().join("go"))
            .env("CGO_ENABLED", "1")
            .env("CGO_CFLAGS", format!("-I{}", installed().join("include").display()))
            .env("CGO_LDFLAGS", format!("-L{} -Wl,-rpath,{}", lib.display(), lib.display()));
        succeed(&mut command)
    };
    go(&["vet", "./..."]);
    go(&["test", "./..."]);
    let said = go(&["run", "./examples/service", "../examples/programs/service.jam", "1", "2", "250"]);
    assert!(said.starts_with("log: summed up\nhalted pc="), "{said}");
    assert!(said.ends_with("\nsum: 253\n"), "{said}");
    if Command::new("gofmt").arg("-h").output().is_ok() {
        assert_eq!(
            succeed(Command::new("gofmt").arg("-l").arg(package().join("go"))),
            "",
            "not as gofmt has it"
        );
    }
}
