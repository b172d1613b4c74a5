//! A store with names, meters and perhaps a paused call.

use std::collections::BTreeMap;
use std::path::Path;

use codec::{Decode, DecodeAll, Encode};
use hatchery_capabilities::{
    CacheDirectory, Cap, CapHash, InProcessAssist, KernelAssist, KernelImage, ParityStore,
};
use hatchery_engine::Backend;

use super::error::CapError;
use super::paused::{Paused, Records};

const NAMES: &str = "names";
/// What the marker of out of gas is called on the command line.
const OUT_OF_GAS: &str = "oog";

/// What lies in a store.
pub(crate) struct State {
    pub(super) cache: CacheDirectory,
    pub(super) assist: InProcessAssist,
    pub(super) backend: Backend,
    names: BTreeMap<String, CapHash>,
    /// What is to be written of a paused call, if that has changed.
    paused: Option<Records>,
}

impl State {
    pub(super) fn open(path: &Path) -> Result<Self, CapError> {
        let cache = CacheDirectory::new(ParityStore::open(path)?);
        let names: BTreeMap<String, CapHash> = record(&cache, NAMES)?.unwrap_or_default();
        let assist = InProcessAssist::load(&cache)?;
        Ok(Self { cache, assist, backend: Backend::Auto, names, paused: None })
    }

    pub(super) const fn names(&self) -> &BTreeMap<String, CapHash> {
        &self.names
    }

    pub(super) fn name(&mut self, name: &str, hash: CapHash) {
        self.names.insert(name.to_owned(), hash);
    }

    /// What has this name, or this hash.
    pub(super) fn resolve(&mut self, name: &str) -> Result<CapHash, CapError> {
        if let Some(&hash) = self.names.get(name) {
            return Ok(hash);
        }
        let unknown = || CapError::Unknown { name: name.to_owned() };
        let hash = name.parse().map_err(|_| unknown())?;
        self.cache.get(hash)?;
        Ok(hash)
    }

    /// As `resolve`, for markers, of which one has a name of its own.
    pub(super) fn marker(&mut self, name: &str) -> Result<CapHash, CapError> {
        if name == OUT_OF_GAS { Ok(KernelImage::OogMarker.hash()) } else { self.resolve(name) }
    }

    /// Makes whoever types commands catch yields of this marker.
    pub(super) fn catch(&mut self, name: &str) -> Result<(), CapError> {
        let marker = self.marker(name)?;
        self.assist.catch(marker);
        Ok(())
    }

    /// The number of an endpoint, by number or name.
    pub(super) fn endpoint(&mut self, instance: CapHash, endpoint: &str) -> Result<u8, CapError> {
        let image = self.cache.instance(instance)?.image_hash;
        let (found, known) = match &*self.cache.get(image)? {
            Cap::Image(image) => {
                let found = image.endpoint(endpoint.as_bytes());
                let names: Vec<_> = image
                    .endpoints
                    .iter()
                    .map(|known| String::from_utf8_lossy(&known.name).into_owned())
                    .collect();
                (found, names.join(", "))
            }
            _ => (None, String::new()),
        };
        let unknown = || CapError::Endpoint { endpoint: endpoint.to_owned(), known };
        found.or_else(|| endpoint.parse().ok()).ok_or_else(unknown)
    }

    /// A capability in words.
    pub(super) fn describe(&mut self, hash: CapHash) -> String {
        if hash == KernelImage::OogMarker.hash() {
            return "out of gas".into();
        }
        if let Some((name, _)) = self.names.iter().find(|(_, named)| **named == hash) {
            return format!("`{name}`");
        }
        match self.cache.instance(hash).ok().and_then(|instance| instance.kernel()) {
            Some((image, id)) => format!("{} {id}", image.label()),
            None => hash.to_string(),
        }
    }

    pub(super) fn paused(&self) -> Result<Option<Paused>, CapError> {
        Paused::load(&self.cache)
    }

    pub(super) fn set_paused(&mut self, paused: Records) {
        self.paused = Some(paused);
    }

    /// Removes what no name, no file and no paused call leads to, and says how much.
    pub(super) fn collect(&mut self) -> Result<usize, CapError> {
        let roots = self.names.values().copied().chain(self.assist.roots());
        Ok(self.cache.collect(roots)?)
    }

    /// Keeps everything.
    pub(super) fn commit(&mut self) -> Result<(), CapError> {
        let names = (NAMES.as_bytes().to_vec(), Some(self.names.encode()));
        let mut records = vec![names, self.assist.record()];
        records.extend(self.paused.take().into_iter().flatten());
        self.cache.commit(records)?;
        Ok(self.cache.sync()?)
    }
}

fn record<T: Decode>(cache: &CacheDirectory, name: &str) -> Result<Option<T>, CapError> {
    let Some(bytes) = cache.record(name.as_bytes())? else { return Ok(None) };
    T::decode_all(&mut &bytes[..]).map(Some).map_err(|_| CapError::Record { name: name.to_owned() })
}
