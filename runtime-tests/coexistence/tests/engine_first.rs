//! The engine installs its signal handler first, wasmtime's comes before it in the chain.

use hatchery_coexistence_tests::{Guest, Wasm, exercise_after_fork, exercise_on_threads};

#[test]
fn the_engine_comes_first() {
    let module = Guest::module();
    assert_eq!(Guest::new(&module).access(0x3_0000), Some(1));
    assert_eq!(Guest::new(&module).access(0), None);
    let wasm = Wasm::default();
    exercise_on_threads(&wasm, &module);
    exercise_after_fork(&wasm, &module);
}
