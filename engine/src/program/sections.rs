//! Which sections a PolkaVM container has and where, without looking into them: for tools.

use core::ops::Range;

use super::polkavm::{MAGIC, VERSION_AND_LENGTH, id};
use super::reader::{Reader, Section};
use super::{Program, ProgramError};

/// A section of a PolkaVM container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SectionSpan {
    /// Its number in the format. Sections from 128 on may be skipped by who does not know them: 128 to 130 are debug
    /// information (strings, line programs, their ranges).
    pub id: u8,
    /// What it is.
    pub section: Section,
    /// Where its contents lie in the container.
    pub range: Range<usize>,
}

impl Program {
    /// The sections of a PolkaVM container in their order.
    ///
    /// # Errors
    /// If the bytes are not a PolkaVM container, or end before its end marker. Contents are not looked at.
    pub fn sections(bytes: &[u8]) -> Result<Vec<SectionSpan>, ProgramError> {
        if !bytes.starts_with(MAGIC) {
            return Err(ProgramError::Magic);
        }
        let mut r = Reader::new(bytes, 0, Section::Header);
        r.take(MAGIC.len() + VERSION_AND_LENGTH)?;
        let mut sections = Vec::new();
        loop {
            r.section = Section::Header;
            let id = r.byte()?;
            if id == id::END {
                return Ok(sections);
            }
            let section = named(id).ok_or(ProgramError::UnexpectedSection { id, offset: r.offset() - 1 })?;
            r.section = section;
            let length = r.varint()? as usize;
            let start = r.offset();
            r.take(length)?;
            sections.push(SectionSpan { id, section, range: start..start + length });
        }
    }
}

fn named(id: u8) -> Option<Section> {
    Some(match id {
        id::MEMORY_CONFIG => Section::MemoryConfig,
        id::RO_DATA => Section::ReadOnlyData,
        id::RW_DATA => Section::ReadWriteData,
        id::IMPORTS => Section::Imports,
        id::EXPORTS => Section::Exports,
        id::CODE_AND_JUMP_TABLE => Section::Code,
        id if id & id::OPTIONAL != 0 => Section::Optional,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A container of these sections.
    fn container(sections: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = b"PVM\0\x03\0\0\0\0\0\0\0\0".to_vec();
        for (id, contents) in sections {
            bytes.extend([*id, contents.len() as u8]);
            bytes.extend(*contents);
        }
        bytes.push(0);
        bytes
    }

    #[test]
    fn sections_are_named_and_placed() {
        let sections = Program::sections(&container(&[(1, &[7; 3]), (6, &[]), (128, b"ab")])).unwrap();
        let expected = [
            (1, Section::MemoryConfig, 15..18),
            (6, Section::Code, 20..20),
            (128, Section::Optional, 22..24),
        ];
        assert_eq!(sections, expected.map(|(id, section, range)| SectionSpan { id, section, range }));
    }

    #[test]
    fn what_is_no_container_says_why() {
        let whole = container(&[(6, &[1, 2, 3])]);
        assert_eq!(Program::sections(b"PVN"), Err(ProgramError::Magic));
        for length in 4..whole.len() {
            let error = Program::sections(&whole[..length]).unwrap_err();
            assert!(matches!(error, ProgramError::Truncated { .. }), "{length}: {error}");
        }
        assert_eq!(
            Program::sections(&container(&[(7, &[])])),
            Err(ProgramError::UnexpectedSection { id: 7, offset: 13 })
        );
    }
}
