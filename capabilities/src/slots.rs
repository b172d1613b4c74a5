//! Slots by path: reading, and writing with the rule that what is pinned stays.

use crate::cache::{CacheDirectory, CacheError};
use crate::cap::{Cap, CapHashOrRef};
use crate::cnode::{CNode, SlotError, SlotPath};
use crate::image::Image;

/// Why a slot cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Slot(#[from] SlotError),
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// What the slot at a path holds.
pub(crate) fn read(
    root: &CNode,
    cache: &mut CacheDirectory,
    path: &SlotPath,
) -> Result<Option<CapHashOrRef>, Refused> {
    read_below(root, cache, path, 0)
}

fn read_below(
    node: &CNode,
    cache: &mut CacheDirectory,
    path: &SlotPath,
    step: usize,
) -> Result<Option<CapHashOrRef>, Refused> {
    let steps = path.steps();
    let slot = steps[step];
    in_range(node, path, slot)?;
    let held = node.get(slot);
    if step + 1 == steps.len() {
        return Ok(held.cloned());
    }
    let not_a_node = || SlotError::NotANode { path: *path, step };
    match held.ok_or_else(not_a_node)? {
        CapHashOrRef::Ref(working) => {
            read_below(working.cnode().ok_or_else(not_a_node)?, cache, path, step + 1)
        }
        CapHashOrRef::Hash(hash) => match &*cache.get(*hash)? {
            Cap::CNode(inner) => read_below(inner, cache, path, step + 1),
            _ => Err(not_a_node().into()),
        },
    }
}

/// The node that the slot at a path lies in, to be changed, and the slot's number in it.
pub(crate) fn node_mut<'a>(
    root: &'a mut CNode,
    image: &Image,
    cache: &mut CacheDirectory,
    path: &SlotPath,
) -> Result<(&'a mut CNode, u16), Refused> {
    check_not_pinned(image, path)?;
    let mut node = root;
    let (last, way) = split(path);
    for (step, &slot) in way.iter().enumerate() {
        let not_a_node = || SlotError::NotANode { path: *path, step };
        let held = node.get_mut(slot).ok_or_else(not_a_node)?;
        if let CapHashOrRef::Hash(hash) = held {
            let Cap::CNode(inner) = &*cache.get(*hash)? else { return Err(not_a_node().into()) };
            *held = cache.work_on(inner.clone())?.into();
        }
        let CapHashOrRef::Ref(working) = held else { return Err(not_a_node().into()) };
        node = working.cnode_mut().ok_or_else(not_a_node)?;
    }
    in_range(node, path, last)?;
    Ok((node, last))
}

/// Puts a capability into the slot at a path, or empties it, and gives what it held.
pub(crate) fn write(
    root: &mut CNode,
    image: &Image,
    cache: &mut CacheDirectory,
    path: &SlotPath,
    cap: Option<CapHashOrRef>,
) -> Result<Option<CapHashOrRef>, Refused> {
    let (node, slot) = node_mut(root, image, cache, path)?;
    Ok(node.set(slot, cap)?)
}

/// What is pinned, and what lies below it, can be neither written nor copied nor moved away.
pub(crate) fn check_not_pinned(image: &Image, path: &SlotPath) -> Result<(), SlotError> {
    match image.pinned(path.first()) {
        Some(_) => Err(SlotError::Pinned { path: *path }),
        None => Ok(()),
    }
}

/// How many slots are filled in the nodes below the root on the way to a slot: what may have to be copied where it is written. A
/// function of what lies there, not of who else holds it.
pub(crate) fn filled_on_the_way(
    root: &CNode,
    cache: &mut CacheDirectory,
    path: &SlotPath,
) -> Result<u64, Refused> {
    let mut filled = 0;
    let steps = path.steps();
    for length in 1..steps.len() {
        // A prefix of a path is a path.
        let Ok(way) = SlotPath::new(&steps[..length]) else { break };
        filled += match read(root, cache, &way)? {
            Some(CapHashOrRef::Ref(working)) => working.cnode().map_or(0, CNode::filled),
            Some(CapHashOrRef::Hash(hash)) => match &*cache.get(hash)? {
                Cap::CNode(node) => node.filled(),
                _ => 0,
            },
            None => 0,
        } as u64;
    }
    Ok(filled)
}

fn split(path: &SlotPath) -> (u16, &[u16]) {
    let steps = path.steps();
    (steps[steps.len() - 1], &steps[..steps.len() - 1])
}

fn in_range(node: &CNode, path: &SlotPath, slot: u16) -> Result<(), SlotError> {
    if u32::from(slot) >= node.size() {
        return Err(SlotError::OutOfRange { path: *path, slots: node.size() });
    }
    Ok(())
}
