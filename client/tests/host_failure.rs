//! A node that lacks memory fails the call. It is never told as the guest's failure.
//!
//! The test starts itself again with little address space, in which an instance's window cannot be mapped.

#![cfg(unix)]

mod common;

use common::counter;
use hatchery_client::{ClientConfig, ModuleCache, VirtManager};
use hatchery_primitives::{ExecBuffer, VirtManagerBackend};
use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    process::Command,
    sync::Arc,
};
use substrate_prometheus_endpoint::Registry;

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
    let failures = registry.gather().iter().find_map(|family| {
        let counts = family.get_name() == "virtualization_host_failures_total";
        counts.then(|| family.get_metric()[0].get_counter().get_value())
    });
    assert_eq!(failures, Some(1.0));
    println!("starved: as expected");
}
