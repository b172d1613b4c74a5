//! Programs in which something is as slow as it can be.

use alloc::{vec, vec::Vec};
use polkavm_common_033::{
    program::{
        Instruction, InstructionSetKind,
        Reg::{self, *},
        asm,
    },
    writer::ProgramBlobBuilder,
};

/// The registers that the loops below use, one after the other, so that no instruction waits for the one before.
const REGISTERS: [Reg; 10] = [T0, T1, T2, S0, A1, A2, A3, A4, A5, S1];

/// Names of the loops of [`kernel`], each of them an export.
#[allow(dead_code, reason = "for the measurement in `benches/gas.rs`, which has this file as a module")]
pub(crate) const KERNELS: [&str; 18] = [
    "add",
    "add_immediate",
    "blocks",
    "branches",
    "conditional_move",
    "count_bits",
    "divide",
    "leading_zeros",
    "load",
    "maximum",
    "memory",
    "move",
    "multiply",
    "multiply_low",
    "reverse",
    "rotate",
    "sign_extend",
    "store",
];

/// A loop without end that does one thing, many times in a row. Its gas costs the more, the more time it takes; how much
/// time one gas takes differs all the same.
pub(crate) fn kernel(name: &str) -> Vec<u8> {
    const LENGTH: usize = 240;
    let mut code: Vec<Instruction> = (0..LENGTH).map(|number| instruction(name, number)).collect();
    code.push(asm::jump(0));
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::JamV1);
    builder.set_rw_data_size(4 * 4096);
    builder.set_stack_size(4096);
    builder.add_export_by_instruction(0, name.as_bytes());
    builder.set_code(&code, &[]);
    builder.into_vec().expect("the loops fit the format; qed")
}

/// Read-write data of [`kernel`] begins here.
const DATA: u32 = 0x2_0000;

fn instruction(name: &str, number: usize) -> Instruction {
    let register = |offset: usize| REGISTERS[(number + offset) % REGISTERS.len()];
    let (d, s, t) = (register(0), register(3), register(6));
    let address = DATA + (number as u32 * 72) % (4 * 4096 - 8);
    match name {
        "add" => asm::add_64(d, s, t),
        "add_immediate" => asm::add_imm_64(d, d, 1),
        "blocks" => asm::fallthrough(),
        // Never taken, as the register stays zero.
        "branches" => asm::branch_not_eq_imm(A0, 0, number as u32 + 1),
        "conditional_move" => asm::cmov_if_zero(d, s, t),
        "count_bits" => asm::count_set_bits_64(d, s),
        "divide" => asm::div_unsigned_64(d, s, t),
        "leading_zeros" => asm::count_leading_zero_bits_64(d, s),
        "load" => asm::load_u64(d, address),
        "maximum" => asm::maximum(d, s, t),
        "memory" if number.is_multiple_of(2) => asm::load_u64(d, address),
        "memory" | "store" => asm::store_u64(d, address),
        "move" => asm::move_reg(d, s),
        "multiply" => asm::mul_upper_unsigned_unsigned(d, s, t),
        "multiply_low" => asm::mul_64(d, s, t),
        "reverse" => asm::reverse_byte(d, s),
        "rotate" => asm::rotate_left_64(d, s, t),
        "sign_extend" => asm::sign_extend_8(d, s),
        _ => asm::trap(),
    }
}

/// A program whose one export returns at once.
pub(crate) fn returning(export: &str) -> Vec<u8> {
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::JamV1);
    builder.add_export_by_instruction(0, export.as_bytes());
    builder.set_code(&[asm::ret()], &[]);
    builder.into_vec().expect("the program fits the format; qed")
}

/// A program of about `bytes` bytes whose export `main` passes once through all of its code and returns. Each instruction is a
/// block of its own, which is as much to compile as there can be in so many bytes.
pub(crate) fn blocks(bytes: u32) -> Vec<u8> {
    // A byte of code comes with a bit that says that an instruction begins there.
    let count = bytes.saturating_sub(64) as usize * 8 / 9;
    let mut code = vec![asm::fallthrough(); count];
    code.push(asm::ret());
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::JamV1);
    builder.add_export_by_instruction(0, b"main");
    builder.set_code(&code, &[]);
    builder.into_vec().expect("the program fits the format; qed")
}

/// As [`blocks`], with as many exports and imports as a program may have besides.
pub(crate) fn symbols(bytes: u32, exports: u32, imports: u32) -> Vec<u8> {
    let name = |number: u32| number.to_le_bytes();
    // An export takes seven bytes, an import eight.
    let count = bytes.saturating_sub(128 + exports * 7 + imports * 8) as usize * 8 / 9;
    let mut code = vec![asm::fallthrough(); count];
    code.push(asm::ret());
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::JamV1);
    (0..imports).for_each(|number| {
        builder.add_import(&name(number));
    });
    (0..exports).for_each(|number| {
        builder.add_export_by_instruction(0, &name(number));
    });
    builder.set_code(&code, &[]);
    builder.into_vec().expect("the program fits the format; qed")
}

/// A program whose export `main` counts without end, and writes each count to the end of the next of so many pages. So no two pages
/// are ever the same, and a proof has all of them.
pub(crate) fn pages(count: u32) -> Vec<u8> {
    let mut code: Vec<Instruction> = (1..=count)
        .flat_map(|page| [asm::add_imm_64(A0, A0, 0x0101_0101), asm::store_u64(A0, DATA + page * 4096 - 8)])
        .collect();
    code.push(asm::jump(0));
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::JamV1);
    builder.set_rw_data_size(count * 4096);
    builder.set_stack_size(4096);
    builder.add_export_by_instruction(0, b"main");
    builder.set_code(&code, &[]);
    builder.into_vec().expect("the program fits the format; qed")
}

/// A program with `pages` pages of memory whose export `main` writes to as many of them as its argument says, at least to one, from the
/// last to the first: where pages come a few at once, those behind the one that is touched are there already.
pub(crate) fn touching(pages: u32) -> Vec<u8> {
    const PAGE: u32 = 4096;
    let last = DATA + pages.saturating_sub(1) * PAGE;
    let code = [
        asm::move_reg(A1, A0),
        asm::load_imm(A0, last),
        asm::fallthrough(),
        asm::store_indirect_u64(A1, A0, 0),
        asm::add_imm_64(A0, A0, PAGE.wrapping_neg()),
        asm::add_imm_64(A1, A1, u32::MAX),
        asm::branch_not_eq_imm(A1, 0, 1),
        asm::ret(),
    ];
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::JamV1);
    builder.set_rw_data_size(pages * PAGE);
    builder.set_stack_size(PAGE);
    builder.add_export_by_instruction(0, b"main");
    builder.set_code(&code, &[]);
    builder.into_vec().expect("the program fits the format; qed")
}
