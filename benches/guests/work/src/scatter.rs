//! A program that writes to pages that are far apart, of which there are many: what providing them costs.

/// Bytes of a page.
const PAGE: usize = 4096;

/// Pages that there are: 14 MiB.
const PAGES: usize = 3584;

/// Pages from one that is written to to the next.
const DISTANCE: usize = 22;

/// Zeros, so that no format contains them.
static mut DATA: [[u8; PAGE]; PAGES] = [[0; PAGE]; PAGES];

/// Writes to as many pages, at most 160. The sum of what it has written.
#[must_use]
pub fn run(pages: u64) -> u64 {
    let mut sum = 0;
    for page in 0..(pages as usize).min(PAGES / DISTANCE) {
        // SAFETY: a program is one thread, and nobody else knows the address, and the page is inside.
        unsafe {
            let byte = (&raw mut DATA).cast::<u8>().add(page * DISTANCE * PAGE);
            byte.write_volatile(page as u8 | 1);
            sum += u64::from(byte.read_volatile());
        }
    }
    sum
}
