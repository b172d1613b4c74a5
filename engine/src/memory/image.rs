//! The initial memory of a module, shared by its instances.

use super::{Extent, MemoryMap, PAGE_SIZE};
use crate::program::MemoryConfig;

/// Layout and initial contents.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) map: MemoryMap,
    /// Largest number of bytes that may be accessible, heap included.
    pub(crate) memory_limit: u64,
    /// Whether accesses to what is not mapped are the host's to resolve.
    pub(crate) faults_to_host: bool,
    ro_data: Box<[u8]>,
    rw_data: Box<[u8]>,
}

impl Image {
    pub(crate) fn new(
        map: MemoryMap,
        config: &MemoryConfig,
        memory_limit: u64,
        faults_to_host: bool,
    ) -> Self {
        Self {
            map,
            memory_limit,
            faults_to_host,
            ro_data: config.ro_data.as_slice().into(),
            rw_data: config.rw_data.as_slice().into(),
        }
    }

    /// How far memory reaches initially.
    pub(crate) fn extent(&self) -> Extent {
        Extent { heap_top: self.map.heap_base(), auxiliary: 0 }
    }

    /// The initial contents of a page; what is missing up to the page size is zero.
    pub(crate) fn page(&self, page: u32) -> &[u8] {
        let address = page * PAGE_SIZE;
        [(self.map.ro_data().start, &self.ro_data), (self.map.rw_data().start, &self.rw_data)]
            .into_iter()
            .find_map(|(start, data)| {
                let offset = address.checked_sub(start)? as usize;
                let rest = data.get(offset..).filter(|rest| !rest.is_empty())?;
                Some(&rest[..rest.len().min(PAGE_SIZE as usize)])
            })
            .unwrap_or(&[])
    }

    /// The contents of the read-only and the read-write data, as far as they are given.
    pub(crate) fn data(&self) -> [&[u8]; 2] {
        [&self.ro_data, &self.rw_data]
    }

    /// Bytes of host memory that the image takes.
    pub(crate) fn resident_bytes(&self) -> usize {
        self.ro_data.len() + self.rw_data.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_the_data_of_their_section() {
        let config = MemoryConfig {
            ro_data: vec![1; 5000],
            ro_size: 10_000,
            rw_data: vec![2; 10],
            rw_size: 10,
            ..MemoryConfig::default()
        };
        let map = MemoryMap::new(config.ro_size, config.rw_size, config.stack_size, 0).unwrap();
        let image = Image::new(map, &config, u64::MAX, false);
        assert_eq!(image.page(0x10), &[1; 4096]);
        assert_eq!(image.page(0x11), &[1; 904]);
        assert_eq!(image.page(0x12), &[0; 0]);
        assert_eq!(image.page(map.rw_data().start / PAGE_SIZE), &[2; 10]);
        assert_eq!(image.page(0), &[0; 0]);
        assert_eq!(image.page(0xf_ffff), &[0; 0]);
    }
}
