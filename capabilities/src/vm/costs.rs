//! What operations cost, beside the blocks that they are in. All in gas.

/// Gas for any operation, beside that of its `ecalli`.
pub const OPERATION_GAS: u64 = 10;
/// Gas for a CALL, beside a gas for each page that the callee can write, or that lies elsewhere than PolkaVM puts read-only data,
/// [`GAS_PER_SLOT`], and what writing the slot of the callee costs.
pub const CALL_GAS: u64 = 100;
/// Gas for each filled slot of the root node of an instance that is called or made.
pub const GAS_PER_SLOT: u64 = 8;
/// Gas for each 64 bytes of data that are read or saved.
pub const GAS_PER_64_BYTES: u64 = 1;
/// Gas for each 64 bytes, in whole pages, of data that are made: they are copied, hashed and kept.
pub const MINT_GAS_PER_64_BYTES: u64 = 400;
/// Gas for SET_IMAGE, beside [`SET_IMAGE_GAS_PER_PAGE`].
pub const SET_IMAGE_GAS: u64 = 1_000;
/// Gas for each page of the new image, as CALL counts them.
pub const SET_IMAGE_GAS_PER_PAGE: u64 = 64;
/// Gas for MAKE_IMAGE, beside [`MAKE_IMAGE_GAS_PER_BYTE`].
pub const MAKE_IMAGE_GAS: u64 = 1_000;
/// Gas for each byte of what becomes an image.
pub const MAKE_IMAGE_GAS_PER_BYTE: u64 = 100;
/// The most bytes that MINT_DATA takes.
pub const MAX_MINT: u64 = 16 << 20;
