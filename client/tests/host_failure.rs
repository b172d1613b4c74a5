//! A node that lacks memory fails the call. It is never told as the guest's failure.
//!
//! The test starts itself again with little address space, in which an instance's window cannot be mapped.

#![cfg(unix)]

mod common;

use common::{counter, counter_revive};
use hatchery_client::{Backend, ClientConfig, InstallError, ModuleCache, VirtManager};
use hatchery_primitives::{ExecBuffer, VirtManagerBackend};
use std::{
    env,
    io::{BufRead, BufReader, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process::{Command, Stdio},
    sync::Arc,
};
use substrate_prometheus_endpoint::{Registry, prometheus::proto::MetricFamily};

/// Set in the process that has little address space.
const STARVED: &str = "HATCHERY_TEST_STARVED";

#[test]
fn lack_of_memory_ends_the_call_and_is_no_result() {
    if env::var_os(STARVED).is_some() {
        return starved();
    }
    let this = env::current_exe().expect("this program has a path");
    // 1 GiB, where a window takes more than 4.
    let script =
        "ulimit -v 1048576 && exec \"$0\" --exact lack_of_memory_ends_the_call_and_is_no_result --nocapture";
    let output =
        Command::new("sh").args(["-c", script]).arg(this).env(STARVED, "1").output().expect("sh is there");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("starved: as expected"), "{text}");
}

fn starved() {
    let registry = Registry::new();
    let cache = Arc::new(ModuleCache::new(ClientConfig::default().prometheus_registry(registry.clone())));
    let mut manager = VirtManager::default().with_cache(cache);
    // To compile and to instantiate takes little.
    let module = manager.compile(counter(), None).unwrap();
    let instance = manager.instantiate(module).unwrap();
    manager.prepare(instance, b"counter").unwrap();
    let run =
        catch_unwind(AssertUnwindSafe(|| manager.run(instance, 1_000_000, 0, &mut ExecBuffer::default())));
    let panic = run.expect_err("not a result of the guest");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("this node failed to run a program"), "{message}");
    assert_eq!(counted(&registry, "virtualization_host_failures_total"), 1.0);
    println!("starved: as expected");
}

/// What is counted under this name, all labels together.
fn counted(registry: &Registry, name: &str) -> f64 {
    let families = registry.gather();
    let metrics = families.iter().filter(|family| family.get_name() == name);
    metrics.flat_map(MetricFamily::get_metric).map(|metric| metric.get_counter().get_value()).sum()
}

/// Set in the process that gets no pages for native code.
const WITHOUT_PAGES: &str = "HATCHERY_TEST_WITHOUT_PAGES";

/// The program is not at fault, and others compile it: `InvalidImage` would be a result that only this node gives.
#[test]
fn lack_of_pages_for_native_code_is_not_an_invalid_program() {
    if !Backend::AVAILABLE.contains(&Backend::Recompiler) {
        return;
    }
    if env::var_os(WITHOUT_PAGES).is_some() {
        return without_pages();
    }
    let this = env::current_exe().expect("this program has a path");
    let output = Command::new(this)
        .args(["--exact", "lack_of_pages_for_native_code_is_not_an_invalid_program", "--nocapture"])
        .env(WITHOUT_PAGES, "1")
        // To read one's own symbols takes pages too.
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("this program can be started");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("without pages: as expected"), "{text}");
}

fn without_pages() {
    // A process that cannot map pages cannot start another one either, so who limits it is there before.
    let script = "while read -r bytes; do prlimit --pid \"$PPID\" --as=\"$bytes:\" && echo done; done";
    let mut limiter = Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sh is there");
    let mut orders = limiter.stdin.take().expect("it is piped");
    let mut answers = BufReader::new(limiter.stdout.take().expect("it is piped"));
    let mut limit = |bytes: &str| {
        writeln!(orders, "{bytes}").expect("the shell reads");
        let mut answer = String::new();
        answers.read_line(&mut answer).expect("the shell answers");
        assert_eq!(answer, "done\n", "prlimit, of util-linux, is there");
    };

    let registry = Registry::new();
    let config = ClientConfig::default().backend(Backend::Recompiler).prometheus_registry(registry.clone());
    let cache = Arc::new(ModuleCache::new(config));
    let mut manager = VirtManager::default().with_cache(cache.clone());
    manager.compile(counter(), None).expect("there are pages");

    // Small allocations are served from what the process has.
    limit("1");
    let config = ClientConfig::default().backend(Backend::Recompiler);
    let error = config.check().expect_err("there are no pages to try it with");
    assert_eq!(config.install(), Err(InstallError::Engine(error)));
    let compiled = catch_unwind(AssertUnwindSafe(|| manager.compile(counter_revive(), None)));
    limit("unlimited");

    let panic = compiled.expect_err("not a result of the program");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("this node failed to compile a program"), "{message}");
    assert_eq!(counted(&registry, "virtualization_host_failures_total"), 1.0);
    assert_eq!(counted(&registry, "virtualization_compilations_total"), 1.0, "it was not refused");
    // Nothing is left of it for those who ask next.
    assert!(VirtManager::default().with_cache(cache).compile(counter_revive(), None).is_ok());
    println!("without pages: as expected");
    drop(orders);
    limiter.wait().expect("the shell ends");
}
