//! Input that is wrong in every way: the command says what is wrong, with the right exit status, and does not panic.

mod common;

use std::process::Stdio;

use common::{Files, command, folder, guest, hatchery, raw};

/// The commands that take a program.
const ON_PROGRAMS: [&str; 3] = ["run", "inspect", "disasm"];

#[test]
fn files_that_cannot_be_read() {
    let files = Files::new();
    for command in ON_PROGRAMS {
        hatchery(&[command, "/nowhere/x.polkavm"])
            .expect(2, &["error: cannot read /nowhere/x.polkavm", "because: "]);
        hatchery(&[command, files.path()]).expect(2, &["cannot read", "directory"]);
    }
    hatchery(&["conformance", "/nowhere"]).expect(2, &["cannot read /nowhere"]);
}

#[test]
#[cfg(unix)]
fn a_file_without_an_end() {
    hatchery(&["inspect", "/dev/zero"])
        .expect(2, &["error: /dev/zero has more than 512 MiB, and more is not read"]);
}

#[test]
fn bytes_that_are_no_program() {
    let files = Files::new();
    let empty = files.write("empty", b"");
    let garbage = files.write("garbage", &[0xa5; 1000]);
    let half = &std::fs::read(folder().join(guest("hello"))).unwrap()[..2000];
    let truncated = files.write("truncated", half);
    for command in ON_PROGRAMS {
        for file in [&empty, &garbage] {
            hatchery(&[command, file]).expect(103, &["is not a program", "PVM\\0", "help: ", "--isa"]);
            hatchery(&[command, file, "--isa", "jam-v1"]).expect(103, &["is not a program", "offset "]);
        }
        hatchery(&[command, &truncated])
            .expect(103, &["is not a program", "the header says 4004 bytes, there are 2000"]);
    }
    // Valid as a container, with an invalid instruction, which JamV1 does not allow.
    let invalid = common::container(3, &[], &[], &[("main", 0)], &raw(&[], &[255], &[0]));
    let invalid = files.write("invalid", &invalid);
    for command in ON_PROGRAMS {
        hatchery(&[command, &invalid]).expect(103, &["does not compile", "invalid instruction at pc 0x0"]);
    }
}

/// A guest cut anywhere, and with any byte of it changed.
#[test]
fn damaged_programs_never_panic() {
    let whole = std::fs::read(folder().join(guest("syscalls"))).unwrap();
    let files = Files::new();
    for at in (0..whole.len()).step_by(7) {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        for (name, bytes) in [("cut", &whole[..at]), ("changed", &changed)] {
            let file = files.write(name, bytes);
            for command in ["inspect", "disasm"] {
                let outcome = hatchery(&[command, &file]);
                assert!(matches!(outcome.status, 0 | 103), "{name} at {at}: {outcome:?}");
                outcome.expect(outcome.status, &[]);
            }
        }
    }
}

#[test]
fn exports_and_arguments_that_do_not_exist() {
    let hello = guest("hello");
    hatchery(&["run", &hello, "goodbye"])
        .expect(2, &["no export `goodbye`", "its exports are hello, hello_times"]);
    hatchery(&["run", &guest("primes"), "x"]).expect(2, &["no export `x`", "its only export is primes"]);
    hatchery(&["run", &hello, "hello", "--pc", "0"]).expect(2, &["cannot be used with"]);
    let mut ten = vec!["run", &hello, "hello"];
    ten.extend(["--arg", "1"].repeat(10));
    hatchery(&ten).expect(2, &["10 arguments: at most nine"]);
    hatchery(&ten[..ten.len() - 2]).expect(0, &["finished"]);
}

#[test]
fn numbers_and_names_that_are_none() {
    let hello = guest("hello");
    for (option, value, problem) in [
        ("--arg", "ten", "not a number"),
        ("--arg", "0x", "not a number"),
        ("--arg", "0x10000000000000000", "more than 64 bits"),
        ("--gas", "-1", "invalid value '-1' for '--gas <N>': not a number"),
        ("--gas", "9223372036854775808", "at most 9223372036854775807"),
        ("--pc", "0x100000000", "more than 32 bits"),
        ("--memory-limit", "1k", "not a number"),
        ("--isa", "x86", "possible values: revive-v1, jam-v1"),
        ("--gas-model", "free", "possible values: flat, pipeline-l1"),
        ("--backend", "fast", "possible values: auto, interpreter"),
        ("--unknown", "1", "unexpected argument"),
    ] {
        hatchery(&["run", &hello, option, value]).expect(2, &[problem]);
    }
    hatchery(&[]).expect(2, &["Usage: "]);
    hatchery(&["walk"]).expect(2, &["unrecognized subcommand"]);
}

#[test]
fn settings_that_do_not_fit_the_program() {
    let hello = guest("hello");
    let contradiction = hatchery(&["run", &hello, "hello", "--isa", "revive-v1"]);
    contradiction.expect(2, &["is a jam-v1 program, --isa says revive-v1", "help: "]);
    hatchery(&["run", &hello, "hello", "--isa", "jam-v1"]).expect(0, &["finished"]);
    hatchery(&["run", &hello, "hello", "--memory-limit", "4095"])
        .expect(2, &["less than a page of 4096 bytes"]);
    hatchery(&["run", &hello, "hello", "--memory-limit", "4096"])
        .expect(103, &["does not compile", "the limit is 4096"]);
}

#[test]
fn jam_programs_without_an_instruction_set() {
    let hello = guest("hello");
    for (format, name) in [("raw", "raw JAM program"), ("standard", "JAM standard program")] {
        for command in ON_PROGRAMS {
            hatchery(&[command, &hello, "--format", format])
                .expect(2, &["which instruction set has ", "help: ", name, "--isa"]);
        }
    }
}

#[test]
fn arguments_that_no_register_holds() {
    let fib = "../../guests/blobs/latest32/fib.polkavm";
    let run = |argument| hatchery(&["run", fib, "fib_loop", "--gas", "0", "--arg", argument]);
    for argument in ["0x100000000", "-0x80000001", "9223372036854775807"] {
        run(argument).expect(2, &["does not fit into a register of latest32, which has 32 bits"]);
    }
    for argument in ["0xffffffff", "-1", "-0x80000000"] {
        run(argument).expect(102, &["out of gas"]);
    }
}

#[test]
fn parts_and_charts_that_are_not_there() {
    let hello = guest("hello");
    hatchery(&["disasm", &hello, "--at", "0x123456"]).expect(2, &["0x123456", "help: parts begin"]);
    hatchery(&["disasm", &hello, "--pipeline", "--gas-model", "flat"])
        .expect(2, &["the gas model flat has no pipeline", "help: "]);
    hatchery(&["run", &hello, "hello", "--charge", "instruction"])
        .expect(2, &["cannot be charged by the instruction under the model pipeline-l2"]);
}

#[test]
fn an_output_that_is_closed_ends_it_quietly() {
    // More than a pipe holds, so that some of it is written after the other end is gone.
    let mut child = command(&["disasm", &guest("hello"), "--json"]).stdin(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn help_tells_exit_statuses() {
    for arguments in [&["--help"][..], &["run", "--help"]] {
        let outcome = hatchery(arguments);
        outcome.expect(0, &[]);
        for status in ["  101  ", "  102  ", "  103  ", "  104  "] {
            assert!(outcome.stdout.contains(status), "{outcome:?}");
        }
    }
}
