//! Native code of guests and wasmtime in one process.
//!
//! Both tell by a signal that an access was refused, and a process has one handler for it. Each test of this crate is a process of
//! its own, since the handlers can be installed in one order only once.

#![forbid(unsafe_code)]

use fork::{Fork, fork, waitpid};
use hatchery_engine::program::Program;
use hatchery_engine::{
    Backend, Config, Engine, Exit, GasModel, Instance, InstructionSet, Module, ProgramCounter, Reg, TrapKind,
};
use std::panic::AssertUnwindSafe;
use wasmtime::{Caller, Func, Store, Trap, TypedFunc};

/// Wasm that traps by a signal, that calls its host, and both.
const WASM: &str = r#"
    (module
        (import "host" "call" (func $call (param i64) (result i64)))
        (memory 1)
        (func (export "load") (param i32) (result i64) (i64.load (local.get 0)))
        (func (export "call") (param i64) (result i64) (call $call (local.get 0)))
        (func (export "call_and_load") (param i64 i32) (result i64)
            (i64.add (call $call (local.get 0)) (i64.load (local.get 1)))))
"#;

/// wasmtime, with the module.
#[derive(Debug)]
pub struct Wasm {
    engine: wasmtime::Engine,
    module: wasmtime::Module,
}

impl Default for Wasm {
    fn default() -> Self {
        let engine = wasmtime::Engine::default();
        let module = wasmtime::Module::new(&engine, WASM).expect("the module is valid");
        Self { engine, module }
    }
}

impl Wasm {
    /// An instance, whose host is a guest.
    pub fn instance(&self, module: &Module) -> WasmInstance {
        let mut store = Store::new(&self.engine, Guest::new(module));
        let call = Func::wrap(&mut store, |mut caller: Caller<'_, Guest>, address: i64| {
            caller.data_mut().access(address as u64).map_or(-1, |value| value as i64)
        });
        let instance =
            wasmtime::Instance::new(&mut store, &self.module, &[call.into()]).expect("it instantiates");
        WasmInstance { store, instance }
    }
}

/// An instance of the Wasm module.
#[derive(Debug)]
pub struct WasmInstance {
    store: Store<Guest>,
    instance: wasmtime::Instance,
}

impl WasmInstance {
    /// Loads from Wasm memory, of which there are 64 KiB.
    pub fn load(&mut self, address: i32) -> Result<i64, Trap> {
        let load: TypedFunc<i32, i64> = self.export("load");
        load.call(&mut self.store, address).map_err(|error| error.downcast().expect("a trap"))
    }

    /// Lets the guest access its memory, from a host function of Wasm; -1 if it trapped.
    pub fn call(&mut self, address: i64) -> i64 {
        let call: TypedFunc<i64, i64> = self.export("call");
        call.call(&mut self.store, address).expect("a call does not trap")
    }

    /// The same, then loads from Wasm memory.
    pub fn call_and_load(&mut self, address: i64, load: i32) -> Result<i64, Trap> {
        let both: TypedFunc<(i64, i32), i64> = self.export("call_and_load");
        both.call(&mut self.store, (address, load)).map_err(|error| error.downcast().expect("a trap"))
    }

    fn export<Parameters: wasmtime::WasmParams>(&mut self, name: &str) -> TypedFunc<Parameters, i64> {
        self.instance.get_typed_func(&mut self.store, name).expect("there is this export")
    }
}

/// A guest that adds one to the number at an address in its memory and calls its host with the result.
#[derive(Debug)]
pub struct Guest(Instance);

impl Guest {
    /// The program, compiled to native code.
    pub fn module() -> Module {
        // `a0 = load_indirect_u64 [a1]`, `a0 = add_imm_64 a0, 1`, `store_indirect_u64 [a1] = a0`, `ecalli 7`, `trap`.
        let code = [130, 0x87, 149, 0x77, 1, 123, 0x87, 10, 7, 0];
        let starts = [0usize, 2, 5, 7, 9].iter().fold(0u16, |bits, at| bits | 1 << at).to_le_bytes();
        let raw = [&[0, 0, code.len() as u8][..], &code, &starts].concat();
        let mut program = Program::from_raw(&raw, InstructionSet::Latest64Bitmask).expect("it is a program");
        program.memory.ro_size = 4096;
        program.memory.rw_size = 1 << 20;
        let config = Config::default().gas_model(GasModel::Flat).backend(Backend::Recompiler);
        Engine::new(config).expect("there is a recompiler").compile_program(program).expect("it compiles")
    }

    /// An instance of the program.
    pub fn new(module: &Module) -> Self {
        Self(module.instantiate())
    }

    /// The number at an address, plus one; nothing if there is no memory.
    pub fn access(&mut self, address: u64) -> Option<u64> {
        self.0.prepare_at(ProgramCounter(0), &[0, address]).expect("there are few arguments");
        self.0.set_gas(100);
        match self.0.run().expect("the host has memory") {
            Exit::Syscall(7) => Some(self.0.reg(Reg::A0)),
            Exit::Trap(trap) => {
                assert!(matches!(trap.kind, TrapKind::LowAddress | TrapKind::Unmapped | TrapKind::ReadOnly));
                assert_eq!(trap.pc, if trap.kind == TrapKind::ReadOnly { 5 } else { 0 });
                None
            }
            exit => panic!("{exit:?}"),
        }
    }
}

/// Lets both be refused accesses in all ways in turn.
///
/// # Panics
/// If one of them does not do what it should.
pub fn exercise(wasm: &Wasm, module: &Module) {
    const RW: i64 = 0x3_0000;
    let mut instance = wasm.instance(module);
    for round in 1..=3 {
        for address in [RW, RW + 0x1_0000, RW + 0x7_fffc] {
            // The first access to a page is refused and tried again.
            assert_eq!(instance.call(address), round);
            assert_eq!(instance.call_and_load(address + 0x100, 8), Ok(round));
            assert_eq!(instance.load(0x1_0000), Err(Trap::MemoryOutOfBounds));
            assert_eq!(instance.call_and_load(address + 0x200, -1), Err(Trap::MemoryOutOfBounds));
        }
        for address in [0, 0xfff9, 0x1_0000, 0x2_0000, RW + 0xf_fffc, 0xffff_fffc, -8] {
            assert_eq!(instance.call(address), -1);
            assert_eq!(instance.load(0xffff), Err(Trap::MemoryOutOfBounds));
            assert_eq!(instance.load(16), Ok(0));
        }
    }
}

/// Does that on this thread, on others at the same time, and afterwards on this one again.
///
/// # Panics
/// If one of them does not do what it should.
pub fn exercise_on_threads(wasm: &Wasm, module: &Module) {
    exercise(wasm, module);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| exercise(wasm, module)));
        }
    });
    exercise(wasm, module);
}

/// Does that in a forked process, with engines, handlers and windows that its parent has made and used.
///
/// # Panics
/// If one of them does not do what it should.
pub fn exercise_after_fork(wasm: &Wasm, module: &Module) {
    match fork().expect("the system has processes") {
        Fork::Child => {
            let fine = std::panic::catch_unwind(AssertUnwindSafe(|| exercise(wasm, module)));
            std::process::exit(i32::from(fine.is_err()));
        }
        Fork::Parent(child) => assert_eq!(waitpid(child).expect("there is a child"), 0, "the child is fine"),
    }
    exercise(wasm, module);
}
