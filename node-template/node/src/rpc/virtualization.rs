//! `virtualization_*`: what a call of a contract would do, and what its guests do in detail.
//!
//! A dry run is for everybody: `state_call` of the runtime API does the same work, with the same bounds. A trace takes more
//! time and memory than that and is for who runs the node, as Substrate's own methods for debugging are: where unsafe
//! methods are denied (`--rpc-methods`), so is it.

use crate::service::{Block, Client};
use crate::virtualization::{BlockHash, Machines};
use codec::{Decode, Encode};
use frame_support::weights::Weight;
use hatchery_client::{TracedCall, TracedEnd, TracedFrame, TracedSyscall, Tracer};
use hatchery_node_runtime::{AccountId, Balance, RuntimeEvent};
use hatchery_primitives::VirtManagerExt;
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use jsonrpsee::types::ErrorObjectOwned;
use pallet_virtualization_runtime_api::{Cause, Deposits, Failure};
use sc_client_api::{CallExecutor, ExecutorProvider};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;
use sp_blockchain::HeaderBackend;
use sp_core::Bytes;
use sp_core::traits::CallContext;
use sp_externalities::Extensions;
use sp_runtime::DispatchError;
use std::cell::RefCell;
use std::sync::Arc;

/// How many syscalls a trace has at most.
const TRACED_SYSCALLS: usize = 10_000;

/// Numbers of errors. Those of JSON-RPC itself are below -32000.
mod code {
    /// The block is not known, or its state is pruned.
    pub(super) const BLOCK: i32 = 8001;
    /// The runtime did not answer, or not in a way that this node understands.
    pub(super) const RUNTIME: i32 = 8002;
}

/// The methods.
#[rpc(server, namespace = "virtualization")]
pub(crate) trait VirtualizationApi {
    /// Runs a call of an instance on top of a block (default: the best) and undoes it.
    #[method(name = "dryRun", blocking)]
    fn dry_run(&self, call: CallRequest, at: Option<At>) -> RpcResult<DryRunAnswer>;

    /// As `dryRun`, with every call of an export and every syscall on the way, and where and why a guest trapped.
    #[method(name = "trace", blocking, with_extensions)]
    fn trace(&self, call: CallRequest, at: Option<At>) -> RpcResult<TraceAnswer>;
}

/// A call of an instance.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "`call`, an object")]
pub(crate) struct CallRequest {
    /// Who would send it.
    #[serde(deserialize_with = "named::origin")]
    origin: AccountId,
    /// The instance.
    #[serde(deserialize_with = "named::instance")]
    instance: AccountId,
    /// The export, as text.
    #[serde(deserialize_with = "named::export")]
    export: String,
    /// What would be transferred to the instance. Default: nothing.
    #[serde(default, deserialize_with = "named::value")]
    value: Option<Amount>,
    /// What the guest would read as its input. Default: nothing.
    #[serde(default, deserialize_with = "named::input")]
    input: Option<Input>,
    /// The most weight to use. Default: as much as an extrinsic may have.
    #[serde(default, deserialize_with = "named::gas_limit")]
    gas_limit: Option<Weight>,
    /// The most to hold from the sender. Default: whatever it takes.
    #[serde(default, deserialize_with = "named::storage_deposit_limit")]
    storage_deposit_limit: Option<Amount>,
}

/// The block to run a call on.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct At(#[serde(deserialize_with = "named::at")] BlockHash);

/// Reads parameters. Errors say which one they are about, as serde's own do not.
mod named {
    use serde::de::{Deserialize, Deserializer, Error as _};

    macro_rules! parameters {
        ($($function:ident: $name:literal),*) => {$(
            pub(super) fn $function<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
                deserializer: D,
            ) -> Result<T, D::Error> {
                T::deserialize(deserializer)
                    .map_err(|error| D::Error::custom(format!("`{}`: {error}", $name)))
            }
        )*};
    }

    parameters! {
        at: "at",
        origin: "origin",
        instance: "instance",
        export: "export",
        value: "value",
        input: "input",
        gas_limit: "gasLimit",
        storage_deposit_limit: "storageDepositLimit"
    }
}

/// An amount: a number, or, as it may be too large for those of JavaScript, a string of decimal digits, as answers have it, or
/// of hexadecimal ones behind `0x`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amount(Balance);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Json::deserialize(deserializer)?;
        let amount = match &value {
            Json::Number(number) => number.as_u128(),
            Json::String(text) => {
                let (digits, radix) = text.strip_prefix("0x").map_or((&**text, 10), |digits| (digits, 16));
                Balance::from_str_radix(digits, radix).ok()
            }
            _ => None,
        };
        amount
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("{value} is no whole number of at most 128 bits")))
    }
}

/// Bytes in hexadecimal behind `0x`. Without that prefix, text such as `abc` would be taken for a number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input(Vec<u8>);

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("bytes begin with `0x`"))?;
        hex::decode(digits)
            .map(Self)
            .map_err(|error| D::Error::custom(format!("invalid hexadecimal: {error}")))
    }
}

/// What a call would do.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DryRunAnswer {
    /// Whether it would succeed.
    success: bool,
    /// What the guest returned, also as it reverted.
    output: Bytes,
    /// The runtime's error, if it would fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<DispatchError>,
    /// Why and where a guest failed, if that was the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureAnswer>,
    /// The weight that was used, with every program compiled anew.
    gas_consumed: Weight,
    /// The `gasLimit` to call with.
    gas_required: Weight,
    /// The limit that this run had.
    gas_limit: Weight,
    /// What would be held and released, as decimal numbers in strings.
    deposits: DepositsAnswer,
    /// The events that would be deposited, each in SCALE.
    events: Vec<Bytes>,
    /// What guests printed for developers.
    debug: Vec<DebugMessage>,
}

/// Why and where a guest failed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FailureAnswer {
    /// With what it is about, as in `Trapped(Unmapped)`.
    cause: String,
    depth: u8,
    /// Of a trap, the offset of the instruction in the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pc: Option<u32>,
    /// Of a trap, the address that was accessed or jumped to, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<u32>,
}

/// Amounts, which JavaScript's numbers would round.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DepositsAnswer {
    held: String,
    released: String,
    released_to_others: String,
    peak: String,
}

/// What a guest printed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DebugMessage {
    instance: AccountId,
    /// As text; what is not UTF-8 is replaced.
    message: String,
}

/// What a call would do, and how.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TraceAnswer {
    /// What `dryRun` gives.
    #[serde(flatten)]
    dry_run: DryRunAnswer,
    /// The calls of exports, in the order in which they began.
    calls: Vec<CallAnswer>,
    /// How many syscalls there were beyond those that `calls` has.
    omitted_syscalls: u64,
    /// How many calls of exports there were beyond those in `calls`.
    omitted_calls: u64,
}

/// A call of an export.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallAnswer {
    /// 0: what was asked for. 1: a call that it made.
    depth: usize,
    export: String,
    /// Gas of the guest itself.
    gas_used: u64,
    /// `finished`, `outOfGas`, `trapped`, `invalidSyscall`, or `ended` by the runtime in a syscall. Of a tree of processes also `deadlock`,
    /// `badImage`, `callArgument`.
    end: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trap: Option<TrapAnswer>,
    syscalls: Vec<SyscallAnswer>,
}

/// Where and why a guest trapped.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TrapAnswer {
    kind: &'static str,
    /// The offset of the instruction in the code.
    pc: u32,
    /// The address that it accessed or jumped to.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<u32>,
    /// The function by the program's debug information; without any the nearest export before, and how far behind it the
    /// instruction is: `increment + 0x12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// By the debug information, that function and those that it is inlined into, innermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    frames: Vec<FrameAnswer>,
}

/// A function in the source.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FrameAnswer {
    function: String,
    /// File, line and column, as far as they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

/// A syscall. Registers are hexadecimal, since JavaScript's numbers would round them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyscallAnswer {
    symbol: String,
    /// a0 to a5.
    arguments: [String; 6],
    /// What the guest got in a0; absent if it did not go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    gas_left: i64,
}

/// Answers the methods.
pub(crate) struct Virtualization {
    client: Arc<Client>,
    machines: Machines,
}

type DryRun = pallet_virtualization_runtime_api::DryRun<AccountId, Balance, RuntimeEvent>;

impl Virtualization {
    pub(crate) fn new(client: Arc<Client>, machines: Machines) -> Self {
        Self { client, machines }
    }

    /// Runs a call with this manager.
    fn run(&self, call: CallRequest, at: BlockHash, manager: VirtManagerExt) -> RpcResult<DryRun> {
        let arguments = (
            call.origin,
            call.instance,
            call.export.into_bytes(),
            call.value.unwrap_or_default().0,
            call.input.unwrap_or_default().0,
            call.gas_limit,
            call.storage_deposit_limit.map(|Amount(limit)| limit),
        );
        let mut extensions = Extensions::new();
        extensions.register(manager);
        let answer = CallExecutor::<Block>::contextual_call(
            ExecutorProvider::<Block>::executor(&*self.client),
            at,
            "VirtualizationApi_dry_run_call",
            &arguments.encode(),
            &RefCell::default(),
            &None,
            CallContext::Offchain,
            &RefCell::new(extensions),
        )
        .map_err(|error| failure(code::RUNTIME, format!("the runtime did not answer: {error}")))?;
        DryRun::decode(&mut answer.as_slice()).map_err(|error| {
            let message = "the runtime's answer is not of the version that this node was built with";
            failure(code::RUNTIME, format!("{message}: {error}"))
        })
    }

    fn block(&self, at: Option<At>) -> RpcResult<(BlockHash, u32)> {
        let at = at.map_or_else(|| self.client.info().best_hash, |At(block)| block);
        match self.client.number(at) {
            // The header of a block outlives its state.
            Ok(Some(number)) => match self.client.state_at(at) {
                Ok(_) => Ok((at, number)),
                Err(error) => Err(failure(code::BLOCK, format!("block {at:?} has no state here: {error}"))),
            },
            Ok(None) => Err(failure(code::BLOCK, format!("there is no block {at:?} here"))),
            Err(error) => Err(failure(code::BLOCK, format!("block {at:?} cannot be read: {error}"))),
        }
    }
}

#[async_trait]
impl VirtualizationApiServer for Virtualization {
    fn dry_run(&self, call: CallRequest, at: Option<At>) -> RpcResult<DryRunAnswer> {
        let (at, number) = self.block(at)?;
        let manager = self.machines.manager_on(number);
        self.run(call, at, VirtManagerExt::new(manager)).map(Into::into)
    }

    fn trace(
        &self,
        extensions: &jsonrpsee::Extensions,
        call: CallRequest,
        at: Option<At>,
    ) -> RpcResult<TraceAnswer> {
        sc_rpc_api::check_if_safe(extensions)?;
        let (at, number) = self.block(at)?;
        let tracer = Tracer::new(self.machines.manager_on(number), TRACED_SYSCALLS);
        let log = tracer.trace();
        let dry_run = self.run(call, at, VirtManagerExt::new(tracer))?;
        let trace = log.take();
        Ok(TraceAnswer {
            dry_run: dry_run.into(),
            calls: trace.calls.into_iter().map(Into::into).collect(),
            omitted_syscalls: trace.omitted,
            omitted_calls: trace.omitted_calls,
        })
    }
}

fn failure(code: i32, message: String) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, message, None::<()>)
}

impl From<DryRun> for DryRunAnswer {
    fn from(dry_run: DryRun) -> Self {
        let (output, error) = match dry_run.result {
            Ok(output) => (output, None),
            Err(error) => (dry_run.reverted_with, Some(error)),
        };
        Self {
            success: error.is_none(),
            output: output.into(),
            error,
            failure: dry_run.failure.map(Into::into),
            gas_consumed: dry_run.gas_consumed,
            gas_required: dry_run.gas_required,
            gas_limit: dry_run.gas_limit,
            deposits: dry_run.deposits.into(),
            events: dry_run.events.iter().map(|event| event.encode().into()).collect(),
            debug: dry_run
                .debug
                .into_iter()
                .map(|(instance, message)| DebugMessage {
                    instance,
                    message: String::from_utf8_lossy(&message).into_owned(),
                })
                .collect(),
        }
    }
}

impl From<Failure> for FailureAnswer {
    fn from(Failure { cause, depth }: Failure) -> Self {
        match cause {
            Cause::Trapped(trap) => Self {
                cause: format!("Trapped({:?})", trap.kind),
                depth,
                pc: Some(trap.pc),
                address: trap.address,
            },
            other => Self { cause: format!("{other:?}"), depth, pc: None, address: None },
        }
    }
}

impl From<Deposits<Balance>> for DepositsAnswer {
    fn from(deposits: Deposits<Balance>) -> Self {
        Self {
            held: deposits.held.to_string(),
            released: deposits.released.to_string(),
            released_to_others: deposits.released_to_others.to_string(),
            peak: deposits.peak.to_string(),
        }
    }
}

impl From<TracedCall> for CallAnswer {
    fn from(call: TracedCall) -> Self {
        let (end, trap) = match call.end {
            None => ("ended", None),
            Some(TracedEnd::Finished) => ("finished", None),
            Some(TracedEnd::OutOfGas) => ("outOfGas", None),
            Some(TracedEnd::InvalidSyscall) => ("invalidSyscall", None),
            Some(TracedEnd::CallArgument { .. }) => ("callArgument", None),
            Some(TracedEnd::Deadlock) => ("deadlock", None),
            Some(TracedEnd::BadImage) => ("badImage", None),
            Some(TracedEnd::Trapped { trap, symbol, frames }) => {
                let export = || {
                    symbol.map(|(name, offset)| match offset {
                        0 => name.escape_ascii().to_string(),
                        offset => format!("{} + {offset:#x}", name.escape_ascii()),
                    })
                };
                let symbol = frames.first().map(|frame| frame.function.clone()).or_else(export);
                let kind = trap.kind.description();
                let frames = frames.into_iter().map(Into::into).collect();
                ("trapped", Some(TrapAnswer { kind, pc: trap.pc, address: trap.address, symbol, frames }))
            }
        };
        Self {
            depth: call.depth,
            export: call.export.escape_ascii().to_string(),
            gas_used: call.gas_used,
            end,
            trap,
            syscalls: call.syscalls.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<TracedFrame> for FrameAnswer {
    fn from(TracedFrame { function, place }: TracedFrame) -> Self {
        Self { function, place }
    }
}

impl From<TracedSyscall> for SyscallAnswer {
    fn from(syscall: TracedSyscall) -> Self {
        Self {
            symbol: syscall.symbol.escape_ascii().to_string(),
            arguments: syscall.arguments.map(|register| format!("{register:#x}")),
            answer: syscall.answer.map(|register| format!("{register:#x}")),
            gas_left: syscall.gas_left,
        }
    }
}
