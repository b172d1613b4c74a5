//! `docs/integration.md` is true: what its diffs add is what these files have, and with it a node and a pallet's test work.

#[path = "../blocks/node.rs"]
#[expect(dead_code, reason = "the other tests of blocks use the rest")]
mod node;
mod pallet;
mod service;

use hatchery_runtime_tests::guests;
use hatchery_test_chain::{extrinsic, steps::Step};

const DOCUMENT: &str = include_str!("../../../../docs/integration.md");

/// How many lines a diff may change.
const MOST_LINES: usize = 10;

#[test]
fn a_node_that_took_the_diff_builds_and_imports_blocks_with_guests() {
    let genesis = || service::new_partial(&[(b"code", guests::marked(1))]);
    let author = genesis();
    let built = author.build(|builder| {
        let steps = vec![
            Step::CompileStored { key: b"code".to_vec() },
            Step::Instantiate { module: 0 },
            Step::Call { instance: 0, export: b"main".to_vec() },
        ];
        node::push(builder, extrinsic(steps, false)).expect("it is valid");
    });
    genesis().import(&built.block).expect("another node agrees");
}

/// The files with the diffs taken back know nothing of Hatchery.
#[test]
fn the_diffs_are_what_the_files_have_more() {
    let diffs = diffs();
    let files: Vec<_> = diffs.iter().map(|diff| diff.file.as_str()).collect();
    assert_eq!(files, ["node/Cargo.toml", "node/src/service.rs", "pallet/Cargo.toml", "pallet/src/tests.rs"]);
    for (diff, file) in [(&diffs[1], include_str!("service.rs")), (&diffs[3], include_str!("pallet.rs"))] {
        let mut lines: Vec<_> = file.lines().map(str::trim).collect();
        let mut from = 0;
        for change in &diff.changes {
            match change {
                // Here there is no client of sc-service; the test below is about this line.
                Change::Added(line) if line == TRAIT => {}
                Change::Same(line) | Change::Added(line) => {
                    let found = lines[from..].iter().position(|have| have == line);
                    from += found.unwrap_or_else(|| {
                        panic!("{} does not have this line, in this order: {line}", diff.file)
                    });
                    if matches!(change, Change::Added(_)) {
                        lines.remove(from);
                    } else {
                        from += 1;
                    }
                }
                Change::Removed(line) => {
                    assert!(!lines.contains(&line.as_str()), "{} still has: {line}", diff.file);
                }
            }
        }
        let code = lines.iter().filter(|line| !line.starts_with("//"));
        // What tests call is not what makes them work.
        let rest: Vec<_> =
            code.filter(|line| line.contains("hatchery_client") && !line.contains("testing::")).collect();
        assert!(rest.is_empty(), "the diff does not show {rest:?}");
    }
}

/// The dependency is the crate in a clone beside, with the features that these tests have it with.
#[test]
fn the_manifests_of_the_diffs_are_enough() {
    assert!(include_str!("../../../../client/Cargo.toml").contains(r#"name = "hatchery-client""#));
    let diffs = diffs();
    let added = |at: usize| match diffs[at].changes.as_slice() {
        [Change::Same(table), Change::Added(line)] => (table.as_str(), line.as_str()),
        _ => panic!("{} has one line more", diffs[at].file),
    };
    let of_node = r#"hatchery-client = { path = "../hatchery/client", features = ["node"] }"#;
    assert_eq!(added(0), ("[dependencies]", of_node));
    let of_pallet = r#"hatchery-client = { path = "../hatchery/client" }"#;
    assert_eq!(added(2), ("[dev-dependencies]", of_pallet));
    // So has the node of the template, and the pallet: the other features are for what the diffs do not show.
    let node = include_str!("../../../../node-template/node/Cargo.toml");
    assert!(node.contains(r#"hatchery-client = { workspace = true, features = ["node"] }"#));
    let pallet = include_str!("../../../../node-template/pallets/virtualization/Cargo.toml");
    assert!(pallet.contains("hatchery-client.workspace = true"));
}

const TRAIT: &str = "use sc_client_api::ExecutorProvider;";

/// A node has a client of sc-service, whose extensions are reached through a trait. The template's node is such a one.
#[test]
fn the_service_of_a_node_needs_the_trait() {
    let added = |line: &Change| matches!(line, Change::Added(line) if line == TRAIT);
    assert!(diffs()[1].changes.iter().any(added));
    let service = include_str!("../../../../node-template/node/src/service/mod.rs");
    assert!(service.lines().any(|line| line == TRAIT));
    assert!(service.contains("execution_extensions().set_extensions_factory("));
}

#[test]
fn the_diffs_are_short() {
    let diffs = diffs();
    for folder in ["node/", "pallet/"] {
        let of_folder = diffs.iter().filter(|diff| diff.file.starts_with(folder));
        let changed =
            of_folder.flat_map(|diff| &diff.changes).filter(|change| !matches!(change, Change::Same(_)));
        let count = changed.count();
        assert!((1..=MOST_LINES).contains(&count), "{folder}: {count} lines");
    }
}

struct Diff {
    file: String,
    changes: Vec<Change>,
}

enum Change {
    Same(String),
    Added(String),
    Removed(String),
}

/// The diffs of the document. The first line of each names the file.
fn diffs() -> Vec<Diff> {
    let blocks = DOCUMENT.split("```diff\n").skip(1);
    blocks
        .map(|block| {
            let block = block.split("```").next().unwrap_or_default();
            let (first, rest) = block.split_once('\n').expect("a diff has lines");
            let file = first.strip_prefix("+++ ").expect("a diff begins with its file").to_owned();
            let change = |line: &str| match line.split_at_checked(1) {
                Some(("+", line)) => Change::Added(line.trim().to_owned()),
                Some(("-", line)) => Change::Removed(line.trim().to_owned()),
                _ => Change::Same(line.trim().to_owned()),
            };
            let changes = rest.lines().filter(|line| !line.trim().is_empty()).map(change).collect();
            Diff { file, changes }
        })
        .collect()
}
