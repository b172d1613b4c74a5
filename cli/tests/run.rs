//! `hatchery run`: what it prints, what it answers, and its exit statuses.

mod common;

use common::{Files, container, guest, hatchery, hatchery_reading, raw};
use hatchery_engine::InstructionSet;
use hatchery_engine::isa::{Instruction, Opcode, encode};

/// `add_imm_64 a0, a0, 5`, then a return.
fn add_five() -> Vec<u8> {
    raw(&[], &[149, 0x77, 5, 50, 0], &[0, 3])
}

/// A call of the first import, then a return.
fn call_host() -> Vec<u8> {
    raw(&[], &[10, 0, 50, 0], &[0, 2])
}

#[test]
fn a_finished_program_tells_its_result_and_gas() {
    let primes = guest("primes");
    let outcome = hatchery(&["run", &primes, "--arg", "0x64", "--gas", "100000", "--gas-model", "flat"]);
    outcome
        .expect(0, &["finished: a0 = 25 (0x19), a1 = ", "used (flat), ", " left", "time: ", " instructions"]);
    assert_eq!(outcome.stdout, "");

    let outcome = hatchery(&["run", &primes, "primes", "--arg", "100"]);
    outcome.expect(0, &["finished: a0 = 25 (0x19)", "used (pipeline-l2)\n", "instructions a second"]);
    let outcome = hatchery(&["run", &primes, "primes", "--arg", "100", "--no-count"]);
    outcome.expect(0, &["finished: a0 = 25 (0x19)", "used (pipeline-l2)\n", "gas a second"]);
    assert!(!outcome.stderr.contains("instruction"), "{outcome:?}");
}

/// The number of instructions that `hatchery run` tells; none: it tells none.
fn instructions(input: &[u8], arguments: &[&str]) -> Option<u64> {
    let outcome = hatchery_reading(input, arguments);
    let line = outcome.stderr.lines().find(|line| line.starts_with("time: ")).unwrap();
    let (before, _) = line.split_once(" instruction")?;
    before.rsplit(' ').next().unwrap().parse().ok()
}

/// They are counted under every model, whatever the program is answered, and however it ends.
#[test]
fn instructions_are_counted_up_to_the_end() {
    let files = Files::new();
    // Two instructions, a trap, and one that is paid for but does not follow.
    let program = files.write("trap.jam", &raw(&[], &[149, 0x77, 5, 128, 0x17, 1, 50, 0], &[0, 3, 6]));
    let arguments = ["run", &program, "--isa", "jam-v1", "--gas", "1000"];
    assert_eq!(instructions(b"", &arguments), Some(2));
    let by_instruction = [&arguments[..], &["--gas-model", "flat", "--charge", "instruction"]].concat();
    hatchery(&by_instruction).expect(101, &["gas: 2 used (flat), 998 left", ", 2 instructions, "]);
    // Without gas for what follows nothing more is executed.
    assert_eq!(instructions(b"", &["run", &program, "--isa", "jam-v1", "--gas", "0"]), Some(0));

    let echo = guest("echo");
    let short = instructions(b"a", &["run", &echo, "--stdin"]).unwrap();
    let long = instructions(&[b'a'; 100_000], &["run", &echo, "--stdin"]).unwrap();
    assert!(long > short, "{long} {short}");
    let flat = ["run", &echo, "--stdin", "--gas-model", "flat"];
    assert_eq!(instructions(&[b'a'; 100_000], &flat), Some(long));
    // With limited gas they are counted block by block.
    let limited = ["run", &echo, "--stdin", "--gas", "100000000"];
    assert_eq!(instructions(&[b'a'; 100_000], &limited), Some(long));
}

#[test]
fn the_number_of_instructions_is_exact() {
    let files = Files::new();
    let program = files.write("add.jam", &add_five());
    let arguments = ["run", &program, "--isa", "jam-v1", "--gas-model", "flat", "--arg", "37"];
    hatchery(&arguments)
        .expect(0, &["finished: a0 = 42 (0x2a)", "gas: 2 used (flat)\n", ", 2 instructions, "]);

    // From the middle of a block the whole block is paid for.
    let middle = hatchery(&[&arguments[..], &["--pc", "3"]].concat());
    middle.expect(0, &["finished: a0 = 37", "gas: 2 used (flat)\n", ", 1 instruction, "]);
}

/// Gas that ends in each block, and in the middle of a `memset`.
#[test]
fn instructions_are_counted_up_to_where_gas_is_short() {
    let primes = guest("primes");
    for gas in [0, 100, 200, 1000, 2000] {
        let gas = gas.to_string();
        let charged = |when: &str| {
            let arguments = ["run", &primes, "--arg", "100", "--gas-model", "flat", "--charge", when];
            instructions(b"", &[&arguments[..], &["--gas", &gas]].concat())
        };
        // By instruction it is short only where all of it was used.
        let outcome = hatchery(&["run", &primes, "--arg", "100", "--gas-model", "flat", "--gas", &gas]);
        let used = outcome.stderr.split_once("\ngas: ").unwrap().1.split(' ').next().unwrap().parse().ok();
        assert_eq!(charged("block"), used, "gas {gas}");
        let is_short = outcome.stderr.contains("out of gas");
        assert_eq!(charged("instruction"), if is_short { gas.parse().ok() } else { used }, "gas {gas}");
    }

    // memset, a return; 50 bytes are to be filled.
    let files = Files::new();
    let code = raw(&[], &[2, 50, 0], &[0, 1]);
    let program = files.write("memset.polkavm", &container(2, &[1], &[], &[("main", 0)], &code));
    let arguments =
        ["run", &program, "--isa", "latest64-bitmask", "--arg", "0x20000", "--arg", "7", "--arg", "50"];
    assert_eq!(instructions(b"", &arguments), Some(2));
    for (gas, count) in [("51", 0), ("0", 0), ("52", 2)] {
        let flat = [&arguments[..], &["--gas-model", "flat", "--gas", gas]].concat();
        assert_eq!(instructions(b"", &flat), Some(count), "gas {gas}");
    }
}

#[test]
fn arguments_are_decimal_negative_or_hexadecimal() {
    let files = Files::new();
    let program = files.write("add.jam", &add_five());
    let result = |argument: &str| {
        let outcome = hatchery(&["run", &program, "--isa", "jam-v1", "--arg", argument]);
        outcome.expect(0, &[]);
        outcome.stderr.lines().next().unwrap().to_owned()
    };
    assert_eq!(result("-6"), "finished: a0 = 18446744073709551615 (0xffffffffffffffff), a1 = 0 (0x0)");
    assert_eq!(result("0xffff_ffff_ffff_ffff"), "finished: a0 = 4 (0x4), a1 = 0 (0x0)");
}

#[test]
fn text_and_bytes_go_to_standard_output_alone() {
    let outcome = hatchery(&["run", &guest("hello"), "hello_times", "--arg", "2"]);
    outcome.expect(0, &["finished: "]);
    assert_eq!(outcome.stdout, "Hello number 1 of 2\nHello number 2 of 2\n");

    let input = "some input\n".repeat(20_000);
    let echo = guest("echo");
    let outcome = hatchery_reading(input.as_bytes(), &["run", &echo, "--stdin"]);
    outcome.expect(0, &["finished: a0 = 220000 "]);
    assert!(outcome.stdout == input, "{} bytes came out", outcome.stdout.len());

    let outcome = hatchery_reading(input.as_bytes(), &["run", &echo]);
    outcome.expect(0, &["finished: a0 = 0 (0x0)"]);
    assert_eq!(outcome.stdout, "");
}

#[test]
fn large_buffers_are_moved_in_pieces() {
    let files = Files::new();
    let text = "0123456789".repeat(10_000);
    let file = |symbol: &str| {
        let bytes = container(3, text.as_bytes(), &[symbol], &[("main", 0)], &call_host());
        files.write(&format!("{symbol}.polkavm"), &bytes)
    };
    let run = |symbol: &str| hatchery(&["run", &file(symbol), "--arg", "0x20000", "--arg", "100000"]);
    let printed = run("print");
    printed.expect(0, &["finished: a0 = 0 "]);
    assert!(printed.stdout == format!("{text}\n"), "{} bytes", printed.stdout.len());
    let written = run("write");
    written.expect(0, &["finished: a0 = 65536 "]);
    assert!(written.stdout == text[..65536], "{} bytes", written.stdout.len());
}

#[test]
fn a_bad_buffer_ends_the_program() {
    let files = Files::new();
    let file =
        |symbol: &str| files.write(symbol, &container(3, &[1], &[symbol], &[("main", 0)], &call_host()));
    for (pointer, length, problem) in [
        ("0", "1", "unmapped memory at 0x00000000"),
        ("0x20fff", "2", "unmapped memory at 0x00021000"),
        ("0xfffffffc", "0x10", "is not accessible"),
        ("0x20000", "0xffffffffffffffff", "is not accessible"),
    ] {
        for symbol in ["print", "write"] {
            let outcome = hatchery(&["run", &file(symbol), "--arg", pointer, "--arg", length]);
            outcome.expect(
                101,
                &["trap: the syscall `", problem, "at 0x0: ecalli 0", "nearest export: `main`", "sp = "],
            );
        }
    }
    // What is read must fit, what is not read need not.
    let read = |pointer| {
        let arguments = ["run", &file("read"), "--stdin", "--arg", pointer, "--arg", "0xffffffffffffffff"];
        hatchery_reading(b"xyz", &arguments)
    };
    read("0x20000").expect(0, &["finished: a0 = 3 "]);
    read("0x20ffe")
        .expect(101, &["`read` (a0 = 0x20ffe, a1 = 0xffffffffffffffff)", "unmapped memory at 0x00021000"]);
}

#[test]
fn unknown_syscalls_are_told_and_answered_with_zero() {
    let syscalls = guest("syscalls");
    let six = ["run", &syscalls, "six_arguments", "--arg", "1", "--arg", "2", "--arg", "3"];
    let told = "unknown syscall `six` (a0 = 0x2, a1 = 0x3, a2 = 0x0, a3 = 0x0, a4 = 0x0, a5 = 0x1): answered with 0\n";
    hatchery(&six).expect(0, &[told, "finished: a0 = 0 "]);

    let outcome = hatchery(&["run", &syscalls, "round_trips", "--arg", "100"]);
    outcome.expect(
        0,
        &["further calls are only counted", "`nothing`: answered with 0, 100 times in all", "a0 = 0 "],
    );
    assert_eq!(outcome.stderr.matches("note: ").count(), 4, "{outcome:?}");

    let strict = hatchery(&[&six[..], &["--strict-syscalls"]].concat());
    strict.expect(104, &["stopped: the syscall `six` (a0 = 0x2, ", "is not known", "ecalli 1", "gas: "]);
    assert!(!strict.stderr.contains("finished"), "{strict:?}");

    // A raw program has no symbols.
    let files = Files::new();
    let raw = files.write("call.jam", &call_host());
    hatchery(&["run", &raw, "--isa", "jam-v1"]).expect(0, &["unknown syscall `#0` (a0 = 0x0"]);
}

#[test]
fn traps_tell_the_function_if_the_program_says() {
    let traps = "../../guests/blobs/jam-v1-with-lines/traps.polkavm";
    let outcome = hatchery(&["run", traps, "load_low"]);
    outcome.expect(101, &["nearest export: `load_low`", "  in traps[", "::memory::load_low::"]);
    assert!(!hatchery(&["run", &guest("traps"), "load_low"]).stderr.contains("  in "));
}

/// A container does not say which encoding of Latest64 it has: it is found out.
#[test]
fn both_encodings_of_latest64_run() {
    for set in ["latest64-bitmask", "latest64-extended"] {
        let fib = format!("../../guests/blobs/{set}/fib.polkavm");
        hatchery(&["run", &fib, "fib_loop", "--arg", "90"]).expect(0, &["a0 = 2880067194370816120 "]);
        hatchery(&["run", &fib, "fib_loop", "--arg", "90", "--isa", set])
            .expect(0, &["a0 = 2880067194370816120 "]);
        let inspected = hatchery(&["inspect", &fib, "--json"]);
        inspected.expect(0, &[]);
        assert!(inspected.stdout.contains(set), "{inspected:?}");
    }
}

#[test]
fn traps_tell_kind_place_and_registers() {
    let traps = guest("traps");
    hatchery(&["run", &traps, "trap"]).expect(
        101,
        &[
            "trap: trap instruction at pc 0x",
            ": trap\n",
            "nearest export: `trap`",
            "  ra = 0x00000000ffff0000  sp = 0x",
            "a5 = 0x",
            "used (pipeline-l2)",
        ],
    );
    hatchery(&["run", &traps, "load_low"]).expect(
        101,
        &["memory access below 0x10000 at pc 0x", "(address 0x0000ffff)", ": load_", "`load_low` + 0x"],
    );
    hatchery(&["run", &traps, "store_read_only"]).expect(101, &["write to read-only memory", ": store_"]);
    hatchery(&["run", &traps, "jump_outside"])
        .expect(101, &["without a jump target", "(address 0x10000000)"]);
    let nowhere = hatchery(&["run", &traps, "--pc", "0xfffffff0"]);
    nowhere.expect(
        101,
        &[
            "entered where no instruction starts at pc 0xfffffff0",
            ": the end of the code",
            "gas: 0 used",
            ", 0 instructions",
        ],
    );
    assert!(!nowhere.stderr.contains("nearest export"), "{nowhere:?}");

    let files = Files::new();
    let invalid = files.write("invalid.jam", &raw(&[], &[255], &[0]));
    hatchery(&["run", &invalid, "--isa", "jam-v1"])
        .expect(101, &["trap: invalid instruction at pc 0x0", "at 0x0: no valid instruction (byte 0xff)"]);
}

/// Debug information of a program that traps at once: `deep` in `a.rs`, line 7, inlined into `ns::outer`.
#[test]
fn debug_information_names_functions_and_lines() {
    let strings = b"\0\x02ns\x05outer\x04deep\x04a.rs";
    let program = [1, 5, 1, 6, 4, 1, 1, 6, 10, 7, 15, 8, 7, 10, 2, 15, 9, 0];
    let ranges = [0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0];
    let mut bytes = container(3, &[], &[], &[("main", 0)], &raw(&[], &[0], &[0]));
    bytes.pop();
    for (id, contents) in [(128, &strings[..]), (129, &program), (130, &ranges)] {
        bytes.extend([id, contents.len() as u8]);
        bytes.extend(contents);
    }
    bytes.push(0);
    let length = bytes.len() as u64;
    bytes[5..13].copy_from_slice(&length.to_le_bytes());
    let files = Files::new();
    let file = files.write("a.polkavm", &bytes);
    hatchery(&["run", &file]).expect(101, &["  in deep (a.rs:7)\n  inlined into ns::outer\n"]);
    let inspected = hatchery(&["inspect", &file]);
    assert!(inspected.stdout.contains("debug strings"), "{inspected:?}");
}

#[test]
fn out_of_gas_tells_where() {
    let outcome = hatchery(&["run", &guest("syscalls"), "spin", "--gas", "100000"]);
    outcome.expect(102, &["out of gas: ", "nearest export: `spin`", "used (pipeline-l2), ", " left\n"]);
    hatchery(&["run", &guest("primes"), "--arg", "100", "--gas", "0"])
        .expect(102, &["out of gas: ", "gas: 0 used (pipeline-l2), 0 left\n"]);
}

#[test]
fn the_obvious_export_needs_no_name() {
    let files = Files::new();
    let file =
        |name: &str, exports: &[(&str, u8)]| files.write(name, &container(3, &[], &[], exports, &add_five()));
    let only = file("only", &[("only", 0)]);
    hatchery(&["run", &only, "--arg", "1"]).expect(0, &["a0 = 6 "]);
    let with_main = file("with_main", &[("other", 3), ("main", 0)]);
    hatchery(&["run", &with_main, "--arg", "1"]).expect(0, &["a0 = 6 "]);
    hatchery(&["run", &with_main, "other", "--arg", "1"]).expect(0, &["a0 = 1 "]);
    let several = file("several", &[("b", 3), ("a", 0)]);
    hatchery(&["run", &several]).expect(2, &["error: which export?", "its exports are a, b"]);
    let none = file("none", &[]);
    hatchery(&["run", &none]).expect(2, &["which export?", "no exports", "--pc"]);
    hatchery(&["run", &none, "--pc", "0", "--arg", "1"]).expect(0, &["a0 = 6 "]);
}

#[test]
fn both_encodings_of_latest64_are_told_apart() {
    let set = InstructionSet::Latest64Extended;
    let mut code = vec![0, 0];
    for (opcode, x) in [(Opcode::LoadImm, 77), (Opcode::JumpIndirect, 0)] {
        let instruction = Instruction { d: hatchery_engine::Reg::A0, x, ..Instruction::plain(opcode) };
        let offset = code.len() as u32 - 2;
        encode(set, &instruction, offset, &mut code).unwrap();
    }
    let files = Files::new();
    let extended = files.write("extended", &container(2, &[], &[], &[("main", 0)], &code));
    let bitmask = files.write("bitmask", &container(2, &[], &[], &[("main", 0)], &add_five()));

    hatchery(&["run", &extended]).expect(0, &["finished: a0 = 77 "]);
    hatchery(&["run", &extended, "--isa", "latest64-extended"]).expect(0, &["finished: a0 = 77 "]);
    hatchery(&["run", &extended, "--isa", "latest64-bitmask"]).expect(103, &["is not a program"]);
    hatchery(&["run", &bitmask, "--arg", "1"]).expect(0, &["finished: a0 = 6 "]);
    hatchery(&["run", &bitmask, "--arg", "1", "--isa", "latest64-bitmask"]).expect(0, &["finished: a0 = 6 "]);
    let inspected = hatchery(&["inspect", &extended]);
    assert!(
        inspected.stdout.contains("instruction set latest64-extended\n  (found by trying: "),
        "{inspected:?}"
    );
}

/// A program that gives the first byte of its arguments.
#[test]
fn standard_programs_take_bytes() {
    let code = raw(&[], &[124, 0x77, 50, 0], &[0, 2]);
    // No data, no pages of heap, a page of stack.
    let mut program = vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0];
    program.extend((code.len() as u32).to_le_bytes());
    program.extend(code);
    let files = Files::new();
    let program = files.write("first.jam", &program);
    let text = files.write("text", b"ABC");
    let with_text = ["run", &program, "--isa", "gray-paper-0.7", "--argument-file", &text];
    hatchery(&with_text).expect(0, &["finished: a0 = 65 (0x41), a1 = 3 (0x3)"]);
    hatchery(&[&with_text[..], &["--format", "standard"]].concat()).expect(0, &["a0 = 65 "]);
    hatchery(&[&with_text[..], &["--format", "raw"]].concat()).expect(103, &["is not a program"]);
    hatchery(&[&with_text[..], &["--arg", "1"]].concat()).expect(2, &["cannot be used with"]);
    hatchery(&with_text[..4]).expect(101, &["access to unmapped memory", "address 0xfeff0000"]);
    let inspected = hatchery(&["inspect", &program, "--isa", "gray-paper-0.7"]);
    assert!(inspected.stdout.contains("JAM standard program"), "{inspected:?}");
    assert!(inspected.stdout.contains("auxiliary data    read                16 MiB"), "{inspected:?}");

    let nowhere = [&with_text[..5], &["/nowhere"]].concat();
    hatchery(&nowhere).expect(2, &["cannot read /nowhere"]);
    let too_long = files.write("too_long", &vec![0; (16 << 20) + 1]);
    hatchery(&[&with_text[..5], &[&too_long]].concat()).expect(2, &["cannot be called"]);
    hatchery(&["run", &guest("primes"), "--argument-file", &text])
        .expect(2, &["a PolkaVM container takes no --argument-file", "--arg"]);
}

#[test]
fn every_backend_gives_the_same() {
    let run = |backend: &str| {
        let outcome = hatchery(&["run", &guest("primes"), "--arg", "1000", "--backend", backend]);
        outcome.expect(0, &[]);
        outcome.stderr.lines().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let auto = run("auto");
    assert!(auto[0].starts_with("finished: a0 = 168 "), "{auto:?}");
    for backend in hatchery_engine::Backend::AVAILABLE {
        assert_eq!(run(backend.name()), auto);
    }
}
