//! Where modules come from: bytes, identifiers, storage.

use super::{
    super::virtualization::{CompileStatus, Module},
    driver::{counter_syscall, drive, instantiate_failure, module_failure},
};
use crate::outcome::{Answer, Call, End, Request, Run, Transaction};
use alloc::vec::Vec;

/// Makes the requests in order, and proves each module that it gets by calling `export` on a new instance.
pub fn modules(requests: Vec<Request>, export: Vec<u8>) -> Vec<Answer> {
    let compiled = |(module, status)| match status {
        CompileStatus::Cached => Answer::Cached(prove(&module, &export)),
        CompileStatus::Compiled => Answer::Compiled(prove(&module, &export)),
    };
    let answer = |request| match request {
        Request::FromBytes { program, identifier } => Module::from_bytes(&program, identifier.as_deref())
            .map_or_else(|error| Answer::Refused(module_failure(error)), compiled),
        Request::Lookup { identifier } => Module::lookup(&identifier).map_or_else(
            |error| Answer::Refused(module_failure(error)),
            |module| Answer::Found(prove(&module, &export)),
        ),
        Request::FromStorageKey { key, child_trie } => Module::from_storage_key(&key, &child_trie)
            .map_or_else(|error| Answer::Refused(module_failure(error)), compiled),
        Request::Store { key, value } => {
            sp_io::storage::set(&key, &value);
            Answer::Done
        }
        Request::StoreInChild { child_trie, key, value } => {
            sp_io::default_child_storage::set(&child_trie, &key, &value);
            Answer::Done
        }
        Request::Transaction(transaction) => {
            transact(transaction);
            Answer::Done
        }
    };
    requests.into_iter().map(answer).collect()
}

/// Opens or closes a storage layer.
pub(super) fn transact(transaction: Transaction) {
    match transaction {
        Transaction::Start => sp_io::storage::start_transaction(),
        Transaction::Commit => sp_io::storage::commit_transaction(),
        Transaction::Rollback => sp_io::storage::rollback_transaction(),
    }
}

fn prove(module: &Module, export: &[u8]) -> Run {
    let call = Call { export: export.to_vec(), gas: i64::MAX, a0: 0 };
    match module.instantiate() {
        Ok(instance) => drive(instance, &call, &mut 0, counter_syscall).0,
        Err(error) => Run {
            end: End::NotInstantiated(instantiate_failure(error)),
            gas_left: None,
            counter: 0,
            syscalls: Vec::new(),
        },
    }
}
