//! What is undone when a storage transaction is rolled back.
//!
//! The externalities tell of two kinds of transactions:
//!
//! - *Host*: the node tries something that may not become part of the chain, such as an extrinsic that turns out invalid
//!   while a block is built. Who imports the block never sees it, so after a rollback everything is as if it had not been
//!   tried: modules, instances, identifiers and the ids to come.
//! - *Runtime*: a storage layer of the runtime. The runtime goes on after a rollback and may hold handles made inside, so
//!   modules and instances stay. Identifiers made inside go, like the storage from which their code may have come.
//!
//! The hooks need not be balanced. The first Host transaction begins before a manager is registered, so its end comes
//! without a start: a commit has nothing to do then, and a rollback leads back to the registration. A runtime that
//! traps has its storage layers rolled back without a call, so a Host end first rolls back the Runtime layers in it.
//!
//! For compatibility with upstream, whose manager knows nothing of transactions, the Runtime kind can be ignored. The Host
//! kind never is: if it were, an author's block could be one that nobody can import.

use crate::{identifiers::OwnedKey, instance::Instance, manager::State, program::Program};
use hatchery_primitives::{CacheKey, InstanceId, Refusal, TransactionType};
use std::{collections::BTreeMap, sync::Arc};

/// The open transactions, the innermost last, with what it takes to undo them.
#[derive(Default)]
pub(crate) struct Journal {
    layers: Vec<Layer>,
    /// Which of these are Host transactions.
    hosts: Vec<usize>,
    /// The innermost Host transaction; 0 if there is none.
    host: Serial,
    last_serial: Serial,
    ignores_runtime: bool,
}

/// Tells the Host transactions of one manager apart. None is 0.
pub(crate) type Serial = u64;

struct Layer {
    /// Keys whose module changed, with the module that was there before, in the order of the changes.
    identifiers: Vec<(OwnedKey, Option<Arc<Program>>)>,
    /// In a Host transaction, the rest.
    host: Option<HostLayer>,
}

struct HostLayer {
    serial: Serial,
    /// How many modules there were.
    modules: usize,
    /// Of these, the ones that were released inside, with their indices.
    released: Vec<(usize, Arc<Program>)>,
    /// Why the last request was refused, if it was.
    refusal: Option<Refusal>,
    /// The id that the next instance would have had.
    next_instance: InstanceId,
    /// Instances from before, as they were before their first change. Memory is shared until it is written.
    instances: BTreeMap<InstanceId, Instance>,
}

impl Journal {
    pub(crate) fn new(ignores_runtime: bool) -> Self {
        Self { ignores_runtime, ..Self::default() }
    }

    pub(crate) fn start(&mut self, ty: TransactionType, state: &State) {
        if self.ignores(ty) {
            return;
        }
        let host = ty.is_host().then(|| {
            self.last_serial += 1;
            HostLayer {
                serial: self.last_serial,
                modules: state.modules.len(),
                released: Vec::new(),
                refusal: state.refusal,
                next_instance: state.next_instance.into(),
                instances: BTreeMap::new(),
            }
        });
        if let Some(host) = &host {
            self.hosts.push(self.layers.len());
            self.host = host.serial;
        }
        self.layers.push(Layer { identifiers: Vec::new(), host });
    }

    pub(crate) fn commit(&mut self, ty: TransactionType, state: &mut State) {
        if self.ignores(ty) {
            return;
        }
        let Some(layer) = self.end(ty, state) else { return };
        // What was undone with this layer is now undone with the next one, if there is one.
        if let Some(outer) = self.layers.last_mut() {
            outer.identifiers.extend(layer.identifiers);
        }
        if let (Some(inner), Some(outer)) = (layer.host, self.innermost_host()) {
            for (id, instance) in inner.instances {
                outer.keep(id, || instance);
            }
            for (index, program) in inner.released {
                outer.keep_module(index, program);
            }
        }
    }

    pub(crate) fn rollback(&mut self, ty: TransactionType, state: &mut State) {
        if self.ignores(ty) {
            return;
        }
        match self.end(ty, state) {
            Some(layer) => layer.undo(state),
            None if ty.is_host() => *state = State::default(),
            // Back to where a rollback can lead: the start of the Host transaction around it, or the registration.
            None => match self.layers.last_mut() {
                Some(host) => undo_identifiers(&mut host.identifiers, state),
                None => state.clear_identifiers(),
            },
        }
    }

    /// Call this before an instance changes in any way.
    #[inline]
    pub(crate) fn before_change(&mut self, id: InstanceId, instance: &mut Instance) {
        if instance.noted_in != self.host {
            self.note(id, instance);
        }
    }

    #[cold]
    fn note(&mut self, id: InstanceId, instance: &mut Instance) {
        if let Some(host) = self.innermost_host() {
            host.keep(id, || instance.copy());
        }
        instance.noted_in = self.host;
    }

    /// Takes an instance that the runtime has destroyed.
    pub(crate) fn destroyed(&mut self, id: InstanceId, instance: Instance) {
        if let Some(host) = self.innermost_host() {
            host.keep(id, || instance);
        }
    }

    /// Takes a module that the runtime has released.
    pub(crate) fn released(&mut self, index: usize, program: Arc<Program>) {
        if let Some(host) = self.innermost_host() {
            host.keep_module(index, program);
        }
    }

    /// Call this when a key has a new module, with the one it had before.
    pub(crate) fn changed(&mut self, key: CacheKey<'_>, before: Option<Arc<Program>>) {
        if let Some(layer) = self.layers.last_mut() {
            layer.identifiers.push((OwnedKey::from(key), before));
        }
    }

    /// Takes the layer that ends, if its start was seen.
    fn end(&mut self, ty: TransactionType, state: &mut State) -> Option<Layer> {
        if ty.is_host() {
            while let Some(trapped) = self.layers.pop_if(|layer| layer.host.is_none()) {
                trapped.undo(state);
            }
        }
        let layer = self.layers.pop_if(|layer| layer.host.is_some() == ty.is_host())?;
        if layer.host.is_some() {
            self.hosts.pop();
            self.host = self.innermost_host().map_or(0, |host| host.serial);
        }
        Some(layer)
    }

    fn ignores(&self, ty: TransactionType) -> bool {
        self.ignores_runtime && ty.is_runtime()
    }

    fn innermost_host(&mut self) -> Option<&mut HostLayer> {
        self.layers.get_mut(*self.hosts.last()?)?.host.as_mut()
    }
}

impl Layer {
    fn undo(mut self, state: &mut State) {
        undo_identifiers(&mut self.identifiers, state);
        if let Some(host) = self.host {
            state.truncate_modules(host.modules);
            for (index, program) in host.released {
                state.give_back_module(index, program);
            }
            state.refusal = host.refusal;
            state.undo_instances(host.next_instance, host.instances);
        }
    }
}

impl HostLayer {
    /// Keeps an instance, unless it was made inside or is kept already in an earlier state.
    fn keep(&mut self, id: InstanceId, instance: impl FnOnce() -> Instance) {
        if id < self.next_instance {
            self.instances.entry(id).or_insert_with(instance);
        }
    }

    /// Keeps a module that was released, unless it was made inside.
    fn keep_module(&mut self, index: usize, program: Arc<Program>) {
        if index < self.modules {
            self.released.push((index, program));
        }
    }
}

fn undo_identifiers(changes: &mut Vec<(OwnedKey, Option<Arc<Program>>)>, state: &mut State) {
    for (key, before) in changes.drain(..).rev() {
        state.set_identifier(key.borrowed(), before);
    }
}
