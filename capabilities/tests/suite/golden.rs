//! Hashes are those that an independent implementation computes (`golden_hashes.py`).

use std::collections::BTreeMap;
use std::sync::Arc;

use hatchery_capabilities::*;

fn golden() -> BTreeMap<&'static str, CapHash> {
    let line = |line: &'static str| {
        let (name, hash) = line.split_once(' ').unwrap();
        (name, hash.parse().unwrap())
    };
    include_str!("../golden_hashes.txt").lines().map(line).collect()
}

fn hash(cap: Cap) -> CapHash {
    cap.hash().unwrap()
}

fn data(bytes: &[u8]) -> CapHash {
    hash(Cap::Data(DataCap::new(bytes)))
}

fn cnode(size_log: u8, slots: &[(u16, CapHash)]) -> CapHash {
    let mut node = CNode::new(size_log).unwrap();
    for &(slot, cap) in slots {
        node.set(slot, Some(cap)).unwrap();
    }
    hash(Cap::CNode(node))
}

fn overlay(start: u32, bytes: &[u8]) -> Overlay {
    let mut page = [0; 4096];
    page[..bytes.len()].copy_from_slice(bytes);
    Overlay { start, bytes: Arc::new(Page::new(page)) }
}

#[test]
fn hashes_are_those_of_the_independent_implementation() {
    let golden = golden();
    let text = b"The quick brown fox jumps over the lazy dog";
    let some_data = data(text);
    // The Blake2b hash of a capability's hash is the chain that begins with it.
    let chain = genesis_chain(some_data);
    let type_cap = hash(Cap::Type(TypeCap { image_hash_chain: chain }));
    let root = cnode(8, &[(0, some_data), (3, type_cap), (255, data(b""))]);
    let regs: [u64; 13] = core::array::from_fn(|index| index as u64 * 0x0101_0101_0101_0101);
    let full = Image {
        instruction_set: CodeSet::JamV1,
        gas_profile: GasProfile::default(),
        code: (0..100).collect(),
        bitmask: vec![0xff; 13],
        jump_table: vec![1, 2, 99],
        endpoints: vec![
            Endpoint { name: b"first".to_vec(), ..Endpoint::at(0) },
            Endpoint {
                argument_registers: 1,
                argument_cnode: Some(5),
                initial_regs: regs,
                ..Endpoint::at(99)
            },
        ],
        mappings: vec![
            Mapping { start: 0x1_0000, size: 4096, source: SlotPath::slot(253) },
            Mapping { start: 0x2_0000, size: 8192, source: SlotPath::new(&[7, 65535, 0]).unwrap() },
        ],
        gas_slots: vec![1, 2],
        quota_slots: vec![3],
        pinned: vec![
            SlotContent { slot: 4, cap: some_data },
            SlotContent { slot: 253, cap: data(&text.repeat(200)) },
        ],
        initial: vec![SlotContent { slot: 9, cap: root }],
        yield_marker_slot: Some(10),
    };
    let flat = GasProfile::new(hatchery_engine::GasModel::Flat).unwrap();
    let plain = hash(Cap::Image(Image { gas_profile: flat, ..Image::from_code(vec![0], vec![1]) }));
    let full = hash(Cap::Image(full));
    let empty_root = cnode(8, &[]);
    let mut computed = BTreeMap::from([
        ("type", type_cap),
        ("data-none", data(b"")),
        ("data-text", some_data),
        ("data-three-pages", data(&text.repeat(200))),
        ("cnode-nothing", cnode(0, &[])),
        ("cnode-empty-root", empty_root),
        ("cnode-root", root),
        ("cnode-largest", cnode(16, &[(65535, some_data)])),
        ("image-plain", plain),
        ("image-full", full),
        ("instance-new", hash(Cap::Instance(InstanceCap::new(plain, empty_root, 0)))),
        (
            "instance-full",
            hash(Cap::Instance(InstanceCap {
                image_hash_chain: chain,
                image_hash: full,
                root_cnode: root,
                rw_overlays: vec![overlay(0x2_0000, text), overlay(0x2_1000, &[1; 4096])],
                mem_size: 0x2_2000,
                regs,
                pc: 77,
                gas_remaining: 5,
            })),
        ),
        ("instance-of-gas-7", hash(Cap::Instance(KernelImage::Gas.instance(7)))),
        ("chain-genesis", genesis_chain(plain)),
        ("chain-extended", extended_chain(genesis_chain(plain), full)),
    ]);
    computed.extend(KernelImage::ALL.map(|image| (image.label(), image.hash())));
    for (name, hash) in &golden {
        assert_eq!(computed.get(name), Some(hash), "{name}");
    }
    assert_eq!(computed.len(), golden.len());
}
