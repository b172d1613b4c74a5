//! The settings of the process. They can be installed once, so this is the only test of its process.

mod common;

use common::{counter, padded};
use hatchery_client::{Backend, ClientConfig, EngineError, InstallError, VirtManager};
use hatchery_primitives::VirtManagerBackend;

#[test]
fn settings_are_installed_once_and_before_the_first_compilation() {
    // What is refused leaves things as they are.
    let config = ClientConfig::default().backend(Backend::Recompiler);
    if !Backend::AVAILABLE.contains(&Backend::Recompiler) {
        let error = config.check().expect_err("there is none");
        assert!(matches!(error, EngineError::NoRecompiler { .. }), "{error}");
        assert_eq!(config.install(), Err(InstallError::Engine(error)));
    }
    let untouched = VirtManager::default();
    assert_eq!(ClientConfig::default().install(), Ok(()), "a manager that has done nothing does not matter");
    drop(untouched);
    assert_eq!(ClientConfig::default().install(), Err(InstallError::AlreadyInstalled));
    assert!(VirtManager::default().compile(counter(), None).is_ok());
    assert!(VirtManager::default().compile(&padded(1, 0), None).is_ok());
    assert_eq!(ClientConfig::default().install(), Err(InstallError::AlreadyInstalled));
    assert!(InstallError::AlreadyInstalled.to_string().contains("before anything is compiled"));
}
