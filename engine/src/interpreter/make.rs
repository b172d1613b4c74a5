//! Makes the operations of a region.

use core::ops::Range;

use super::super::isa::table::for_each_instruction;
use super::fusion::fuse;
use super::operations::{Kind, Operation, Operations};
use super::regions::{Links, Region, bit};
use crate::config::Charge;
use crate::exit::TrapKind;
use crate::gas::{BlockCosts, GasModel};
use crate::isa::{Decoded, Instruction, Opcode};
use crate::program::Code;

/// Makes the operations of the region with this number and place, and links the starts of its blocks.
pub(super) fn make(
    code: &Code,
    blocks: &[u64],
    links: &Links,
    number: u16,
    range: Range<u32>,
    charge: Charge,
    gas: GasModel,
) -> Region {
    let mut maker = Maker {
        code,
        blocks,
        links,
        range,
        charge,
        costs: BlockCosts::new(code.instruction_set(), gas),
        operations: Vec::new(),
        pcs: Vec::new(),
        begins: Vec::new(),
        entries: Vec::new(),
        at_block_start: true,
    };
    maker.run();
    let Maker { mut operations, pcs, begins, entries, .. } = maker;
    fuse(&mut operations);
    operations.iter_mut().for_each(|operation| operation.region = number);
    let region =
        Region { operations: Operations::new(operations.into()), pcs: pcs.into(), begins: begins.into() };
    for (pc, operation) in entries {
        if let Some(position) = region.operations.position(operation) {
            links.blocks[links.number(blocks, pc) as usize].lead_to(position);
        }
    }
    region
}

struct Maker<'a> {
    code: &'a Code,
    blocks: &'a [u64],
    links: &'a Links,
    range: Range<u32>,
    charge: Charge,
    costs: BlockCosts,
    operations: Vec<Operation>,
    pcs: Vec<u32>,
    /// The operations that begin blocks.
    begins: Vec<u32>,
    /// Where jumps may go, in order, with the operation there.
    entries: Vec<(u32, u32)>,
    at_block_start: bool,
}

impl Maker<'_> {
    fn run(&mut self) {
        let end = self.range.end;
        let mut next = self.code.next_start(self.range.start);
        while let Some(pc) = next.filter(|&pc| pc < end) {
            let decoded = self.code.decode_at(pc);
            self.enter(pc);
            match &decoded.instruction {
                Some(instruction) => self.instruction(instruction, &decoded),
                None => {
                    self.push(pc, Operation::fail(TrapKind::InvalidInstruction));
                    self.at_block_start = true;
                }
            }
            next = if decoded.next_is_start {
                Some(decoded.next_pc)
            } else {
                self.code.next_start(decoded.next_pc)
            };
        }
        // Falling through to the next region; nothing falls through the end of the code, there is a trap there.
        self.push_far_jump(end);
        self.resolve_targets();
    }

    fn push(&mut self, pc: u32, operation: Operation) {
        self.operations.push(operation);
        self.pcs.push(pc);
    }

    /// What leads to the block at `target`, in another region.
    fn push_far_jump(&mut self, target: u32) {
        let number = if bit(self.blocks, target) { self.links.number(self.blocks, target) } else { 0 };
        self.push(self.range.end, Operation::plain(Kind::Stub, 0));
        self.push(self.range.end, Operation { y: target, ..Operation::plain(Kind::FarJump, number) });
    }

    /// At the start of a block, or of each instruction, the operation that charges for it.
    fn enter(&mut self, pc: u32) {
        let at_block_start = core::mem::take(&mut self.at_block_start);
        let operation = self.operations.len() as u32;
        if at_block_start {
            self.begins.push(operation);
        }
        if at_block_start && bit(self.blocks, pc) {
            self.entries.push((pc, operation));
        }
        let cost = match self.charge {
            Charge::Block if at_block_start => self.costs.cost_from(self.code, pc),
            Charge::Block => return,
            Charge::Instruction => 1,
        };
        self.push(pc, Operation::plain(Kind::Charge, cost));
    }

    fn instruction(&mut self, i: &Instruction, decoded: &Decoded) {
        let pc = decoded.pc;
        let opcode = i.opcode;
        let mut operation = Operation {
            kind: opcode.into(),
            region: 0,
            a: i.d as u8,
            b: i.s1 as u8,
            c: i.s2 as u8,
            x: i.x as u32,
            y: i.y as u32,
        };
        if !self.code.instruction_set().is_64_bit() {
            operation.kind = with_32_bit_registers(operation.kind);
        }
        match opcode {
            Opcode::LoadImm64 => operation.y = (i.x >> 32) as u32,
            Opcode::Ecalli => operation.y = pc,
            _ => {}
        }
        if !opcode.info().ends_block {
            self.push(pc, operation);
            if !decoded.next_is_start {
                // The trap belongs to the block: it is paid for with it.
                if self.charge == Charge::Instruction {
                    self.enter(decoded.next_pc);
                }
                self.push(decoded.next_pc, Operation::fail(self.kind_of_gap(decoded.next_pc)));
                self.at_block_start = true;
            }
            return;
        }

        self.at_block_start = true;
        let jumps = !matches!(
            opcode,
            Opcode::Trap | Opcode::Fallthrough | Opcode::JumpIndirect | Opcode::LoadImmAndJumpIndirect
        );
        if jumps {
            let conditional = opcode.can_fall_through();
            let valid = bit(self.blocks, i.target) && (!conditional || bit(self.blocks, decoded.next_pc));
            if !valid {
                if opcode == Opcode::LoadImmAndJump {
                    self.push(pc, Operation { kind: Kind::LoadImm, ..operation });
                }
                return self.push(pc, Operation::fail(TrapKind::InvalidJump));
            }
            operation.y = i.target;
        }
        if opcode == Opcode::Fallthrough && !decoded.next_is_start {
            if decoded.next_pc == self.code.length() {
                // What follows is no block, and not charged for.
                self.push(pc, Operation { kind: Kind::Unlikely, ..operation });
                self.push(pc, Operation::fail(TrapKind::CodeEnd));
            } else {
                self.push(pc, operation);
                self.enter(decoded.next_pc);
                self.push(decoded.next_pc, Operation::fail(self.kind_of_gap(decoded.next_pc)));
                self.at_block_start = true;
            }
            return;
        }
        self.push(pc, operation);
    }

    fn kind_of_gap(&self, pc: u32) -> TrapKind {
        if pc >= self.code.length() { TrapKind::CodeEnd } else { TrapKind::InvalidInstruction }
    }

    /// Turns targets from pcs to distances of operations, with a stub for each target outside of the region.
    fn resolve_targets(&mut self) {
        let Self { operations, entries, .. } = self;
        let near = |pc: u32| Some(entries[entries.binary_search_by_key(&pc, |&(pc, _)| pc).ok()?].1 as usize);
        let is_far = |operation: &&Operation| has_target(operation.kind) && near(operation.y).is_none();
        let mut far: Vec<u32> = operations.iter().filter(is_far).map(|operation| operation.y).collect();
        far.sort_unstable();
        far.dedup();
        let stubs = operations.len();
        let jumps = operations.iter_mut().enumerate().filter(|(_, operation)| has_target(operation.kind));
        for (at, operation) in jumps {
            let stub = || stubs + 2 * far.partition_point(|&pc| pc < operation.y);
            let target = near(operation.y).unwrap_or_else(stub);
            // Of 32 MiB of code fewer operations are made than would make this overflow.
            let distance = (target as i64 - at as i64) * size_of::<Operation>() as i64;
            operation.y = i32::try_from(distance).expect("a region is smaller than 2 GiB") as u32;
        }
        for pc in far {
            self.push_far_jump(pc);
        }
    }
}

/// Registers of 32 bits are kept sign-extended, so nearly all operations are the same on them.
fn with_32_bit_registers(kind: Kind) -> Kind {
    match kind {
        Kind::MulUpperSignedSigned => Kind::MulUpperSignedSigned32,
        Kind::MulUpperUnsignedUnsigned => Kind::MulUpperUnsignedUnsigned32,
        Kind::MulUpperSignedUnsigned => Kind::MulUpperSignedUnsigned32,
        Kind::ReverseByte => Kind::ReverseByte32,
        same => same,
    }
}

/// Whether `y` is a target.
fn has_target(kind: Kind) -> bool {
    macro_rules! targets {
        ($($id:ident $name:literal $shape:ident $ends:ident $gas:ident [$($bytes:tt)*] {$($extended:tt)*} $doc:literal;)+) => {
            match kind {
                $(Kind::$id => matches!(
                    crate::isa::Shape::$shape,
                    crate::isa::Shape::Offset
                        | crate::isa::Shape::DestImmOffset
                        | crate::isa::Shape::SourceImmOffset
                        | crate::isa::Shape::SourceSourceOffset
                ),)+
                _ => false,
            }
        };
    }
    for_each_instruction!(targets)
}
