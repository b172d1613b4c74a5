//! Images from PolkaVM blobs.

use hatchery_capabilities::*;
use hatchery_engine::InstructionSet;

fn blob(name: &str) -> Vec<u8> {
    std::fs::read(format!("../guests/blobs/jam-v1/{name}.polkavm")).unwrap()
}

fn build(manifest: &str, blob: &[u8]) -> Result<Bundle, ManifestError> {
    Manifest::parse(manifest)?.build(blob, |_| None)
}

#[test]
fn a_blob_becomes_an_image_with_one_call() {
    let bundle = build("", &blob("fib")).unwrap();
    let names: Vec<&[u8]> = bundle.image.endpoints.iter().map(|endpoint| endpoint.name.as_slice()).collect();
    assert_eq!(names, [b"fib".as_slice(), b"fib_loop"]);
    assert_eq!(bundle.image.endpoint(b"fib_loop"), Some(1));
    assert_eq!(bundle.image.endpoints[0].initial_regs[..2], [0xffff_0000, 0xfffe_0000]);
    assert_eq!(bundle.image.mem_size(), 0xfffe_0000);
    let mut cache = CacheDirectory::default();
    let instance = bundle.instantiate(&mut cache, []).unwrap();
    let bytes = cache.get(instance).unwrap().to_bytes().unwrap();
    assert_eq!(Cap::from_bytes(&bytes).as_ref(), Ok(&*cache.get(instance).unwrap()));
}

#[test]
fn read_only_data_are_pinned_and_read_write_data_are_not() {
    let mut sources = std::collections::BTreeSet::new();
    for name in ["ed25519", "heap"] {
        let image = build("", &blob(name)).unwrap().image;
        for mapping in &image.mappings {
            let source = mapping.source.first();
            assert_eq!(image.is_read_only(mapping), source == 253, "{name}");
            assert_eq!(mapping.start == 0x1_0000, source == 253, "{name}");
            assert!(source != 255 || image.initial(255).is_none(), "{name}: a stack is zeros");
            sources.insert(source);
        }
    }
    assert_eq!(Vec::from_iter(sources), [253, 254, 255]);
}

#[test]
fn toml_and_json_say_the_same() {
    let toml = "gas_profile = \"flat\"\ngas_slots = [2]\n[[endpoints]]\nexport = \"fib_loop\"\narguments = 1\n[initial]\n6 = \"data\"\n";
    let json = r#"{"gas_profile": "flat", "gas_slots": [2], "endpoints": [{"export": "fib_loop", "arguments": 1}], "initial": {"6": "data"}}"#;
    let manifest = Manifest::parse(toml).unwrap();
    assert_eq!(Manifest::parse(json).as_ref(), Ok(&manifest));
    let data = Cap::Data(DataCap::new(b"x")).hash().unwrap();
    let bundle = manifest.build(&blob("fib"), |name| (name == "data").then_some(data)).unwrap();
    assert_eq!(bundle.image.endpoints.len(), 1);
    assert_eq!(bundle.image.initial(6), Some(data));
    let by_hash = toml.replace("data", &data.to_string());
    assert_eq!(Manifest::parse(&by_hash).unwrap().build(&blob("fib"), |_| None), Ok(bundle));
}

#[test]
fn what_is_wrong_is_named() {
    let wrong = |manifest: &str| build(manifest, &blob("fib")).unwrap_err().to_string();
    assert!(wrong("gas = 1").starts_with("not a manifest: "));
    assert!(wrong("{\"gas_slots\": [300]}").starts_with("not a manifest: "));
    assert_eq!(wrong("gas_profile = \"cheap\""), "there is no gas profile `cheap`");
    assert_eq!(wrong("[[endpoints]]\nexport = \"fob\""), "endpoint 0: the blob has no export `fob`");
    assert_eq!(
        wrong("[[endpoints]]\nexport = \"fib\"\narguments = 9"),
        "endpoint 0: 9 argument registers: at most 4 are possible"
    );
    assert_eq!(wrong("[pinned]\n0 = \"x\""), "pinned: `0` is no slot: slots are 1 to 255");
    assert_eq!(
        wrong("[initial]\n6 = \"x\""),
        "initial: slot 6: `x` is neither a hash nor a name that is known here"
    );
    let hash = "00".repeat(32);
    assert_eq!(
        wrong(&format!("[pinned]\n255 = \"{hash}\"")),
        "slot 255 is needed for the memory of the program"
    );
    assert_eq!(
        wrong("yield_marker_slot = 0"),
        "slot 0 as the slot of the catcher: slot 0 changes hands at every call"
    );
    assert!(build("", b"PVM").unwrap_err().to_string().starts_with("not a PolkaVM program"));
    assert_eq!(
        build("", &std::fs::read("../guests/blobs/revive-v1/fib.polkavm").unwrap()),
        Err(ManifestError::InstructionSet { found: InstructionSet::ReviveV1 })
    );
    let error = build("", &blob("hello")).unwrap_err();
    assert_eq!(error, ManifestError::Import { symbol: "print".into(), index: 0 });
}
