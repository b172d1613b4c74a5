//! Reading numbers and slices with errors that name the section and the offset.

use core::fmt;

use super::ProgramError;

/// A part of a program, for error messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is named after the part of the format it stands for")]
pub enum Section {
    Header,
    MemoryConfig,
    ReadOnlyData,
    ReadWriteData,
    Imports,
    Exports,
    Code,
    JumpTable,
    Optional,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::MemoryConfig => "memory configuration",
            Self::ReadOnlyData => "read-only data",
            Self::ReadWriteData => "read-write data",
            Self::Imports => "imports",
            Self::Exports => "exports",
            Self::Code => "code",
            Self::JumpTable => "jump table",
            Self::Optional => "optional section",
        })
    }
}

/// Reads from `bytes`; offsets in errors count from `base`.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) position: usize,
    pub(super) base: usize,
    pub(super) section: Section,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8], base: usize, section: Section) -> Self {
        Self { bytes, position: 0, base, section }
    }

    pub(super) const fn offset(&self) -> usize {
        self.base + self.position
    }

    pub(super) const fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], ProgramError> {
        if length > self.remaining() {
            return Err(ProgramError::Truncated {
                section: self.section,
                offset: self.offset(),
                missing: length - self.remaining(),
            });
        }
        let slice = &self.bytes[self.position..self.position + length];
        self.position += length;
        Ok(slice)
    }

    /// A number of `size` bytes, at most four, little-endian.
    pub(super) fn fixed(&mut self, size: usize) -> Result<u32, ProgramError> {
        let mut bytes = [0; 4];
        bytes[..size].copy_from_slice(self.take(size)?);
        Ok(u32::from_le_bytes(bytes))
    }

    pub(super) fn byte(&mut self) -> Result<u8, ProgramError> {
        Ok(self.take(1)?[0])
    }

    /// A number of one to five bytes: the leading one bits of the first byte count the bytes that follow, the rest of the
    /// first byte is the top of the number. Longer forms than needed are accepted, and the low bits of a first byte of
    /// 0xf1 to 0xf7, which should be zero, count as low bits of the number: as polkavm 0.33 reads it, since a chain may
    /// run both.
    pub(super) fn varint(&mut self) -> Result<u32, ProgramError> {
        let offset = self.offset();
        let first = self.byte()?;
        let extra = first.leading_ones();
        if extra > 4 {
            return Err(ProgramError::Varint { section: self.section, offset });
        }
        let mut low = [0; 4];
        low[..extra as usize].copy_from_slice(self.take(extra as usize)?);
        let top = u32::from(first) & (0x7f >> extra);
        Ok(top << (8 * extra % 32) | u32::from_le_bytes(low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(bytes: &[u8]) -> Result<u32, ProgramError> {
        Reader::new(bytes, 100, Section::Exports).varint()
    }

    #[test]
    fn varints_of_every_length() {
        assert_eq!(varint(&[0x7f]), Ok(0x7f));
        assert_eq!(varint(&[0x80, 0x80]), Ok(0x80));
        assert_eq!(varint(&[0xbf, 0xff]), Ok(0x3fff));
        assert_eq!(varint(&[0xc1, 0x02, 0x03]), Ok(0x01_0302));
        assert_eq!(varint(&[0xe1, 1, 2, 3]), Ok(0x0103_0201));
        assert_eq!(varint(&[0xf0, 1, 2, 3, 0xff]), Ok(0xff03_0201));
        assert_eq!(varint(&[0x80, 0x05]), Ok(5), "a longer form than needed");
        assert_eq!(varint(&[0xf7, 8, 0, 0, 0]), Ok(15), "low bits of the first byte of the longest form");
    }

    #[test]
    fn bad_varints_say_where() {
        assert_eq!(
            varint(&[]),
            Err(ProgramError::Truncated { section: Section::Exports, offset: 100, missing: 1 })
        );
        assert_eq!(
            varint(&[0xe1, 1]),
            Err(ProgramError::Truncated { section: Section::Exports, offset: 101, missing: 2 })
        );
        assert_eq!(
            varint(&[0xf8, 1, 2, 3, 4, 5]),
            Err(ProgramError::Varint { section: Section::Exports, offset: 100 })
        );
    }
}
