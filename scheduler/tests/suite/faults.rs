//! Pages that the embedder provides when they are wanted (`Config::faults_to_host`): a call that was passed one that is not there
//! stops as an access to it does, and is made when it is there, as if it had always been.

use std::collections::BTreeMap;

use crate::common::script::Script;
use crate::common::{PLENTY, blob, seen};
use hatchery_engine::{Backend, Config, Engine, PageFault, Permission, ProgramCounter, Reg, Status as At};
use hatchery_scheduler::{
    Activity, Blobs, FaultKind, Limits, ProcessId, Program, RunMode, Scheduler, Status, Stop, Trace,
};
use polkavm_common_033::program::Reg::{A0, A1, A2, A3, A4, A5};
use polkavm_common_033::program::{InstructionSetKind, asm};
use polkavm_common_033::writer::ProgramBlobBuilder;

const PAGE: u32 = 4096;

/// Each in a page of its own that is not there at first; where it matters, bytes on both sides of the end of a page.
const ENDS: u32 = 0x2000_0ff8;
const IDENTIFIER: u32 = 0x2001_0ffd;
const PARAMETERS: u32 = 0x2002_0ff0;
const CHILD: u32 = 0x2003_0ffc;
const ARGUMENTS: u32 = 0x2004_0000;
const HANDED_ON: u32 = 0x2005_0000;
/// Nothing is written there: there is nothing to list.
const LISTED: u32 = 0x2006_0000;
const LIST_COUNT: u32 = 0x2007_0000;
const BUFFER: u32 = 0x2008_0fff;
const READ_COUNT: u32 = 0x2009_0000;
const STATUS: u32 = 0x200a_0ffe;
const WRITTEN: u32 = 0x200b_0000;
const WRITE_COUNT: u32 = 0x200c_0000;
const OTHER_ARGUMENTS: u32 = 0x200d_0ffe;

/// What the embedder has for the pages.
fn contents() -> BTreeMap<u32, Vec<u8>> {
    let mut script = Script::new(2);
    script.role(1).write_checked(0, 300).read_checked(1, 40).ret(5);
    let mut arguments = script.arguments();
    arguments[1] = 1;
    let parameters = [ARGUMENTS.into(), arguments.len() as u64, HANDED_ON.into(), 2];
    let numbers =
        |numbers: &[u64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let pattern: Vec<u8> = (0..40_u8).map(|at| at.wrapping_mul(7).wrapping_add(2 * 31)).collect();
    let parts = [
        (ENDS, vec![0; 16]),
        (IDENTIFIER, b"cases".to_vec()),
        (PARAMETERS, numbers(&parameters)),
        (CHILD, vec![0; 8]),
        (ARGUMENTS, arguments),
        // The end to write to of the first pipe, the end to read from of the second.
        (HANDED_ON, numbers(&[3, 4])),
        (LIST_COUNT, numbers(&[1])),
        (BUFFER, vec![0; 300]),
        (READ_COUNT, numbers(&[300])),
        (STATUS, vec![0; 8]),
        (WRITTEN, pattern),
        (WRITE_COUNT, numbers(&[40])),
        (OTHER_ARGUMENTS, vec![42, 7, 0, 0]),
    ];
    let mut pages: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for (address, bytes) in parts {
        for (at, byte) in (address..).zip(bytes) {
            pages.entry(at / PAGE * PAGE).or_insert_with(|| vec![0; PAGE as usize])[(at % PAGE) as usize] =
                byte;
        }
    }
    pages
}

/// Calls in a row, each with these arguments. It exits with what the last one returns.
fn program(calls: &[(&str, &[u32])]) -> Vec<u8> {
    let mut blob = ProgramBlobBuilder::new(InstructionSetKind::JamV1);
    blob.set_stack_size(PAGE);
    blob.add_export_by_instruction(0, b"main");
    let mut code = Vec::new();
    for (number, (symbol, arguments)) in (0..).zip(calls) {
        blob.add_import(symbol.as_bytes());
        let with_zeros = arguments.iter().chain(&[0; 6]);
        code.extend(
            [A0, A1, A2, A3, A4, A5]
                .into_iter()
                .zip(with_zeros)
                .map(|(reg, &value)| asm::load_imm(reg, value)),
        );
        code.push(asm::ecalli(number));
    }
    code.push(asm::ret());
    blob.set_code(&code, &[]);
    blob.into_vec().unwrap()
}

/// Every call that is passed memory.
fn all_calls() -> Vec<u8> {
    program(&[
        ("pipe_create", &[ENDS]),
        ("pipe_create", &[ENDS]),
        ("process_spawn", &[IDENTIFIER, 5, 0, 0, PARAMETERS, CHILD]),
        ("process_inherited_fds", &[LISTED, LIST_COUNT]),
        ("pipe_read", &[2, BUFFER, READ_COUNT]),
        ("pipe_write", &[5, WRITTEN, WRITE_COUNT]),
        ("process_wait", &[1, STATUS]),
        ("process_exec", &[IDENTIFIER, 5, 0, 0, OTHER_ARGUMENTS, 4]),
    ])
}

fn source(backend: Backend, calls: &[u8], faults_to_host: bool) -> Blobs {
    let config = Config::default().backend(backend).faults_to_host(faults_to_host);
    let engine = Engine::new(config).unwrap();
    Blobs::new(engine).with("calls", calls).with("cases", blob("process-cases"))
}

fn tree(backend: Backend, calls: &[u8], faults_to_host: bool) -> Scheduler<Blobs> {
    let programs = source(backend, calls, faults_to_host);
    let mut tree = Scheduler::new(programs, Limits::default(), &Program::whole("calls"), &[]).unwrap();
    tree.set_trace(Some(Trace::new(1000)));
    tree
}

/// Provides the page that is missing.
fn provide(tree: &mut Scheduler<Blobs>, pages: &BTreeMap<u32, Vec<u8>>, fault: PageFault) {
    let page = pages.get(&fault.page_address).unwrap_or_else(|| panic!("{fault:?}"));
    let mut memory = tree.current().unwrap().memory_mut();
    memory.protect(fault.page_address, PAGE.into(), Permission::ReadWrite).unwrap();
    memory.write(fault.page_address, page).unwrap();
}

/// What comes of it where all pages are there from the beginning.
fn with_all_pages(backend: Backend) -> crate::common::Seen {
    let mut programs = source(backend, &all_calls(), true);
    let program = Program::whole("calls");
    let module = hatchery_scheduler::ProgramSource::load(
        &mut programs,
        &Program { length: all_calls().len() as u64, ..program.clone() },
    );
    let mut root = module.unwrap().instantiate();
    root.prepare("main", &[]).unwrap();
    let stack = root.module().memory_map().stack().end;
    root.set_reg(Reg::A0, stack.into());
    for (address, page) in contents() {
        root.memory_mut().protect(address, PAGE.into(), Permission::ReadWrite).unwrap();
        root.memory_mut().write(address, &page).unwrap();
    }
    let mut tree = Scheduler::adopt(programs, Limits::default(), &program, root).unwrap();
    tree.set_trace(Some(Trace::new(1000)));
    let stop = tree.run(RunMode::Limit(PLENTY)).unwrap();
    seen(&tree, stop)
}

on_every_backend! {
    fn a_call_waits_for_its_pages(backend) {
        let expected = with_all_pages(backend);
        assert_eq!(expected.stop, Stop::Ended(Status::Exited(7)));
        let pages = contents();
        let mut tree = tree(backend, &all_calls(), true);
        let mut asked = Vec::new();
        let stop = loop {
            let (gas, entries) = (tree.gas_used(), tree.trace().unwrap().count());
            match tree.run(RunMode::Limit(PLENTY)).unwrap() {
                Stop::PageFault { process, fault } => {
                    assert_eq!((process, tree.current_id()), (ProcessId::ROOT, Some(ProcessId::ROOT)));
                    assert_eq!(fault.address / PAGE * PAGE, fault.page_address);
                    assert!(!fault.write_protected);
                    assert_eq!(fault.pc, tree.current().unwrap().pc().0);
                    // It is there as long as nothing is done, and costs nothing.
                    let before = tree.gas_used();
                    let again = tree.run(RunMode::Limit(PLENTY)).unwrap();
                    assert_eq!(again, Stop::PageFault { process, fault });
                    assert_eq!(tree.gas_used(), before);
                    assert_eq!(tree.peek(process).unwrap().activity(), Activity::Runnable);
                    asked.push(fault.page_address);
                    provide(&mut tree, &pages, fault);
                }
                stop => break stop,
            }
            assert!(tree.gas_used() >= gas && tree.trace().unwrap().count() >= entries);
        };
        assert_eq!(seen(&tree, stop), expected);
        // Each page once.
        assert_eq!(asked.len(), pages.len(), "{asked:x?}");
        asked.sort_unstable();
        assert!(asked.iter().eq(pages.keys()));
    }

    /// Cut by limits and suspensions wherever that is possible.
    fn a_call_that_waits_for_a_page_can_be_suspended(backend) {
        let expected = with_all_pages(backend);
        let pages = contents();
        let sources = [backend, Backend::Interpreter].map(|backend| source(backend, &all_calls(), true));
        let mut tree = tree(backend, &all_calls(), true);
        let (mut limit, mut faults) = (0, 0);
        let stop = loop {
            let stop = tree.run(RunMode::Limit(limit)).unwrap();
            assert!(tree.gas_used() <= limit);
            let bytes = tree.suspend();
            let programs = sources[faults % 2].clone();
            let mut resumed = Scheduler::resume(programs, Limits::default(), &bytes).unwrap();
            assert!(resumed.suspend() == bytes);
            assert_eq!(resumed.current_id(), tree.current_id());
            resumed.set_trace(tree.set_trace(None));
            tree = resumed;
            match stop {
                Stop::OutOfGas => limit += 1 + expected.gas / 199,
                Stop::PageFault { fault, .. } => {
                    faults += 1;
                    provide(&mut tree, &pages, fault);
                }
                stop => break stop,
            }
        };
        assert_eq!((seen(&tree, stop), faults), (expected, pages.len()));

        // A tree whose faults are not the embedder's is never in such a state.
        let mut tree = self::tree(backend, &all_calls(), true);
        assert!(matches!(tree.run(RunMode::Limit(PLENTY)), Ok(Stop::PageFault { .. })));
        let other = source(backend, &all_calls(), false);
        assert!(Scheduler::resume(other, Limits::default(), &tree.suspend()).is_err());
    }

    fn what_no_page_can_mend_ends_the_process(backend) {
        let argument = |stop: &Stop| match stop {
            Stop::Ended(Status::Trapped(fault)) => fault.kind == FaultKind::Argument,
            _ => false,
        };
        for address in [16, 0xffff, 0xffff_fffc] {
            let mut tree = tree(backend, &program(&[("pipe_create", &[address])]), true);
            let stop = tree.run(RunMode::Limit(PLENTY)).unwrap();
            assert!(argument(&stop), "{address:#x}: {stop}");
        }
        // The same without faults to the host.
        let mut tree = tree(backend, &all_calls(), false);
        let stop = tree.run(RunMode::Limit(PLENTY)).unwrap();
        assert!(argument(&stop), "{stop}");
    }

    fn a_page_that_may_only_be_read_is_told_apart(backend) {
        let mut tree = tree(backend, &program(&[("pipe_create", &[ENDS])]), true);
        for (permission, page_address) in [
            (Permission::None, ENDS / PAGE * PAGE),
            (Permission::Read, ENDS / PAGE * PAGE),
            (Permission::ReadWrite, (ENDS + 8) / PAGE * PAGE),
        ] {
            if permission != Permission::None {
                let mut memory = tree.current().unwrap().memory_mut();
                memory.protect(ENDS / PAGE * PAGE, PAGE.into(), permission).unwrap();
            }
            let Stop::PageFault { fault, .. } = tree.run(RunMode::Limit(PLENTY)).unwrap() else { panic!() };
            assert_eq!((fault.page_address, fault.write_protected), (page_address, permission == Permission::Read));
        }
    }

    /// As with an instance that is alone: the embedder need not let it try again.
    fn the_embedder_can_make_it_go_on_elsewhere(backend) {
        let mut tree = tree(backend, &program(&[("pipe_create", &[ENDS]), ("process_exit", &[33])]), true);
        let Stop::PageFault { fault, .. } = tree.run(RunMode::Limit(PLENTY)).unwrap() else { panic!() };
        let root = tree.current().unwrap();
        assert!(matches!(root.status(), At::Stopped(hatchery_engine::Exit::Syscall(0))));
        let behind = root.module().code().decode_at(fault.pc).next_pc;
        root.set_pc(ProgramCounter(behind));
        let bytes = tree.suspend();
        assert_eq!(tree.run(RunMode::Limit(PLENTY)).unwrap(), Stop::Ended(Status::Exited(33)));
        assert_eq!(tree.open_descriptors(), 0);
        let programs = source(backend, &program(&[("pipe_create", &[ENDS]), ("process_exit", &[33])]), true);
        let mut resumed = Scheduler::resume(programs, Limits::default(), &bytes).unwrap();
        assert_eq!(resumed.run(RunMode::Limit(PLENTY)).unwrap(), Stop::Ended(Status::Exited(33)));
    }
}
