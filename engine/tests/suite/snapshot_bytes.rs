//! The byte form of snapshots, and what is not restored.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::snapshots::{LIMIT, RW, calling, instances, seen};
use crate::common::{Assembly, engines};
use codec::{Decode, DecodeAll, Encode};
use hatchery_engine::program::Program;
use hatchery_engine::{
    Charge, Config, DataRange, Engine, Exit, GasModel, Instance, InstructionSet, Module, Permission,
    RestoreError, Snapshot, Status,
};

/// The four parts of a snapshot's bytes, to be changed and signed again.
#[derive(Clone)]
struct Parts {
    version: u8,
    head: Vec<u8>,
    pages: Vec<(u32, Vec<u8>)>,
}

impl Parts {
    fn of(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let (version, head) = Decode::decode(&mut rest).unwrap();
        let parts = Self { version, head, pages: Decode::decode(&mut rest).unwrap() };
        let digest = <[u8; 32]>::decode_all(&mut rest).unwrap();
        assert_eq!((parts.to_bytes(), &digest[..]), (bytes.to_vec(), &bytes[bytes.len() - 32..]));
        parts
    }

    fn to_bytes(&self) -> Vec<u8> {
        signed((self.version, &self.head, &self.pages).encode())
    }
}

/// With the right hash at the end.
fn signed(mut bytes: Vec<u8>) -> Vec<u8> {
    let hash = blake2b_simd::Params::new().hash_length(32).hash(&bytes);
    bytes.extend(hash.as_bytes());
    bytes
}

/// Where things are in the head.
mod at {
    pub(super) const MODULE: usize = 0;
    pub(super) const REGS: usize = 32;
    pub(super) const PC: usize = REGS + 13 * 8;
    pub(super) const CHARGED: usize = PC + 4;
    pub(super) const STATUS: usize = CHARGED + 1;
}

/// A stop at a system call with two pages, the state of which is known to the byte.
fn stopped(config: Config) -> (Module, Snapshot) {
    let engine = Engine::new(config).unwrap();
    let module = engine.compile(&calling().container()).unwrap();
    let mut instance = module.instantiate();
    instance.prepare("main", &[0x0403_0201]).unwrap();
    instance.set_gas(1000);
    assert_eq!(instance.run(), Ok(Exit::Syscall(1)));
    instance.memory_mut().write(RW + 0x2000, &[5, 0, 6]).unwrap();
    instance.memory_mut().protect(0x1_0000, 4096, Permission::None).unwrap();
    let snapshot = instance.snapshot();
    (module, snapshot)
}

#[test]
fn the_byte_form_is_pinned() {
    let (module, snapshot) = stopped(Config::default());
    let mut head = module.key().to_vec();
    for (reg, value) in [(0, 0xffff_0000), (1, 0xfffe_0000), (7, 0x0403_0201), (8, 0x3_0000)] {
        head.resize(at::REGS + reg * 8, 0);
        head.extend(u64::to_le_bytes(value));
    }
    head.resize(at::PC, 0);
    // load_imm and store take six and six bytes; the rest of the block is paid; system call 1.
    head.extend(snapshot.pc().to_le_bytes());
    head.extend([1, 2, 1, 0, 0, 0]);
    head.extend(snapshot.gas().to_le_bytes());
    // The end of the heap, no auxiliary data, a permission, no sources.
    head.extend([0, 0x30, 3, 0, 0, 0, 0, 0]);
    head.extend([4, 0x10, 0, 0, 0, 0]);
    head.extend([0]);
    let mut bytes = vec![1];
    head.encode_to(&mut bytes);
    let data = [&[1, 2, 3, 4][..], &[0x22; 12]].concat();
    bytes.extend([8, 0x30, 0, 0, 0, 16 * 4]);
    bytes.extend(&data);
    bytes.extend([0x32, 0, 0, 0, 3 * 4, 5, 0, 6]);
    assert_eq!(snapshot.to_bytes(), signed(bytes));
    assert_eq!(Snapshot::from_bytes(&snapshot.to_bytes(), LIMIT), Ok(snapshot));
}

#[test]
fn bytes_that_were_changed_are_no_snapshot() {
    let (_, snapshot) = stopped(Config::default());
    let bytes = snapshot.to_bytes();
    let decode = |bytes: &[u8]| Snapshot::from_bytes(bytes, LIMIT);
    for end in 0..bytes.len() {
        assert!(decode(&bytes[..end]).is_err(), "{end} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(decode(&longer).is_err());
    let mut changed = bytes.clone();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            changed[at] ^= 1 << bit;
            assert!(decode(&changed).is_err(), "bit {bit} of byte {at}");
            changed[at] = bytes[at];
        }
    }
    let message = Snapshot::from_bytes(&bytes, bytes.len() - 1).unwrap_err().to_string();
    assert_eq!(message, format!("{} bytes: a snapshot may have {}", bytes.len(), bytes.len() - 1));
    assert_eq!(Snapshot::from_bytes(&bytes, bytes.len()), Ok(snapshot));
}

/// What is wrong with bytes whose hash is right.
fn message(parts: &Parts) -> String {
    match Snapshot::from_bytes(&parts.to_bytes(), LIMIT) {
        Ok(_) => "nothing".into(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn bytes_in_another_form_are_no_snapshot() {
    let (_, snapshot) = stopped(Config::default());
    let parts = Parts::of(&snapshot.to_bytes());
    let changed = |change: &dyn Fn(&mut Parts)| {
        let mut parts = parts.clone();
        change(&mut parts);
        message(&parts)
    };
    let order = "not a snapshot: its pages: the numbers of pages are not ascending, or too large";
    let page = "not a snapshot: its pages: a page has more than 4096 bytes, or zeros at its end";
    assert_eq!(changed(&|_| ()), "nothing");
    assert_eq!(changed(&|parts| parts.version = 2), "not a snapshot: its version is not 1");
    assert_eq!(changed(&|parts| parts.pages.swap(0, 1)), order);
    assert_eq!(changed(&|parts| parts.pages[1].0 = 0x30), order);
    assert_eq!(changed(&|parts| parts.pages[1].0 = 0x10_0000), order);
    assert_eq!(changed(&|parts| parts.pages[1].1.push(0)), page);
    assert_eq!(changed(&|parts| parts.pages[1].1 = vec![1; 4097]), page);
    assert_ne!(changed(&|parts| parts.head.push(0)), "nothing");
    assert_ne!(changed(&|parts| parts.head.truncate(100)), "nothing");
    assert_ne!(changed(&|parts| parts.head[at::CHARGED] = 2), "nothing");
    assert_ne!(changed(&|parts| parts.head[at::STATUS] = 8), "nothing");
    let permissions = at::STATUS + 5 + 8 + 8;
    assert_eq!(parts.head[permissions..], [4, 0x10, 0, 0, 0, 0, 0]);
    assert_ne!(changed(&|parts| parts.head[permissions + 5] = 3), "nothing");
    let more = |permissions: &[(u32, u8)]| {
        changed(&|parts| {
            parts.head.truncate(at::STATUS + 5 + 8 + 8);
            (permissions, 0u8).encode_to(&mut parts.head);
        })
    };
    assert_eq!(more(&[(0x10, 0), (0x11, 1)]), "nothing");
    assert_ne!(more(&[(0x11, 1), (0x10, 0)]), "nothing");
    assert_ne!(more(&[(0x10, 1), (0x10, 0)]), "nothing");
    // A count in more bytes than it takes.
    let mut long = vec![parts.version];
    parts.head.encode_to(&mut long);
    let at = long.len();
    parts.pages.encode_to(&mut long);
    assert_eq!(long[at], 8);
    long.splice(at..=at, [9, 0]);
    assert!(Snapshot::from_bytes(&signed(long), LIMIT).is_err());
    // A count of pages that are not there.
    let mut many = vec![parts.version];
    parts.head.encode_to(&mut many);
    many.extend([0xfe, 0xff, 0xff, 0xff]);
    assert!(Snapshot::from_bytes(&signed(many), LIMIT).is_err());
}

#[test]
fn states_that_no_instance_has_are_not_restored() {
    let (module, snapshot) = stopped(Config::default());
    let parts = Parts::of(&snapshot.to_bytes());
    let restore = |change: &dyn Fn(&mut Parts)| {
        let mut parts = parts.clone();
        change(&mut parts);
        module.restore(&Snapshot::from_bytes(&parts.to_bytes(), LIMIT).unwrap(), &())
    };
    let error = |change: &dyn Fn(&mut Parts)| restore(change).unwrap_err();
    let page_error = |change: &dyn Fn(&mut Parts), page: u32, text: &str| match error(change) {
        RestoreError::Page { page: found, problem } => assert_eq!((found, problem), (page, text)),
        error => panic!("{error}"),
    };
    assert_eq!(restore(&|_| ()).unwrap().status(), Status::Stopped(Exit::Syscall(1)));
    assert!(matches!(error(&|parts| parts.head[at::MODULE] ^= 1), RestoreError::ForeignModule { .. }));

    // Places: not the system call, not that one, not paid for, not finished there, not there at all.
    let place = |change: &dyn Fn(&mut [u8])| {
        let found = restore(&|parts| change(&mut parts.head[at::PC..at::STATUS + 5]));
        found.map_err(|error| matches!(error, RestoreError::Place { .. }))
    };
    let pc = snapshot.pc() as u8;
    assert_eq!(pc, parts.head[at::PC]);
    assert!(place(&|head| head[0] = 0).unwrap_err());
    assert!(place(&|head| head[0] = pc + 1).unwrap_err());
    assert!(place(&|head| head[3] = 0x7f).unwrap_err());
    assert!(place(&|head| head[4] = 0).unwrap_err());
    assert!(place(&|head| head[6] = 2).unwrap_err());
    let status = |status: &[u8], pc: u8, is_charged: bool| {
        let found = restore(&|parts| {
            parts.head[at::PC] = pc;
            parts.head[at::CHARGED] = is_charged.into();
            parts.head.splice(at::STATUS..at::STATUS + 5, status.iter().copied());
        });
        found.map(|instance| instance.status()).map_err(|error| matches!(error, RestoreError::Place { .. }))
    };
    let [idle, ready, out_of_gas, finished, paused] = [&[0][..], &[1], &[3], &[6], &[7]];
    assert_eq!(status(idle, 0, false), Ok(Status::Idle));
    assert_eq!(status(idle, 1, false), Err(true));
    assert_eq!(status(idle, 0, true), Err(true));
    assert_eq!(status(ready, 77, false), Ok(Status::Ready));
    assert_eq!(status(ready, 0, true), Err(true));
    assert_eq!(status(out_of_gas, 0, false), Ok(Status::Stopped(Exit::OutOfGas)));
    assert_eq!(status(out_of_gas, pc, false), Ok(Status::Stopped(Exit::OutOfGas)), "entered in the middle");
    assert_eq!(status(out_of_gas, pc, true), Ok(Status::Stopped(Exit::OutOfGas)));
    assert_eq!(status(out_of_gas, 1, false), Err(true));
    assert_eq!(status(out_of_gas, 1, true), Err(true));
    assert_eq!(status(paused, 0, false), Ok(Status::Stopped(Exit::Paused)));
    assert_eq!(status(paused, pc, true), Ok(Status::Stopped(Exit::Paused)));
    assert_eq!(status(paused, pc, false), Err(true), "a pause is at the start of a block, or within one");
    assert_eq!(status(finished, pc, false), Err(true), "that is no return");
    let trap = |kind: u8, address: &[u8]| status(&[&[5, kind], address].concat(), pc, false);
    assert!(trap(0, &[0]).is_ok());
    assert!(trap(4, &[1, 0, 0, 0, 0]).is_ok());
    assert_eq!(trap(0, &[1, 0, 0, 0, 0]), Err(true));
    assert_eq!(trap(4, &[0]), Err(true));
    assert_eq!(status(&[4, 0, 0, 0, 0, 0], pc, true), Err(true), "faults are not the host's here");

    // Pages.
    let push = |page: u32, bytes: &'static [u8]| {
        move |parts: &mut Parts| {
            parts.pages.push((page, bytes.to_vec()));
            parts.pages.sort();
        }
    };
    page_error(&push(0x31, &[]), 0x31, "its bytes are given although they are as in the program");
    page_error(&push(0x10, &[1]), 0x10, "its bytes are given although it is not mapped");
    page_error(&push(0x33, &[1]), 0x33, "its bytes are given although it is not mapped");
    page_error(&push(0xf, &[1]), 0xf, "its bytes are given although it is not mapped");
    page_error(
        &|parts: &mut Parts| parts.pages[0].1 = vec![0x22; 16],
        0x30,
        "its bytes are given although they are as in the program",
    );
    let permissions = |permissions: Vec<(u32, u8)>| {
        move |parts: &mut Parts| {
            parts.head.truncate(at::STATUS + 5 + 8 + 8);
            (&permissions, 0u8).encode_to(&mut parts.head);
        }
    };
    page_error(&permissions(vec![(0xf, 1)]), 0xf, "it is no page that can be mapped");
    for (page, permission) in [(0x10, 1), (0x20, 0), (0x30, 2), (0xf_ffdf, 2)] {
        let set = permissions(vec![(page, permission)]);
        page_error(&set, page, "its permission is given although it is that of the layout");
    }
    // The heap and auxiliary data.
    let extent = |heap_top: u32, auxiliary: u32| {
        restore(&|parts| {
            let heap = at::STATUS + 5 + 8;
            parts.head[heap..heap + 4].copy_from_slice(&heap_top.to_le_bytes());
            parts.head[heap + 4..heap + 8].copy_from_slice(&auxiliary.to_le_bytes());
        })
        .map(|instance| instance.heap_top())
    };
    assert_eq!(extent(0x3_3000, 0), Ok(0x3_3000));
    assert_eq!(extent(0x3_3001, 0), Ok(0x3_3001));
    for heap_top in [0x3_2fff, 0, u32::MAX, 0xfffd_0001] {
        assert_eq!(extent(heap_top, 0), Err(RestoreError::HeapTop { heap_top }));
    }
    assert_eq!(extent(0x3_3000, 1), Err(RestoreError::Auxiliary { length: 1, limit: 0 }));
}

#[test]
fn snapshots_are_of_one_module_whatever_executes_it() {
    let (module, snapshot) = stopped(Config::default());
    for (name, engine) in engines(Config::default()) {
        let same = engine.compile(&calling().container()).unwrap();
        assert_eq!(same.key(), module.key(), "{name}");
    }
    let flat = Config::default().gas_model(GasModel::Flat);
    let other_program = Assembly { rw_data: vec![0x23; 16], ..calling() };
    let blob = calling().container();
    let mut modules: Vec<(&str, Module)> = [
        ("another gas model", flat, &blob),
        ("gas by the instruction", flat.charge(Charge::Instruction), &blob),
        ("another memory limit", Config::default().memory_limit(1 << 20), &blob),
        ("faults to the host", Config::default().faults_to_host(true), &blob),
        ("another program", Config::default(), &other_program.container()),
    ]
    .into_iter()
    .map(|(name, config, blob)| (name, Engine::new(config).unwrap().compile(blob).unwrap()))
    .collect();
    // With other memory than the container says.
    let engine = Engine::new(Config::default()).unwrap();
    let mut larger = Program::from_polkavm(&blob, InstructionSet::Latest64Extended).unwrap();
    larger.memory.stack_size += 4096;
    modules.push(("a larger stack", engine.compile_program(larger).unwrap()));
    // Bytes that are a program in two instruction sets: jump table, code and bitmask of `ecalli 0`, `trap`.
    for (name, set) in [("JAM", InstructionSet::JamV1), ("revive", InstructionSet::ReviveV1)] {
        let program = Program::from_raw(&[0, 0, 2, 10, 0, 3], set).unwrap();
        modules.push((name, engine.compile_program(program).unwrap()));
    }
    let mut keys = BTreeSet::from([module.key()]);
    for (name, other) in modules {
        assert!(keys.insert(other.key()), "{name}");
        let error = other.restore(&snapshot, &()).unwrap_err();
        assert_eq!(
            error,
            RestoreError::ForeignModule { expected: other.key(), found: module.key() },
            "{name}"
        );
    }
}

#[test]
fn pages_that_are_as_where_they_come_from_are_only_referred_to() {
    let data: Vec<u8> = (0..9000u32).map(|n| (n % 251) as u8 + 1).collect();
    let (hash, length) = ([7; 32], 5000);
    let range = DataRange { data: hash, offset: 100, length };
    let source = BTreeMap::from([(hash, data.clone())]);
    for (name, mut instance) in instances(&calling(), Config::default()) {
        let module = instance.module().clone();
        instance.memory_mut().write(RW, &data[100..5100]).unwrap();
        instance.memory_mut().record_source(RW, range).unwrap();
        let first = DataRange { length: 4096, ..range };
        let second = DataRange { offset: 4196, length: 904, ..range };
        let sources = |instance: &Instance| instance.snapshot().sources().collect::<Vec<_>>();
        let both = |first_is, second_is| vec![(RW, first, first_is), (RW + 4096, second, second_is)];
        assert_eq!(sources(&instance), both(true, true));
        let snapshot = instance.snapshot();
        assert_eq!(snapshot.pages().len(), 0);
        assert!(snapshot.byte_length() < 500);
        let bytes = snapshot.to_bytes();
        let snapshot = Snapshot::from_bytes(&bytes, LIMIT).unwrap();
        let mut restored = module.restore(&snapshot, &source).unwrap();
        assert_eq!(seen(&restored), seen(&instance));
        assert_eq!(restored.snapshot().to_bytes(), bytes);

        // Data that are not there, too short, or others.
        let missing = |error| matches!(error, RestoreError::MissingData { page_address: RW, data, offset: 100, length: 4096 } if data == hash);
        assert!(missing(module.restore(&snapshot, &()).unwrap_err()));
        let short = BTreeMap::from([(hash, &data[..5099])]);
        let error = module.restore(&snapshot, &short).unwrap_err();
        assert!(matches!(error, RestoreError::MissingData { page_address, .. } if page_address == RW + 4096));
        let mut other = data.clone();
        other[5099] ^= 1;
        let error = module.restore(&snapshot, &BTreeMap::from([(hash, other)])).unwrap_err();
        assert!(matches!(error, RestoreError::OtherData { page_address, .. } if page_address == RW + 4096));

        // Bytes that change, and change back; the note stays.
        for instance in [&mut instance, &mut restored] {
            instance.memory_mut().write(RW + 5000, &[1]).unwrap();
            assert_eq!(sources(instance), both(true, false), "{name}: not only zeros behind");
            instance.memory_mut().write(RW, &[0]).unwrap();
            assert_eq!(sources(instance), both(false, false));
            assert_eq!(instance.snapshot().pages().len(), 2);
            let mut again = module.restore(&instance.snapshot(), &()).unwrap();
            for instance in [instance, &mut again] {
                instance.memory_mut().write(RW, &data[100..101]).unwrap();
                instance.memory_mut().zero(RW + 5000, 1).unwrap();
                assert_eq!(instance.snapshot().to_bytes(), bytes);
                // As in the program: neither given nor referred to.
                instance.memory_mut().zero(RW + 4096, 4096).unwrap();
                assert_eq!(sources(instance), both(true, false));
                assert_eq!(instance.snapshot().pages().len(), 0);
                instance.memory_mut().write(RW + 4096, &data[4196..5100]).unwrap();
                assert_eq!(instance.snapshot().to_bytes(), bytes);
            }
        }

        // A fork has the notes; a reset has none; what is not mapped, or no page, is refused.
        assert_eq!(instance.fork().snapshot().to_bytes(), bytes);
        let mut memory = instance.memory_mut();
        assert!(memory.record_source(RW + 1, range).is_err());
        assert!(memory.record_source(RW + 0x2000, range).is_err());
        let far = DataRange { offset: u64::MAX - 4999, ..range };
        assert!(memory.record_source(RW, far).is_err());
        assert_eq!(instance.snapshot().to_bytes(), bytes);
        instance.reset();
        assert_eq!(sources(&instance), []);

        // In bytes: pages given twice, or given although they could be referred to.
        let parts = Parts::of(&bytes);
        for (bytes, problem) in [
            (vec![1], "its bytes are given twice"),
            (data[100..4196].to_vec(), "its bytes are given although they are as where they come from"),
        ] {
            let mut parts = parts.clone();
            parts.pages.push((0x30, bytes));
            let snapshot = Snapshot::from_bytes(&parts.to_bytes(), LIMIT).unwrap();
            let error = module.restore(&snapshot, &source).unwrap_err();
            assert_eq!(error, RestoreError::Page { page: 0x30, problem });
        }
    }
}
