//! The warning that the interface is unstable. It comes once in a process, so this is the only test of its own.

use hatchery_primitives::{LOG_TARGET, Module};
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
};

struct Warnings(Mutex<Vec<String>>);

static WARNINGS: Warnings = Warnings(Mutex::new(Vec::new()));

impl Log for Warnings {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.level() == Level::Warn && record.target() == LOG_TARGET {
            self.0.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[test]
fn a_process_is_warned_once() {
    log::set_logger(&WARNINGS).expect("nobody else sets one");
    log::set_max_level(LevelFilter::Warn);
    for _ in 0..3 {
        let mut externalities = sp_state_machine::BasicExternalities::default();
        externalities.execute_with(|| {
            // Without a manager the calls fail, but only after the warning.
            let _ = catch_unwind(AssertUnwindSafe(|| Module::from_bytes(b"program", None)));
            let _ = catch_unwind(AssertUnwindSafe(|| Module::from_storage_key(b"key", b"")));
        });
    }
    let warnings = WARNINGS.0.lock().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("not part of any stable runtime interface"), "{warnings:?}");
}
