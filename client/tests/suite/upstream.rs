//! Upstream's own test suite and its host tests, over upstream's manager and over ours behind the same host functions.

use crate::common::counter;
use sp_io::TestExternalities;
use sp_storage::ChildInfo;
use sp_virtualization::{
    CompileStatus, Module, ModuleError,
    tests::{GAS_MAX, RunResult, make_handler, run_loop},
};

/// Makes externalities with a fresh manager in them.
type New = fn() -> TestExternalities;

fn with_upstream() -> TestExternalities {
    let mut externalities = TestExternalities::default();
    let manager = sc_virtualization::VirtManager::default();
    externalities.register_extension(sp_virtualization::VirtManagerExt::new(manager));
    externalities
}

fn with_hatchery() -> TestExternalities {
    let mut externalities = TestExternalities::default();
    externalities.register_extension(hatchery_client::UpstreamExt::default());
    externalities
}

/// Runs every test below with each of the two managers.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod upstream {
            $(#[test]
            fn $test() {
                super::$test(super::with_upstream);
            })+
        }

        mod hatchery {
            $(#[test]
            fn $test() {
                super::$test(super::with_hatchery);
            })+
        }
    };
}

on_both!(
    the_suite_passes,
    a_storage_key_finds_what_was_compiled_under_that_identifier,
    lookup_does_not_read_storage,
    the_same_identifier_is_compiled_once,
    nothing_is_cached_without_an_identifier,
    a_program_in_the_main_trie_is_compiled_once,
    a_program_in_a_child_trie_is_compiled,
    garbage_in_storage_is_an_invalid_image,
    managers_share_no_identifiers,
);

/// Runs `counter` of a fresh instance and checks that it counted.
fn assert_counts(module: &Module) {
    let execution = module.instantiate().unwrap().prepare(b"counter").unwrap();
    let mut counter = 0;
    let result = run_loop(execution, &mut { GAS_MAX }, make_handler(&mut counter));
    assert!(matches!(result, RunResult::Ok(_)));
    assert_eq!(counter, 8);
}

/// All of it, with the 793 rounds that 100,000 gas pay for.
fn the_suite_passes(new: New) {
    new().execute_with(|| sp_virtualization::run_tests(counter()));
}

fn a_storage_key_finds_what_was_compiled_under_that_identifier(new: New) {
    new().execute_with(|| {
        assert_eq!(Module::from_bytes(counter(), Some(b"key")).unwrap().1, CompileStatus::Compiled);
        let (module, status) = Module::from_storage_key(b"key", b"").unwrap();
        assert_eq!(status, CompileStatus::Cached);
        assert_counts(&module);
    });
}

fn lookup_does_not_read_storage(new: New) {
    let mut externalities = new();
    externalities.insert(b"stored".to_vec(), counter().to_vec());
    externalities.execute_with(|| {
        assert_eq!(Module::lookup(b"stored").err(), Some(ModuleError::NotCached));
        Module::from_bytes(counter(), Some(b"compiled")).unwrap();
        assert_counts(&Module::lookup(b"compiled").unwrap());
    });
}

fn the_same_identifier_is_compiled_once(new: New) {
    new().execute_with(|| {
        assert_eq!(Module::from_bytes(counter(), Some(b"id")).unwrap().1, CompileStatus::Compiled);
        assert_eq!(Module::from_bytes(counter(), Some(b"id")).unwrap().1, CompileStatus::Cached);
    });
}

fn nothing_is_cached_without_an_identifier(new: New) {
    new().execute_with(|| {
        assert_eq!(Module::from_bytes(counter(), None).unwrap().1, CompileStatus::Compiled);
        assert_eq!(Module::from_storage_key(b"key", b"").err(), Some(ModuleError::NotFound));
        assert_eq!(Module::lookup(b"").err(), Some(ModuleError::NotCached));
    });
}

fn a_program_in_the_main_trie_is_compiled_once(new: New) {
    let mut externalities = new();
    externalities.insert(b"code".to_vec(), counter().to_vec());
    externalities.execute_with(|| {
        for expected in [CompileStatus::Compiled, CompileStatus::Cached] {
            let (module, status) = Module::from_storage_key(b"code", b"").unwrap();
            assert_eq!(status, expected);
            assert_counts(&module);
        }
    });
}

fn a_program_in_a_child_trie_is_compiled(new: New) {
    let mut externalities = new();
    externalities.insert_child(ChildInfo::new_default(b"child"), b"code".to_vec(), counter().to_vec());
    externalities.execute_with(|| {
        assert_eq!(Module::from_storage_key(b"code", b"").err(), Some(ModuleError::NotFound));
        let (module, status) = Module::from_storage_key(b"code", b"child").unwrap();
        assert_eq!(status, CompileStatus::Compiled);
        assert_counts(&module);
    });
}

fn garbage_in_storage_is_an_invalid_image(new: New) {
    let mut externalities = new();
    externalities.insert(b"code".to_vec(), b"this is no program".to_vec());
    externalities.insert(b"empty".to_vec(), Vec::new());
    externalities.execute_with(|| {
        assert_eq!(Module::from_storage_key(b"code", b"").err(), Some(ModuleError::InvalidImage));
        assert_eq!(Module::from_storage_key(b"empty", b"").err(), Some(ModuleError::InvalidImage));
        // It was not cached as anything.
        assert_eq!(Module::lookup(b"code").err(), Some(ModuleError::NotCached));
    });
}

fn managers_share_no_identifiers(new: New) {
    // Both live.
    let (mut first, mut second) = (new(), new());
    first.execute_with(|| assert!(Module::from_bytes(counter(), Some(b"id")).is_ok()));
    second.execute_with(|| {
        assert_eq!(Module::lookup(b"id").err(), Some(ModuleError::NotCached));
        // The process knows the code by now, which may not show.
        assert_eq!(Module::from_bytes(counter(), Some(b"id")).unwrap().1, CompileStatus::Compiled);
    });
    first.execute_with(|| assert!(Module::lookup(b"id").is_ok()));
    drop(first);
    second.execute_with(|| assert!(Module::lookup(b"id").is_ok()));
}
