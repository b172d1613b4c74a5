//! What `inspect` and `disasm` print, compared with golden files.
//!
//! The guest is `counter`, whose machine code does not change.

mod common;

use common::{Files, golden, guest, hatchery, raw};

/// Runs the command, which must succeed, and compares what it prints.
#[track_caller]
fn check(name: &str, arguments: &[&str]) {
    let outcome = hatchery(arguments);
    outcome.expect(0, &[]);
    assert_eq!(outcome.stderr, "");
    golden(name, &outcome.stdout);
}

#[test]
fn inspect() {
    let counter = guest("counter");
    check("counter.inspect.txt", &["inspect", &counter]);
    check("counter.inspect-blocks.txt", &["inspect", &counter, "--blocks", "--gas-model", "flat"]);
    check("counter.inspect.json", &["inspect", &counter, "--json"]);
}

#[test]
fn disasm() {
    let counter = guest("counter");
    check("counter.disasm.txt", &["disasm", &counter]);
    check("counter.disasm-gas.txt", &["disasm", &counter, "--gas"]);
    check("counter.disasm-pipeline.txt", &["disasm", &counter, "--pipeline", "--at", "0x21"]);
    check("counter.disasm-pipeline.json", &["disasm", &counter, "--pipeline", "--at", "0x1", "--json"]);
    check("counter.disasm.json", &["disasm", &counter, "--gas", "--json"]);
}

/// Invalid instructions, bytes that belong to none, jump table entries to a block, to the middle of one and to nowhere.
#[test]
fn odd_code() {
    let mut code = vec![0, 255, 255, 51, 7, 9, 10, 1, 40, 0xf8, 0xff, 0xff, 0xff];
    code.resize(40, 0xee);
    code.extend([1, 0xee]);
    let program = raw(&[0, 3, 99], &code, &[0, 1, 3, 6, 8, 40]);
    let files = Files::new();
    let file = files.write("odd.jam", &program);
    check("odd.disasm.txt", &["disasm", &file, "--isa", "jam-v1", "--gas", "--gas-model", "flat"]);
    check("odd.disasm.json", &["disasm", &file, "--isa", "jam-v1", "--json"]);
    check("odd.inspect.txt", &["inspect", &file, "--isa", "jam-v1", "--blocks", "--gas-model", "flat"]);
}

#[test]
fn json_is_json_and_agrees_with_itself() {
    let parse = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&hatchery(arguments).stdout).unwrap()
    };
    let hello = guest("hello");
    let facts = parse(&["inspect", &hello, "--json", "--blocks"]);
    let listing = parse(&["disasm", &hello, "--json", "--gas"]);
    let parts = listing["parts"].as_array().unwrap();
    let blocks = parts.iter().filter(|part| part["block"] == true);
    let gas: u64 = blocks.clone().map(|part| part["gas"].as_u64().unwrap()).sum();
    let instructions: usize = parts.iter().map(|part| part["instructions"].as_array().unwrap().len()).sum();
    assert_eq!(facts["blocks"]["count"], blocks.count());
    assert_eq!(facts["blocks"]["gas"], gas);
    assert_eq!(facts["blocks"]["list"].as_array().unwrap().len(), facts["blocks"]["count"]);
    assert_eq!(facts["code"]["instructions"], instructions);
    assert!(gas > 0 && instructions > 0);
}
