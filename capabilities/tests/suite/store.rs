//! The directory over its stores: what is put is found, what names nothing is refused, and what is killed is not damaged.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use hatchery_capabilities::*;

fn data(number: u64) -> Cap {
    Cap::Data(DataCap::new(&number.to_le_bytes()))
}

fn node(caps: &[CapHash]) -> Cap {
    let mut node = CNode::new(4).unwrap();
    for (slot, &cap) in caps.iter().enumerate() {
        node.set(slot as u16, Some(cap)).unwrap();
    }
    Cap::CNode(node)
}

/// Runs a test with a directory over each store.
fn with_each(test: impl Fn(CacheDirectory)) {
    test(CacheDirectory::new(MemoryStore::default()));
    let folder = tempfile::tempdir().unwrap();
    test(CacheDirectory::new(ParityStore::open(folder.path()).unwrap()));
}

#[test]
fn what_is_put_is_found() {
    with_each(|mut cache| {
        let hash = cache.put(data(1)).unwrap();
        assert_eq!(*cache.get(hash).unwrap(), data(1));
        assert_eq!(cache.put(data(1)), Ok(hash), "putting it again changes nothing");
        cache.commit(vec![(b"here".to_vec(), Some(hash.0.to_vec()))]).unwrap();
        assert_eq!(cache.record(b"here").unwrap(), Some(hash.0.to_vec()));
        cache.commit(vec![(b"here".to_vec(), None)]).unwrap();
        assert_eq!(cache.record(b"here").unwrap(), None);
        let unknown = CapHash([9; 32]);
        assert_eq!(cache.get(unknown), Err(CacheError::Unknown { hash: unknown }));
    });
}

#[test]
fn what_names_nothing_is_refused() {
    let mut cache = CacheDirectory::default();
    let unknown = CapHash([9; 32]);
    assert_eq!(cache.put(node(&[unknown])), Err(CacheError::Dangling { hash: unknown }));
    let some_data = cache.put(data(1)).unwrap();
    let root = cache.put(Cap::CNode(CNode::root())).unwrap();
    let small = cache.put(node(&[])).unwrap();
    let image = cache.put(Cap::Image(Image::from_code(vec![0], vec![1]))).unwrap();
    let instance = |image, root| Cap::Instance(InstanceCap::new(image, root, 0));
    assert_eq!(cache.put(instance(image, unknown)), Err(CacheError::Dangling { hash: unknown }));
    assert_eq!(cache.put(instance(unknown, root)), Err(CacheError::Dangling { hash: unknown }));
    assert_eq!(
        cache.put(instance(some_data, root)),
        Err(CacheError::Kind { hash: some_data, found: Kind::Data, wanted: Kind::Image })
    );
    assert_eq!(
        cache.put(instance(image, image)),
        Err(CacheError::Kind { hash: image, found: Kind::Image, wanted: Kind::CNode })
    );
    assert_eq!(cache.put(instance(image, small)), Err(CacheError::RootSize { hash: small, size_log: 4 }));
    assert!(cache.put(instance(image, root)).is_ok());
    assert!(cache.put(Cap::Instance(KernelImage::Gas.instance(1))).is_ok());
}

#[test]
fn an_image_that_breaks_a_rule_is_refused() {
    let mut cache = CacheDirectory::default();
    let mut image = Image::from_code(vec![0], vec![1]);
    image.endpoints[0].entry_pc = 1;
    assert!(matches!(cache.put(Cap::Image(image)), Err(CacheError::Invalid(_))));
}

#[test]
fn what_is_being_worked_on_has_no_hash_until_it_is_settled() {
    let mut cache = CacheDirectory::default();
    let leaf = cache.put(data(1)).unwrap();
    let mut inner = CNode::new(1).unwrap();
    inner.set(1, Some(leaf)).unwrap();
    let inner = cache.work_on(inner).unwrap();
    let mut outer = CNode::root();
    outer.set(5, Some(inner.clone())).unwrap();
    outer.set(6, Some(inner)).unwrap();
    assert_eq!(Cap::CNode(outer.clone()).hash(), Err(Unsettled { slot: 5 }));
    assert_eq!(Cap::CNode(outer.clone()).to_bytes(), Err(Unsettled { slot: 5 }));
    assert_eq!(cache.put(Cap::CNode(outer.clone())), Err(CacheError::Unsettled(Unsettled { slot: 5 })));
    let working = cache.work_on(outer).unwrap();
    assert_eq!(cache.working(), 2);
    let hash = cache.settle(&working.clone().into()).unwrap();
    let settled = cache.cnode(hash).unwrap();
    assert_eq!(settled.get(5), settled.get(6));
    let inner = cache.cnode(settled.get(5).and_then(CapHashOrRef::hash).unwrap()).unwrap();
    assert_eq!(inner.get(1), Some(&CapHashOrRef::Hash(leaf)));
    drop(working);
    assert_eq!(cache.working(), 0);
}

#[test]
fn nodes_in_nodes_are_settled_however_deep() {
    let mut cache = CacheDirectory::default();
    let mut inner = cache.work_on(CNode::nothing()).unwrap();
    for _ in 0..20_000 {
        let mut outer = CNode::nothing();
        outer.set(0, Some(inner)).unwrap();
        inner = cache.work_on(outer).unwrap();
    }
    let hash = cache.settle(&inner.into()).unwrap();
    assert!(cache.get(hash).is_ok());
    assert_eq!(cache.working(), 0);
}

#[test]
fn no_more_is_worked_on_than_the_limit_allows() {
    let cache = CacheDirectory::default().working_limit(2);
    let a = cache.work_on(CNode::root()).unwrap();
    let _b = cache.work_on(CNode::root()).unwrap();
    assert_eq!(cache.work_on(CNode::root()).unwrap_err(), CacheError::TooManyWorking { limit: 2 });
    drop(a);
    assert!(cache.work_on(CNode::root()).is_ok());
}

#[test]
fn memory_is_bounded_once_the_store_has_it() {
    let mut cache = CacheDirectory::default().memory_limit(100_000);
    let hashes: Vec<CapHash> = (0..1000).map(|number| cache.put(data(number)).unwrap()).collect();
    assert!(cache.resident_bytes() > 4_000_000, "nothing new is forgotten");
    cache.commit(Vec::new()).unwrap();
    assert!(cache.resident_bytes() <= 100_000);
    for (number, &hash) in hashes.iter().enumerate() {
        assert_eq!(*cache.get(hash).unwrap(), data(number as u64));
        assert!(cache.resident_bytes() <= 100_000);
    }
}

#[test]
fn what_no_root_reaches_is_collected() {
    with_each(|mut cache| {
        let [a, b, c] = [1, 2, 3].map(|number| cache.put(data(number)).unwrap());
        let kept = cache.put(node(&[a, b])).unwrap();
        let given_up = cache.put(node(&[b, c])).unwrap();
        cache.hold(kept);
        cache.hold(given_up);
        cache.commit(Vec::new()).unwrap();
        assert_eq!(cache.collect([]), Ok(0));
        cache.release(given_up);
        assert_eq!(cache.collect([]), Ok(2));
        for hash in [a, b, kept] {
            assert!(cache.get(hash).is_ok());
        }
        for hash in [c, given_up] {
            assert_eq!(cache.get(hash), Err(CacheError::Unknown { hash }));
        }
        cache.release(kept);
        assert_eq!(cache.collect([a]), Ok(2), "roots can be given for once");
        assert!(cache.get(a).is_ok() && cache.get(b).is_err());
    });
}

#[test]
fn another_directory_finds_what_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let hash = {
        let mut cache = CacheDirectory::new(ParityStore::open(folder.path()).unwrap());
        let inner = cache.put(data(7)).unwrap();
        let hash = cache.put(node(&[inner])).unwrap();
        cache.commit(vec![(b"b".to_vec(), Some(vec![2])), (b"a".to_vec(), Some(vec![1]))]).unwrap();
        hash
    };
    let mut cache = CacheDirectory::new(ParityStore::open(folder.path()).unwrap());
    let found = cache.cnode(hash).unwrap();
    assert_eq!(*cache.get(found.get(0).unwrap().hash().unwrap()).unwrap(), data(7));
    assert_eq!(cache.records().unwrap(), [(b"a".to_vec(), vec![1]), (b"b".to_vec(), vec![2])]);
}

#[test]
fn meters_quotas_and_files_are_kept_with_capabilities() {
    let folder = tempfile::tempdir().unwrap();
    let open = || CacheDirectory::new(ParityStore::open(folder.path()).unwrap());
    let mut assist = InProcessAssist::default();
    {
        let mut cache = open();
        assert_eq!(InProcessAssist::load(&cache), Ok(InProcessAssist::default()));
        let file = cache.put(data(1)).unwrap();
        assist.set_gas_meter(1, 100);
        assist.set_storage_quota(2, 200);
        assist.add_marker(file, file);
        assist.save_file(file, file);
        assist.catch(file);
        cache.commit(vec![assist.record()]).unwrap();
    }
    let mut cache = open();
    assert_eq!(InProcessAssist::load(&cache), Ok(assist.clone()));
    assert!(assist.files().all(|file| cache.get(file).is_ok()));
    cache.commit(vec![(b"assist".to_vec(), Some(vec![9]))]).unwrap();
    assert_eq!(InProcessAssist::load(&cache), Err(CacheError::Record { name: "assist".into() }));
}

#[test]
fn a_damaged_store_is_noticed() {
    let mut store = MemoryStore::default();
    let [hash, other] = [1, 2].map(|number| data(number).hash().unwrap());
    store.commit(vec![Change::Put { hash, bytes: data(2).to_bytes().unwrap() }]).unwrap();
    store.commit(vec![Change::Put { hash: other, bytes: vec![9] }]).unwrap();
    let mut cache = CacheDirectory::new(store);
    assert_eq!(cache.get(hash), Err(CacheError::Damaged { hash, found: format!("data {other}") }));
    assert!(matches!(cache.get(other), Err(CacheError::Damaged { .. })));
}

/// What the process that will be killed does: chains of nodes, each committed with the record that names its head.
const WRITER: &str = "HATCHERY_CAPABILITIES_TEST_WRITER";
const COMMITS_BETWEEN_SYNCS: u64 = 20;

#[test]
fn a_process_that_is_killed_while_it_writes_loses_no_more_than_its_last_commits() {
    if let Ok(folder) = std::env::var(WRITER) {
        return write_until_killed(&folder);
    }
    for milliseconds in [30, 80, 150] {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture"])
            .arg("store::a_process_that_is_killed_while_it_writes_loses_no_more_than_its_last_commits")
            .env(WRITER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(writer.stdout.take().unwrap());
        let mut synced = None;
        let mut line = String::new();
        while synced.is_none() {
            line.clear();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "the writer ended");
            synced = line.trim().strip_prefix("synced ").map(|number| number.parse::<u64>().unwrap());
        }
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        writer.kill().unwrap();
        writer.wait().unwrap();
        for line in output.lines() {
            // The last line can be cut off.
            if let Some(Ok(number)) = line.unwrap().strip_prefix("synced ").map(str::parse) {
                synced = Some(number);
            }
        }

        let mut cache = CacheDirectory::new(ParityStore::open(folder.path()).unwrap());
        let record = cache.record(b"head").unwrap().unwrap();
        let number = u64::from_le_bytes(record[..8].try_into().unwrap());
        assert!(number >= synced.unwrap(), "{number} is older than the last sync, {synced:?}");
        // Everything that the record names is there and undamaged.
        let mut head = Some(CapHash(record[8..].try_into().unwrap()));
        let mut length = 0;
        while let Some(hash) = head {
            let node = cache.cnode(hash).unwrap();
            assert!(cache.get(node.get(1).unwrap().hash().unwrap()).is_ok());
            head = node.get(0).and_then(CapHashOrRef::hash);
            length += 1;
        }
        assert_eq!(length, number + 1);
    }
}

fn write_until_killed(folder: &str) {
    let mut cache = CacheDirectory::new(ParityStore::open(folder).unwrap());
    let mut head = None;
    for number in 0u64.. {
        let data = cache.put(data(number)).unwrap();
        let mut node = CNode::new(1).unwrap();
        node.set(0, head).unwrap();
        node.set(1, Some(data)).unwrap();
        let hash = cache.put(Cap::CNode(node)).unwrap();
        head = Some(hash);
        let record = [&number.to_le_bytes()[..], &hash.0].concat();
        cache.commit(vec![(b"head".to_vec(), Some(record))]).unwrap();
        if number % COMMITS_BETWEEN_SYNCS == 0 {
            cache.sync().unwrap();
            println!("\nsynced {number}");
        }
    }
}
