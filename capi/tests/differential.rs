//! The guests through the C functions and through the engine's own: exits, registers, memory, gas, pc at every stop.

use hatchery_engine::{Backend, Config, Engine, Exit, GasModel, Instance, InstructionSet, Reg};
use pvm::constants::*;
use pvm::safe;

/// Guest, export, arguments, gas. What calls its host is answered by the number of the call.
const RUNS: [(&str, &str, &[u64], u64); 12] = [
    ("fib", "fib", &[12], 1_000_000),
    ("fib", "fib_loop", &[1000], 1_000_000),
    ("fib", "fib_loop", &[1000], 300),
    ("primes", "primes", &[5000], 1_000_000),
    ("integers", "simulate", &[20], 10_000_000),
    ("sha256", "hash_zeros", &[100], 10_000_000),
    ("heap", "churn", &[30], 10_000_000),
    ("syscalls", "round_trips", &[50], 1_000_000),
    ("syscalls", "six_arguments", &[1, 2, 3, 4, 5, 6], 1_000_000),
    ("traps", "load_null", &[], 1_000_000),
    ("traps", "store_read_only", &[], 1_000_000),
    ("traps", "jump_outside", &[], 1_000_000),
];

#[test]
fn guests_do_the_same_through_c() {
    for (guest, export, arguments, gas) in RUNS {
        let file = format!("{}/../guests/blobs/jam-v1/{guest}.polkavm", env!("CARGO_MANIFEST_DIR"));
        let blob = std::fs::read(file).unwrap();
        for (number, backend) in
            [(PVM_BACKEND_INTERPRETER, Backend::Interpreter), (PVM_BACKEND_RECOMPILER, Backend::Recompiler)]
        {
            if pvm::config::pvm_backend_available(number) == 0 {
                continue;
            }
            for (model_number, (name, model)) in GasModel::NAMED.into_iter().enumerate().take(3) {
                let engine =
                    Engine::new(Config::default().gas_model(model).backend(backend).faults_to_host(true))
                        .unwrap();
                let mut instance = engine.compile(&blob).unwrap().instantiate();
                instance.prepare(export, arguments).unwrap();
                instance.set_gas(gas as i64);

                let mut config = safe::configuration(PVM_PROFILE_GRAY_PAPER_0_8).unwrap();
                config.backend = number;
                config.gas_model = model_number as u32;
                let program = safe::Program::from_polkavm(&config, &blob).unwrap();
                let mut machine = program.instantiate().unwrap();
                machine.prepare(program.export(export).unwrap(), arguments).unwrap();
                machine.set_gas(gas).unwrap();
                same(&format!("{guest} {export} {name} {backend:?}"), &mut instance, &mut machine);
            }
        }
    }
}

fn same(name: &str, instance: &mut Instance, machine: &mut safe::Machine) {
    let map = *instance.module().memory_map();
    for stop in 0.. {
        assert!(stop < 1000, "{name} does not end");
        let (exit, result) = (instance.run().unwrap(), machine.resume().unwrap());
        let info = machine.exit().unwrap();
        let place = format!("{name}, stop {stop}: {exit:?} and {info:?}");
        let expected = match exit {
            Exit::Finished => PVM_RESULT_OK,
            Exit::Syscall(_) => PVM_RESULT_HOST_CALL,
            Exit::OutOfGas => PVM_RESULT_OOG,
            Exit::Trap(_) => PVM_RESULT_PANIC,
            Exit::PageFault(_) => PVM_RESULT_FAULT,
            Exit::Paused => PVM_RESULT_PAUSED,
        };
        assert_eq!((result, info.result), (expected, expected), "{place}");
        assert_eq!((instance.pc().0, instance.gas() as u64), (info.pc, info.gas), "{place}");
        for reg in Reg::ALL {
            assert_eq!(instance.reg(reg), machine.register(reg as u8), "{place}: {reg}");
        }
        for range in [map.ro_data(), map.rw_data(), map.stack()] {
            let mut bytes = [vec![0; range.len()], vec![0; range.len()]];
            instance.memory().read(range.start, &mut bytes[0]).unwrap();
            machine.read(range.start, &mut bytes[1]).unwrap();
            assert!(bytes[0] == bytes[1], "{place}: memory at {range:x?}");
        }
        match exit {
            Exit::Syscall(number) => {
                assert_eq!(info.host_call, number, "{place}");
                instance.set_reg(Reg::A0, number.into());
                machine.set_register(Reg::A0 as u8, number.into()).unwrap();
            }
            Exit::PageFault(fault) => {
                assert_eq!((info.page_address, info.address), (fault.page_address, fault.address), "{place}");
                return;
            }
            Exit::Trap(trap) => return assert_eq!(info.trap, trap.kind as u32, "{place}"),
            _ => return,
        }
    }
}

/// The numbers of the interface are the engine's.
#[test]
fn numbers_of_sets_and_models_are_the_engines() {
    let sets = [
        PVM_ISA_REVIVE_V1,
        PVM_ISA_JAM_V1,
        PVM_ISA_LATEST32,
        PVM_ISA_LATEST64_BITMASK,
        PVM_ISA_GRAY_PAPER_0_7,
        PVM_ISA_LATEST64_EXTENDED,
    ];
    assert_eq!(sets, InstructionSet::ALL.map(|set| set as u32));
    let models = [
        ("flat", PVM_GAS_FLAT),
        ("pipeline-l1", PVM_GAS_PIPELINE_L1),
        ("pipeline-l2", PVM_GAS_PIPELINE_L2),
        ("pipeline-l3", PVM_GAS_PIPELINE_L3),
        ("pipeline-l1-v037", PVM_GAS_PIPELINE_L1_V037),
        ("pipeline-l2-v037", PVM_GAS_PIPELINE_L2_V037),
        ("pipeline-l3-v037", PVM_GAS_PIPELINE_L3_V037),
    ];
    for (number, (name, _)) in GasModel::NAMED.into_iter().enumerate() {
        assert_eq!(models[number], (name, number as u32));
    }
}
