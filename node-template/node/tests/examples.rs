//! The scripts of `docs/node.md`, as they are, against a node.

mod common;

use common::{NODE, Result, dev};
use hatchery_node_testing::Node;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `cargo xtask test` has installed the JavaScript example's packages; unset, it could not.
const PACKAGES: &str = "HATCHERY_NODE_MODULES";

/// Runs a script against the node and checks what it prints.
fn check(node: &Node, mut script: Command) {
    let output = script.arg(node.url()).output().unwrap_or_else(|error| panic!("{script:?}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script:?}: {}\n{stdout}\n{stderr}", output.status);
    for expected in ["instance: 5", "Emitted", "Called", "count: 8"] {
        assert!(
            stdout.contains(expected),
            "`{expected}` is not in what {script:?} printed:\n{stdout}\n{stderr}"
        );
    }
}

#[test]
fn the_rust_example_calls_a_contract() -> Result {
    let node = dev().start()?;
    // Cargo builds examples for tests, next to the programs.
    let program = Path::new(NODE).with_file_name("examples").join("call");
    check(&node, Command::new(&program));
    // The second time the program is there already.
    check(&node, Command::new(&program));
    Ok(())
}

#[test]
fn the_javascript_example_calls_a_contract() -> Result {
    let Some(packages) = std::env::var_os(PACKAGES).map(PathBuf::from) else {
        println!("not run: {PACKAGES} is not set; `cargo xtask test` sets it where there are node and npm");
        return Ok(());
    };
    let node = dev().start()?;
    let mut script = Command::new("node");
    script.arg(packages.with_file_name("call.mjs"));
    check(&node, script);
    Ok(())
}
