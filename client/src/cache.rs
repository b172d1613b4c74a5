//! The compiled modules of the process.

use crate::{
    config::ClientConfig,
    constants::EngineRules,
    metrics::{Event, Metrics},
    program::{CodeHash, Program, ProgramError},
};
use hatchery_engine::Engine;
use schnellru::{Limiter, LruMap};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

/// The engine, and the modules that it compiled, by the hash of their code and the rules that they obey.
///
/// Managers share one, so that code that is known already, from another block, fork or thread, is not compiled again.
/// Several requests for the same new code compile it once. When the modules take more bytes than allowed, the ones that
/// were not asked for the longest are dropped.
///
/// No runtime can observe any of this.
pub struct ModuleCache {
    settings: ClientConfig,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
}

struct State {
    /// An engine for each set of rules that was ever asked for: as many as a chain has had.
    engines: Vec<(EngineRules, Engine)>,
    ready: LruMap<ModuleKey, Entry, Bytes>,
    pending: HashMap<ModuleKey, Arc<Pending>>,
    statistics: CacheStatistics,
}

/// What a module is a function of.
type ModuleKey = (CodeHash, EngineRules);

/// A compilation that at least one thread works on or waits for.
type Pending = OnceLock<Result<Arc<Program>, ProgramError>>;

struct Entry {
    program: Arc<Program>,
    /// What the limiter counted for it.
    bytes: usize,
}

/// What a [`ModuleCache`] has done and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// How many times code was compiled, successfully or not.
    pub compiled: u64,
    /// How many requests were answered without compiling.
    pub hits: u64,
    /// How many modules are kept.
    pub modules: usize,
    /// How many bytes they take.
    pub bytes: usize,
}

impl ModuleCache {
    /// A cache for an embedder that does not want the one of the process.
    ///
    /// It costs nothing until something is compiled.
    pub fn new(settings: ClientConfig) -> Self {
        let ready = LruMap::new(Bytes { limit: settings.cache_bytes, used: 0 });
        let state = State {
            engines: Vec::new(),
            ready,
            pending: HashMap::new(),
            statistics: CacheStatistics::default(),
        };
        Self { metrics: Arc::new(settings.metrics()), settings, state: Mutex::new(state) }
    }

    /// What this cache has done and holds.
    pub fn statistics(&self) -> CacheStatistics {
        let state = self.state();
        CacheStatistics { modules: state.ready.len(), bytes: state.ready.limiter().used, ..state.statistics }
    }

    /// The program that `code`, whose hash is given, is under these rules.
    pub(crate) fn compile(
        &self,
        rules: EngineRules,
        hash: CodeHash,
        code: &[u8],
    ) -> Result<Arc<Program>, ProgramError> {
        self.find_or_compile((hash, rules), || {
            let engine = self.engine(rules);
            let start = self.metrics.now();
            let result = Program::compile(&engine, hash, code, &self.metrics).map(Arc::new);
            self.metrics.count_since(start, Event::Compiled { accepted: result.is_ok() });
            result
        })
    }

    fn find_or_compile(
        &self,
        key: ModuleKey,
        compile: impl FnOnce() -> Result<Arc<Program>, ProgramError>,
    ) -> Result<Arc<Program>, ProgramError> {
        if self.settings.cache_bytes == 0 {
            self.state().statistics.count(true);
            return compile();
        }
        let pending = {
            let mut state = self.state();
            if let Some(program) = state.take_ready(&key) {
                self.metrics.count(Event::Hit);
                return Ok(program);
            }
            state.pending.entry(key).or_default().clone()
        };
        // Also when compiling panics, nobody may find what was left pending.
        let finish = Finish { cache: self, key, pending };
        let mut compiled_here = false;
        let result = finish.pending.get_or_init(|| {
            compiled_here = true;
            compile()
        });
        let result = result.clone();
        self.state().statistics.count(compiled_here);
        if !compiled_here {
            self.metrics.count(Event::Hit);
        }
        result
    }

    fn engine(&self, rules: EngineRules) -> Engine {
        let mut state = self.state();
        if let Some((_, engine)) = state.engines.iter().find(|(known, _)| *known == rules) {
            return engine.clone();
        }
        match Engine::new(rules.config().backend(self.settings.backend)) {
            Ok(engine) => {
                state.engines.push((rules, engine.clone()));
                engine
            }
            Err(error) => {
                drop(state);
                self.metrics.host_failure("start the engine", &error)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under the lock between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ModuleCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleCache")
            .field("settings", &self.settings)
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}

impl State {
    /// The module, which now counts as the latest used.
    fn take_ready(&mut self, key: &ModuleKey) -> Option<Arc<Program>> {
        let program = self.ready.get(key)?.program.clone();
        self.statistics.count(false);
        Some(program)
    }
}

impl CacheStatistics {
    fn count(&mut self, compiled: bool) {
        if compiled {
            self.compiled += 1;
        } else {
            self.hits += 1;
        }
    }
}

/// Ends a compilation: what is pending becomes ready.
struct Finish<'a> {
    cache: &'a ModuleCache,
    key: ModuleKey,
    pending: Arc<Pending>,
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        let compiled = self.pending.get().and_then(|result| result.as_ref().ok());
        let entry =
            compiled.map(|program| Entry { program: program.clone(), bytes: program.most_resident_bytes() });
        let mut state = self.cache.state();
        // Of the threads that worked on it or waited for it, the first one to come here moves it.
        if state.pending.get(&self.key).is_some_and(|current| Arc::ptr_eq(current, &self.pending)) {
            state.pending.remove(&self.key);
            if let Some(entry) = entry {
                state.ready.insert(self.key, entry);
                let holds =
                    Event::CacheHolds { modules: state.ready.len(), bytes: state.ready.limiter().used };
                self.cache.metrics.count(holds);
            }
        }
    }
}

/// Limits a map by the bytes of its modules.
struct Bytes {
    limit: usize,
    used: usize,
}

impl Limiter<ModuleKey, Entry> for Bytes {
    type KeyToInsert<'a> = ModuleKey;
    type LinkType = u32;

    fn is_over_the_limit(&self, _length: usize) -> bool {
        self.used > self.limit
    }

    fn on_insert(&mut self, _length: usize, key: ModuleKey, entry: Entry) -> Option<(ModuleKey, Entry)> {
        // What is too large for the whole cache must not empty it.
        (entry.bytes <= self.limit).then(|| {
            self.used += entry.bytes;
            (key, entry)
        })
    }

    fn on_replace(
        &mut self,
        _length: usize,
        _old_key: &mut ModuleKey,
        _new_key: ModuleKey,
        old: &mut Entry,
        new: &mut Entry,
    ) -> bool {
        let fits = new.bytes <= self.limit;
        if fits {
            self.used = self.used - old.bytes + new.bytes;
        }
        fits
    }

    fn on_removed(&mut self, _key: &mut ModuleKey, entry: &mut Entry) {
        self.used -= entry.bytes;
    }

    fn on_cleared(&mut self) {
        self.used = 0;
    }

    fn on_grow(&mut self, _bytes_of_the_map_itself: usize) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConsensusConstants;
    use std::{panic::catch_unwind, sync::Barrier, thread};

    fn cache() -> ModuleCache {
        ModuleCache::new(ClientConfig::default())
    }

    fn key(code: &[u8]) -> ModuleKey {
        (CodeHash::of(code), ConsensusConstants::v1().engine_rules())
    }

    fn failure() -> Result<Arc<Program>, ProgramError> {
        Err(ProgramError::SymbolTooLong { index: 0, length: 33 })
    }

    #[test]
    fn a_failure_is_told_to_everyone_who_waits_for_it() {
        let cache = cache();
        let compiling = Barrier::new(2);
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                cache.find_or_compile(key(b"code"), || {
                    compiling.wait();
                    // Long enough for the other thread to come and wait. If it is late it finds nothing pending, and
                    // the test fails.
                    while cache.state().pending.values().all(|pending| Arc::strong_count(pending) < 3) {
                        thread::yield_now();
                    }
                    failure()
                })
            });
            compiling.wait();
            let second = cache.find_or_compile(key(b"code"), || panic!("it is being compiled already"));
            assert_eq!(first.join().unwrap().unwrap_err(), failure().unwrap_err());
            assert_eq!(second.unwrap_err(), failure().unwrap_err());
        });
        assert_eq!((cache.statistics().compiled, cache.statistics().hits), (1, 1));
        assert!(cache.state().pending.is_empty());
    }

    #[test]
    fn a_compilation_that_panics_leaves_nothing_behind() {
        let cache = cache();
        let panics = std::panic::AssertUnwindSafe(|| cache.find_or_compile(key(b"code"), || panic!("a bug")));
        assert!(catch_unwind(panics).is_err());
        assert!(cache.state().pending.is_empty());
        assert_eq!(cache.find_or_compile(key(b"code"), failure).unwrap_err(), failure().unwrap_err());
    }

    #[test]
    fn code_that_differs_is_compiled_for_itself() {
        let cache = cache();
        cache.find_or_compile(key(b"a"), failure).unwrap_err();
        cache.find_or_compile(key(b"b"), failure).unwrap_err();
        assert_eq!(cache.statistics().compiled, 2);
    }
}
