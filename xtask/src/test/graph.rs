//! What the features of the dependencies must not be.
//!
//! sc-virtualization executes through polkavm 0.33. With that crate's feature `std` it becomes a recompiler, which
//! charges other gas for branches than the interpreter does that networks run. Features unify over a build, so that
//! any dependency could switch it on for the tests that compare with it.

use crate::{process, workspace};
use anyhow::{Result, bail};

/// The crate and the versions that the rule is about.
const CRATE: &str = "polkavm v0.33.";

/// The feature that must be off.
const FEATURE: &str = "std";

/// Fails when the feature is on anywhere in the workspace's graph.
pub(super) fn check() -> Result<()> {
    let mut tree = process::cargo(None);
    tree.current_dir(workspace::root()).args([
        "tree",
        "--workspace",
        "--locked",
        "--edges=all",
        "--prefix=none",
        "--format={p}|{f}",
    ]);
    let text = process::output(&mut tree)?;
    match features(&text) {
        None => println!("{CRATE}x is not among the dependencies"),
        Some(features) if features.iter().any(|feature| feature == FEATURE) => bail!(
            "{CRATE}x has the feature `{FEATURE}`, which changes the gas of sc-virtualization.\n\
             `cargo tree --workspace --edges features --invert polkavm@0.33` shows who asks for it"
        ),
        Some(_) => println!("{CRATE}x has no feature `{FEATURE}`"),
    }
    Ok(())
}

/// All features with which the crate is built, by lines of `package|feature,feature`; none: it is not there.
fn features(tree: &str) -> Option<Vec<String>> {
    let mut found = None;
    for line in tree.lines().filter(|line| line.starts_with(CRATE)) {
        let features = found.get_or_insert_with(Vec::new);
        if let Some((_, list)) = line.split_once('|') {
            // A repeated package is marked with a star after its features.
            let list = list.trim_end_matches("(*)").trim();
            features.extend(list.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_is_found_among_others() {
        assert_eq!(features("polkavm v0.37.0|std\npolkavm-common v0.33.0|std\n"), None);
        assert_eq!(features("polkavm v0.33.1|\npolkavm v0.33.1| (*)\n"), Some(vec![]));
        let some =
            features("a v1.0.0|std\npolkavm v0.33.1|module-cache\npolkavm v0.33.1|module-cache,std (*)");
        assert!(some.unwrap().iter().any(|feature| feature == "std"));
    }
}
