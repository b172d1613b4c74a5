//! The demo's stages. Each says what will be seen, plays a scenario in the Wasm runtime, and checks what came of it.

use crate::{
    screen::{self, Screen, duration, grouped},
    traced::{Totals, Traced},
};
use hatchery_client::VirtManager;
use hatchery_primitives::VirtManagerExt;
use hatchery_runtime_tests::{
    Failure, Node, Setup, bare_externalities,
    guests::{self, InstructionSet::JamV1},
};
use hatchery_test_runtime::{
    Flavour, Input,
    outcome::{Answer, Call, End, ExecFailure, Request, Run},
    scenario,
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

/// The Wasm runtime on Hatchery's node.
const SETUP: Setup = Setup::wasm(Flavour::Hatchery, Node::Hatchery);

/// What most calls start with.
const GAS: i64 = 10_000;

const ROUND_TRIPS: u32 = 100_000;

/// Why the demo stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Call(#[from] Failure),
    #[error("the runtime's answer does not decode: {0}")]
    Answer(#[from] codec::Error),
    #[error("{what} should be {expected}, but is {actual}")]
    Unexpected { what: &'static str, expected: String, actual: String },
}

/// Plays all stages; gives the totals in words.
pub(crate) fn all(screen: &mut Screen) -> Result<String, Error> {
    let totals = Arc::<Totals>::default();
    introduction(screen)?;
    first_call(screen, &totals)?;
    text(screen, &totals)?;
    failures(screen, &totals)?;
    nesting(screen, &totals)?;
    caching(screen, &totals)?;
    speed(screen)?;
    Ok(format!(
        "{} calls of the runtime and {} syscalls of its guests were shown, {} more syscalls were timed",
        totals.calls.load(Ordering::Relaxed),
        totals.syscalls.load(Ordering::Relaxed),
        grouped(i64::from(ROUND_TRIPS))
    ))
}

fn introduction(screen: &Screen) -> Result<(), Error> {
    screen.title(
        "Hatchery: child machines for a Substrate runtime",
        "The node (this process) executes a runtime compiled to Wasm, as any Substrate node does. That runtime has programs of \
         its own, the guests: PolkaVM bytecode, as contracts or plug-ins would be. It asks the node to run them, through nine \
         host functions. Each line below is one call from the Wasm runtime to the node; the node's answer follows on the \
         same line. The time is what the node spent on the call.",
    );
    let wasm = Flavour::Hatchery.wasm().ok_or(Failure::NoWasm(Flavour::Hatchery))?;
    let started = Instant::now();
    SETUP.play_in(&mut bare_externalities(&[]), &scenario::wire(Vec::new()))?;
    let loading = started.elapsed();
    println!();
    screen.fact("runtime", &format!("{} bytes of compressed Wasm", grouped(wasm.len() as i64)));
    screen.fact("loaded by the node's executor", &format!("in {} (wasmtime compiles it)", duration(loading)));
    screen.fact("guests", "counter, hello, syscalls: Rust, compiled to PolkaVM's JamV1 instruction set");
    Ok(())
}

fn first_call(screen: &mut Screen, totals: &Arc<Totals>) -> Result<(), Error> {
    screen.stage(
        "A guest that counts",
        "The runtime compiles a guest, makes an instance of it, and calls its export `counter` with 10,000 gas. The guest cannot \
         do anything outside its own memory. When it wants something, it makes a syscall: `run` returns to the runtime, which \
         does what it likes with it, here reading or writing the guest's memory at the address that the guest passed, and \
         then runs the guest on with an answer. The counter lives in the runtime and starts at 7; the guest adds 7 and 1 \
         and reads it in between to check.",
    );
    screen.header();
    let calls = vec![call(b"counter")];
    let runs = traced(totals, &scenario::on_one_instance(guests::counter(JamV1), 7, calls))?;
    expect("how the call ended", &end(&runs, 0)?.end, &End::Finished)?;
    expect("the counter", &end(&runs, 0)?.counter, &15)?;
    let used = GAS - end(&runs, 0)?.gas_left.unwrap_or_default();
    screen.conclusion(&format!(
        "the counter in the runtime is 15; the guest used {used} gas, the same on every node and every machine"
    ));
    Ok(())
}

fn text(screen: &mut Screen, totals: &Arc<Totals>) -> Result<(), Error> {
    screen.stage(
        "A guest that talks",
        "What a syscall means is the runtime's business. This runtime answers `print`: it reads the text from the guest's \
         memory. The guest makes it on its heap, so it comes from another address than its constants.",
    );
    screen.header();
    let call = Call { a0: 2, gas: 100_000, ..call(b"hello_times") };
    let console = traced(totals, &scenario::console(guests::hello(JamV1), call, Vec::new()))?;
    expect("how the call ended", &console.run.end, &End::Finished)?;
    let text = String::from_utf8_lossy(&console.output).into_owned();
    expect("the text", &text.as_str(), &"Hello number 1 of 2\nHello number 2 of 2\n")?;
    println!();
    text.lines().for_each(screen::guest_prints);
    screen.conclusion("the runtime has the guest's text");
    Ok(())
}

fn failures(screen: &mut Screen, totals: &Arc<Totals>) -> Result<(), Error> {
    screen.stage(
        "Guests that fail",
        "One instance, three calls. First the guest panics, which is a trap. Then it counts for ever with 500 gas: gas is taken \
         for a whole stretch of code before it runs, and when it does not suffice the call ends. Neither hurts \
         the runtime or the node, and the third call on the same instance works. (Compiling is faster this time: the node has \
         kept the program. The runtime is told \"compiled\" all the same, because a node that has just started must \
         answer the same.)",
    );
    screen.header();
    let calls = vec![call(b"do_panic"), Call { gas: 500, ..call(b"increment_forever") }, call(b"add_99")];
    let runs = traced(totals, &scenario::on_one_instance(guests::counter(JamV1), 0, calls))?;
    expect("the end of the first call", &end(&runs, 0)?.end, &End::Failed(ExecFailure::Trap))?;
    expect("the end of the second call", &end(&runs, 1)?.end, &End::Failed(ExecFailure::OutOfGas))?;
    expect("the end of the third call", &end(&runs, 2)?.end, &End::Finished)?;
    let turns = end(&runs, 1)?.counter;
    expect("the counter", &end(&runs, 2)?.counter, &(turns + 99))?;
    screen
        .conclusion(&format!("a trap, {turns} turns until the gas was used up, and 99 more: all contained"));
    Ok(())
}

fn nesting(screen: &mut Screen, totals: &Arc<Totals>) -> Result<(), Error> {
    screen.stage(
        "A guest inside another's syscall",
        "As when one contract calls another: instance 0 makes the syscall `subcall`, and before answering it the runtime makes \
         instance 1 and runs it to its end. Here the runtime gives as much gas as there can be.",
    );
    screen.header();
    let runs = traced(totals, &scenario::nested(guests::counter(JamV1), 1))?;
    expect("the outer counter", &end(&runs, 0)?.counter, &0)?;
    expect("the inner counter", &end(&runs, 1)?.counter, &8)?;
    screen.conclusion("each instance has its memory, its gas and its state; the outer one noticed nothing");
    Ok(())
}

fn caching(screen: &mut Screen, totals: &Arc<Totals>) -> Result<(), Error> {
    screen.stage(
        "Compiling once a block",
        "With an identifier (say, a hash of the code) a module is remembered until the block ends. The runtime is told whether \
         it was compiled or cached, so that it can charge for the work; every node gives the same answer.",
    );
    screen.header();
    let request = Request::FromBytes { program: guests::hello(JamV1), identifier: Some(b"hello".to_vec()) };
    let answers = traced(totals, &scenario::modules(vec![request.clone(), request], b"absent".to_vec()))?;
    match answers.as_slice() {
        [Answer::Compiled(_), Answer::Cached(_)] => {}
        other => {
            return Err(Error::Unexpected {
                what: "the status of the modules",
                expected: "compiled, then cached".into(),
                actual: format!("{other:?}"),
            });
        }
    }
    screen.conclusion("compiled the first time, cached the second (`absent` is no export of this guest)");
    Ok(())
}

fn speed(screen: &mut Screen) -> Result<(), Error> {
    let number = grouped(i64::from(ROUND_TRIPS));
    screen.stage(
        &format!("{number} syscalls"),
        "Now without showing them. The guest makes syscalls in a loop, the runtime answers each with a number. A round trip is guest \
         to node, node to Wasm, Wasm to node, node to guest. The same call without any syscall is subtracted.",
    );
    let input = |count| scenario::round_trips(guests::syscalls(JamV1), b"round_trips".to_vec(), count);
    let empty = timed(&input(0), 0)?;
    let full = timed(&input(ROUND_TRIPS), ROUND_TRIPS)?;
    let trips = full.saturating_sub(empty);
    println!();
    screen.fact("call without syscalls", &duration(empty));
    screen.fact(&format!("call with {number} syscalls"), &duration(full));
    let each = trips.as_nanos() as f64 / f64::from(ROUND_TRIPS);
    let build = if cfg!(debug_assertions) {
        "this is a debug build; `cargo run --release -p hatchery-runtime-tests --example demo` gives the real speed"
    } else {
        "release build"
    };
    screen.conclusion(&format!("{each:.0} ns a round trip ({build})"));
    Ok(())
}

/// Plays a scenario on a node that shows every call.
fn traced<R: codec::Decode>(totals: &Arc<Totals>, input: &Input<R>) -> Result<R, Error> {
    let mut externalities = bare_externalities(&[]);
    externalities.register_extension(VirtManagerExt::new(Traced::new(totals.clone())));
    let result = SETUP.play_in(&mut externalities, input)?;
    Ok(input.decode(&result)?)
}

/// The fastest of a few plays on a node that shows nothing.
fn timed(input: &Input<u32>, count: u32) -> Result<Duration, Error> {
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let mut externalities = bare_externalities(&[]);
        externalities.register_extension(VirtManagerExt::new(VirtManager::default()));
        let started = Instant::now();
        let result = SETUP.play_in(&mut externalities, input)?;
        fastest = fastest.min(started.elapsed());
        expect("the number of round trips", &input.decode(&result)?, &count)?;
    }
    Ok(fastest)
}

fn call(export: &[u8]) -> Call {
    Call { export: export.to_vec(), gas: GAS, a0: 0 }
}

fn end(runs: &[Run], at: usize) -> Result<&Run, Error> {
    runs.get(at).ok_or_else(|| Error::Unexpected {
        what: "the number of calls made",
        expected: format!("more than {at}"),
        actual: runs.len().to_string(),
    })
}

fn expect<T: PartialEq + core::fmt::Debug>(
    what: &'static str,
    actual: &T,
    expected: &T,
) -> Result<(), Error> {
    if actual == expected {
        return Ok(());
    }
    Err(Error::Unexpected { what, expected: format!("{expected:?}"), actual: format!("{actual:?}") })
}
