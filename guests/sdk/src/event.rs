//! What others are told.

use crate::sys;

/// Deposits an event, indexed under up to four topics.
pub fn emit_event(topics: &[[u8; 32]], data: &[u8]) {
    // SAFETY: the host reads 32 bytes for each topic, and the data.
    unsafe { sys::emit_event_v1(topics.as_ptr().cast(), topics.len(), data.as_ptr(), data.len()) };
}

/// Shows a text to developers: in the result of a dry run, and in a node's log at level debug. It changes nothing.
pub fn debug_print(text: &str) {
    // SAFETY: the host reads `length` bytes at the pointer, which are the text's.
    unsafe { sys::debug_print_v1(text.as_ptr(), text.len()) };
}
