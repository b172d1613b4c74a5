//! From what C passes to what Rust can use.

use core::ffi::c_char;
use core::mem::{align_of, size_of};

use crate::constants::{PVM_STATUS_INVALID_ARGUMENT, PVM_STATUS_NULL_POINTER};
use crate::ram::Access;
use crate::status::Failure;

/// Types for which any bytes are a value.
pub(crate) trait Plain: Copy {}
impl Plain for u8 {}
impl Plain for u32 {}
impl Plain for u64 {}
impl Plain for Access {}

/// The `length` elements at a pointer. Of no elements the pointer does not matter.
///
/// # Safety
/// If the pointer is neither null nor misaligned, that many elements must be readable there for as long as `'a`.
pub(crate) unsafe fn slice<'a, T: Plain>(
    pointer: *const T,
    length: usize,
    what: &str,
) -> Result<&'a [T], Failure> {
    if length == 0 {
        return Ok(&[]);
    }
    check(pointer, what)?;
    fits::<T>(length, what)?;
    // SAFETY: not null, aligned, not longer than memory can be; the rest is the caller's to keep.
    Ok(unsafe { core::slice::from_raw_parts(pointer, length) })
}

/// As [`slice`], to be written.
///
/// # Safety
/// As [`slice`], and nobody else uses them meanwhile.
pub(crate) unsafe fn slice_mut<'a, T: Plain>(
    pointer: *mut T,
    length: usize,
    what: &str,
) -> Result<&'a mut [T], Failure> {
    if length == 0 {
        return Ok(&mut []);
    }
    check(pointer, what)?;
    fits::<T>(length, what)?;
    // SAFETY: as in `slice`.
    Ok(unsafe { core::slice::from_raw_parts_mut(pointer, length) })
}

/// A place for a result.
#[derive(Debug)]
pub(crate) struct Place<T>(*mut T);

impl<T> Place<T> {
    /// Checks a pointer to where a result goes.
    pub(crate) fn new(pointer: *mut T, what: &str) -> Result<Self, Failure> {
        check(pointer, what)?;
        Ok(Self(pointer))
    }

    /// As `new`; null means that the result is not wanted.
    pub(crate) fn optional(pointer: *mut T, what: &str) -> Result<Option<Self>, Failure> {
        if pointer.is_null() { Ok(None) } else { Self::new(pointer, what).map(Some) }
    }

    /// Puts the result there.
    ///
    /// # Safety
    /// The pointer must be one that a `T` can be written to.
    pub(crate) unsafe fn put(self, value: T) {
        // SAFETY: not null and aligned, which was checked; the rest is the caller's to keep.
        unsafe { self.0.write(value) };
    }
}

/// The text at a pointer with its length.
///
/// # Safety
/// As [`slice`].
pub(crate) unsafe fn text<'a>(
    pointer: *const c_char,
    length: usize,
    what: &str,
) -> Result<&'a [u8], Failure> {
    // SAFETY: characters are bytes.
    unsafe { slice(pointer.cast(), length, what) }
}

/// A pointer must not be null and must be aligned.
pub(crate) fn check<T>(pointer: *const T, what: &str) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::new(PVM_STATUS_NULL_POINTER, format!("{what} is a null pointer")));
    }
    if !pointer.addr().is_multiple_of(align_of::<T>()) {
        return Err(Failure::new(
            PVM_STATUS_INVALID_ARGUMENT,
            format!("{what} is misaligned: {:#x} is no multiple of {}", pointer.addr(), align_of::<T>()),
        ));
    }
    Ok(())
}

fn fits<T>(length: usize, what: &str) -> Result<(), Failure> {
    let most = isize::MAX as usize / size_of::<T>();
    if length <= most {
        return Ok(());
    }
    Err(Failure::new(
        PVM_STATUS_INVALID_ARGUMENT,
        format!("{what} has {length} elements: there is no such memory"),
    ))
}
