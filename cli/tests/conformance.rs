//! `hatchery conformance` on vectors of each kind, made by hand, and on the community's.
//!
//! The community's vectors are not part of this repository. Set `HATCHERY_VECTORS` to the folder that holds `jam-v1` and
//! `w3f-v0.4` to run them.

mod common;

use std::path::PathBuf;

use common::{Files, golden, hatchery};
use hatchery_cli::conformance::{Case, Checker, vectors};
use hatchery_engine::memory::WindowKind;
use hatchery_engine::{Backend, Config, GasModel, InstructionSet};

#[test]
fn good_vectors_of_each_kind_pass() {
    let outcome = hatchery(&["conformance", "vectors/flat", "--isa", "jam-v1", "--gas-model", "flat"]);
    outcome.expect(0, &[]);
    let skipped = "skipped vectors/flat/schema.json: a JSON Schema, no vector\n";
    assert_eq!(outcome.stdout, format!("{skipped}10 passed, 0 failed\n"));
    assert_eq!(outcome.stderr, "");

    let outcome = hatchery(&["conformance", "vectors/pipeline-l2"]);
    outcome.expect(0, &[]);
    assert_eq!(outcome.stdout, "1 passed, 0 failed\n");
}

/// Each file is wrong in the way that its name says.
#[test]
fn bad_vectors_fail_with_the_first_difference() {
    let outcome = hatchery(&["conformance", "vectors/fail", "--gas-model", "flat"]);
    outcome.expect(1, &[]);
    golden("conformance.txt", &outcome.stdout);
    assert!(outcome.stdout.ends_with("\n0 passed, 25 failed\n"));
}

/// The library behind C functions does the same.
#[test]
fn libpvm_passes_and_fails_as_the_engine_does() {
    let run = |folder, model| hatchery(&["conformance", folder, "--gas-model", model, "--via-capi"]);
    let outcome = run("vectors/flat", "flat");
    outcome.expect(0, &[]);
    assert!(outcome.stdout.ends_with("\n10 passed, 0 failed\n"), "{outcome:?}");
    run("vectors/pipeline-l2", "pipeline-l2").expect(0, &[]);
    let outcome = run("vectors/fail", "flat");
    outcome.expect(1, &[]);
    assert!(outcome.stdout.ends_with("\n0 passed, 25 failed\n"), "{outcome:?}");
}

#[test]
fn the_model_and_the_set_matter() {
    let outcome = hatchery(&["conformance", "vectors/pipeline-l2", "--gas-model", "pipeline-l3"]);
    outcome.expect(1, &[]);
    assert!(outcome.stdout.contains("expected: 25\n    + actual:   37\n"), "{outcome:?}");
    let outcome = hatchery(&["conformance", "vectors/flat/one-shot-halt.json", "--gas-model", "flat"]);
    outcome.expect(0, &[]);
    assert_eq!(outcome.stdout, "1 passed, 0 failed\n");
}

#[test]
fn a_filter_leaves_out_what_does_not_match() {
    let run = |filter| hatchery(&["conformance", "vectors/flat", "--gas-model", "flat", "--filter", filter]);
    let outcome = run("stepped");
    outcome.expect(0, &[]);
    assert_eq!(outcome.stdout, "2 passed, 0 failed\n");
    // The name of the folder does not count.
    let outcome = run("flat");
    outcome.expect(1, &[]);
    assert_eq!(outcome.stdout, "no vector was found\n0 passed, 0 failed\n");
}

#[test]
fn no_vector_at_all_is_a_failure() {
    let files = Files::new();
    files.write("a.txt", b"{}");
    files.write("schema.json", b"{\"$schema\": \"x\"}");
    let outcome = hatchery(&["conformance", files.path()]);
    outcome.expect(1, &[]);
    assert!(outcome.stdout.ends_with("no vector was found\n0 passed, 0 failed\n"), "{outcome:?}");
}

/// The community's vectors, on every backend and in every kind of window.
#[test]
fn community_vectors() {
    let Some(folder) = std::env::var_os("HATCHERY_VECTORS").map(PathBuf::from) else {
        eprintln!("HATCHERY_VECTORS is not set: nothing to do");
        return;
    };
    let sets = [
        ("jam-v1", InstructionSet::JamV1, GasModel::PIPELINE_L2),
        ("w3f-v0.4", InstructionSet::Latest64Bitmask, GasModel::Flat),
        ("w3f-v0.4", InstructionSet::GrayPaper07, GasModel::Flat),
    ];
    let mut failures = Vec::new();
    for (name, set, model) in sets {
        let files = vectors(&folder.join(name)).unwrap();
        assert!(!files.is_empty(), "no vectors in {name}");
        for &backend in Backend::AVAILABLE {
            for &kind in WindowKind::ALL.iter().filter(|&&kind| backend.runs_in(kind)) {
                let config = Config::default().gas_model(model).backend(backend).window_kind(kind);
                let checker = Checker::new(config, set).unwrap();
                for file in &files {
                    let case = Case::parse(&std::fs::read(file).unwrap()).unwrap();
                    if let Err(failure) = checker.check(&case) {
                        failures
                            .push(format!("{} ({set}, {backend:?}, {kind:?}): {failure:?}", file.display()));
                    }
                }
            }
            let library = Checker::via_capi(model, backend, set).unwrap();
            for file in &files {
                let case = Case::parse(&std::fs::read(file).unwrap()).unwrap();
                if let Err(failure) = library.check(&case) {
                    failures.push(format!("{} ({set}, {backend:?}, libpvm): {failure:?}", file.display()));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}
