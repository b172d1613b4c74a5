//! Every instruction of the assembler, with all registers and the immediates that matter, decoded by iced-x86.

use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

use super::*;

const REGS: [Gpr; 16] = {
    use Gpr::*;
    [Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15]
};
const SIZES: [Size; 2] = [Size::B32, Size::B64];
const WIDTHS: [Width; 4] = [Width::B1, Width::B2, Width::B4, Width::B8];
const IMMEDIATES: [i32; 14] =
    [0, 1, -1, 5, 127, 128, -128, -129, 255, 256, 0x7fff, 0x1234_5678, i32::MAX, i32::MIN];
const ALUS: [Alu; 6] = [Alu::Add, Alu::Or, Alu::And, Alu::Sub, Alu::Xor, Alu::Cmp];
const SHIFTS: [Shift; 5] = [Shift::Rol, Shift::Ror, Shift::Shl, Shift::Shr, Shift::Sar];
const UNARIES: [Unary; 6] = [Unary::Not, Unary::Neg, Unary::Mul, Unary::Imul, Unary::Div, Unary::Idiv];
const SCANS: [Scan; 5] = [Scan::Bsf, Scan::Bsr, Scan::Popcnt, Scan::Lzcnt, Scan::Tzcnt];
const CONDITIONS: [Cond; 10] = {
    use Cond::*;
    [B, Ae, E, Ne, Be, A, L, Ge, Le, G]
};

/// Text of what `write` appends, which must be one instruction and nothing else.
fn text(write: impl FnOnce(&mut Assembler)) -> String {
    let mut assembler = Assembler::default();
    write(&mut assembler);
    let mut decoder = Decoder::with_ip(64, assembler.bytes(), 0, DecoderOptions::NONE);
    let instruction = decoder.decode();
    assert!(!instruction.is_invalid(), "{:x?}", assembler.bytes());
    assert_eq!(instruction.len(), assembler.bytes().len(), "{:x?}", assembler.bytes());
    assert!(instruction.len() <= LONGEST - 8);
    let mut formatter = IntelFormatter::new();
    let options = formatter.options_mut();
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_uppercase_hex(false);
    options.set_space_after_operand_separator(true);
    options.set_small_hex_numbers_in_decimal(false);
    options.set_branch_leading_zeros(false);
    options.set_show_branch_size(false);
    options.set_memory_size_options(iced_x86::MemorySizeOptions::Always);
    let mut output = String::new();
    formatter.format(&instruction, &mut output);
    output
}

fn name(reg: Gpr, bytes: u32) -> String {
    let number = reg as usize;
    let old = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
    match (number, bytes) {
        (0..4, 1) => format!("{}l", &old[number][..1]),
        (4..8, 1) => format!("{}l", old[number]),
        (0..8, 2) => old[number].into(),
        (0..8, 4) => format!("e{}", old[number]),
        (0..8, _) => format!("r{}", old[number]),
        (_, 1) => format!("r{number}b"),
        (_, 2) => format!("r{number}w"),
        (_, 4) => format!("r{number}d"),
        (_, _) => format!("r{number}"),
    }
}

fn sized(reg: Gpr, size: Size) -> String {
    name(reg, if size == Size::B64 { 8 } else { 4 })
}

fn bytes(width: Width) -> u32 {
    match width {
        Width::B1 => 1,
        Width::B2 => 2,
        Width::B4 => 4,
        Width::B8 => 8,
    }
}

/// An immediate as the formatter shows it: as many bits as the operand.
fn number(value: i64, bytes: u32) -> String {
    format!("{:#x}", value as u64 & (u64::MAX >> (64 - 8 * bytes)))
}

fn immediate(value: i32, size: Size) -> String {
    number(value.into(), if size == Size::B64 { 8 } else { 4 })
}

fn places() -> Vec<(Mem, String)> {
    let mut places = Vec::new();
    for base in REGS {
        for displacement in IMMEDIATES {
            let magnitude = i64::from(displacement).unsigned_abs();
            let text = match displacement {
                0 => format!("[{}]", name(base, 8)),
                1.. => format!("[{}+{magnitude:#x}]", name(base, 8)),
                _ => format!("[{}-{magnitude:#x}]", name(base, 8)),
            };
            places.push((Mem::Base(base, displacement), text));
        }
        for displacement in IMMEDIATES {
            let magnitude = i64::from(displacement).unsigned_abs();
            let text = match displacement {
                0 => format!("gs:[{}]", name(base, 4)),
                1.. => format!("gs:[{}+{magnitude:#x}]", name(base, 4)),
                _ => format!("gs:[{}-{magnitude:#x}]", name(base, 4)),
            };
            places.push((Mem::Segment(Some(base), displacement), text));
        }
        for index in REGS.into_iter().filter(|&index| index != Gpr::Rsp) {
            places.push((Mem::Sum(base, index), format!("[{}+{}]", name(base, 8), name(index, 8))));
        }
    }
    for index in REGS.into_iter().filter(|&index| index != Gpr::Rsp) {
        for address in IMMEDIATES.into_iter().filter(|&address| address > 0) {
            for (scale, times) in [(Scale::Four, 4), (Scale::Eight, 8)] {
                let text = format!("[{}*{times}+{address:#x}]", name(index, 8));
                places.push((Mem::Times(scale, index, address), text));
            }
        }
    }
    for displacement in IMMEDIATES {
        places.push((Mem::Segment(None, displacement), format!("gs:[{:#x}]", displacement as u32)));
        places.push((Mem::SegmentBase(displacement), format!("gs:[{:#x}]", i64::from(displacement))));
    }
    places
}

fn pointer(bytes: u32) -> &'static str {
    match bytes {
        1 => "byte ptr ",
        2 => "word ptr ",
        4 => "dword ptr ",
        _ => "qword ptr ",
    }
}

fn lower(value: impl core::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}

#[test]
fn two_registers() {
    for (d, s, size) in pairs() {
        let both = format!("{}, {}", sized(d, size), sized(s, size));
        for op in ALUS {
            assert_eq!(text(|a| a.alu(op, size, d, s)), format!("{} {both}", lower(op)));
        }
        for op in SCANS {
            assert_eq!(text(|a| a.scan(op, size, d, s)), format!("{} {both}", lower(op)));
        }
        for condition in CONDITIONS {
            let expected = format!("cmov{} {both}", lower(condition));
            assert_eq!(text(|a| a.cmov(condition, size, d, s)), expected);
        }
        assert_eq!(text(|a| a.test(size, d, s)), format!("test {both}"));
        assert_eq!(text(|a| a.mov(size, d, s)), format!("mov {both}"));
        assert_eq!(text(|a| a.mul(size, d, s)), format!("imul {both}"));
        assert_eq!(text(|a| a.sign_extend_32(d, s)), format!("movsxd {}, {}", name(d, 8), name(s, 4)));
        let extended =
            |mnemonic: &str, size, bytes| format!("{mnemonic} {}, {}", name(d, size), name(s, bytes));
        assert_eq!(text(|a| a.extend_8(Extend::Zero, d, s)), extended("movzx", 4, 1));
        assert_eq!(text(|a| a.extend_8(Extend::Sign, d, s)), extended("movsx", 8, 1));
        assert_eq!(text(|a| a.extend_16(Extend::Zero, d, s)), extended("movzx", 4, 2));
        assert_eq!(text(|a| a.extend_16(Extend::Sign, d, s)), extended("movsx", 8, 2));
    }
}

fn pairs() -> impl Iterator<Item = (Gpr, Gpr, Size)> {
    REGS.into_iter().flat_map(|d| REGS.into_iter().flat_map(move |s| SIZES.map(|size| (d, s, size))))
}

#[test]
fn one_register() {
    for d in REGS {
        for size in SIZES {
            let reg = sized(d, size);
            for op in SHIFTS {
                assert_eq!(text(|a| a.shift(op, size, d)), format!("{} {reg}, cl", lower(op)));
                for count in [0, 1, 31, 63] {
                    let expected = format!("{} {reg}, {count:#x}", lower(op));
                    assert_eq!(text(|a| a.shift_imm(op, size, d, count)), expected);
                }
            }
            for op in UNARIES {
                assert_eq!(text(|a| a.unary(op, size, d)), format!("{} {reg}", lower(op)));
            }
            assert_eq!(text(|a| a.swap_bytes(size, d)), format!("bswap {reg}"));
        }
        for condition in CONDITIONS {
            let expected = format!("set{} {}", lower(condition), name(d, 1));
            assert_eq!(text(|a| a.set(condition, d)), expected);
        }
        assert_eq!(text(|a| a.test_lowest_bit(d)), format!("test {}, 0x1", name(d, 1)));
        assert_eq!(text(|a| a.read_segment(d)), format!("rdgsbase {}", name(d, 8)));
        assert_eq!(text(|a| a.write_segment(d)), format!("wrgsbase {}", name(d, 8)));
        assert_eq!(text(|a| a.push(d)), format!("push {}", name(d, 8)));
        assert_eq!(text(|a| a.pop(d)), format!("pop {}", name(d, 8)));
    }
    assert_eq!(text(|a| a.sign_extend_rax(Size::B32)), "cdq");
    assert_eq!(text(|a| a.sign_extend_rax(Size::B64)), "cqo");
    assert_eq!(text(Assembler::ret), "ret");
    assert_eq!(text(Assembler::nop), "nop");
}

#[test]
fn immediates() {
    for d in REGS {
        for imm in IMMEDIATES {
            for size in SIZES {
                let value = immediate(imm, size);
                for op in ALUS {
                    let expected = format!("{} {}, {value}", lower(op), sized(d, size));
                    assert_eq!(text(|a| a.alu_imm(op, size, d, imm)), expected);
                    if size == Size::B64 {
                        let shown = text(|a| {
                            let at = a.alu_long_imm(op, d, imm);
                            assert_eq!(at + 4, a.position());
                        });
                        assert_eq!(shown, expected);
                    }
                }
                for s in REGS {
                    // The form with the same register twice is shown as one with two operands.
                    let second = if s == d { String::new() } else { format!(", {}", sized(s, size)) };
                    let expected = format!("imul {}{second}, {value}", sized(d, size));
                    assert_eq!(text(|a| a.mul_imm(size, d, s, imm)), expected);
                }
            }
        }
        for value in [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, u64::MAX >> 1] {
            let size = if value > u32::MAX.into() { 8 } else { 4 };
            let expected = format!("mov {}, {value:#x}", name(d, size));
            assert_eq!(text(|a| a.mov_imm(d, value)), expected);
        }
        for value in [-1i64, -128, i32::MIN.into(), i64::from(i32::MIN) - 1, i64::MIN] {
            let expected = format!("mov {}, {:#x}", name(d, 8), value as u64);
            assert_eq!(text(|a| a.mov_imm(d, value as u64)), expected);
        }
    }
}

#[test]
fn memory() {
    for (mem, place) in places() {
        for reg in REGS {
            for size in SIZES {
                if !matches!(mem, Mem::Segment(..) | Mem::SegmentBase(_)) {
                    let expected = format!("lea {}, {place}", sized(reg, size));
                    assert_eq!(text(|a| a.lea(size, reg, mem)), expected);
                }
                for op in ALUS {
                    let memory = pointer(if size == Size::B64 { 8 } else { 4 });
                    let expected = format!("{} {}, {memory}{place}", lower(op), sized(reg, size));
                    assert_eq!(text(|a| a.alu_mem(op, size, reg, mem)), expected);
                }
            }
            for width in WIDTHS {
                let memory = pointer(bytes(width));
                let expected = format!("mov {memory}{place}, {}", name(reg, bytes(width)));
                assert_eq!(text(|a| a.store(width, mem, reg)), expected);
                for extend in [Extend::Zero, Extend::Sign] {
                    let (mnemonic, size) = match (width, extend) {
                        (Width::B8, _) => ("mov", 8),
                        (Width::B4, Extend::Zero) => ("mov", 4),
                        (Width::B4, Extend::Sign) => ("movsxd", 8),
                        (_, Extend::Zero) => ("movzx", 4),
                        (_, Extend::Sign) => ("movsx", 8),
                    };
                    let expected = format!("{mnemonic} {}, {memory}{place}", name(reg, size));
                    assert_eq!(text(|a| a.load(width, extend, reg, mem)), expected);
                }
            }
        }
        for imm in IMMEDIATES {
            for width in WIDTHS {
                let value = number(imm.into(), bytes(width));
                let expected = format!("mov {}{place}, {value}", pointer(bytes(width)));
                assert_eq!(text(|a| a.store_imm(width, mem, imm)), expected);
            }
            for op in ALUS {
                let expected = format!("{} qword ptr {place}, {}", lower(op), number(imm.into(), 8));
                let shown = text(|a| {
                    let at = a.alu_mem_imm(op, mem, imm);
                    assert_eq!(at + 4, a.position());
                });
                assert_eq!(shown, expected);
            }
        }
        assert_eq!(text(|a| a.jmp_mem(mem)), format!("jmp qword ptr {place}"));
    }
}

#[test]
fn jumps() {
    let jump = |write: &dyn Fn(&mut Assembler), after: u32| {
        let mut assembler = Assembler::default();
        for _ in 0..after {
            assembler.ret();
        }
        let start = assembler.bytes().len();
        write(&mut assembler);
        let mut decoder =
            Decoder::with_ip(64, &assembler.bytes()[start..], start as u64, DecoderOptions::NONE);
        let instruction = decoder.decode();
        assert_eq!(start + instruction.len(), assembler.bytes().len());
        (instruction.near_branch_target(), instruction.len(), lower(instruction.mnemonic()))
    };
    let bound = |a: &mut Assembler, fixup| a.bind_to(fixup, 7);
    assert_eq!(
        jump(
            &|a| {
                let fixup = a.jmp();
                bound(a, fixup);
            },
            1000
        ),
        (7, 5, "jmp".into())
    );
    assert_eq!(
        jump(
            &|a| {
                let fixup = a.jmp();
                a.bind_to(fixup, 5000);
            },
            0
        ),
        (5000, 5, "jmp".into())
    );
    for condition in CONDITIONS {
        let mnemonic = format!("j{}", lower(condition));
        let long = jump(
            &|a| {
                let fixup = a.jcc(condition);
                bound(a, fixup);
            },
            1000,
        );
        assert_eq!(long, (7, 6, mnemonic.clone()));
        assert_eq!(jump(&|a| a.jcc_to(condition, 7), 1000), (7, 6, mnemonic.clone()));
        assert_eq!(jump(&|a| a.jcc_to(condition, 7), 133), (7, 2, mnemonic.clone()));
        assert_eq!(jump(&|a| a.jcc_to(condition, 7), 134), (7, 6, mnemonic.clone()));
    }
    assert_eq!(jump(&|a| a.jmp_to(7), 133), (7, 2, "jmp".into()));
    assert_eq!(jump(&|a| a.jmp_to(7), 134), (7, 5, "jmp".into()));
    for distance in [0, 1, 127] {
        let mut assembler = Assembler::default();
        let (first, second) = (assembler.jcc_short(Cond::E), assembler.jmp_short());
        for _ in 0..distance.min(125) {
            assembler.ret();
        }
        assembler.bind_short(first);
        assembler.bind_short(second);
        let mut decoder = Decoder::with_ip(64, assembler.bytes(), 0, DecoderOptions::NONE);
        let end = assembler.bytes().len() as u64;
        assert_eq!([(); 2].map(|()| decoder.decode().near_branch_target()), [end; 2]);
    }
}
