//! An assembler for the few x86-64 instructions that the recompiler needs.
//!
//! Each method appends one instruction and always succeeds: operands that cannot be encoded cannot be expressed. Their
//! encodings are checked against a decoder written by others (iced-x86), with all registers and all kinds of immediates.

/// A general register of the processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Gpr {
    Rax = 0,
    Rcx = 1,
    Rdx = 2,
    Rbx = 3,
    Rsp = 4,
    Rbp = 5,
    Rsi = 6,
    Rdi = 7,
    R8 = 8,
    R9 = 9,
    R10 = 10,
    R11 = 11,
    R12 = 12,
    R13 = 13,
    R14 = 14,
    R15 = 15,
}

/// How many bits of the registers an instruction works on. With 32 the upper half of the destination becomes zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Size {
    B32,
    B64,
}

/// How many bytes of memory an instruction accesses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Width {
    B1,
    B2,
    B4,
    B8,
}

/// A place in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mem {
    /// At a register and a displacement.
    Base(Gpr, i32),
    /// At the sum of two registers, of which the second is not `rsp`.
    Sum(Gpr, Gpr),
    /// At the low 32 bits of the sum of a register, if there is one, and a displacement, above the base of the segment `gs`.
    Segment(Option<Gpr>, i32),
    /// At a displacement from the base of the segment `gs`, which may be negative.
    SegmentBase(i32),
    /// At a multiple of a register, which is not `rsp`, and an address below 2 GiB.
    Times(Scale, Gpr, i32),
}

/// What a register is multiplied by. The number is that of the encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Scale {
    Four = 0x80,
    Eight = 0xc0,
}

/// Two-operand arithmetic. The number is that of the group in the encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Alu {
    Add = 0,
    Or = 1,
    And = 4,
    Sub = 5,
    Xor = 6,
    Cmp = 7,
}

/// Shifts and rotations. The number is that of the group in the encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Shift {
    Rol = 0,
    Ror = 1,
    Shl = 4,
    Shr = 5,
    Sar = 7,
}

/// One-operand arithmetic; the multiplications and divisions work on `rdx:rax`. The number is that of the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Unary {
    Not = 2,
    Neg = 3,
    Mul = 4,
    Imul = 5,
    Div = 6,
    Idiv = 7,
}

/// Instructions that find or count bits: prefix and opcode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scan {
    /// Lowest set bit; the destination is not written if there is none, and the zero flag says so.
    Bsf,
    /// Highest set bit; likewise.
    Bsr,
    Popcnt,
    Lzcnt,
    Tzcnt,
}

/// What a flag-reading instruction looks at. The number is the low nibble of its opcode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Cond {
    /// Unsigned less, or carry.
    B = 2,
    /// Unsigned greater or equal.
    Ae = 3,
    /// Equal, or zero.
    E = 4,
    /// Not equal, or not zero.
    Ne = 5,
    /// Unsigned less or equal.
    Be = 6,
    /// Unsigned greater.
    A = 7,
    /// Signed less.
    L = 12,
    /// Signed greater or equal.
    Ge = 13,
    /// Signed less or equal.
    Le = 14,
    /// Signed greater.
    G = 15,
}

/// How a load extends what it loads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extend {
    Zero,
    Sign,
}

/// A jump whose target is not known yet: where its displacement of four bytes lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub(super) struct Fixup(pub(super) u32);

/// The longest that an instruction of this assembler can be, rounded up to what one write touches.
const LONGEST: usize = 24;

/// Machine code being written.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    bytes: Vec<u8>,
}

/// Up to eight bytes of an instruction.
#[derive(Clone, Copy)]
struct Head {
    bytes: u64,
    length: u32,
}

impl Head {
    const EMPTY: Self = Self { bytes: 0, length: 0 };

    #[inline(always)]
    fn push(&mut self, byte: u8) {
        self.bytes |= u64::from(byte) << (8 * self.length);
        self.length += 1;
    }
}

const fn low(reg: Gpr) -> u8 {
    reg as u8 & 7
}

const fn high(reg: Gpr) -> u8 {
    reg as u8 >> 3
}

impl Assembler {
    /// An empty one that writes into the memory of this list.
    pub(super) fn writing_to(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self { bytes }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the next instruction goes.
    #[inline]
    pub(super) fn position(&self) -> u32 {
        self.bytes.len() as u32
    }

    /// Makes room for as many instructions, so that what follows need not look.
    #[inline(always)]
    fn room(&mut self) {
        self.bytes.reserve(LONGEST);
    }

    #[inline(always)]
    fn put(&mut self, bytes: u64, length: u32) {
        debug_assert!(length <= 8);
        let at = self.bytes.len();
        debug_assert!(self.bytes.capacity() - at >= 8);
        // SAFETY: `room` was called for this instruction, so there is space for eight bytes and more behind what it has put so
        // far; the first `length` of the bytes that become part of the vector are initialised.
        unsafe {
            self.bytes.as_mut_ptr().add(at).cast::<u64>().write_unaligned(bytes.to_le());
            self.bytes.set_len(at + length as usize);
        }
    }

    #[inline(always)]
    fn put_head(&mut self, head: Head) {
        self.put(head.bytes, head.length);
    }

    #[inline(always)]
    fn put_32(&mut self, value: i32) {
        self.put(u64::from(value as u32), 4);
    }

    /// An instruction with a register and a register or memory operand that is a register.
    #[expect(
        clippy::too_many_arguments,
        reason = "the encoding has as many parts, and constants stay constants"
    )]
    #[inline(always)]
    fn rr(&mut self, prefix: u8, size: Size, escape: bool, opcode: u8, reg: u8, rm: Gpr, force_rex: bool) {
        self.room();
        let mut head = Head::EMPTY;
        if prefix != 0 {
            head.push(prefix);
        }
        let rex = u8::from(size == Size::B64) << 3 | (reg >> 3) << 2 | high(rm);
        if rex != 0 || force_rex {
            head.push(0x40 | rex);
        }
        if escape {
            head.push(0x0f);
        }
        head.push(opcode);
        head.push(0xc0 | (reg & 7) << 3 | low(rm));
        self.put_head(head);
    }

    /// An instruction with a register and a memory operand.
    #[expect(
        clippy::too_many_arguments,
        reason = "the encoding has as many parts, and constants stay constants"
    )]
    #[inline(always)]
    fn rm(&mut self, prefix: u8, size: Size, escape: bool, opcode: u8, reg: u8, mem: Mem, force_rex: bool) {
        self.room();
        let mut head = Head::EMPTY;
        let (x, b) = match mem {
            Mem::Base(base, _) => (0, high(base)),
            Mem::Sum(base, index) => (high(index), high(base)),
            Mem::Times(_, index, _) => (high(index), 0),
            Mem::Segment(base, _) => {
                head.push(0x65);
                head.push(0x67);
                (0, base.map_or(0, high))
            }
            Mem::SegmentBase(_) => {
                head.push(0x65);
                (0, 0)
            }
        };
        if prefix != 0 {
            head.push(prefix);
        }
        let rex = u8::from(size == Size::B64) << 3 | (reg >> 3) << 2 | x << 1 | b;
        if rex != 0 || force_rex {
            head.push(0x40 | rex);
        }
        if escape {
            head.push(0x0f);
        }
        head.push(opcode);
        let reg = (reg & 7) << 3;
        match mem {
            Mem::Segment(None, displacement) | Mem::SegmentBase(displacement) => {
                head.push(0x04 | reg);
                head.push(0x25);
                self.put_head(head);
                self.put_32(displacement);
            }
            Mem::Base(base, displacement) | Mem::Segment(Some(base), displacement) => {
                let short = i8::try_from(displacement);
                let mode = match short {
                    Ok(0) if low(base) != 5 => 0x00,
                    Ok(_) => 0x40,
                    Err(_) => 0x80,
                };
                head.push(mode | reg | low(base));
                if low(base) == 4 {
                    head.push(0x24);
                }
                match mode {
                    0x00 => self.put_head(head),
                    0x40 => {
                        head.push(displacement as u8);
                        self.put_head(head);
                    }
                    _ => {
                        self.put_head(head);
                        self.put_32(displacement);
                    }
                }
            }
            Mem::Times(scale, index, address) => {
                debug_assert!(index != Gpr::Rsp, "rsp cannot be an index");
                head.push(0x04 | reg);
                head.push(scale as u8 | low(index) << 3 | 5);
                self.put_head(head);
                self.put_32(address);
            }
            Mem::Sum(base, index) => {
                debug_assert!(index != Gpr::Rsp, "rsp cannot be an index");
                // With rbp and r13 as the base there is always a displacement.
                let needs_displacement = low(base) == 5;
                head.push(if needs_displacement { 0x44 } else { 0x04 } | reg);
                head.push(low(index) << 3 | low(base));
                if needs_displacement {
                    head.push(0);
                }
                self.put_head(head);
            }
        }
    }

    /// `op d, s`
    #[inline]
    pub(super) fn alu(&mut self, op: Alu, size: Size, d: Gpr, s: Gpr) {
        self.rr(0, size, false, (op as u8) << 3 | 1, s as u8, d, false);
    }

    /// `op d, imm`
    #[inline]
    pub(super) fn alu_imm(&mut self, op: Alu, size: Size, d: Gpr, imm: i32) {
        if let Ok(short) = i8::try_from(imm) {
            self.rr(0, size, false, 0x83, op as u8, d, false);
            self.put(u64::from(short as u8), 1);
        } else {
            self.rr(0, size, false, 0x81, op as u8, d, false);
            self.put_32(imm);
        }
    }

    /// `op d, imm` of 64 bits, always with four bytes of immediate, whose place is given back.
    #[inline]
    pub(super) fn alu_long_imm(&mut self, op: Alu, d: Gpr, imm: i32) -> u32 {
        self.rr(0, Size::B64, false, 0x81, op as u8, d, false);
        self.put_32(imm);
        self.position() - 4
    }

    /// `op d, [mem]`
    #[inline]
    pub(super) fn alu_mem(&mut self, op: Alu, size: Size, d: Gpr, mem: Mem) {
        self.rm(0, size, false, (op as u8) << 3 | 3, d as u8, mem, false);
    }

    /// `op qword [mem], imm`, always with four bytes of immediate, whose place is given back.
    #[inline]
    pub(super) fn alu_mem_imm(&mut self, op: Alu, mem: Mem, imm: i32) -> u32 {
        self.rm(0, Size::B64, false, 0x81, op as u8, mem, false);
        self.put_32(imm);
        self.position() - 4
    }

    /// `test a, b`
    #[inline]
    pub(super) fn test(&mut self, size: Size, a: Gpr, b: Gpr) {
        self.rr(0, size, false, 0x85, b as u8, a, false);
    }

    /// `test r, 1`, of its lowest byte
    #[inline]
    pub(super) fn test_lowest_bit(&mut self, r: Gpr) {
        self.rr(0, Size::B32, false, 0xf6, 0, r, r as u8 >= 4);
        self.put(1, 1);
    }

    /// `mov d, s`
    #[inline]
    pub(super) fn mov(&mut self, size: Size, d: Gpr, s: Gpr) {
        self.rr(0, size, false, 0x89, s as u8, d, false);
    }

    /// Sets a register in as few bytes as possible, leaving flags alone.
    #[inline]
    pub(super) fn mov_imm(&mut self, d: Gpr, value: u64) {
        self.room();
        if u32::try_from(value).is_ok() {
            let mut head = Head::EMPTY;
            if high(d) != 0 {
                head.push(0x41);
            }
            head.push(0xb8 | low(d));
            self.put_head(head);
            self.put_32(value as i32);
        } else if let Ok(short) = i32::try_from(value as i64) {
            self.rr(0, Size::B64, false, 0xc7, 0, d, false);
            self.put_32(short);
        } else {
            let mut head = Head::EMPTY;
            head.push(0x48 | high(d));
            head.push(0xb8 | low(d));
            self.put_head(head);
            self.put(value, 8);
        }
    }

    /// `movsxd d, s`
    #[inline]
    pub(super) fn sign_extend_32(&mut self, d: Gpr, s: Gpr) {
        self.rr(0, Size::B64, false, 0x63, d as u8, s, false);
    }

    /// Extends the low byte of `s` to 64 bits.
    #[inline]
    pub(super) fn extend_8(&mut self, extend: Extend, d: Gpr, s: Gpr) {
        let (size, opcode) = match extend {
            Extend::Zero => (Size::B32, 0xb6),
            Extend::Sign => (Size::B64, 0xbe),
        };
        self.rr(0, size, true, opcode, d as u8, s, true);
    }

    /// Extends the low two bytes of `s` to 64 bits.
    #[inline]
    pub(super) fn extend_16(&mut self, extend: Extend, d: Gpr, s: Gpr) {
        let (size, opcode) = match extend {
            Extend::Zero => (Size::B32, 0xb7),
            Extend::Sign => (Size::B64, 0xbf),
        };
        self.rr(0, size, true, opcode, d as u8, s, false);
    }

    /// `lea d, [mem]`
    #[inline]
    pub(super) fn lea(&mut self, size: Size, d: Gpr, mem: Mem) {
        self.rm(0, size, false, 0x8d, d as u8, mem, false);
    }

    /// Loads and extends to 64 bits.
    #[inline(always)]
    pub(super) fn load(&mut self, width: Width, extend: Extend, d: Gpr, mem: Mem) {
        let (size, escape, opcode) = match (width, extend) {
            (Width::B1, Extend::Zero) => (Size::B32, true, 0xb6),
            (Width::B1, Extend::Sign) => (Size::B64, true, 0xbe),
            (Width::B2, Extend::Zero) => (Size::B32, true, 0xb7),
            (Width::B2, Extend::Sign) => (Size::B64, true, 0xbf),
            (Width::B4, Extend::Zero) => (Size::B32, false, 0x8b),
            (Width::B4, Extend::Sign) => (Size::B64, false, 0x63),
            (Width::B8, _) => (Size::B64, false, 0x8b),
        };
        self.rm(0, size, escape, opcode, d as u8, mem, false);
    }

    /// Stores the low bytes of a register.
    #[inline(always)]
    pub(super) fn store(&mut self, width: Width, mem: Mem, s: Gpr) {
        match width {
            // Without a prefix the numbers from 4 to 7 would mean ah to bh.
            Width::B1 => self.rm(0, Size::B32, false, 0x88, s as u8, mem, s as u8 >= 4),
            Width::B2 => self.rm(0x66, Size::B32, false, 0x89, s as u8, mem, false),
            Width::B4 => self.rm(0, Size::B32, false, 0x89, s as u8, mem, false),
            Width::B8 => self.rm(0, Size::B64, false, 0x89, s as u8, mem, false),
        }
    }

    /// Stores the low bytes of an immediate, which for eight bytes is sign-extended.
    #[inline]
    pub(super) fn store_imm(&mut self, width: Width, mem: Mem, imm: i32) {
        match width {
            Width::B1 => {
                self.rm(0, Size::B32, false, 0xc6, 0, mem, false);
                self.put(u64::from(imm as u8), 1);
            }
            Width::B2 => {
                self.rm(0x66, Size::B32, false, 0xc7, 0, mem, false);
                self.put(u64::from(imm as u16), 2);
            }
            Width::B4 | Width::B8 => {
                let size = if width == Width::B8 { Size::B64 } else { Size::B32 };
                self.rm(0, size, false, 0xc7, 0, mem, false);
                self.put_32(imm);
            }
        }
    }

    /// `imul d, s`
    #[inline]
    pub(super) fn mul(&mut self, size: Size, d: Gpr, s: Gpr) {
        self.rr(0, size, true, 0xaf, d as u8, s, false);
    }

    /// `imul d, s, imm`
    #[inline]
    pub(super) fn mul_imm(&mut self, size: Size, d: Gpr, s: Gpr, imm: i32) {
        if let Ok(short) = i8::try_from(imm) {
            self.rr(0, size, false, 0x6b, d as u8, s, false);
            self.put(u64::from(short as u8), 1);
        } else {
            self.rr(0, size, false, 0x69, d as u8, s, false);
            self.put_32(imm);
        }
    }

    /// `op d`
    #[inline]
    pub(super) fn unary(&mut self, op: Unary, size: Size, d: Gpr) {
        self.rr(0, size, false, 0xf7, op as u8, d, false);
    }

    /// Sign-extends `rax` to `rdx:rax`, or `eax` to `edx:eax`.
    #[inline]
    pub(super) fn sign_extend_rax(&mut self, size: Size) {
        self.room();
        match size {
            Size::B32 => self.put(0x99, 1),
            Size::B64 => self.put(0x9948, 2),
        }
    }

    /// `op d, cl`
    #[inline]
    pub(super) fn shift(&mut self, op: Shift, size: Size, d: Gpr) {
        self.rr(0, size, false, 0xd3, op as u8, d, false);
    }

    /// `op d, count`
    #[inline]
    pub(super) fn shift_imm(&mut self, op: Shift, size: Size, d: Gpr, count: u8) {
        self.rr(0, size, false, 0xc1, op as u8, d, false);
        self.put(u64::from(count), 1);
    }

    /// `op d, s`
    #[inline]
    pub(super) fn scan(&mut self, op: Scan, size: Size, d: Gpr, s: Gpr) {
        let (prefix, opcode) = match op {
            Scan::Bsf => (0, 0xbc),
            Scan::Bsr => (0, 0xbd),
            Scan::Popcnt => (0xf3, 0xb8),
            Scan::Lzcnt => (0xf3, 0xbd),
            Scan::Tzcnt => (0xf3, 0xbc),
        };
        self.rr(prefix, size, true, opcode, d as u8, s, false);
    }

    /// `bswap d`
    #[inline]
    pub(super) fn swap_bytes(&mut self, size: Size, d: Gpr) {
        self.room();
        let mut head = Head::EMPTY;
        let rex = u8::from(size == Size::B64) << 3 | high(d);
        if rex != 0 {
            head.push(0x40 | rex);
        }
        head.push(0x0f);
        head.push(0xc8 | low(d));
        self.put_head(head);
    }

    /// Sets the low byte of `d` to whether the condition holds.
    #[inline]
    pub(super) fn set(&mut self, condition: Cond, d: Gpr) {
        self.rr(0, Size::B32, true, 0x90 | condition as u8, 0, d, d as u8 >= 4);
    }

    /// `d = s` if the condition holds.
    #[inline]
    pub(super) fn cmov(&mut self, condition: Cond, size: Size, d: Gpr, s: Gpr) {
        self.rr(0, size, true, 0x40 | condition as u8, d as u8, s, false);
    }

    /// Jumps, to be bound.
    #[inline]
    pub(super) fn jmp(&mut self) -> Fixup {
        self.room();
        self.put(0xe9, 5);
        Fixup(self.position() - 4)
    }

    /// Jumps if the condition holds, to be bound.
    #[inline]
    pub(super) fn jcc(&mut self, condition: Cond) -> Fixup {
        self.room();
        self.put(u64::from(0x80 | condition as u8) << 8 | 0x0f, 6);
        Fixup(self.position() - 4)
    }

    /// Jumps back to a place that is known, in as few bytes as possible.
    #[inline]
    pub(super) fn jmp_to(&mut self, target: u32) {
        let short = i64::from(target) - i64::from(self.position()) - 2;
        if let Ok(short) = i8::try_from(short) {
            self.room();
            self.put(u64::from(short as u8) << 8 | 0xeb, 2);
        } else {
            let fixup = self.jmp();
            self.bind_to(fixup, target);
        }
    }

    /// Jumps back to a place that is known if the condition holds, in as few bytes as possible.
    #[inline]
    pub(super) fn jcc_to(&mut self, condition: Cond, target: u32) {
        let short = i64::from(target) - i64::from(self.position()) - 2;
        if let Ok(short) = i8::try_from(short) {
            self.room();
            self.put(u64::from(short as u8) << 8 | u64::from(0x70 | condition as u8), 2);
        } else {
            let fixup = self.jcc(condition);
            self.bind_to(fixup, target);
        }
    }

    /// A short jump forward if the condition holds: to be bound with [`Assembler::bind_short`] at most 127 bytes on.
    #[inline]
    pub(super) fn jcc_short(&mut self, condition: Cond) -> u32 {
        self.room();
        self.put(u64::from(0x70 | condition as u8), 2);
        self.position() - 1
    }

    /// A short jump forward.
    #[inline]
    pub(super) fn jmp_short(&mut self) -> u32 {
        self.room();
        self.put(0xeb, 2);
        self.position() - 1
    }

    /// Makes a short jump lead here.
    #[inline]
    pub(super) fn bind_short(&mut self, at: u32) {
        let distance = self.position() - at - 1;
        debug_assert!(distance <= 127);
        self.bytes[at as usize] = distance as u8;
    }

    /// Makes a jump lead to `target`.
    #[inline]
    pub(super) fn bind_to(&mut self, Fixup(at): Fixup, target: u32) {
        let displacement = target.wrapping_sub(at + 4);
        self.patch(at, displacement);
    }

    /// Overwrites four bytes.
    #[inline]
    pub(super) fn patch(&mut self, at: u32, value: u32) {
        self.bytes[at as usize..at as usize + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// `jmp [mem]`
    #[inline]
    pub(super) fn jmp_mem(&mut self, mem: Mem) {
        self.rm(0, Size::B32, false, 0xff, 4, mem, false);
    }

    /// `push r`
    pub(super) fn push(&mut self, r: Gpr) {
        self.room();
        let mut head = Head::EMPTY;
        if high(r) != 0 {
            head.push(0x41);
        }
        head.push(0x50 | low(r));
        self.put_head(head);
    }

    /// `pop r`
    pub(super) fn pop(&mut self, r: Gpr) {
        self.room();
        let mut head = Head::EMPTY;
        if high(r) != 0 {
            head.push(0x41);
        }
        head.push(0x58 | low(r));
        self.put_head(head);
    }

    /// Reads the base of the segment `gs`.
    pub(super) fn read_segment(&mut self, d: Gpr) {
        self.rr(0xf3, Size::B64, true, 0xae, 1, d, false);
    }

    /// Sets the base of the segment `gs`.
    pub(super) fn write_segment(&mut self, s: Gpr) {
        self.rr(0xf3, Size::B64, true, 0xae, 3, s, false);
    }

    /// `nop`
    #[inline]
    pub(super) fn nop(&mut self) {
        self.room();
        self.put(0x90, 1);
    }

    /// `ret`
    pub(super) fn ret(&mut self) {
        self.room();
        self.put(0xc3, 1);
    }

    /// Fills up to a multiple of `alignment` with instructions that trap.
    pub(super) fn align(&mut self, alignment: usize) {
        let length = self.bytes.len().next_multiple_of(alignment);
        self.bytes.resize(length, 0xcc);
    }
}

#[cfg(test)]
#[path = "assembler_tests.rs"]
mod tests;
