//! A program with a megabyte of data, of which a call changes one byte.

/// Bytes of a page.
const PAGE: usize = 4096;

/// Pages that there are.
const PAGES: usize = 256;

/// Bytes that are not zero, so that no format leaves them out.
static mut DATA: [[u8; PAGE]; PAGES] = [[7; PAGE]; PAGES];

/// Changes the byte at `index`. What it was before.
#[must_use]
pub fn run(index: u64) -> u64 {
    let index = index as usize % (PAGE * PAGES);
    // SAFETY: a program is one thread, nobody else knows the address, and the index is inside.
    unsafe {
        let byte = (&raw mut DATA).cast::<u8>().add(index);
        let before = byte.read_volatile();
        byte.write_volatile(before.wrapping_add(1));
        before.into()
    }
}
