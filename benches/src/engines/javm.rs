//! javm 0.4. It has no compiled programs apart from instances: an instance of its recompiler is compiled when it is made, one of its
//! interpreter is a copy of one that was decoded before.

use super::{Description, Engine, Gas, Instance, Module, PLENTY};
use crate::host::{self, GuestMemory, Host};
use crate::measure::Clock;
use crate::programs::Program;
use anyhow::{Context, Result, anyhow, bail};
use javm::program::DataLayout;
use javm::{ExitReason, Pvm, RecompiledPvm};
use polkavm_common::abi::MemoryMapBuilder;
use polkavm_common::program::ProgramBlob;
use std::rc::Rc;

/// Registers by their numbers.
const RA: usize = 0;
const SP: usize = 1;
const A0: usize = 7;

/// Where returning leaves the program.
const RETURN_TO_HOST: u64 = 0xffff_0000;

/// Bytes that the stack has.
const STACK: u32 = 64 * 1024;

pub(super) fn add(engines: &mut Vec<(String, Result<Box<dyn Engine>>)>) {
    super::add(engines, "javm-interpreter".into(), Ok(Javm { recompiles: false }));
    super::add(engines, "javm-recompiler".into(), Ok(Javm { recompiles: true }));
}

struct Javm {
    recompiles: bool,
}

impl Engine for Javm {
    fn description(&self) -> Description {
        let way = if self.recompiles { "recompiler" } else { "interpreter" };
        Description {
            id: format!("javm-{way}"),
            name: format!("javm 0.4 {way}"),
            gas: Gas::Pipeline,
            clock: Clock::Processor,
        }
    }

    fn compile(&self, program: &Program) -> Result<Box<dyn Module>> {
        let parts = Rc::new(Parts::new(&program.polkavm)?);
        let decoded = (!self.recompiles).then(|| parts.interpreter());
        Ok(Box::new(Prepared { parts, decoded }))
    }

    fn compile_polkavm(&self, blob: &[u8]) -> Option<Result<Box<dyn Module>>> {
        let prepared = Parts::new(blob).and_then(|parts| -> Result<Box<dyn Module>> {
            let decoded = if self.recompiles {
                // There is nothing between this and an instance.
                drop(parts.recompiler()?);
                None
            } else {
                Some(parts.interpreter())
            };
            Ok(Box::new(Prepared { parts: Rc::new(parts), decoded }))
        });
        Some(prepared)
    }
}

/// A program taken apart. Memory is flat here: the data where its code expects it, the stack behind that.
struct Parts {
    code: Vec<u8>,
    bitmask: Vec<u8>,
    jump_table: Vec<u32>,
    run: u32,
    imports: Vec<u64>,
    read_only: (u32, Vec<u8>),
    read_write: (u32, Vec<u8>),
    memory: u32,
}

impl Parts {
    fn new(blob: &[u8]) -> Result<Self> {
        let blob = ProgramBlob::parse(blob.to_vec().into()).map_err(|error| anyhow!("{error}"))?;
        let map = MemoryMapBuilder::new(4096)
            .ro_data_size(blob.ro_data_size())
            .rw_data_size(blob.rw_data_size())
            .build()
            .map_err(|error| anyhow!("{error}"))?;
        let mut code = blob.code().to_vec();
        let bit = |index: usize| blob.bitmask()[index / 8] >> (index % 8) & 1;
        let bitmask: Vec<u8> = (0..code.len()).map(bit).collect();
        // What JamV1 has at 101 to 110, without `sbrk` in front of it, javm has one further.
        for (byte, _) in
            code.iter_mut().zip(&bitmask).filter(|(byte, start)| **start == 1 && (101..=110).contains(*byte))
        {
            *byte += 1;
        }
        let exported = blob.exports().find(|export| export.symbol() == "run");
        let mut imports = Vec::new();
        for symbol in blob.imports() {
            imports.push(host::number_of(symbol.context("an import without a name")?.as_bytes())?);
        }
        Ok(Self {
            code,
            bitmask,
            jump_table: blob.jump_table().iter().map(|target| target.0).collect(),
            run: exported.map_or(0, |export| export.program_counter().0),
            imports,
            read_only: (map.ro_data_address(), blob.ro_data().to_vec()),
            read_write: (map.rw_data_address(), blob.rw_data().to_vec()),
            memory: (map.rw_data_address() + blob.rw_data_size()).next_multiple_of(4096) + STACK,
        })
    }

    fn interpreter(&self) -> Pvm {
        let mut memory = vec![0; self.memory as usize];
        for (address, data) in [&self.read_only, &self.read_write] {
            memory[*address as usize..][..data.len()].copy_from_slice(data);
        }
        Pvm::new(self.code.clone(), self.bitmask.clone(), self.jump_table.clone(), [0; 13], memory, PLENTY)
    }

    fn recompiler(&self) -> Result<RecompiledPvm> {
        let layout = DataLayout {
            mem_size: self.memory,
            arg_start: 0,
            arg_data: Vec::new(),
            ro_start: self.read_only.0,
            ro_data: self.read_only.1.clone(),
            rw_start: self.read_write.0,
            rw_data: self.read_write.1.clone(),
        };
        let mut pvm = RecompiledPvm::new(
            self.code.clone(),
            self.bitmask.clone(),
            self.jump_table.clone(),
            [0; 13],
            PLENTY,
            Some(layout),
        )
        .map_err(|error| anyhow!("{error}"))?;
        pvm.set_heap_top(self.memory);
        Ok(pvm)
    }

    fn registers(&self, amount: u64) -> [u64; 13] {
        let mut registers = [0; 13];
        registers[RA] = RETURN_TO_HOST;
        registers[SP] = self.memory.into();
        registers[A0] = amount;
        registers
    }
}

struct Prepared {
    parts: Rc<Parts>,
    decoded: Option<Pvm>,
}

impl Module for Prepared {
    fn instantiate(&self) -> Result<Box<dyn Instance>> {
        let (parts, host) = (Rc::clone(&self.parts), Host::default());
        Ok(match &self.decoded {
            Some(decoded) => Box::new(Interpreted { pvm: decoded.clone(), parts, host }),
            None => Box::new(Recompiled { pvm: self.parts.recompiler()?, parts, host }),
        })
    }
}

struct Interpreted {
    pvm: Pvm,
    parts: Rc<Parts>,
    host: Host,
}

impl Instance for Interpreted {
    fn call(&mut self, amount: u64) -> Result<u64> {
        let Self { pvm, parts, host } = self;
        pvm.registers = parts.registers(amount);
        pvm.pc = parts.run;
        pvm.gas = PLENTY;
        pvm.need_gas_charge = true;
        loop {
            match pvm.run().0 {
                ExitReason::HostCall(import) => {
                    let number =
                        *parts.imports.get(import as usize).context("a syscall that is no import")?;
                    let arguments = [pvm.registers[A0], pvm.registers[A0 + 1], pvm.registers[A0 + 2]];
                    pvm.registers[A0] = host.answer(number, arguments, &mut Flat(&mut pvm.flat_mem))?;
                }
                ExitReason::Halt => return Ok(pvm.registers[A0]),
                other => bail!("{other:?} at {}", pvm.pc),
            }
        }
    }
}

struct Flat<'a>(&'a mut [u8]);

impl GuestMemory for Flat<'_> {
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<()> {
        let from = self.0.get(address as usize..).and_then(|bytes| bytes.get(..buffer.len()));
        buffer.copy_from_slice(from.context("no such memory")?);
        Ok(())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        let to = self.0.get_mut(address as usize..).and_then(|memory| memory.get_mut(..bytes.len()));
        to.context("no such memory")?.copy_from_slice(bytes);
        Ok(())
    }
}

struct Recompiled {
    pvm: RecompiledPvm,
    parts: Rc<Parts>,
    host: Host,
}

impl Instance for Recompiled {
    fn call(&mut self, amount: u64) -> Result<u64> {
        let Self { pvm, parts, host } = self;
        *pvm.registers_mut() = parts.registers(amount);
        pvm.set_pc(parts.run);
        pvm.set_gas(PLENTY);
        loop {
            match pvm.run() {
                ExitReason::HostCall(import) => {
                    let number =
                        *parts.imports.get(import as usize).context("a syscall that is no import")?;
                    let registers = pvm.registers();
                    let arguments = [registers[A0], registers[A0 + 1], registers[A0 + 2]];
                    let answer = host.answer(number, arguments, &mut Mapped(pvm))?;
                    pvm.set_register(A0, answer);
                }
                ExitReason::Halt => return Ok(pvm.registers()[A0]),
                other => bail!("{other:?} at {}", pvm.pc()),
            }
        }
    }
}

struct Mapped<'a>(&'a mut RecompiledPvm);

impl GuestMemory for Mapped<'_> {
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<()> {
        let bytes = self.0.read_bytes(address as u32, buffer.len() as u32).context("no such memory")?;
        buffer.copy_from_slice(&bytes);
        Ok(())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        if !self.0.write_bytes(address as u32, bytes) {
            bail!("no such memory");
        }
        Ok(())
    }
}
