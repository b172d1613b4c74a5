//! How bytes that are right are made wrong.

use arbitrary::Arbitrary;

#[derive(Arbitrary, Debug)]
pub enum Edit {
    Set(u16, u8),
    Add(u16, i8),
    Remove(u16, u8),
    Insert(u16, Vec<u8>),
    Copy(u16, u16, u8),
}

impl Edit {
    pub fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |at: u16| usize::from(at) % bytes.len().max(1);
        match self {
            _ if bytes.is_empty() => {}
            Self::Set(at, value) => {
                let at = place(*at);
                bytes[at] = *value;
            }
            Self::Add(at, value) => {
                let at = place(*at);
                bytes[at] = bytes[at].wrapping_add_signed(*value);
            }
            Self::Remove(at, length) => {
                let at = place(*at);
                let end = (at + usize::from(*length)).min(bytes.len());
                bytes.drain(at..end);
            }
            Self::Insert(at, new) => {
                let at = place(*at);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Copy(from, to, length) => {
                let (from, to) = (place(*from), place(*to));
                let end = (from + usize::from(*length)).min(bytes.len());
                let copied = bytes[from..end].to_vec();
                bytes.splice(to..to, copied);
            }
        }
    }
}

/// The bytes of a snapshot without their hash, changed, and with the right one.
pub fn with_right_hash<'a>(mut bytes: Vec<u8>, edits: impl IntoIterator<Item = &'a Edit>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 32);
    edits.into_iter().for_each(|edit| edit.apply(&mut bytes));
    let hash = blake2b_simd::Params::new().hash_length(32).hash(&bytes);
    bytes.extend(hash.as_bytes());
    bytes
}
