//! A program that writes to many pages: what putting them back costs.

/// Bytes of a page.
const PAGE: usize = 4096;

/// Pages that there are.
const PAGES: usize = 64;

/// Each page begins with its number.
static mut DATA: [[u8; PAGE]; PAGES] = pages();

const fn pages() -> [[u8; PAGE]; PAGES] {
    let mut pages = [[7; PAGE]; PAGES];
    let mut page = 0;
    while page < PAGES {
        pages[page][0] = page as u8;
        page += 1;
    }
    pages
}

/// Adds to a byte of each of the first `pages` pages. The sum of what they were before: if memory is put back after each call, it
/// stays the same.
#[must_use]
pub fn run(pages: u64) -> u64 {
    let mut sum = 0;
    for page in 0..(pages as usize).min(PAGES) {
        // SAFETY: a program is one thread, and nobody else knows the address, and the page is inside.
        unsafe {
            let byte = (&raw mut DATA).cast::<u8>().add(page * PAGE);
            let before = byte.read_volatile();
            byte.write_volatile(before.wrapping_add(1));
            sum += u64::from(before);
        }
    }
    sum
}
