//! Host access to guest memory at every edge of every region.

use super::{Case, Comparison, cases, guests};
use crate::guests::{Layout, read_only_byte, read_write_byte};
use hatchery_test_runtime::{
    Input,
    outcome::{Access, Accessed, Call, End, ExecFailure, MemoryFailure},
    scenario,
};

/// Sizes that fill their pages.
const WHOLE_PAGES: Layout = Layout { read_only: 0x2000, read_write: 0x3000, stack: 0x2000 };

/// Sizes that do not.
const ODD_SIZES: Layout = Layout { read_only: 0x1_0003, read_write: 0x1801, stack: 0x1234 };

/// No memory at all.
const NOTHING: Layout = Layout { read_only: 0, read_write: 0, stack: 0 };

/// Room for a mebibyte that is not aligned.
const MEBIBYTE: Layout = Layout { read_only: 0, read_write: (1 << 20) + 4096, stack: 0x1000 };

fn mebibyte() -> Vec<u8> {
    (0..1u32 << 20).map(|at| (at.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect()
}

/// Upstream leaves the caller's buffer alone or half filled; through Wasm it is always written back, as zeros.
const BUFFER: Comparison =
    Comparison::EqualInWasm("on an error, upstream does not clear the caller's buffer");

cases! {
    edges_of_whole_pages = edges(WHOLE_PAGES, scenario::memory_at_entry).compared(BUFFER);
    edges_of_whole_pages_at_a_syscall = edges(WHOLE_PAGES, scenario::memory_at_syscall).compared(BUFFER);
    edges_of_odd_sizes = edges(ODD_SIZES, scenario::memory_at_entry).compared(BUFFER);
    edges_of_odd_sizes_at_a_syscall = edges(ODD_SIZES, scenario::memory_at_syscall).compared(BUFFER);

    program_without_memory = Case::new(
        scenario::memory_at_entry(
            guests::probe(NOTHING),
            b"look".to_vec(),
            [0, 0x1_0000, 0x2_0000, 0x3_0000, 0xfffd_ffff, 0xfffe_0000, u32::MAX]
                .map(|address| read(address, 1))
                .to_vec(),
        ),
        |accessed| assert!(accessed.unwrap().iter().all(|accessed| *accessed == refused(1))),
    )
    .compared(BUFFER);

    /// What the blob says, followed by zeros.
    initial_content = Case::new(
        at_entry(
            ODD_SIZES,
            vec![
                read(ODD_SIZES.read_only_start(), ODD_SIZES.read_only),
                read(ODD_SIZES.read_write_start(), ODD_SIZES.read_write),
                read(ODD_SIZES.stack_start(), ODD_SIZES.stack),
            ],
        ),
        |accessed| {
            let accessed = accessed.unwrap();
            assert!(accessed.iter().all(|accessed| accessed.result == Ok(())), "{accessed:?}");
            let half_filled = |size: u32, byte: fn(u32) -> u8| -> Vec<u8> {
                (0..size).map(|at| if at < size.div_ceil(2) { byte(at) } else { 0 }).collect()
            };
            assert!(accessed[0].buffer == half_filled(ODD_SIZES.read_only, read_only_byte));
            assert!(accessed[1].buffer == half_filled(ODD_SIZES.read_write, read_write_byte));
            assert!(accessed[2].buffer.iter().all(|byte| *byte == 0));
        },
    );

    /// Zero bytes can be accessed anywhere.
    zero_length = Case::new(
        at_entry(
            WHOLE_PAGES,
            [0, 0x1_0000, 0x1_2000, 0x2_0000, 0x8000_0000, 0xfffe_0000, u32::MAX]
                .into_iter()
                .flat_map(|address| [read(address, 0), write(address, &[])])
                .collect(),
        ),
        |accessed| {
            for (at, accessed) in accessed.unwrap().into_iter().enumerate() {
                assert_eq!(accessed, Accessed { result: Ok(()), buffer: Vec::new() }, "access {at}");
            }
        },
    );

    written_bytes_are_read_back = Case::new(
        at_entry(
            WHOLE_PAGES,
            vec![
                write(WHOLE_PAGES.read_write_start(), b"first"),
                write(WHOLE_PAGES.read_write_end() - 4, b"last"),
                // Across a page.
                write(WHOLE_PAGES.read_write_start() + 0xffe, b"middle"),
                write(WHOLE_PAGES.stack_end() - 5, b"stack"),
                read(WHOLE_PAGES.read_write_start(), 6),
                read(WHOLE_PAGES.read_write_end() - 5, 5),
                read(WHOLE_PAGES.read_write_start() + 0xffe, 6),
                read(WHOLE_PAGES.stack_end() - 6, 6),
            ],
        ),
        |accessed| {
            let read: Vec<_> = accessed.unwrap().into_iter().skip(4).collect();
            let sixth = [&b"first"[..], &[read_write_byte(5)]].concat();
            let expected = [&sixth[..], b"\0last", b"middle", b"\0stack"];
            assert_eq!(read, expected.map(|buffer| Accessed { result: Ok(()), buffer: buffer.to_vec() }));
        },
    );

    /// A write that does not fit changes nothing, not even the part that fits.
    refused_write_changes_nothing = Case::new(
        at_entry(
            WHOLE_PAGES,
            vec![
                write(WHOLE_PAGES.read_write_end() - 2, b"xxx"),
                write(WHOLE_PAGES.read_write_start() - 1, b"xxx"),
                write(WHOLE_PAGES.stack_end() - 2, b"xxx"),
                write(WHOLE_PAGES.read_only_start(), b"xxx"),
                read(WHOLE_PAGES.read_write_end() - 2, 2),
                read(WHOLE_PAGES.read_write_start(), 2),
                read(WHOLE_PAGES.stack_end() - 2, 2),
                read(WHOLE_PAGES.read_only_start(), 2),
            ],
        ),
        |accessed| {
            let accessed = accessed.unwrap();
            assert!(accessed[..4].iter().all(|accessed| *accessed == refused(0)), "{accessed:?}");
            let expected = [
                [0, 0],
                [read_write_byte(0), read_write_byte(1)],
                [0, 0],
                [read_only_byte(0), read_only_byte(1)],
            ];
            let expected = expected.map(|buffer| Accessed { result: Ok(()), buffer: buffer.to_vec() });
            assert_eq!(accessed[4..], expected);
        },
    );

    a_mebibyte_each_way = Case::new(
        scenario::transfer(
            guests::probe(MEBIBYTE),
            b"look".to_vec(),
            MEBIBYTE.read_write_start() + 3,
            mebibyte(),
        ),
        |back| assert!(back.expect("it fits") == mebibyte()),
    );

    /// The guest sees the same edges: 8 bytes loaded, one byte stored.
    edges_for_the_guest = Case::new(
        scenario::on_one_instance(
            guests::probe(WHOLE_PAGES),
            0,
            guest_edges().into_iter().map(|(export, address, _)| guest_call(export, address)).collect(),
        ),
        |runs| {
            for (run, (export, address, allowed)) in runs.iter().zip(guest_edges()) {
                let expected = if allowed { End::Finished } else { End::Failed(ExecFailure::Trap) };
                let export = String::from_utf8_lossy(export);
                assert_eq!(run.end, expected, "{export} at {address:#x}");
            }
            assert_eq!(runs.len(), guest_edges().len());
        },
    );

    /// A store of one call is there in the next, which loads it.
    guest_reads_what_it_stored = Case::new(
        scenario::on_one_instance(
            guests::probe(WHOLE_PAGES),
            0,
            vec![
                guest_call(b"peek", WHOLE_PAGES.read_write_start()),
                guest_call(b"poke", WHOLE_PAGES.read_write_start() + 1),
                guest_call(b"peek", WHOLE_PAGES.read_write_start()),
            ],
        ),
        |runs| {
            let bytes: [u8; 8] = core::array::from_fn(|at| read_write_byte(at as u32));
            let mut poked = bytes;
            poked[1] = 0x55;
            assert_eq!(runs[0].syscalls[0].arguments[0], u64::from_le_bytes(bytes));
            assert_eq!(runs[2].syscalls[0].arguments[0], u64::from_le_bytes(poked));
        },
    );
}

/// One of the two scenarios about memory.
type Scenario = fn(Vec<u8>, Vec<u8>, Vec<Access>) -> Input<Option<Vec<Accessed>>>;

/// Reads and writes at both ends of each region.
fn edges(layout: Layout, scenario: Scenario) -> Case {
    let expected = edge_table(layout);
    let accesses = expected.iter().map(|(access, _)| access.clone()).collect();
    Case::new(scenario(guests::probe(layout), b"look".to_vec(), accesses), move |accessed| {
        let accessed = accessed.expect("the guest gets there");
        assert_eq!(accessed.len(), expected.len());
        for (accessed, (access, allowed)) in accessed.iter().zip(&expected) {
            match allowed {
                true => assert_eq!(accessed.result, Ok(()), "{access:x?}"),
                false => assert_eq!(*accessed, refused(accessed.buffer.len()), "{access:x?}"),
            }
        }
    })
}

fn edge_table(layout: Layout) -> Vec<(Access, bool)> {
    let read_only = (layout.read_only_start(), layout.read_only_end());
    let read_write = (layout.read_write_start(), layout.read_write_end());
    let stack = (layout.stack_start(), layout.stack_end());
    let mut table = Vec::new();
    for (start, end) in [read_only, read_write, stack] {
        let writable = (start, end) != read_only;
        for (address, length, allowed) in [
            (start, 1, true),
            (start - 1, 1, false),
            (start - 1, 2, false),
            (end - 1, 1, true),
            (end, 1, false),
            (end - 1, 2, false),
            (start, end - start, true),
            (start, end - start + 1, false),
        ] {
            table.push((read(address, length), allowed));
            table.push((write(address, &vec![0x11; length as usize]), allowed && writable));
        }
    }
    for address in [0, 1, 0xffff, 0x8000_0000, 0xffff_0000, u32::MAX - 7, u32::MAX] {
        for length in [1, 8, 9] {
            table.push((read(address, length), false));
            table.push((write(address, &vec![0x22; length as usize]), false));
        }
    }
    table
}

fn guest_edges() -> Vec<(&'static [u8], u32, bool)> {
    let layout = WHOLE_PAGES;
    vec![
        (b"peek", layout.read_only_start(), true),
        (b"peek", layout.read_only_start() - 1, false),
        (b"peek", layout.read_only_end() - 8, true),
        (b"peek", layout.read_only_end() - 7, false),
        (b"peek", layout.read_write_start(), true),
        (b"peek", layout.read_write_start() - 1, false),
        (b"peek", layout.read_write_end() - 8, true),
        (b"peek", layout.read_write_end() - 7, false),
        (b"peek", layout.stack_start(), true),
        (b"peek", layout.stack_start() - 1, false),
        (b"peek", layout.stack_end() - 8, true),
        (b"peek", layout.stack_end() - 7, false),
        (b"peek", 0, false),
        (b"peek", u32::MAX, false),
        (b"poke", layout.read_only_start(), false),
        (b"poke", layout.read_only_end() - 1, false),
        (b"poke", layout.read_write_start(), true),
        (b"poke", layout.read_write_end() - 1, true),
        (b"poke", layout.read_write_end(), false),
        (b"poke", layout.stack_start(), true),
        (b"poke", layout.stack_end() - 1, true),
        (b"poke", layout.stack_end(), false),
        (b"poke", u32::MAX, false),
    ]
}

fn guest_call(export: &[u8], address: u32) -> Call {
    Call { a0: u64::from(address), ..super::call(export) }
}

fn at_entry(layout: Layout, accesses: Vec<Access>) -> Input<Option<Vec<Accessed>>> {
    scenario::memory_at_entry(guests::probe(layout), b"look".to_vec(), accesses)
}

fn read(address: u32, length: u32) -> Access {
    Access::Read { address, length }
}

fn write(address: u32, bytes: &[u8]) -> Access {
    Access::Write { address, bytes: bytes.to_vec() }
}

/// A refusal: the buffer is zero.
fn refused(length: usize) -> Accessed {
    Accessed { result: Err(MemoryFailure::OutOfBounds), buffer: vec![0; length] }
}
