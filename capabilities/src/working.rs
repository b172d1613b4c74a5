//! Capabilities that are being worked on: they have no hash yet, are counted, and are copied when one of several holders
//! changes its own.

use core::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::body::Resting;
use crate::cnode::CNode;
use crate::hash::CapHash;

/// A holder of a capability that is being worked on. The capability goes away with its last holder.
///
/// It is a value: what one holder changes, the others do not see.
#[derive(Clone)]
pub struct CapRef(Arc<Entry>);

struct Entry {
    content: Working,
    ticket: Ticket,
    /// Its hash, once it was settled and as long as nothing in it changes.
    hash: OnceLock<CapHash>,
}

/// A copy is made to be changed: it has no hash.
impl Clone for Entry {
    fn clone(&self) -> Self {
        Self { content: self.content.clone(), ticket: self.ticket.clone(), hash: OnceLock::new() }
    }
}

/// What can be worked on.
#[derive(Clone)]
pub(crate) enum Working {
    /// A node.
    CNode(CNode),
    /// An instance. It is never changed: a call works on a copy.
    Instance(Arc<Resting>),
}

/// Counts the entries that exist.
#[derive(Clone, Default, Debug)]
pub(crate) struct Counter(Arc<Counts>);

#[derive(Default, Debug)]
struct Counts {
    live: AtomicUsize,
    next: AtomicU64,
}

/// One of the counted entries.
struct Ticket {
    id: u64,
    counter: Counter,
}

impl CapRef {
    pub(crate) fn new(content: Working, counter: &Counter) -> Self {
        Self(Arc::new(Entry { content, ticket: counter.ticket(), hash: OnceLock::new() }))
    }

    /// Its number, for display. Copies made for a change have another.
    pub fn id(&self) -> u64 {
        self.0.ticket.id
    }

    /// How many hold it.
    pub fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// What is being worked on in it.
    pub(crate) fn inner(&self) -> impl Iterator<Item = &Self> {
        match &self.0.content {
            Working::CNode(node) => node,
            Working::Instance(instance) => instance.root(),
        }
        .working()
    }

    /// The capabilities with a hash that it names.
    pub(crate) fn named(&self) -> Vec<CapHash> {
        let (node, image) = match &self.0.content {
            Working::CNode(node) => (node, None),
            Working::Instance(instance) => (instance.root(), Some(instance.image())),
        };
        node.iter().filter_map(|(_, cap)| cap.hash()).chain(image).collect()
    }

    pub(crate) fn content(&self) -> &Working {
        &self.0.content
    }

    /// The node it is, if it is one.
    pub fn cnode(&self) -> Option<&CNode> {
        match &self.0.content {
            Working::CNode(node) => Some(node),
            Working::Instance(_) => None,
        }
    }

    /// The node it is, to be changed, which others do not see.
    pub fn cnode_mut(&mut self) -> Option<&mut CNode> {
        self.cnode()?;
        let entry = Arc::make_mut(&mut self.0);
        entry.hash.take();
        match &mut entry.content {
            Working::CNode(node) => Some(node),
            Working::Instance(_) => None,
        }
    }

    /// Its hash, if it was settled as it is now. What it holds has not changed since either: to change it is to change its holder.
    pub(crate) fn settled(&self) -> Option<CapHash> {
        self.0.hash.get().copied()
    }

    pub(crate) fn note_settled(&self, hash: CapHash) {
        // Whoever was faster has found the same.
        let _ = self.0.hash.set(hash);
    }
}

impl PartialEq for CapRef {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for CapRef {}

impl fmt::Debug for CapRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.id())
    }
}

/// Drops all of them and what only they hold, without recursion.
pub(crate) fn drop_all(refs: impl Iterator<Item = CapRef>) {
    let mut dropping: Vec<CapRef> = refs.collect();
    while let Some(working) = dropping.pop() {
        let Some(entry) = Arc::into_inner(working.0) else { continue };
        match entry.content {
            Working::CNode(node) => dropping.extend(node.into_working()),
            Working::Instance(instance) => {
                dropping.extend(
                    Arc::into_inner(instance).into_iter().flat_map(|it| it.into_root().into_working()),
                );
            }
        }
    }
}

impl Counter {
    /// How many there are.
    pub(crate) fn live(&self) -> usize {
        self.0.live.load(Ordering::Relaxed)
    }

    fn ticket(&self) -> Ticket {
        self.0.live.fetch_add(1, Ordering::Relaxed);
        Ticket { id: self.0.next.fetch_add(1, Ordering::Relaxed), counter: self.clone() }
    }
}

impl Clone for Ticket {
    fn clone(&self) -> Self {
        self.counter.ticket()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.counter.0.live.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(counter: &Counter) -> CapRef {
        CapRef::new(Working::CNode(CNode::root()), counter)
    }

    #[test]
    fn copies_diverge() {
        let counter = Counter::default();
        let mut a = node(&counter);
        let b = a.clone();
        assert_eq!((a.holders(), counter.live()), (2, 1));
        a.cnode_mut().unwrap().set(1, Some(CapHash([1; 32]))).unwrap();
        assert_eq!((a.cnode().unwrap().filled(), b.cnode().unwrap().filled()), (1, 0));
        assert_eq!((a.holders(), b.holders(), counter.live()), (1, 1, 2));
        drop((a, b));
        assert_eq!(counter.live(), 0);
    }

    #[test]
    fn a_hash_is_forgotten_when_what_it_is_of_changes() {
        let counter = Counter::default();
        let mut a = node(&counter);
        a.note_settled(CapHash([7; 32]));
        let b = a.clone();
        a.cnode_mut().unwrap();
        assert_eq!((a.settled(), b.settled()), (None, Some(CapHash([7; 32]))));
        let mut b = b;
        b.cnode_mut().unwrap();
        assert_eq!(b.settled(), None, "changed in place");
    }

    #[test]
    fn a_sole_holder_changes_it_in_place() {
        let counter = Counter::default();
        let mut a = node(&counter);
        let id = a.id();
        a.cnode_mut().unwrap().set(1, Some(CapHash([1; 32]))).unwrap();
        assert_eq!((a.id(), counter.live()), (id, 1));
    }

    #[test]
    fn a_million_nodes_in_each_other_are_dropped() {
        let counter = Counter::default();
        let mut inner = node(&counter);
        for _ in 0..1_000_000 {
            let mut outer = CNode::nothing();
            outer.set(0, Some(inner)).unwrap();
            inner = CapRef::new(Working::CNode(outer), &counter);
        }
        assert_eq!(counter.live(), 1_000_001);
        drop_all([inner].into_iter());
        assert_eq!(counter.live(), 0);
    }
}
