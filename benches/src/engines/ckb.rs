//! ckb-vm 0.24: with its assembler, and in Rust alone. A machine is made and its program loaded for each instance.

use super::{Description, Engine, Gas, Instance, Module};
use crate::host::{GuestMemory, Host};
use crate::measure::Clock;
use crate::programs::Program;
use anyhow::{Result, anyhow, bail};
use ckb_vm::cost_model::constant_cycles;
use ckb_vm::machine::VERSION2;
use ckb_vm::machine::asm::{AsmCoreMachine, AsmMachine};
use ckb_vm::machine::trace::TraceMachine;
use ckb_vm::registers::{A0, A1, A2, A7, SP};
use ckb_vm::{
    Bytes, CoreMachine, DefaultCoreMachine, DefaultMachineBuilder, DefaultMachineRunner, Error, FlatMemory,
    ISA_A, ISA_B, ISA_IMC, ISA_MOP, Memory, Register, SupportMachine, Syscalls, WXorXMemory,
};
use std::fmt::Write as _;

/// What the host's function 0 is called by.
const FIRST_CALL: u64 = 4096;

/// Instructions, as CKB's virtual machine version 2.
const ISA: u8 = ISA_IMC | ISA_A | ISA_B | ISA_MOP;

/// Bytes of memory, as there.
const MEMORY: usize = 4 << 20;

pub(super) fn add(engines: &mut Vec<(String, Result<Box<dyn Engine>>)>) {
    super::add(engines, "ckb-asm".into(), Ok(Ckb { assembler: true }));
    super::add(engines, "ckb-rust".into(), Ok(Ckb { assembler: false }));
}

struct Ckb {
    assembler: bool,
}

impl Engine for Ckb {
    fn description(&self) -> Description {
        let (id, way) = if self.assembler { ("ckb-asm", "ASM") } else { ("ckb-rust", "Rust") };
        let name = format!("ckb-vm 0.24 {way}");
        Description { id: id.into(), name, gas: Gas::Fuel, clock: Clock::Processor }
    }

    fn compile(&self, program: &Program) -> Result<Box<dyn Module>> {
        Ok(Box::new(Loaded { elf: program.riscv.clone().into(), assembler: self.assembler }))
    }
}

struct Loaded {
    elf: Bytes,
    assembler: bool,
}

impl Module for Loaded {
    fn instantiate(&self) -> Result<Box<dyn Instance>> {
        if self.assembler {
            let core =
                <Box<AsmCoreMachine> as SupportMachine>::new_with_memory(ISA, VERSION2, u64::MAX, MEMORY);
            Ok(Box::new(Running::<AsmMachine>::new(core, &self.elf)?))
        } else {
            type Core = DefaultCoreMachine<u64, WXorXMemory<FlatMemory<u64>>>;
            let core = Core::new_with_memory(ISA, VERSION2, u64::MAX, MEMORY);
            Ok(Box::new(Running::<TraceMachine<Core>>::new(core, &self.elf)?))
        }
    }
}

struct Running<M> {
    machine: M,
    entry: u64,
    stack: u64,
}

impl<M: DefaultMachineRunner> Running<M>
where
    M::Inner: SupportMachine<REG = u64> + 'static,
{
    fn new(core: M::Inner, elf: &Bytes) -> Result<Self> {
        let machine = DefaultMachineBuilder::new(core)
            .instruction_cycle_func(Box::new(constant_cycles))
            .syscall(Box::new(Calls(Host::default())))
            .build();
        let mut machine = M::new(machine);
        machine.load_program(elf, std::iter::empty()).map_err(|error| anyhow!("{error}"))?;
        let inner = machine.machine();
        let (entry, stack) = (inner.pc().to_u64(), inner.registers()[SP]);
        Ok(Self { machine, entry, stack })
    }
}

impl<M: DefaultMachineRunner> Instance for Running<M>
where
    M::Inner: SupportMachine<REG = u64>,
{
    fn call(&mut self, amount: u64) -> Result<u64> {
        let inner = self.machine.inner_mut();
        inner.set_register(A0, amount);
        inner.set_register(SP, self.stack);
        inner.update_pc(self.entry);
        inner.commit_pc();
        inner.set_cycles(0);
        if let Err(error) = self.machine.run() {
            let mut text = format!("{error} at {:#x}", self.machine.machine().pc());
            write!(text, ", a0 = {:#x}", self.machine.machine().registers()[A0])?;
            bail!(text);
        }
        Ok(self.machine.machine().registers()[A0])
    }
}

struct Calls(Host);

impl<M: SupportMachine<REG = u64>> Syscalls<M> for Calls {
    fn initialize(&mut self, _: &mut M) -> Result<(), Error> {
        Ok(())
    }

    fn ecall(&mut self, machine: &mut M) -> Result<bool, Error> {
        let registers = machine.registers();
        let Some(number) = registers[A7].checked_sub(FIRST_CALL) else { return Ok(false) };
        let arguments = [A0, A1, A2].map(|register| registers[register]);
        let answer = self.0.answer(number, arguments, &mut OfMachine(machine));
        machine.set_register(A0, answer.map_err(|error| Error::Unexpected(error.to_string()))?);
        Ok(true)
    }
}

struct OfMachine<'a, M>(&'a mut M);

impl<M: SupportMachine> GuestMemory for OfMachine<'_, M> {
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<()> {
        let bytes = self.0.memory_mut().load_bytes(address, buffer.len() as u64);
        buffer.copy_from_slice(&bytes.map_err(|error| anyhow!("{error}"))?);
        Ok(())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        self.0.memory_mut().store_bytes(address, bytes).map_err(|error| anyhow!("{error}"))
    }
}
