//! What operations cost, and how much a call may work on.

/// What operations cost, beside the blocks that they are in. All in gas.
///
/// These are rules of this machine: javm has no numbers for them. They are part of what machines have to agree on, as are the rules
/// of gas for blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Costs {
    /// Any operation, beside that of its `ecalli`.
    pub operation: u64,
    /// CALL, and making an instance.
    pub call: u64,
    /// CALL and SET_IMAGE: each page that is mapped elsewhere than PolkaVM puts memory, or does not show what the image says. A reply: each
    /// page of data, the image's or those that are there now, of a source that is not as the image says.
    pub page_aside: u64,
    /// CALL: each page of its own that the callee has: one that is not as its mappings show.
    pub own_page: u64,
    /// CALL, and making an instance: each filled slot of its root node.
    pub slot: u64,
    /// The first time in a call from outside that an image is entered, by that call, by CALL or by SET_IMAGE.
    pub program: u64,
    /// The same: each byte of its code.
    pub program_byte: u64,
    /// The same: each page of data that it begins with, where PolkaVM puts memory.
    pub program_page: u64,
    /// A reply: each page of its own that the instance did not have like this when it was entered.
    pub changed_page: u64,
    /// Each node that is made, and each below the root on the way to a slot that is written: it will get another hash.
    pub node: u64,
    /// Each filled slot of the nodes on the way to a slot that is written.
    pub node_slot: u64,
    /// Each 64 bytes of data that are read or saved.
    pub data_64_bytes: u64,
    /// Each 64 bytes, in whole pages, of data that are made.
    pub minted_64_bytes: u64,
    /// SET_IMAGE.
    pub set_image: u64,
    /// SET_IMAGE: each page that the new image can write.
    pub set_image_page: u64,
    /// MAKE_IMAGE.
    pub make_image: u64,
    /// MAKE_IMAGE: each byte of what becomes an image.
    pub make_image_byte: u64,
}

impl Costs {
    /// What they are unless something else is chosen: in proportion to the time that the work takes (see `docs/capabilities.md`).
    pub const DEFAULT: Self = Self {
        operation: 900,
        call: 10_000,
        page_aside: 1_000,
        own_page: 6_000,
        slot: 350,
        program: 90_000,
        program_byte: 60,
        program_page: 1_500,
        changed_page: 25_600,
        node: 6_000,
        node_slot: 350,
        data_64_bytes: 16,
        minted_64_bytes: 400,
        set_image: 1_000,
        set_image_page: 1_500,
        make_image: 170_000,
        make_image_byte: 60,
    };
}

impl Default for Costs {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The most bytes that MINT_DATA takes.
pub const MAX_MINT: u64 = 16 << 20;

/// How many nodes and instances a call from outside may make by default, see [`Vm::working_limit`](crate::Vm::working_limit).
pub const DEFAULT_WORKING_LIMIT: u64 = 1 << 20;

/// What a call from outside has made so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub(super) made: u64,
    pub(super) limit: u64,
}
