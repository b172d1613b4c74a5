//! The cache of compiled modules, seen through managers and its statistics.

mod common;

use common::{counter, padded};
use hatchery_client::{CacheStatistics, ClientConfig, ModuleCache, VirtManager};
use hatchery_primitives::{CacheKey, ModuleError, VirtManagerBackend};
use std::{
    sync::{Arc, Barrier},
    thread,
};

fn cache_of(bytes: usize) -> Arc<ModuleCache> {
    Arc::new(ModuleCache::new(ClientConfig::default().cache_bytes(bytes)))
}

/// Compiles with a fresh manager, as each block does.
fn compile(cache: &Arc<ModuleCache>, code: &[u8]) {
    VirtManager::default().with_cache(cache.clone()).compile(code, None).unwrap();
}

/// The bytes that the cache counts for a module of this code.
fn bytes_of(code: &[u8]) -> usize {
    let cache = cache_of(usize::MAX);
    compile(&cache, code);
    cache.statistics().bytes
}

fn compiled_and_hits(cache: &ModuleCache) -> (u64, u64) {
    let CacheStatistics { compiled, hits, .. } = cache.statistics();
    (compiled, hits)
}

#[test]
fn known_code_is_compiled_once_whatever_its_key_and_manager() {
    let cache = cache_of(usize::MAX);
    compile(&cache, counter());
    assert_eq!(compiled_and_hits(&cache), (1, 0));
    let mut manager = VirtManager::default().with_cache(cache.clone());
    manager.compile(counter(), None).unwrap();
    manager.compile(counter(), Some(CacheKey::Identifier(b"id"))).unwrap();
    assert_eq!(compiled_and_hits(&cache), (1, 2));
    compile(&cache, &padded(1, 0));
    assert_eq!(compiled_and_hits(&cache), (2, 2));
    assert_eq!(cache.statistics().modules, 2);
}

#[test]
fn what_is_cached_here_is_not_cached_for_the_runtime() {
    let cache = cache_of(usize::MAX);
    VirtManager::default()
        .with_cache(cache.clone())
        .compile(counter(), Some(CacheKey::Identifier(b"id")))
        .unwrap();
    let mut next_block = VirtManager::default().with_cache(cache);
    assert_eq!(next_block.lookup(CacheKey::Identifier(b"id")), Err(ModuleError::NotCached));
}

#[test]
fn the_module_not_used_for_the_longest_makes_room() {
    let [a, b, c] = [1, 2, 3].map(|mark| padded(mark, 100));
    let bytes = bytes_of(&a);
    assert!(bytes > a.len(), "a module takes more than its code: {bytes}");
    assert_eq!([bytes_of(&b), bytes_of(&c)], [bytes; 2]);

    let cache = cache_of(2 * bytes);
    compile(&cache, &a);
    compile(&cache, &b);
    assert_eq!((cache.statistics().modules, cache.statistics().bytes), (2, 2 * bytes));
    compile(&cache, &a);
    compile(&cache, &c);
    assert_eq!((cache.statistics().modules, cache.statistics().bytes), (2, 2 * bytes));
    assert_eq!(compiled_and_hits(&cache), (3, 1));
    compile(&cache, &a);
    compile(&cache, &c);
    assert_eq!(compiled_and_hits(&cache), (3, 3), "the two that were used last are there");
    compile(&cache, &b);
    assert_eq!(compiled_and_hits(&cache), (4, 3), "the third is not");
}

#[test]
fn a_byte_less_and_two_modules_do_not_fit() {
    let [a, b] = [1, 2].map(|mark| padded(mark, 100));
    let bytes = bytes_of(&a);
    let cache = cache_of(2 * bytes - 1);
    compile(&cache, &a);
    compile(&cache, &b);
    assert_eq!((cache.statistics().modules, cache.statistics().bytes), (1, bytes));
}

#[test]
fn a_large_module_makes_room_for_itself_or_is_not_kept() {
    let (small, large) = (padded(1, 10), padded(2, 5_000));
    let cache = cache_of(bytes_of(&large));
    compile(&cache, &small);
    compile(&cache, &large);
    assert_eq!((cache.statistics().modules, cache.statistics().bytes), (1, bytes_of(&large)));

    let cache = cache_of(bytes_of(&large) - 1);
    compile(&cache, &small);
    compile(&cache, &large);
    assert_eq!((cache.statistics().modules, cache.statistics().bytes), (1, bytes_of(&small)));
    compile(&cache, &small);
    assert_eq!(compiled_and_hits(&cache), (2, 1), "what does not fit empties nothing");
}

#[test]
fn with_0_bytes_everything_is_compiled() {
    let cache = cache_of(0);
    compile(&cache, counter());
    compile(&cache, counter());
    assert_eq!(compiled_and_hits(&cache), (2, 0));
    assert_eq!((cache.statistics().modules, cache.statistics().bytes), (0, 0));
}

#[test]
fn garbage_is_not_kept() {
    let cache = cache_of(usize::MAX);
    for _ in 0..2 {
        let result = VirtManager::default()
            .with_cache(cache.clone())
            .compile(b"garbage", Some(CacheKey::Identifier(b"id")));
        assert_eq!(result, Err(ModuleError::InvalidImage));
    }
    assert_eq!(compiled_and_hits(&cache), (2, 0));
    assert_eq!((cache.statistics().modules, cache.statistics().bytes), (0, 0));
}

#[test]
fn a_module_in_use_outlives_its_place_in_the_cache() {
    let [a, b] = [1, 2].map(|mark| padded(mark, 100));
    let cache = cache_of(bytes_of(&a));
    let mut manager = VirtManager::default().with_cache(cache.clone());
    let module = manager.compile(&a, None).unwrap();
    compile(&cache, &b);
    let instance = manager.instantiate(module).unwrap();
    assert_eq!(manager.prepare(instance, b"main"), Ok(()));
}

#[test]
fn threads_that_ask_for_the_same_new_code_share_one_compilation() {
    const THREADS: usize = 8;
    let code = Arc::new(padded(1, 200_000));
    let cache = cache_of(usize::MAX);
    let barrier = Arc::new(Barrier::new(THREADS));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (code, cache, barrier) = (code.clone(), cache.clone(), barrier.clone());
            thread::spawn(move || {
                barrier.wait();
                compile(&cache, &code);
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(compiled_and_hits(&cache), (1, THREADS as u64 - 1));
    assert_eq!(cache.statistics().modules, 1);
}
