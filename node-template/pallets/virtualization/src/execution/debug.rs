//! Debug messages, which a dry run keeps and a block does not.

use crate::Config;
use alloc::vec::Vec;
use core::fmt;

/// The messages of one dry run, up to a limit.
pub(crate) struct DebugMessages<T: Config> {
    messages: Vec<(T::AccountId, Vec<u8>)>,
    bytes: usize,
}

impl<T: Config> DebugMessages<T> {
    /// All messages together; what comes later is dropped.
    const MAX_BYTES: usize = 256 * 1024;

    /// What a message takes besides its text.
    const OVERHEAD: usize = 64;

    pub(crate) fn push(&mut self, instance: &T::AccountId, message: Vec<u8>) {
        let bytes = self.bytes.saturating_add(message.len()).saturating_add(Self::OVERHEAD);
        if bytes <= Self::MAX_BYTES {
            self.messages.push((instance.clone(), message));
        }
        // Once one is dropped, all are: a gap would go unnoticed.
        self.bytes = bytes;
    }

    pub(crate) fn into_inner(self) -> Vec<(T::AccountId, Vec<u8>)> {
        self.messages
    }
}

impl<T: Config> Default for DebugMessages<T> {
    fn default() -> Self {
        Self { messages: Vec::new(), bytes: 0 }
    }
}

impl<T: Config> fmt::Debug for DebugMessages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DebugMessages").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
