//! Reading files that a user names.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::error::Error;

/// The most bytes of a file that are read. The longest code and jump table with their bitmask take 100 MiB of it.
pub(crate) const MAX_FILE_SIZE: u64 = 512 << 20;

/// A whole file.
///
/// # Errors
/// If it cannot be read or has more than [`MAX_FILE_SIZE`] bytes, as devices and pipes without an end do.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let too_large = || Error::TooLarge { path: path.to_owned() };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    if length > MAX_FILE_SIZE {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_SIZE {
        return Err(too_large());
    }
    Ok(bytes)
}
