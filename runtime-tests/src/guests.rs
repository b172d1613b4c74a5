//! Guest programs: those of `guests/`, and small ones that are assembled here because a test needs a program that no
//! compiler gives (an import of 33 bytes, memory of exact sizes).

use polkavm_common_033::{
    program::{Instruction, InstructionSetKind, Reg, asm},
    writer::ProgramBlobBuilder,
};

/// The instruction sets that the compiled guests come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// JAM's.
    JamV1,
    /// That of pallet-revive's contracts.
    ReviveV1,
}

/// Makes a function of each compiled guest.
macro_rules! compiled {
    ($( $(#[$doc:meta])* $name:ident; )*) => { $(
        $(#[$doc])*
        pub fn $name(set: InstructionSet) -> Vec<u8> {
            match set {
                InstructionSet::JamV1 => {
                    include_bytes!(concat!("../../guests/blobs/jam-v1/", stringify!($name), ".polkavm")).to_vec()
                }
                InstructionSet::ReviveV1 => {
                    include_bytes!(concat!("../../guests/blobs/revive-v1/", stringify!($name), ".polkavm")).to_vec()
                }
            }
        }
    )* };
}

compiled! {
    /// Exports `counter` (adds 7 and 1, checking in between), `add_99`, `do_panic`, `do_exit`, `increment_forever`, `offset`
    /// (adds a static that starts at 3 and grows by 1 a call) and `do_subcall`.
    counter;
    /// Exports `hello`, which prints a line, and `hello_times`, which prints as many as asked.
    hello;
    /// Exports `primes`, which counts the primes below a limit.
    primes;
    /// Exports `echo`, which writes what it reads.
    echo;
    /// Exports `round_trips`, `six_arguments` and `spin`.
    syscalls;
    /// An export for every way to trap that a compiled program has, and for what looks like a trap and is not.
    traps;
}

/// Sizes of the memory regions of [`probe`], in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Read-only data.
    pub read_only: u32,
    /// Read-write data.
    pub read_write: u32,
    /// Stack.
    pub stack: u32,
}

/// Where the regions of a program are, by the rules of the PolkaVM memory map.
impl Layout {
    const PAGE: u32 = 0x1000;
    const GUARD: u32 = 0x1_0000;

    /// First address of the read-only data.
    pub fn read_only_start(self) -> u32 {
        Self::GUARD
    }

    /// First address behind the pages of the read-only data.
    pub fn read_only_end(self) -> u32 {
        self.read_only_start() + self.read_only.next_multiple_of(Self::PAGE)
    }

    /// First address of the read-write data, a guard behind the read-only data.
    pub fn read_write_start(self) -> u32 {
        self.read_only_start() + self.read_only.next_multiple_of(Self::GUARD) + Self::GUARD
    }

    /// First address behind the pages of the read-write data.
    pub fn read_write_end(self) -> u32 {
        (self.read_write_start() + self.read_write).next_multiple_of(Self::PAGE)
    }

    /// First address behind the stack, which is where the stack pointer starts.
    pub fn stack_end(self) -> u32 {
        0xfffe_0000
    }

    /// First address of the stack's pages.
    pub fn stack_start(self) -> u32 {
        self.stack_end() - self.stack.next_multiple_of(Self::PAGE)
    }
}

/// The byte that [`probe`] has at `offset` of its read-only data.
pub fn read_only_byte(offset: u32) -> u8 {
    (offset % 251) as u8 + 1
}

/// The byte that [`probe`] has at `offset` of its read-write data.
pub fn read_write_byte(offset: u32) -> u8 {
    (offset % 241) as u8 + 7
}

/// A guest that looks at its own memory. `look` makes the syscall `look` at once; `peek` makes it with the 8 bytes at the
/// address a0; `poke` stores the byte 0x55 at the address a0 and then makes it.
///
/// Half of the data of each region is in the blob ([`read_only_byte`], [`read_write_byte`]), the rest starts as zeros.
pub fn probe(layout: Layout) -> Vec<u8> {
    let mut builder = builder(&[b"look"]);
    builder.set_ro_data_size(layout.read_only);
    builder.set_ro_data((0..layout.read_only.div_ceil(2)).map(read_only_byte).collect());
    builder.set_rw_data_size(layout.read_write);
    builder.set_rw_data((0..layout.read_write.div_ceil(2)).map(read_write_byte).collect());
    builder.set_stack_size(layout.stack);
    finish(
        builder,
        &[
            (b"look", &[asm::ecalli(0), asm::ret()]),
            (b"peek", &[asm::load_indirect_u64(Reg::A0, Reg::A0, 0), asm::ecalli(0), asm::ret()]),
            (b"poke", &[asm::store_imm_indirect_u8(Reg::A0, 0, 0x55), asm::ecalli(0), asm::ret()]),
        ],
    )
}

/// A guest whose export `main` makes the syscall `look` with `mark` in a0, to tell programs apart.
pub fn marked(mark: u32) -> Vec<u8> {
    finish(builder(&[b"look"]), &[(b"main", &[asm::load_imm(Reg::A0, mark), asm::ecalli(0), asm::ret()])])
}

/// A guest whose export `main` makes the syscall `look` twice and touches no register.
pub fn registers() -> Vec<u8> {
    finish(builder(&[b"look"]), &[(b"main", &[asm::ecalli(0), asm::ecalli(0), asm::ret()])])
}

/// A guest that declares as many pages. Its exports `grow_1`, `grow_2`, `grow_3` and `grow_5` grow its heap by as many and write there,
/// which traps if it did not grow; `grow` grows it by as many bytes as the low half of a0 says and makes the syscall `look` with
/// its end. It is of the set Latest64, as the others have no `sbrk`.
pub fn growing(pages: u32) -> Vec<u8> {
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    builder.add_import(b"look");
    builder.set_rw_data_size(pages * 4096);
    let grow = |pages: u32| {
        [
            asm::load_imm(Reg::A0, pages * 4096),
            asm::sbrk(Reg::A0, Reg::A0),
            asm::store_imm_indirect_u8(Reg::A0, u32::MAX, 0x55),
            asm::ret(),
        ]
    };
    let by_a0 =
        [asm::and_imm(Reg::A0, Reg::A0, 0xffff), asm::sbrk(Reg::A0, Reg::A0), asm::ecalli(0), asm::ret()];
    let exports: [(&[u8], &[Instruction]); 7] = [
        (b"grow_1", &grow(1)),
        (b"grow_2", &grow(2)),
        (b"grow_3", &grow(3)),
        (b"grow_5", &grow(5)),
        (b"grow", &by_a0),
        (b"peek", &[asm::load_indirect_u64(Reg::A0, Reg::A0, 0), asm::ecalli(0), asm::ret()]),
        (b"poke", &[asm::store_imm_indirect_u8(Reg::A0, 0, 0x55), asm::ecalli(0), asm::ret()]),
    ];
    finish(builder, &exports)
}

/// A guest that imports `symbols` and whose export `main` makes the syscall of this index.
pub fn importing(symbols: &[&[u8]], index: u32) -> Vec<u8> {
    finish(builder(symbols), &[(b"main", &[asm::ecalli(index), asm::ret()]), (b"return", &[asm::ret()])])
}

/// A guest with an export for each way to trap.
pub fn trapping() -> Vec<u8> {
    let layout = TRAPPING;
    let mut builder = builder(&[b"look"]);
    builder.set_ro_data_size(layout.read_only);
    builder.set_rw_data_size(layout.read_write);
    builder.set_stack_size(layout.stack);
    let (a0, a1) = (Reg::A0, Reg::A1);
    finish(
        builder,
        &[
            (b"instruction", &[asm::trap()]),
            (b"load_from_0", &[asm::load_u8(a0, 0), asm::ret()]),
            (b"load_from_the_top", &[asm::load_u8(a0, u32::MAX), asm::ret()]),
            (b"load_across_the_end", &[asm::load_u64(a0, layout.read_write_end() - 4), asm::ret()]),
            (b"load_around_the_top", &[asm::load_u64(a0, u32::MAX - 3), asm::ret()]),
            (b"store_to_read_only", &[asm::store_imm_u8(layout.read_only_start(), 1), asm::ret()]),
            (b"store_to_the_guard", &[asm::store_imm_u8(layout.read_only_end(), 1), asm::ret()]),
            (b"store_below_the_stack", &[asm::store_imm_u8(layout.stack_start() - 1, 1), asm::ret()]),
            (b"jump_to_0", &[asm::load_imm(a0, 0), asm::jump_indirect(a0, 0)]),
            (b"jump_to_an_odd_address", &[asm::load_imm(a0, 3), asm::jump_indirect(a0, 0)]),
            (b"jump_past_the_table", &[asm::load_imm(a0, 0x1000), asm::jump_indirect(a0, 0)]),
            // By specification these two do not trap: all ones, and the dividend.
            (b"divide_by_zero", &[asm::div_unsigned_64(a0, a0, a1), asm::ecalli(0), asm::ret()]),
            (b"remainder_of_zero", &[asm::rem_unsigned_64(a0, a0, a1), asm::ecalli(0), asm::ret()]),
        ],
    )
}

/// The memory of [`trapping`].
const TRAPPING: Layout = Layout { read_only: 0x1000, read_write: 0x1000, stack: 0x1000 };

fn builder(imports: &[&[u8]]) -> ProgramBlobBuilder {
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::JamV1);
    for import in imports {
        builder.add_import(import);
    }
    builder
}

/// Adds the exports, each of which ends its last basic block, and makes the blob.
fn finish(mut builder: ProgramBlobBuilder, exports: &[(&[u8], &[Instruction])]) -> Vec<u8> {
    let mut code = Vec::new();
    for (symbol, body) in exports {
        builder.add_export_by_instruction(code.len() as u32, symbol);
        code.extend_from_slice(body);
    }
    builder.set_code(&code, &[]);
    builder.into_vec().expect("the programs of this file fit the format; qed")
}
