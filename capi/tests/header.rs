//! The checked-in header is the one that the sources give. `HATCHERY_BLESS=1` writes it.

use std::path::Path;

/// Files in the order in which their parts of the header come.
const SOURCES: [&str; 14] = [
    "constants",
    "config",
    "status",
    "module",
    "vm",
    "lifecycle",
    "run",
    "registers",
    "ram",
    "trace",
    "record",
    "replay",
    "inner",
    "snapshot",
];

#[test]
fn the_header_is_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(folder.join("src").join(source).with_extension("rs"));
    }
    let mut made = Vec::new();
    builder.generate().unwrap().write(&mut made);
    let made = String::from_utf8(made).unwrap();
    let file = folder.join("include/pvm.h");
    if std::env::var_os("HATCHERY_BLESS").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = there.lines().zip(made.lines()).position(|(there, made)| there != made);
    assert!(
        there == made,
        "include/pvm.h is not what the sources give (line {:?} or its length): HATCHERY_BLESS=1 writes it",
        differs.map(|line| line + 1)
    );

    // A function that is exported and not in the header could not be called: no file of sources is left out above.
    let mut count = 0;
    for entry in std::fs::read_dir(folder.join("src")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in
            text.lines().filter(|line| line.starts_with("pub ") && line.contains("extern \"C\" fn pvm_"))
        {
            let name = line.split("fn ").nth(1).and_then(|rest| rest.split('(').next()).unwrap();
            assert!(made.contains(&format!("{name}(")), "{name} is not in the header");
            count += 1;
        }
    }
    assert!(count > 60, "only {count} functions were found");
}
