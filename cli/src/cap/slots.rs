//! Slots on the command line: `5=vault`, `2=gas:1:100000`.

use std::str::FromStr;

use hatchery_capabilities::{Cap, CapHash, KernelAssist, KernelImage};

use super::error::CapError;
use super::state::State;

/// What is put into a slot of a new instance.
#[derive(Clone, Debug)]
pub(crate) struct SlotArgument {
    slot: u8,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    /// Something with a name or hash.
    Named(String),
    /// A meter with so much gas.
    Gas(u64, u64),
    /// A quota of so many bytes.
    Quota(u64, u64),
    /// A catcher of these markers.
    Catcher(u64, Vec<String>),
}

impl FromStr for SlotArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write SLOT=NAME, SLOT=HASH, SLOT=gas:METER:GAS, SLOT=quota:QUOTA:BYTES or SLOT=catcher:ID:MARKER,..";
        let (slot, content) = text.split_once('=').ok_or(form)?;
        let slot = slot.parse().ok().filter(|&slot| slot != 0).ok_or("slots are 1 to 255")?;
        let parts: Vec<&str> = content.split(':').collect();
        let number = |text: &str| text.parse::<u64>().map_err(|_| form.to_owned());
        let content = match parts[..] {
            ["gas", id, gas] => Content::Gas(number(id)?, number(gas)?),
            ["quota", id, bytes] => Content::Quota(number(id)?, number(bytes)?),
            ["catcher", id, markers] => {
                Content::Catcher(number(id)?, markers.split(',').map(str::to_owned).collect())
            }
            [name] => Content::Named(name.to_owned()),
            _ => return Err(form.to_owned()),
        };
        Ok(Self { slot, content })
    }
}

impl SlotArgument {
    /// The slot and what lies in it.
    pub(super) fn make(&self, state: &mut State) -> Result<(u8, CapHash), CapError> {
        let mut kernel = |image: KernelImage, id| state.cache.put(Cap::Instance(image.instance(id)));
        let cap = match &self.content {
            Content::Named(name) => state.resolve(name)?,
            &Content::Gas(id, gas) => {
                let cap = kernel(KernelImage::Gas, id)?;
                state.assist.set_gas_meter(id, gas);
                cap
            }
            &Content::Quota(id, bytes) => {
                let cap = kernel(KernelImage::Quota, id)?;
                state.assist.set_storage_quota(id, bytes);
                cap
            }
            Content::Catcher(id, markers) => {
                let cap = kernel(KernelImage::YieldCatcher, *id)?;
                for marker in markers {
                    let marker = state.marker(marker)?;
                    state.assist.add_marker(cap, marker);
                }
                cap
            }
        };
        Ok((self.slot, cap))
    }
}
