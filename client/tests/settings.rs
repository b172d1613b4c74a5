//! The settings of the process. They can be installed once, so this is the only test of its process.

mod common;

use common::{counter, padded};
use hatchery_client::{AlreadyInstalled, ClientConfig, VirtManager};
use hatchery_primitives::VirtManagerBackend;

#[test]
fn settings_are_installed_once_and_before_the_first_compilation() {
    let untouched = VirtManager::default();
    assert_eq!(ClientConfig::default().install(), Ok(()), "a manager that has done nothing does not matter");
    drop(untouched);
    assert_eq!(ClientConfig::default().install(), Err(AlreadyInstalled));
    assert!(VirtManager::default().compile(counter(), None).is_ok());
    assert!(VirtManager::default().compile(&padded(1, 0), None).is_ok());
    assert_eq!(ClientConfig::default().install(), Err(AlreadyInstalled));
    assert!(AlreadyInstalled.to_string().contains("before anything is compiled"));
}
