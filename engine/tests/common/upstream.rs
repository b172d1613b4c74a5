//! polkavm's interpreters beside the engine: the same program, called and answered in the same way, and everything that can be seen
//! of it compared.
//!
//! It is for 0.33, which sc-virtualization 0.3 uses, and for 0.37. Who chooses programs keeps away from where these contradict
//! themselves or each other (`tests/suite/differential.rs` has the list).

use hatchery_engine::gas::{Cache, Variant};
use hatchery_engine::{
    Config, Engine, Exit, GasModel, InstructionSet, Module, Permission, ProgramCounter, Reg, Trap,
};

/// What is passed to each call: addresses in read-write data and in the stack, and numbers.
const ARGUMENTS: [u64; 6] = [1, 0x3_0010, 3, 0xfffd_ffe0, 5, u64::MAX];

/// How a program is executed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journey {
    /// Where each call begins.
    pub(crate) pc: u32,
    /// Gas at the beginning of each call.
    pub(crate) gas: i64,
    /// Gas that is added when it runs out; none ends the call.
    pub(crate) top_up: i64,
    /// How often it is called, with memory as the call before left it.
    pub(crate) calls: usize,
    /// Stops of a call, at most.
    pub(crate) stops: usize,
    /// What the host does at syscalls, in turn.
    pub(crate) answers: [Answer; 4],
}

impl Journey {
    pub(crate) fn from(pc: u32, gas: i64, stops: usize) -> Self {
        Self { pc, gas, top_up: 0, calls: 1, stops, answers: [Answer::default(); 4] }
    }

    fn answer(&self, stop: usize) -> Answer {
        self.answers[stop % self.answers.len()]
    }
}

/// What the host does at a syscall: it writes a register, and both kinds of memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) reg: u8,
    pub(crate) value: u32,
    /// Where it writes the value, counted from the start of read-write data and from the start of the stack; no address writes nothing.
    pub(crate) at: Option<u16>,
}

impl Default for Answer {
    fn default() -> Self {
        Self { reg: 7, value: 0x3_0020, at: None }
    }
}

impl Answer {
    fn reg(self) -> usize {
        usize::from(self.reg) % Reg::ALL.len()
    }

    /// Where the value is written, in parts of memory that begin at these addresses and have this many bytes.
    fn writes(self, parts: [(u32, u32); 2]) -> impl Iterator<Item = (u32, [u8; 4])> {
        parts.into_iter().filter_map(move |(start, length)| {
            let room = length.checked_sub(4)?;
            Some((start + u32::from(self.at?) % (room + 1), self.value.to_le_bytes()))
        })
    }
}

/// Everything that can be seen of an execution after a stop.
#[derive(PartialEq, Debug)]
struct Seen {
    exit: &'static str,
    /// Of the syscall, or the page that is not there or write-protected.
    number: Option<u32>,
    pc: Option<u32>,
    gas: i64,
    regs: [u64; 13],
}

/// An execution: the stops, and memory after the last one: read-write data with the heap, and stack; or, where page faults go to the
/// host, the pages that it granted, in the order in which it did.
#[derive(PartialEq, Debug)]
struct Execution {
    stops: Vec<Seen>,
    memory: Vec<Vec<u8>>,
}

impl Execution {
    /// Whether the first stop that differs is a store over the end of a write-protected page into a missing one. polkavm tells of the
    /// missing page first, the engine of the lowest address that denies, as the Gray Paper has it.
    fn parts_at_two_pages(&self, peer: &Self) -> bool {
        let parting = self.stops.iter().zip(&peer.stops).find(|(own, other)| own != other);
        parting.is_some_and(|(own, other)| {
            let next = own.number.and_then(|page| page.checked_add(4096));
            let told = Seen { exit: "missing page", number: next, ..*own };
            own.exit == "write-protected" && *other == told
        })
    }
}

/// Whether polkavm and the engine do not agree that this page can be missing: those below the lowest address that can be mapped, and
/// the last one.
fn is_edge(page: Option<u32>) -> bool {
    page.is_some_and(|page| !(0x1_0000..0xffff_f000).contains(&page))
}

/// Executes it on an engine. Gives also how it trapped: polkavm does not say why, or at which address.
fn ours(module: &Module, journey: &Journey, faults_to_host: bool) -> (Execution, Vec<Trap>) {
    let map = module.memory_map();
    let parts = [map.rw_data(), map.stack()].map(|part| (part.start, part.end - part.start));
    let mut instance = module.instantiate();
    let mut granted = Vec::new();
    if faults_to_host {
        // polkavm begins without any page.
        for part in [map.ro_data(), map.rw_data(), map.stack()] {
            let length = u64::from(part.end - part.start).next_multiple_of(4096);
            instance.memory_mut().protect(part.start, length, Permission::None).unwrap();
        }
    }
    let mut stops = Vec::new();
    let mut traps = Vec::new();
    for _ in 0..journey.calls {
        instance.prepare_at(ProgramCounter(journey.pc), &ARGUMENTS).unwrap();
        instance.set_gas(journey.gas);
        for stop in 0..journey.stops {
            let exit = instance.run().unwrap();
            let (exit, number, pc) = match exit {
                Exit::Finished => ("finished", None, None),
                Exit::Syscall(number) => ("syscall", Some(number), Some(instance.pc().0)),
                Exit::OutOfGas => ("out of gas", None, Some(instance.pc().0)),
                Exit::Trap(trap) => {
                    traps.push(trap);
                    ("trap", None, Some(trap.pc))
                }
                Exit::PageFault(fault) => {
                    let kind = if fault.write_protected { "write-protected" } else { "missing page" };
                    (kind, Some(fault.page_address), Some(fault.pc))
                }
                exit => panic!("{exit:?}"),
            };
            let regs = Reg::ALL.map(|reg| instance.reg(reg));
            stops.push(Seen { exit, number, pc, gas: instance.gas(), regs });
            match exit {
                "syscall" => {
                    let answer = journey.answer(stop);
                    instance.set_reg(Reg::ALL[answer.reg()], answer.value.into());
                    for (address, bytes) in answer.writes(parts).filter(|_| !faults_to_host) {
                        instance.memory_mut().write(address, &bytes).unwrap();
                    }
                }
                "missing page" | "write-protected" if !is_edge(number) => {
                    let page = number.expect("a fault has a page");
                    let is_writable = exit == "write-protected" || journey.answer(stop).at.is_some();
                    let permission = if is_writable { Permission::ReadWrite } else { Permission::Read };
                    instance.memory_mut().protect(page, 4096, permission).unwrap();
                    granted.push(page);
                }
                "out of gas" if journey.top_up > 0 => instance.set_gas(instance.gas() + journey.top_up),
                _ => break,
            }
        }
    }
    let read = |start: u32, length: u32| {
        let mut bytes = vec![0; length as usize];
        instance.memory().read(start, &mut bytes).unwrap();
        bytes
    };
    let memory = if faults_to_host {
        granted.into_iter().map(|page| read(page, 4096)).collect()
    } else {
        let rw_end = map.rw_data().end.max(instance.heap_top());
        let (data, stack) = (map.rw_data().start, map.stack());
        vec![read(data, rw_end - data), read(stack.start, stack.end - stack.start)]
    };
    (Execution { stops, memory }, traps)
}

/// The same with a version of polkavm.
macro_rules! oracle {
    ($name:ident, $polkavm:ident) => {
        mod $name {
            use $polkavm as polkavm;

            use super::{ARGUMENTS, Cache, Execution, GasModel, Journey, Seen};

            pub(super) fn engine(model: GasModel) -> polkavm::Engine {
                let mut config = polkavm::Config::new();
                config.set_backend(Some(polkavm::BackendKind::Interpreter));
                let cost_model = match model {
                    GasModel::Flat => polkavm::CostModelKind::Simple(polkavm::CostModel::naive_ref()),
                    GasModel::Pipeline { cache, .. } => polkavm::CostModelKind::Full(match cache {
                        Cache::L1 => polkavm::CacheModel::L1Hit,
                        Cache::L2 => polkavm::CacheModel::L2Hit,
                        Cache::L3 => polkavm::CacheModel::L3Hit,
                    }),
                };
                config.set_default_cost_model(Some(cost_model));
                config.set_allow_experimental(true);
                config.set_allow_dynamic_paging(true);
                polkavm::Engine::new(&config).unwrap()
            }

            pub(super) fn module(
                engine: &polkavm::Engine,
                blob: &[u8],
                faults_to_host: bool,
            ) -> Option<polkavm::Module> {
                let mut config = polkavm::ModuleConfig::new();
                config.set_dynamic_paging(faults_to_host);
                config.set_gas_metering(Some(polkavm::GasMeteringKind::Sync));
                polkavm::Module::new(engine, &config, blob.to_vec().into()).ok()
            }

            pub(super) fn cost(module: &polkavm::Module, pc: u32) -> Option<i64> {
                module.calculate_gas_cost_for(polkavm::ProgramCounter(pc))
            }

            pub(super) fn execution(
                module: &polkavm::Module,
                journey: &Journey,
                faults_to_host: bool,
            ) -> Execution {
                let map = module.memory_map();
                let parts = [
                    (map.rw_data_address(), map.rw_data_size()),
                    (map.stack_address_low(), map.stack_address_high() - map.stack_address_low()),
                ];
                let mut instance = module.instantiate().unwrap();
                let mut granted = Vec::new();
                let mut stops = Vec::new();
                for _ in 0..journey.calls {
                    instance.prepare_call_untyped(polkavm::ProgramCounter(journey.pc), &ARGUMENTS);
                    instance.set_gas(journey.gas);
                    for stop in 0..journey.stops {
                        let (exit, number) = match instance.run().unwrap() {
                            polkavm::InterruptKind::Finished => ("finished", None),
                            polkavm::InterruptKind::Ecalli(number) => ("syscall", Some(number)),
                            polkavm::InterruptKind::NotEnoughGas => ("out of gas", None),
                            polkavm::InterruptKind::Trap => ("trap", None),
                            polkavm::InterruptKind::Segfault(fault) if fault.is_write_protected => {
                                ("write-protected", Some(fault.page_address))
                            }
                            polkavm::InterruptKind::Segfault(fault) => {
                                ("missing page", Some(fault.page_address))
                            }
                            other => panic!("{other:?}"),
                        };
                        let pc = match exit {
                            "finished" => None,
                            // Out of gas on entry leaves only the next pc.
                            _ => instance
                                .program_counter()
                                .or_else(|| instance.next_program_counter())
                                .map(|pc| pc.0),
                        };
                        let regs = polkavm::Reg::ALL.map(|reg| instance.reg(reg));
                        stops.push(Seen { exit, number, pc, gas: instance.gas(), regs });
                        match exit {
                            "syscall" => {
                                let answer = journey.answer(stop);
                                instance.set_reg(polkavm::Reg::ALL[answer.reg()], answer.value.into());
                                for (address, bytes) in answer.writes(parts).filter(|_| !faults_to_host) {
                                    instance.write_memory(address, &bytes).unwrap();
                                }
                            }
                            "missing page" if !super::is_edge(number) => {
                                let page = number.expect("a fault has a page");
                                let protection = match journey.answer(stop).at {
                                    Some(_) => polkavm::MemoryProtection::ReadWrite,
                                    None => polkavm::MemoryProtection::Read,
                                };
                                instance.zero_memory_with_memory_protection(page, 4096, protection).unwrap();
                                granted.push(page);
                            }
                            "write-protected" if !super::is_edge(number) => {
                                let page = number.expect("a fault has a page");
                                instance.unprotect_memory(page, 4096).unwrap();
                                granted.push(page);
                            }
                            "out of gas" if journey.top_up > 0 => {
                                instance.set_gas(instance.gas() + journey.top_up);
                            }
                            _ => break,
                        }
                    }
                }
                if faults_to_host {
                    let memory = granted.into_iter();
                    let memory = memory.map(|page| instance.read_memory(page, 4096).unwrap()).collect();
                    return Execution { stops, memory };
                }
                let rw_end =
                    (map.rw_data_address() + map.rw_data_size()).max(map.heap_base() + instance.heap_size());
                let parts =
                    [(map.rw_data_address(), rw_end), (map.stack_address_low(), map.stack_address_high())];
                let memory = parts.map(|(start, end)| instance.read_memory(start, end - start).unwrap());
                Execution { stops, memory: memory.into() }
            }
        }
    };
}

oracle!(v033, polkavm_033);
oracle!(v037, polkavm_037);

/// A version of polkavm, the sets that it has, and the variant of the gas model that is its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Oracle {
    V033,
    V037,
}

impl Oracle {
    pub(crate) const ALL: [Self; 2] = [Self::V033, Self::V037];

    pub(crate) fn sets(self) -> [InstructionSet; 4] {
        use InstructionSet::*;
        match self {
            Self::V033 => [ReviveV1, JamV1, Latest32, Latest64Bitmask],
            Self::V037 => [ReviveV1, JamV1, Latest32, Latest64Extended],
        }
    }

    pub(crate) fn pipeline(self) -> GasModel {
        self.pipeline_with(Cache::L2)
    }

    pub(crate) fn pipelines(self) -> [GasModel; 3] {
        [Cache::L1, Cache::L2, Cache::L3].map(|cache| self.pipeline_with(cache))
    }

    fn pipeline_with(self, cache: Cache) -> GasModel {
        let variant = match self {
            Self::V033 => Variant::V033,
            Self::V037 => Variant::V037,
        };
        GasModel::Pipeline { cache, variant }
    }

    /// For an engine that is to do the same.
    pub(crate) fn config(self, model: GasModel) -> Config {
        let latest64 = self.sets()[3];
        Config::default().gas_model(model).latest64(latest64)
    }
}

enum Peer {
    V033(polkavm_033::Engine),
    V037(polkavm_037::Engine),
}

enum PeerModule {
    V033(polkavm_033::Module),
    V037(polkavm_037::Module),
}

impl Peer {
    fn module(&self, blob: &[u8], faults_to_host: bool) -> Option<PeerModule> {
        match self {
            Self::V033(engine) => v033::module(engine, blob, faults_to_host).map(PeerModule::V033),
            Self::V037(engine) => v037::module(engine, blob, faults_to_host).map(PeerModule::V037),
        }
    }
}

impl PeerModule {
    fn execution(&self, journey: &Journey, faults_to_host: bool) -> Execution {
        match self {
            Self::V033(module) => v033::execution(module, journey, faults_to_host),
            Self::V037(module) => v037::execution(module, journey, faults_to_host),
        }
    }

    fn cost(&self, pc: u32) -> Option<i64> {
        match self {
            Self::V033(module) => v033::cost(module, pc),
            Self::V037(module) => v037::cost(module, pc),
        }
    }
}

/// A version of polkavm, and engines that are to do the same under a gas model. The engines have names for messages.
pub(crate) struct Comparison {
    oracle: Oracle,
    model: GasModel,
    /// Whether page faults go to the host, which grants pages one by one; nothing is mapped in the beginning.
    faults_to_host: bool,
    peer: Peer,
    engines: Vec<(String, Engine)>,
}

impl Comparison {
    /// The engines are of the oracle's configuration for this model, with page faults to the host or without.
    pub(crate) fn new(
        oracle: Oracle,
        model: GasModel,
        faults_to_host: bool,
        engines: Vec<(String, Engine)>,
    ) -> Self {
        let peer = match oracle {
            Oracle::V033 => Peer::V033(v033::engine(model)),
            Oracle::V037 => Peer::V037(v037::engine(model)),
        };
        Self { oracle, model, faults_to_host, peer, engines }
    }

    /// Whether an execution comes to a page at which it was ended, see [`is_edge`].
    fn is_at_the_edge(&self, execution: Option<&Execution>) -> bool {
        let is_missing = |stop: &Seen| matches!(stop.exit, "missing page" | "write-protected");
        let mut stops = execution.iter().flat_map(|execution| &execution.stops);
        self.faults_to_host && stops.any(|stop| is_missing(stop) && is_edge(stop.number))
    }

    /// Compares acceptance, executions on every engine, and the costs of all blocks; says what is not the same.
    pub(crate) fn compare(&self, blob: &[u8], journey: &Journey) -> Result<(), String> {
        let peer = self.peer.module(blob, self.faults_to_host);
        let expected = peer.as_ref().map(|module| module.execution(journey, self.faults_to_host));
        let mut first_traps = None;
        for (name, engine) in &self.engines {
            let module = engine.compile(blob).ok();
            let (got, traps) =
                module.as_ref().map(|module| ours(module, journey, self.faults_to_host)).unzip();
            if [&got, &expected].into_iter().any(|execution| self.is_at_the_edge(execution.as_ref())) {
                return Ok(());
            }
            if got
                .as_ref()
                .zip(expected.as_ref())
                .is_some_and(|(got, expected)| got.parts_at_two_pages(expected))
            {
                return Ok(());
            }
            if got != expected {
                return Err(self.difference(name, &got, &expected));
            }
            let first_traps = first_traps.get_or_insert(traps.clone());
            if *first_traps != traps {
                return Err(self.difference(name, &traps, first_traps));
            }
            if let (Some(module), Some(peer)) = (&module, &peer) {
                self.same_costs(module, peer)?;
            }
        }
        Ok(())
    }

    /// Compares the costs of all blocks.
    pub(crate) fn compare_costs(&self, blob: &[u8]) -> Result<(), String> {
        let (_, engine) = &self.engines[0];
        let module = engine.compile(blob).map_err(|error| error.to_string())?;
        let peer = self.peer.module(blob, self.faults_to_host).ok_or("polkavm refuses it")?;
        self.same_costs(&module, &peer)
    }

    fn same_costs(&self, module: &Module, peer: &PeerModule) -> Result<(), String> {
        let different = module
            .blocks()
            .map(|block| (block.pc.0, Some(i64::from(block.cost)), peer.cost(block.pc.0)))
            .find(|(_, own, other)| own != other);
        match different {
            Some((pc, own, other)) => {
                Err(self.difference(&format!("cost of the block at {pc}"), &own, &other))
            }
            None => Ok(()),
        }
    }

    fn difference<T: core::fmt::Debug>(&self, name: &str, got: &T, expected: &T) -> String {
        format!("{name}, {:?}, {}:\n got {got:?}\n not {expected:?}", self.oracle, self.model)
    }
}
