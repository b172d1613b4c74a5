//! Data whose bytes are not all here: programs never notice, and who puts the bytes makes up for it.

use crate::common::*;
use codec::Encode;
use hatchery_capabilities::*;

/// The same data without these pages.
fn without(data: &DataCap, missing: &[usize]) -> DataCap {
    let mut data = data.clone();
    for &page in missing {
        let root = data.page(page).unwrap().unwrap().tree_root();
        data.pages[page] = PageSlot::Missing(root);
    }
    data
}

/// What makes an instance that uses these data, and why their bytes are needed.
type Use = (&'static str, fn(&mut World, CapHash) -> CapHash);

const USES: [Use; 5] = [
    ("they are read", |world, data| {
        let code = Code::new().op(Operation::ReadData, &[2, DATA.into(), 8]).load(Reg::A0, DATA);
        world.instance(with_memory(code.reply().image()), &[(2, data)])
    }),
    ("an image is made of them", |world, data| {
        let code = Code::new().op(Operation::MakeImage, &[2, u64::MAX, u64::MAX, 5]).reply();
        world.instance(code.image(), &[(2, data)])
    }),
    ("they lie where PolkaVM puts data", |world, data| {
        let mut image = with_memory(Code::new().load(Reg::A0, DATA).reply().image());
        image.initial = vec![SlotContent { slot: DATA_SLOT, cap: data }];
        world.instance(image, &[])
    }),
    ("they are shown aside", |world, data| {
        let image = with_memory(Code::new().load(Reg::A0, ASIDE).reply().image());
        world.instance(image, &[(ASIDE_SLOT, data)])
    }),
    ("the next image shows them", |world, data| {
        let code = Code::new().op(Operation::SetImage, &[3]).load(Reg::A0, DATA).reply();
        let mut next = with_memory(code.clone().image());
        next.initial = vec![SlotContent { slot: DATA_SLOT, cap: data }];
        let next = world.image(next);
        world.instance(code.image(), &[(3, next)])
    }),
];

#[test]
fn pages_that_are_not_here_are_an_error_of_the_embedder_and_never_an_answer() {
    let full = DataCap::new(&Code::new().reply_with(5).image().encode());
    assert_eq!(full.pages.len(), 1);
    for &backend in Backend::AVAILABLE {
        for (what, user) in USES {
            let prepare = |data: DataCap| {
                let mut world = World::new(backend);
                let quota = world.quota(7, 10 * 4096);
                let data = world.put(Cap::Data(data));
                let callee = user(&mut world, data);
                // Who calls it would notice a fault.
                let code = Code::new()
                    .op(Operation::MintData, &[DATA.into(), 8, 7, 9])
                    .op(Operation::Call, &[5, 0])
                    .sum(Reg::A0, Reg::A0, Reg::A1)
                    .reply();
                let image = Image { quota_slots: vec![1], ..with_memory(code.image()) };
                let caller = world.instance(image, &[(1, quota), (5, callee)]);
                (world, data, caller)
            };
            let (mut complete, data, caller) = prepare(full.clone());
            let expected = complete.call(caller);
            assert!(matches!(expected, CallResult::Halt { .. }), "{what}: {expected:?}");

            let (mut world, same, same_caller) = prepare(without(&full, &[0]));
            assert_eq!((same, same_caller), (data, caller), "hashes do not tell");
            let before = world.vm.assist().clone();
            for _ in 0..2 {
                let result = world.vm.invoke(&mut world.cache, caller, 0, [0; 4], GAS);
                let missing = CacheError::MissingPage { data, page: 0 };
                assert_eq!(result, Err(VmError::Cache(missing)), "{backend:?}: {what}");
                assert!(world.vm.call_stack().is_empty());
                assert_eq!(world.cache.working(), 0);
                assert_eq!(*world.vm.assist(), before, "no quota was charged");
                assert!(!world.cache.contains(Cap::Data(DataCap::new(&[0; 8])).hash().unwrap()).unwrap());
            }
            // With the bytes it goes on as it would have.
            assert_eq!(world.cache.put(Cap::Data(full.clone())), Ok(data));
            assert_eq!(world.call(caller), expected, "{backend:?}: {what}");
        }
    }
}

/// Whether memory is as its source says can be told without the bytes.
#[test]
fn memory_is_compared_with_pages_that_are_not_here() {
    let mut bytes = vec![0; 2 * 4096];
    bytes[8] = 7;
    bytes[4096] = 1;
    let full = DataCap::new(&bytes);
    let outcome = each_backend(|world| {
        let results = [full.clone(), without(&full, &[1]), without(&full, &[0, 1])].map(|data| {
            // Another directory, in which there may be more.
            world.cache = CacheDirectory::default();
            let data = world.put(Cap::Data(data));
            let code = Code::new().set(Reg::S0, 7).store(DATA + 8, Reg::S0);
            let code = code.op(Operation::Copy, &[2, DATA_SLOT.into()]).reply();
            let instance = world.instance(with_memory(code.image()), &[(2, data)]);
            let result = world.call(instance);
            let CallResult::Halt { post_instance_hash, .. } = result else { panic!("{result:?}") };
            let overlays = world.cache.instance(post_instance_hash).unwrap().rw_overlays;
            let starts: Vec<u32> = overlays.iter().map(|overlay| overlay.start).collect();
            (result, starts)
        });
        assert!(results.iter().all(|result| *result == results[0]));
        results[0].1.clone()
    });
    assert_eq!(outcome, [DATA + 4096], "the second page is zero, its source is not");
}

#[test]
fn data_get_the_pages_that_they_lack_and_keep_those_that_they_have() {
    let full = DataCap::new(&[[1; 4096], [2; 4096], [3; 4096]].concat());
    let put = |cache: &mut CacheDirectory, data: &DataCap| cache.put(Cap::Data(data.clone())).unwrap();
    let mut cache = CacheDirectory::default();
    let hash = put(&mut cache, &without(&full, &[0, 2]));
    assert_eq!(*cache.get(hash).unwrap(), Cap::Data(without(&full, &[0, 2])));
    put(&mut cache, &without(&full, &[1, 2]));
    assert_eq!(*cache.get(hash).unwrap(), Cap::Data(without(&full, &[2])), "from both");
    cache.commit(Vec::new()).unwrap();
    put(&mut cache, &full);
    put(&mut cache, &without(&full, &[0, 1, 2]));
    assert_eq!(*cache.get(hash).unwrap(), Cap::Data(full.clone()));

    // In the store as well, which has what is forgotten in memory.
    let folder = tempfile::tempdir().unwrap();
    let open = || CacheDirectory::new(ParityStore::open(folder.path()).unwrap()).memory_limit(0);
    let mut cache = open();
    put(&mut cache, &without(&full, &[1]));
    cache.commit(Vec::new()).unwrap();
    put(&mut cache, &full);
    cache.commit(Vec::new()).unwrap();
    put(&mut cache, &without(&full, &[0]));
    cache.commit(Vec::new()).unwrap();
    cache.sync().unwrap();
    drop(cache);
    assert_eq!(*open().get(hash).unwrap(), Cap::Data(full));
}

#[test]
fn who_makes_the_very_data_has_their_bytes() {
    each_backend(|world| {
        let full = DataCap::new(&0x1234u64.to_le_bytes());
        let pruned = world.put(Cap::Data(without(&full, &[0])));
        let quota = world.quota(7, 4096);
        let code = Code::new()
            .set(Reg::S0, 0x1234)
            .store(DATA, Reg::S0)
            .op(Operation::MintData, &[DATA.into(), 8, 7, 9])
            .op(Operation::ReadData, &[9, ASIDE.into(), 8])
            .load(Reg::A0, ASIDE)
            .reply();
        let image = Image { quota_slots: vec![1], ..with_memory(code.image()) };
        let instance = world.instance(image, &[(1, quota), (2, pruned)]);
        let (value, after) = world.halts(instance);
        assert_eq!((value, world.slot(after, 9)), (0x1234, Some(pruned)));
    });
}
