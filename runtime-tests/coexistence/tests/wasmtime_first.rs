//! wasmtime installs its signal handler first, the engine's comes before it in the chain.

use hatchery_coexistence_tests::{Guest, Wasm, exercise_after_fork, exercise_on_threads};
use wasmtime::{Instance, Module, Store, Trap};

#[test]
fn wasmtime_comes_first() {
    let wasm = Wasm::default();
    // Its handler is there when it has trapped once, before there is any engine of ours.
    let engine = wasmtime::Engine::default();
    let module =
        Module::new(&engine, r#"(module (memory 1) (func (export "f") (drop (i32.load (i32.const -8)))))"#);
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module.unwrap(), &[]).unwrap();
    let f = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    assert_eq!(f.call(&mut store, ()).unwrap_err().downcast::<Trap>().unwrap(), Trap::MemoryOutOfBounds);
    let module = Guest::module();
    exercise_on_threads(&wasm, &module);
    exercise_after_fork(&wasm, &module);
}
