//! Guests for the tests: the committed counter, and small ones with shapes that no compiler gives.

#![allow(dead_code, reason = "each test program uses a part of this module")]

use hatchery_client::{Backend, ClientConfig, ModuleCache};
use polkavm_common_033::{
    program::{Instruction, InstructionSetKind, asm},
    writer::ProgramBlobBuilder,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The counter guest for JamV1. The gas that its calls cost is known for these bytes only, so they are pinned.
pub(crate) fn counter() -> &'static [u8] {
    let blob = include_bytes!("../../../guests/blobs/jam-v1/counter.polkavm");
    let hash = Sha256::digest(blob).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(
        hash, "2e647b1e4459b8932e8d98cbb1a0820a8beeb346c35fc47f9b6636366c0131bc",
        "the counter guest was rebuilt: see that upstream's suite still counts 793 rounds, then pin the new hash"
    );
    blob
}

/// The counter guest for ReviveV1.
pub(crate) fn counter_revive() -> &'static [u8] {
    include_bytes!("../../../guests/blobs/revive-v1/counter.polkavm")
}

/// Runs a test on a cache of each backend that this machine has.
pub(crate) fn on_each_backend(test: impl Fn(Arc<ModuleCache>)) {
    for &backend in Backend::AVAILABLE {
        // Shown if the test fails.
        println!("backend: {}", backend.name());
        test(Arc::new(ModuleCache::new(ClientConfig::default().backend(backend))));
    }
}

/// The memory that a program declares.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    /// Bytes of read-only data.
    pub(crate) read_only: u32,
    /// Bytes of read-write data.
    pub(crate) read_write: u32,
    /// Bytes of stack.
    pub(crate) stack: u32,
}

impl Layout {
    /// Every address at which some region begins or ends, or which is special.
    pub(crate) fn boundaries(self) -> Vec<u32> {
        const PAGE: u32 = 0x1000;
        const GUARD: u32 = 0x1_0000;
        let read_only_pages = self.read_only.next_multiple_of(PAGE);
        let read_write = GUARD + self.read_only.next_multiple_of(GUARD) + GUARD;
        let stack_end = 0xfffe_0000;
        vec![
            0,
            GUARD,
            GUARD + self.read_only,
            GUARD + read_only_pages,
            read_write - GUARD,
            read_write,
            read_write + self.read_write,
            (read_write + self.read_write).next_multiple_of(PAGE),
            (read_write + self.read_write).next_multiple_of(GUARD),
            stack_end - self.stack.next_multiple_of(GUARD),
            stack_end - self.stack.next_multiple_of(PAGE),
            stack_end - self.stack,
            stack_end,
            0xffff_0000,
            u32::MAX,
        ]
    }
}

/// A program in the making.
pub(crate) struct Guest {
    builder: ProgramBlobBuilder,
    code: Vec<Instruction>,
}

impl Guest {
    pub(crate) fn new(set: InstructionSetKind) -> Self {
        Self { builder: ProgramBlobBuilder::new(set), code: Vec::new() }
    }

    pub(crate) fn jam() -> Self {
        Self::new(InstructionSetKind::JamV1)
    }

    /// Half of each kind of data is in the blob and not zero, the rest is zero.
    pub(crate) fn memory(mut self, layout: Layout) -> Self {
        self.builder.set_ro_data_size(layout.read_only);
        self.builder
            .set_ro_data((0..layout.read_only.div_ceil(2)).map(|offset| (offset % 251) as u8 + 1).collect());
        self.builder.set_rw_data_size(layout.read_write);
        self.builder
            .set_rw_data((0..layout.read_write.div_ceil(2)).map(|offset| (offset % 241) as u8 + 7).collect());
        self.builder.set_stack_size(layout.stack);
        self
    }

    /// Declares memory without data.
    pub(crate) fn memory_sizes(mut self, read_only: u32, read_write: u32, stack: u32) -> Self {
        self.builder.set_ro_data_size(read_only);
        self.builder.set_rw_data_size(read_write);
        self.builder.set_stack_size(stack);
        self
    }

    pub(crate) fn import(mut self, symbol: &[u8]) -> Self {
        self.builder.add_import(symbol);
        self
    }

    /// Adds an export. Its last instruction has to end a block.
    pub(crate) fn export(mut self, symbol: &str, body: &[Instruction]) -> Self {
        self.builder.add_export_by_instruction(self.code.len() as u32, symbol.as_bytes());
        self.code.extend_from_slice(body);
        self
    }

    pub(crate) fn build(mut self) -> Vec<u8> {
        self.builder.set_code(&self.code, &[]);
        self.builder.into_vec().expect("the tests' programs fit the format")
    }
}

/// A guest whose export `main` makes the one syscall `look` and returns, with `filler` instructions that are never
/// reached: programs of any size that differ.
pub(crate) fn padded(mark: u32, filler: usize) -> Vec<u8> {
    let mut body =
        vec![asm::load_imm(polkavm_common_033::program::Reg::A1, mark), asm::ecalli(0), asm::ret()];
    body.extend(std::iter::repeat_n(asm::trap(), filler));
    Guest::jam().import(b"look").export("main", &body).build()
}
