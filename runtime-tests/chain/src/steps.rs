//! What an extrinsic does, step by step, below the typed API, so that ids can be seen.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::weights::Weight;
use hatchery_primitives::{CompileStatus, ExecBuffer, virtualization};
use scale_info::TypeInfo;
use sp_runtime::DispatchError;

/// One step.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Stores a value in the main trie.
    Store { key: Vec<u8>, value: Vec<u8> },
    /// Compiles what is stored.
    CompileStored { key: Vec<u8> },
    /// Compiles these bytes under an identifier.
    Compile { code: Vec<u8>, identifier: Vec<u8> },
    /// Looks an identifier up.
    Lookup { identifier: Vec<u8> },
    /// Makes an instance.
    Instantiate { module: u32 },
    /// Calls an export to its end and answers each syscall with 1.
    Call { instance: u32, export: Vec<u8> },
    /// Prepares a call that does not begin.
    Prepare { instance: u32, export: Vec<u8> },
    /// Destroys an instance.
    Destroy { instance: u32 },
    /// Runs a prepared call to its next stop, where it stays.
    Run { instance: u32 },
    /// Opens, commits or rolls back a storage layer.
    Layer(Layer),
    /// Fails, as a dispatch does.
    Fail,
    /// Traps.
    Panic,
}

/// What happens to a storage layer.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    Start,
    Commit,
    Rollback,
}

/// Where the answers are: a list of numbers.
pub const ANSWERS: &[u8] = b"answers";

/// Where the steps of the off-chain worker are.
pub const WORK: &[u8] = b"work";

/// Where the steps are that each block begins with.
pub const INITIALIZE: &[u8] = b"initialize";

/// Where the steps are that each block ends with.
pub const FINALIZE: &[u8] = b"finalize";

/// Where the steps are that an author takes when it makes inherents.
pub const INHERENTS: &[u8] = b"inherents";

/// What finding a module costs.
pub const WARM: u64 = 1_000;

/// What compiling one costs.
pub const COLD: u64 = 1_000_000;

/// Takes a step, stores its answer, and gives what it cost.
///
/// # Errors
/// If it is [`Step::Fail`].
///
/// # Panics
/// If it is [`Step::Panic`].
pub fn take(step: &Step) -> Result<u64, DispatchError> {
    let (answer, cost) = answer(step)?;
    if let Some(answer) = answer {
        sp_io::storage::append(ANSWERS, answer.encode());
    }
    Ok(cost)
}

/// The steps that are stored under a key.
///
/// # Panics
/// If something else is.
pub fn stored(key: &[u8]) -> Option<Vec<Step>> {
    let steps = sp_io::storage::get(key)?;
    Some(Decode::decode(&mut &steps[..]).expect("steps are stored there"))
}

/// Takes the steps that are stored under a key, and gives what they cost.
///
/// # Panics
/// If one fails.
pub fn take_stored(key: &[u8]) -> Weight {
    let costs = stored(key).into_iter().flatten().map(|step| take(&step).expect("no step of a hook fails"));
    Weight::from_parts(costs.sum(), 0)
}

/// Takes steps and gives their answers.
///
/// # Errors
/// If one is [`Step::Fail`].
///
/// # Panics
/// If one is [`Step::Panic`].
pub fn answers(steps: &[Step]) -> Result<Vec<i64>, DispatchError> {
    steps.iter().filter_map(|step| answer(step).map(|(answer, _)| answer).transpose()).collect()
}

/// Takes a step. Gives what it answered, if it asks for something, and what it cost.
fn answer(step: &Step) -> Result<(Option<i64>, u64), DispatchError> {
    let wire = |result: Result<u32, i32>| result.map_or_else(i64::from, i64::from);
    let (answer, cost) = match step {
        Step::Store { key, value } => {
            sp_io::storage::set(key, value);
            return Ok((None, 0));
        }
        Step::CompileStored { key } => compiled(virtualization::compile_from_storage_key(key, b"")),
        Step::Compile { code, identifier } => {
            compiled(virtualization::compile_from_bytes(code, Some(identifier.as_slice())))
        }
        Step::Lookup { identifier } => {
            (wire(virtualization::lookup(identifier).map(u32::from).map_err(i32::from)), WARM)
        }
        Step::Instantiate { module } => {
            (wire(virtualization::instantiate((*module).into()).map(u32::from).map_err(i32::from)), 0)
        }
        Step::Call { instance, export } => call(*instance, export),
        Step::Prepare { instance, export } => {
            (wire(virtualization::prepare((*instance).into(), export).map(|()| 0).map_err(i32::from)), 0)
        }
        Step::Destroy { instance } => {
            (wire(virtualization::destroy((*instance).into()).map(|()| 0).map_err(i32::from)), 0)
        }
        Step::Run { instance } => run(*instance),
        Step::Layer(layer) => {
            match layer {
                Layer::Start => sp_io::storage::start_transaction(),
                Layer::Commit => sp_io::storage::commit_transaction(),
                Layer::Rollback => sp_io::storage::rollback_transaction(),
            }
            return Ok((None, 0));
        }
        Step::Fail => return Err(DispatchError::Other("the list says so")),
        Step::Panic => panic!("the list says so"),
    };
    Ok((Some(answer), cost))
}

fn compiled(
    result: Result<hatchery_primitives::CompiledModule, hatchery_primitives::ModuleError>,
) -> (i64, u64) {
    match result {
        Ok(module) => {
            let (status, cost) = match module.status {
                CompileStatus::Cached => (0, WARM),
                CompileStatus::Compiled => (1i64 << 32, COLD),
            };
            (i64::from(u32::from(module.id)) | status, cost)
        }
        Err(error) => (i32::from(error).into(), COLD),
    }
}

/// The answer is that of the host function, the cost the gas used.
fn run(instance: u32) -> (i64, u64) {
    const GAS: i64 = 1_000_000;
    let mut buffer = ExecBuffer::default();
    match virtualization::run(instance.into(), GAS, 1, &mut buffer) {
        Ok(status) => (status as i64, (GAS - buffer.gas_left).unsigned_abs()),
        Err(error) => (i32::from(error).into(), 0),
    }
}

/// The gas used is the answer and the cost.
fn call(instance: u32, export: &[u8]) -> (i64, u64) {
    const GAS: i64 = 1_000_000;
    let id = instance.into();
    if let Err(error) = virtualization::prepare(id, export) {
        return (i32::from(error).into(), 0);
    }
    let mut buffer = ExecBuffer { gas_left: GAS, ..ExecBuffer::default() };
    let mut gas = GAS;
    loop {
        match virtualization::run(id, gas, 1, &mut buffer) {
            Ok(hatchery_primitives::ExecStatus::Syscall) => gas = buffer.gas_left,
            Ok(hatchery_primitives::ExecStatus::Finished) => {
                let used = GAS - buffer.gas_left;
                return (used, used.unsigned_abs());
            }
            Err(error) => return (i32::from(error).into(), GAS.unsigned_abs()),
        }
    }
}
