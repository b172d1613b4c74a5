//! `hatchery cap`: publish, invoke, resume and inspect, each a process of its own.

mod common;

use std::path::Path;

use common::{Outcome, hatchery};

/// Runs a command on a store.
fn cap(store: &Path, arguments: &[&str]) -> Outcome {
    let store = store.to_str().unwrap();
    hatchery(&[&["cap", "--store", store], arguments].concat())
}

fn blob(name: &str) -> String {
    format!("{}/../guests/blobs/jam-v1/{name}.polkavm", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_counter_remembers_from_process_to_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let published = cap(&store, &["publish", &blob("cap-counter"), "--name", "counter"]);
    published.expect(0, &[]);
    assert!(published.stdout.contains("endpoint 0: add, 4 arguments"), "{published:#?}");
    for (by, count) in [("5", 5), ("10", 15), ("0x1b", 42)] {
        let result = cap(&store, &["invoke", "counter", "add", "--arg", by]);
        result.expect(0, &[]);
        assert!(result.stdout.starts_with(&format!("reply {count} ")), "{result:#?}");
    }
    let fault = cap(&store, &["invoke", "counter", "add_and_panic", "--arg", "1"]);
    fault.expect(101, &[]);
    assert!(fault.stdout.contains("fault: trap instruction at pc"), "{fault:#?}");
    // What the counter was before is not kept for ever.
    let collected = cap(&store, &["collect"]);
    collected.expect(0, &[]);
    assert!(!collected.stdout.starts_with("removed 0 "), "{collected:#?}");
    let again = cap(&store, &["collect"]);
    again.expect(0, &[]);
    assert!(again.stdout.starts_with("removed 0 "), "{again:#?}");
    let result = cap(&store, &["invoke", "counter", "count"]);
    assert!(result.stdout.starts_with("reply 42 "), "{result:#?}");

    let [dot, svg] = ["graph.dot", "graph.svg"].map(|name| folder.path().join(name));
    let drawn = cap(&store, &["inspect", "--dot", dot.to_str().unwrap(), "--svg", svg.to_str().unwrap()]);
    drawn.expect(0, &[]);
    assert!(drawn.stdout.starts_with("counter: instance "), "{drawn:#?}");
    assert!(std::fs::read_to_string(dot).unwrap().starts_with("digraph"));
    assert!(std::fs::read_to_string(svg).unwrap().ends_with("</svg>\n"));
}

#[test]
fn a_paused_call_is_resumed_by_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let marker = folder.path().join("marker");
    std::fs::write(&marker, "input").unwrap();
    cap(&store, &["publish", marker.to_str().unwrap(), "--data", "--name", "input"]).expect(0, &[]);
    cap(&store, &["publish", &blob("cap-listener"), "--name", "listener", "--slot", "3=input"])
        .expect(0, &[]);
    let paused = cap(&store, &["invoke", "listener", "sum", "--catch", "input"]);
    paused.expect(102, &[]);
    assert!(paused.stdout.starts_with("paused: yielded `input` to Embedder"), "{paused:#?}");
    cap(&store, &["invoke", "listener", "sum"]).expect(2, &["a call is paused"]);
    cap(&store, &["resume", "--number", "30"]).expect(102, &[]);
    // What it was is needed no more, what it needs is.
    let collected = cap(&store, &["collect"]);
    collected.expect(0, &[]);
    assert!(collected.stdout.starts_with("removed "), "{collected:#?}");
    cap(&store, &["resume", "--number", "12"]).expect(102, &[]);
    let inspected = cap(&store, &["inspect"]);
    assert!(inspected.stdout.ends_with("paused: a call of `listener`, resumed 2 times\n"), "{inspected:#?}");
    let result = cap(&store, &["resume"]);
    result.expect(0, &[]);
    assert!(result.stdout.starts_with("reply 42 "), "{result:#?}");
    cap(&store, &["resume"]).expect(2, &["no call is paused"]);
    cap(&store, &["invoke", "listener", "sum"]).expect(102, &[]);
    cap(&store, &["resume", "--drop"]).expect(0, &[]);
}

#[test]
fn a_meter_is_topped_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let manifest = folder.path().join("manifest.toml");
    std::fs::write(&manifest, "gas_slots = [2]").unwrap();
    let arguments =
        ["publish", &blob("cap-plugin"), "--name", "plugin", "--slot", "2=gas:1:1000", "--manifest"];
    cap(&store, &[&arguments[..], &[manifest.to_str().unwrap()]].concat()).expect(0, &[]);
    let paused = cap(&store, &["invoke", "plugin", "longest", "--arg", "100", "--catch", "oog"]);
    paused.expect(102, &[]);
    assert!(
        paused.stdout.contains("out of gas") && paused.stdout.contains("with kernel:gas 1"),
        "{paused:#?}"
    );
    let result = cap(&store, &["resume", "--meter", "1:10000000"]);
    result.expect(0, &[]);
    assert!(result.stdout.starts_with("reply 118 "), "the longest way up to 100 begins at 97: {result:#?}");
}

#[test]
fn what_is_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    cap(&store, &["invoke", "nobody", "add"]).expect(2, &["there is nothing named `nobody`"]);
    cap(&store, &["publish", &blob("cap-counter"), "--name", "counter"]).expect(0, &[]);
    cap(&store, &["invoke", "counter", "subtract"])
        .expect(2, &["no endpoint `subtract`", "add, add_and_panic, count"]);
    let five = ["--arg", "1", "--arg", "1", "--arg", "1", "--arg", "1", "--arg", "1"];
    cap(&store, &[&["invoke", "counter", "add"], &five[..]].concat()).expect(2, &["at most four"]);
    cap(&store, &["publish", &blob("hello"), "--name", "hello"]).expect(103, &["calls `print` as number 0"]);
    for slot in ["5", "0=counter", "300=counter", "5=gas:x:1", "5=gas:1"] {
        cap(&store, &["publish", &blob("cap-counter"), "--name", "x", "--slot", slot]).expect(2, &["--slot"]);
    }
    cap(&store, &["publish", &blob("cap-counter"), "--name", "x", "--slot", "5=gone"])
        .expect(2, &["nothing named `gone`"]);
}
