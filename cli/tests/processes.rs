//! `hatchery run --processes`: what it prints, its exit statuses, its timeline.

mod common;

use std::collections::BTreeMap;

use common::{Files, guest, hatchery, raw};
use serde_json::Value;

/// Runs a case of the guest `process-cases`, which knows itself as `cases`.
fn case(bytes: &[u8], more: &[&str]) -> common::Outcome {
    let files = Files::new();
    let arguments = files.write("arguments", bytes);
    let cases = guest("process-cases");
    let program = format!("cases={cases}");
    let line = ["run", "--processes", &cases, "--program", &program, "--argument-file", &arguments];
    hatchery(&[&line[..], more].concat())
}

#[test]
fn a_tree_is_printed_with_what_became_of_each() {
    let outcome = hatchery(&["run", "--processes", &guest("process-demo")]);
    outcome.expect(
        0,
        &["finished: the root exited with 0\nprocess 0 process-demo: exit 0, ", " events, schedule "],
    );
    assert_eq!(outcome.stdout, "9592\n");
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    for (line, start) in
        lines[2..6].iter().zip(["├─ process 1", "├─ process 2", "├─ process 3", "└─ process 4"])
    {
        assert!(line.starts_with(&format!("{start} process-demo: exit 0, ")), "{outcome:#?}");
    }
    // The parts are the whole.
    let gas = |line: &str| -> u64 {
        let (before, _) = line.rsplit_once(" gas").unwrap();
        before.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let sum: u64 = lines[1..6].iter().map(|line| gas(line)).sum();
    assert!(lines[6].starts_with(&format!("gas: {sum} used")), "{outcome:#?}");
}

#[test]
fn the_guest_of_the_document_runs() {
    let greet = guest("process-greet");
    hatchery(&["run", "--processes", &greet, "--program", &format!("greet={greet}")]).expect(
        0,
        &[
            "finished: the root exited with 0\nprocess 0 process-greet: exit 0, ",
            "└─ process 1 greet: exit 0, ",
        ],
    );
}

#[test]
fn whatever_ends_a_tree_has_its_exit_status() {
    case(&[21, 0], &[]).expect(1, &["finished: the root exited with -7\n"]);
    case(&[22, 1], &[]).expect(101, &["trap: trap instruction at pc "]);
    // As `docs/processes.md` says.
    let document = include_str!("../../docs/processes.md");
    assert!(document.contains("printf '\\033\\000\\004' > ring\n"));
    let (_, waits) = document.split_once("(exit status 105):\n\n```text\n").unwrap();
    let (waits, _) = waits.split_once("```").unwrap();
    assert_eq!(waits.lines().count(), 5);
    case(b"\x1b\x00\x04", &[]).expect(105, &[waits, "└─ process 1 cases: had not ended, "]);
    case(&[14, 0], &["--gas", "100000"]).expect(102, &["out of gas", "used (pipeline-l2), "]);
    case(&[33, 0], &["--strict-syscalls"])
        .expect(104, &["stopped: the syscall `note` (a0 = 0x5, ", "is not known, called by process 0\n"]);
}

#[test]
fn what_cannot_be_started_is_told() {
    let files = Files::new();
    hatchery(&["run", "--processes", &guest("fib")])
        .expect(103, &["the program `fib` cannot be executed: the program does not export `main`"]);
    let jam = files.write("a.jam", &raw(&[], &[50, 0], &[0]));
    hatchery(&["run", "--processes", &jam, "--isa", "jam-v1"]).expect(2, &["cannot start processes"]);
    hatchery(&["run", &guest("process-demo"), "--trace", "x.json"]).expect(2, &["--processes"]);
    hatchery(&["run", "--processes", &guest("process-demo"), "--program", "nothing"])
        .expect(2, &["a name, `=`, and a file are expected"]);
    hatchery(&["run", "--processes", &guest("process-demo"), "--program", "a=/nothing/there"])
        .expect(2, &["cannot read /nothing/there"]);
}

/// Spans of a process's row lie one behind the other, and together with what they are about say where all gas went.
#[test]
fn the_timeline_accounts_for_all_gas() {
    let files = Files::new();
    let path = files.write("timeline.json", b"");
    let outcome = hatchery(&["run", "--processes", &guest("process-demo"), "--trace", &path]);
    outcome.expect(0, &[]);
    let timeline: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut rows = BTreeMap::<u64, Vec<(u64, u64)>>::new();
    let mut ran = 0;
    let events = timeline["traceEvents"].as_array().unwrap();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let (from, length) = (event["ts"].as_u64().unwrap(), event["dur"].as_u64().unwrap());
        rows.entry(event["tid"].as_u64().unwrap()).or_default().push((from, from + length));
        if !event["name"].as_str().unwrap().starts_with("blocked in ") {
            ran += length;
        }
    }
    assert_eq!(rows.len(), 5);
    for spans in rows.values_mut() {
        spans.sort_unstable();
        assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{spans:?}");
    }
    assert!(outcome.stderr.contains(&format!("gas: {ran} used")), "{ran}: {outcome:#?}");
    let names = events.iter().filter(|event| event["name"] == "thread_name").count();
    assert_eq!(names, 5);
}
