//! What a node tells its operators: counters and times, which no runtime sees.

use hatchery_primitives::LOG_TARGET;
#[cfg(feature = "node")]
use std::time::Duration;
use std::{fmt, time::Instant};

#[cfg(feature = "node")]
use prometheus::Registered;

/// The metrics of one [`ModuleCache`](crate::ModuleCache) and all managers that compile in it.
///
/// Without a registry, and without the feature `node`, nothing is measured, and no clock is read.
#[derive(Default)]
pub(crate) struct Metrics {
    #[cfg(feature = "node")]
    registered: Option<Registered>,
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "node"), expect(dead_code, reason = "nobody counts without a registry"))]
pub(crate) enum Event {
    /// Code was compiled.
    Compiled { accepted: bool },
    /// A module was found in the cache.
    Hit,
    /// The cache holds this much now.
    CacheHolds { modules: usize, bytes: usize },
    /// An instance begins to live.
    InstanceMade,
    /// An instance is gone.
    InstanceGone,
    /// A call of an export ended.
    Called { gas: u64, end: CallEnd },
    /// This node failed at something.
    HostFailure,
}

/// How a call of an export ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallEnd {
    Finished,
    OutOfGas,
    Trapped,
    InvalidSyscall,
    /// An instance that was prepared or suspended was destroyed or reset, or went with its manager or in a rollback.
    GivenUp,
}

impl Metrics {
    /// Metrics in this registry. If it has some of these names already, that is logged and nothing is measured.
    #[cfg(feature = "node")]
    pub(crate) fn in_registry(registry: &substrate_prometheus_endpoint::Registry) -> Self {
        let registered = Registered::new(registry)
            .inspect_err(|error| {
                tracing::warn!(target: LOG_TARGET, "No virtualization metrics: {error}");
            })
            .ok();
        Self { registered }
    }

    /// The time, if it will be asked for how long something took.
    #[inline]
    pub(crate) fn now(&self) -> Option<Instant> {
        #[cfg(feature = "node")]
        return self.registered.as_ref().map(|_| Instant::now());
        #[cfg(not(feature = "node"))]
        None
    }

    /// Counts an event that did not take time.
    #[inline]
    pub(crate) fn count(&self, event: Event) {
        self.count_since(None, event);
    }

    /// Counts an event that ends now.
    #[inline]
    #[cfg_attr(
        not(feature = "node"),
        expect(clippy::unused_self, reason = "nobody counts without a registry")
    )]
    pub(crate) fn count_since(&self, start: Option<Instant>, event: Event) {
        #[cfg(feature = "node")]
        if let Some(registered) = &self.registered {
            registered.count(start.map_or(Duration::ZERO, |start| start.elapsed()), event);
        }
        #[cfg(not(feature = "node"))]
        let _ = (start, event);
    }

    /// Ends the runtime's call, because this node failed at something, be it that it lacks memory or has a bug. The
    /// executor reports the panic as a failed call, which no other node can take for a result.
    #[cold]
    pub(crate) fn host_failure(&self, task: &str, error: &dyn fmt::Display) -> ! {
        self.count(Event::HostFailure);
        tracing::error!(target: LOG_TARGET, "This node failed to {task}: {error}");
        panic!("this node failed to {task}: {error}");
    }
}

#[cfg(feature = "node")]
mod prometheus {
    use super::{CallEnd, Event};
    use std::time::Duration;
    use substrate_prometheus_endpoint::{
        Counter, CounterVec, Gauge, Histogram, HistogramOpts, Opts, PrometheusError, Registry, U64,
        exponential_buckets, register,
    };

    /// The metrics by name.
    pub(super) struct Registered {
        compilations: CounterVec<U64>,
        compile_seconds: Histogram,
        hits: Counter<U64>,
        cache_modules: Gauge<U64>,
        cache_bytes: Gauge<U64>,
        instances: Gauge<U64>,
        calls: CounterVec<U64>,
        call_seconds: Histogram,
        gas: Counter<U64>,
        host_failures: Counter<U64>,
    }

    impl Registered {
        pub(super) fn new(registry: &Registry) -> Result<Self, PrometheusError> {
            let seconds = |name, help| {
                // From 10 microseconds to 2.6 seconds.
                Histogram::with_opts(
                    HistogramOpts::new(name, help).buckets(exponential_buckets(1e-5, 4.0, 10)?),
                )
            };
            Ok(Self {
                compilations: register(
                    CounterVec::new(
                        Opts::new(
                            "virtualization_compilations_total",
                            "Programs that were compiled, by result",
                        ),
                        &["result"],
                    )?,
                    registry,
                )?,
                compile_seconds: register(
                    seconds("virtualization_compile_seconds", "Time that compiling a program took")?,
                    registry,
                )?,
                hits: register(
                    Counter::new("virtualization_cache_hits_total", "Programs that were compiled before")?,
                    registry,
                )?,
                cache_modules: register(
                    Gauge::new("virtualization_cache_modules", "Compiled programs that are kept")?,
                    registry,
                )?,
                cache_bytes: register(
                    Gauge::new("virtualization_cache_bytes", "Bytes of the compiled programs that are kept")?,
                    registry,
                )?,
                instances: register(
                    Gauge::new("virtualization_instances", "Instances that live")?,
                    registry,
                )?,
                calls: register(
                    CounterVec::new(
                        Opts::new("virtualization_calls_total", "Calls of exports that ended, by how"),
                        &["end"],
                    )?,
                    registry,
                )?,
                call_seconds: register(
                    seconds(
                        "virtualization_call_seconds",
                        "Time from the first run of a call, or of its fork, to its end, the runtime's answers to syscalls included",
                    )?,
                    registry,
                )?,
                gas: register(Counter::new("virtualization_gas_total", "Gas that calls used")?, registry)?,
                host_failures: register(
                    Counter::new(
                        "virtualization_host_failures_total",
                        "Calls into the runtime that this node had to end, for lack of memory or for a bug",
                    )?,
                    registry,
                )?,
            })
        }

        pub(super) fn count(&self, time: Duration, event: Event) {
            match event {
                Event::Compiled { accepted } => {
                    let result = if accepted { "accepted" } else { "refused" };
                    self.compilations.with_label_values(&[result]).inc();
                    self.compile_seconds.observe(time.as_secs_f64());
                }
                Event::Hit => self.hits.inc(),
                Event::CacheHolds { modules, bytes } => {
                    self.cache_modules.set(modules as u64);
                    self.cache_bytes.set(bytes as u64);
                }
                Event::InstanceMade => self.instances.inc(),
                Event::InstanceGone => self.instances.dec(),
                Event::Called { gas, end } => {
                    let end = match end {
                        CallEnd::Finished => "finished",
                        CallEnd::OutOfGas => "out_of_gas",
                        CallEnd::Trapped => "trapped",
                        CallEnd::InvalidSyscall => "invalid_syscall",
                        CallEnd::GivenUp => "given_up",
                    };
                    self.calls.with_label_values(&[end]).inc();
                    self.call_seconds.observe(time.as_secs_f64());
                    self.gas.inc_by(gas);
                }
                Event::HostFailure => self.host_failures.inc(),
            }
        }
    }
}
