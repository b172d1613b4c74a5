//! The tests that the design's document brings along, re-authored.

use crate::common::*;
use hatchery_capabilities::*;

/// There it is 1000; here gas is taken for making a program ready, too.
const GIVEN: u64 = 100_000;

#[test]
fn a_new_machine_is_empty() {
    let vm = Vm::new(InProcessAssist::default());
    assert!(vm.call_stack().is_empty());
    assert_eq!(vm.programs(), 0);
}

#[test]
fn a_trap_is_a_fault() {
    each_backend(|world| {
        let instance = world.instance(Code::new().image(), &[]);
        let result = world.call_with(instance, [0; 4], GIVEN);
        let CallResult::Faulted { reason, .. } = &result else { panic!("{result:?}") };
        assert_eq!(reason.status(), CallStatus::Trap);
        assert_eq!(reason.to_string(), "trap instruction at pc 0x0");
        result
    });
}

#[test]
fn operation_0_halts() {
    each_backend(|world| {
        let instance = world.instance(Code::new().reply().image(), &[]);
        let result = world.call_with(instance, [0; 4], GIVEN);
        assert!(matches!(result, CallResult::Halt { return_value: 0, .. }), "{result:?}");
        result
    });
}

#[test]
fn a_reply_is_what_a0_holds() {
    each_backend(|world| {
        let instance = world.instance(Code::new().reply_with(42).image(), &[]);
        let result = world.call_with(instance, [0; 4], GIVEN);
        assert!(matches!(result, CallResult::Halt { return_value: 42, gas_used: 1.., .. }), "{result:?}");
        result
    });
}

#[test]
fn a_call_into_a_child_that_halts_comes_back() {
    each_backend(|world| {
        let child = world.instance(Code::new().reply_with(42).image(), &[]);
        let parent = Code::new().op(Operation::Call, &[9, 0]).reply().image();
        let parent = world.instance(parent, &[(9, child)]);
        let result = world.call_with(parent, [0; 4], 1_000_000);
        assert!(matches!(result, CallResult::Halt { return_value: 42, .. }), "{result:?}");
        result
    });
}

#[test]
fn out_of_gas_is_a_fault_where_nobody_catches_it() {
    each_backend(|world| {
        let code = (0..50).fold(Code::new(), |code, _| code.fallthrough());
        let instance = world.instance(code.image(), &[]);
        let result = world.call_with(instance, [0; 4], 3);
        let CallResult::Faulted { reason: FaultReason::OutOfGas, .. } = &result else { panic!("{result:?}") };
        result
    });
}

#[test]
fn an_entry_point_that_returns_replies() {
    each_backend(|world| {
        let bundle = Manifest::default()
            .build(&std::fs::read("../guests/blobs/jam-v1/fib.polkavm").unwrap(), |_| None)
            .unwrap();
        let instance = bundle.instantiate(&mut world.cache, []).unwrap();
        let endpoint = bundle.image.endpoint(b"fib").unwrap();
        let result = world.vm.invoke(&mut world.cache, instance, endpoint, [20, 0, 0, 0], GAS).unwrap();
        assert!(matches!(result, CallResult::Halt { return_value: 6765, .. }), "{result:?}");
        result
    });
}
