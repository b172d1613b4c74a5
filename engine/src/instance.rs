//! A program being executed.

mod memory;
mod saved;

pub use memory::{Memory, MemoryMut};

use std::sync::Arc;

use crate::exit::{Exit, PageFault, Status, Trap, TrapKind};
use crate::interpreter::{self, Machine, Position, Stop};
use crate::isa::Reg;
use crate::memory::{
    AddressSpace, AnyWindow, HostError, MemoryError, PAGE_SIZE, Permission, Pool, Slot, any_window,
};
use crate::module::{self, Module, ProgramCounter};
use crate::pause::Pause;
use crate::recompiler::{self, Guest, Offset};
use crate::verify::{self, Disagreement};

/// A program with registers, gas and memory of its own.
///
/// It is prepared with an entry point, then run; every stop that is not its end can be followed by another `run`.
pub struct Instance {
    module: Module,
    /// Its memory, unless it is in the slot.
    held: Option<Box<AddressSpace>>,
    slot: Arc<Slot>,
    regs: [u64; 16],
    gas: i64,
    /// The instruction it stopped at.
    pc: u32,
    state: State,
    status: Status,
    pub(crate) pause: Option<Pause>,
}

/// What the next `run` does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Nothing: it has to be prepared.
    Idle,
    /// Begins at the pc, which its host chose, perhaps in the middle of a block. Nothing is paid yet.
    Entry,
    /// Goes on at a place. If that is not the start of a block, the block is paid.
    At(Position),
    /// As `At`, in native code.
    Native(Offset),
}

impl From<Position> for State {
    fn from(position: Position) -> Self {
        Self::At(position)
    }
}

impl From<Offset> for State {
    fn from(offset: Offset) -> Self {
        Self::Native(offset)
    }
}

/// How far [`Instance::run_to_syscall`] came.
enum Ran {
    /// To a syscall with this number.
    ToSyscall(u32),
    /// To something that native code, which began at this place, left to its host.
    Native(Offset, recompiler::Left),
    /// To something that the handlers of the interpreter left; to where, and how much gas there was before.
    Interpreted(Position, (Position, i64)),
    /// It has not begun.
    NotYet,
}

/// The same, put together from its parts. What a call writes to memory every caller of `run` would read from there, all of it at
/// once, even after a syscall, when parts of it have just been written; and the processor makes a load wait that overlaps several
/// stores. Like this compilers keep it in registers.
#[inline(always)]
fn in_registers(result: Result<Exit, RunError>) -> Result<Exit, RunError> {
    Ok(match result? {
        Exit::Finished => Exit::Finished,
        Exit::Syscall(number) => Exit::Syscall(number),
        Exit::OutOfGas => Exit::OutOfGas,
        Exit::Trap(Trap { kind, pc, address }) => Exit::Trap(Trap { kind, pc, address }),
        Exit::PageFault(PageFault { page_address, address, pc, write_protected }) => {
            Exit::PageFault(PageFault { page_address, address, pc, write_protected })
        }
        Exit::Paused => Exit::Paused,
    })
}

/// Why an instance cannot be prepared. It stays as it was.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The program has no such export.
    #[error("the program has no export `{}`", String::from_utf8_lossy(.symbol))]
    UnknownExport {
        /// Its name.
        symbol: Vec<u8>,
    },
    /// The arguments do not fit the space that the program has for them.
    #[error(transparent)]
    Arguments(#[from] MemoryError),
    /// There are more arguments than registers for them.
    #[error("{count} arguments: at most nine fit the registers")]
    TooManyArguments {
        /// How many.
        count: usize,
    },
}

/// Why an instance did not run, or not up to a stop of its own. The program is not at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It has never been prepared, or its last execution ended.
    #[error("the instance is idle: prepare it first")]
    NotPrepared,
    /// The host lacks memory. The next `run` goes on where it was missing.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Native code and the interpreter do not do the same: a defect of the engine (only with
    /// [`Backend::Verify`](crate::Backend::Verify)).
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
}

impl Instance {
    pub(crate) fn new(module: Module) -> Self {
        let space = AddressSpace::new(Arc::clone(&module.inner.image));
        Self {
            module,
            held: Some(Box::new(space)),
            slot: Arc::new(Slot::new()),
            regs: [0; 16],
            gas: 0,
            pc: 0,
            state: State::Idle,
            status: Status::Idle,
            pause: None,
        }
    }

    /// The program.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// Prepares a call of the export `symbol`: the stack pointer at the top of the stack, the return address such that
    /// returning finishes, `arguments` in `a0` to `a5` and `t0` to `t2`, all other registers zero. Memory stays as it is.
    ///
    /// Whatever was being executed is given up.
    ///
    /// # Errors
    /// If there is no such export or there are more than nine arguments; then nothing changes.
    pub fn prepare(&mut self, symbol: impl AsRef<[u8]>, arguments: &[u64]) -> Result<(), PrepareError> {
        let symbol = symbol.as_ref();
        let unknown = || PrepareError::UnknownExport { symbol: symbol.to_vec() };
        let pc = self.module.export(symbol).ok_or_else(unknown)?;
        self.prepare_at(pc, arguments)
    }

    /// As [`Instance::prepare`], at any place in the code. Where no instruction starts, running traps.
    ///
    /// # Errors
    /// If there are more than nine arguments; then nothing changes.
    pub fn prepare_at(&mut self, pc: ProgramCounter, arguments: &[u64]) -> Result<(), PrepareError> {
        if arguments.len() > Reg::ARGUMENTS.len() {
            return Err(PrepareError::TooManyArguments { count: arguments.len() });
        }
        self.regs = [0; 16];
        self.set_reg(Reg::SP, self.module.memory_map().stack().end.into());
        self.set_reg(Reg::RA, interpreter::RETURN_TO_HOST.into());
        for (reg, &argument) in Reg::ARGUMENTS.into_iter().zip(arguments) {
            self.set_reg(reg, argument);
        }
        self.set_pc(pc);
        Ok(())
    }

    /// Prepares a call of a JAM standard program: as [`Instance::prepare_at`], with `arguments` readable in memory, their address
    /// in `a0` and their length in `a1` (Gray Paper, appendix A.7).
    ///
    /// # Errors
    /// If the program has less space for arguments than that; then nothing changes.
    pub fn prepare_standard(&mut self, pc: ProgramCounter, arguments: &[u8]) -> Result<(), PrepareError> {
        self.with_space_mut(|space| space.set_auxiliary(arguments))?;
        let address = self.module.memory_map().auxiliary().start;
        self.prepare_at(pc, &[address.into(), arguments.len() as u64])
    }

    /// Makes the next `run` begin at `pc`, with registers and memory as they are. The block that `pc` lies in is charged in
    /// full then, even if it was charged before.
    pub fn set_pc(&mut self, pc: ProgramCounter) {
        self.pc = pc.0;
        self.state = State::Entry;
        self.status = Status::Ready;
    }

    /// The instruction at which it stopped, or at which it will begin.
    pub const fn pc(&self) -> ProgramCounter {
        ProgramCounter(self.pc)
    }

    /// Where it is: what stopped it, or what will happen first.
    ///
    /// Where less than zero gas keeps an instance from going on, [`Instance::run`] gives [`Exit::OutOfGas`]; one that was to begin where no
    /// instruction starts is [`Status::Ready`] still, and traps when it has gas.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Whether it can be run.
    pub fn is_prepared(&self) -> bool {
        self.state != State::Idle
    }

    /// A register. Registers of 32 bits are zero-extended.
    #[inline]
    pub fn reg(&self, reg: Reg) -> u64 {
        let value = interpreter::load_alone(&self.regs[reg as usize]);
        if self.module.instruction_set().is_64_bit() { value } else { value & u64::from(u32::MAX) }
    }

    /// Sets a register. Of registers of 32 bits only the low half of `value` counts.
    #[inline]
    pub fn set_reg(&mut self, reg: Reg, value: u64) {
        let is_64_bit = self.module.instruction_set().is_64_bit();
        // Registers of 32 bits are kept sign-extended.
        self.regs[reg as usize] = if is_64_bit { value } else { i64::from(value as i32) as u64 };
    }

    /// The gas that is left.
    #[inline]
    pub const fn gas(&self) -> i64 {
        self.gas
    }

    /// Sets the gas that is left. With less than zero nothing runs.
    #[inline]
    pub const fn set_gas(&mut self, gas: i64) {
        self.gas = gas;
    }

    /// Ends what is being executed as if the instruction that it is at were a `trap`, for a host that refuses what the program has
    /// asked for. It is idle then.
    pub fn abort(&mut self) -> Exit {
        self.trap(Trap { kind: TrapKind::Trap, pc: self.pc, address: None })
    }

    /// The flag that makes it pause, if any.
    pub fn set_pause(&mut self, pause: Option<Pause>) {
        self.pause = pause;
    }

    /// Runs until something stops it.
    ///
    /// After [`Exit::Finished`] and [`Exit::Trap`] it is idle; after anything else `run` goes on.
    ///
    /// # Errors
    /// If it is idle, or the host lacks memory. The program is not at fault and, after more memory has been found, `run` goes
    /// on.
    #[inline]
    pub fn run(&mut self) -> Result<Exit, RunError> {
        match self.run_to_syscall() {
            Ran::ToSyscall(number) => Ok(Exit::Syscall(number)),
            ran => in_registers(self.go_on(ran)),
        }
    }

    /// Runs to a syscall if nothing else has to be done before or comes between: all that is done in the most frequent case, and
    /// compiled into the loop of the host, since a call and a result in memory take half as long as all of it.
    #[inline(always)]
    fn run_to_syscall(&mut self) -> Ran {
        let inner = &*self.module.inner;
        let Some(space) = &mut self.held else { return Ran::NotYet };
        if self.gas < 0 || !space.can_run() {
            return Ran::NotYet;
        }
        let AddressSpace { contents, window: Some(window) } = &mut **space else { return Ran::NotYet };
        let (regs, gas, pause) = (&mut self.regs, &mut self.gas, self.pause.as_ref());
        let (pc, number) = match (self.state, &inner.native) {
            (State::Native(start), Some(native)) if !inner.in_lock_step => {
                match recompiler::run_to_syscall(native, regs, gas, pause, window, start) {
                    recompiler::Ran::ToSyscall { pc, number, next } => {
                        self.state = State::Native(next);
                        (pc, number)
                    }
                    recompiler::Ran::ToHost(left) => return Ran::Native(start, left),
                    recompiler::Ran::NotYet => return Ran::NotYet,
                }
            }
            (State::At(start), None) if pause.is_none() => {
                let (code, blocks, regions) = (&inner.code, &inner.blocks, &inner.regions);
                let left = any_window!(window, window => {
                    let machine = Machine { code, blocks, regions, window, contents, regs, gas, pause };
                    machine.run_to_syscall(start)
                });
                match left {
                    Ok((pc, number, next)) => {
                        self.state = State::At(next);
                        (pc, number)
                    }
                    Err(left) => return Ran::Interpreted(start, left),
                }
            }
            _ => return Ran::NotYet,
        };
        self.pc = pc;
        self.status = Status::Stopped(Exit::Syscall(number));
        if inner.engine.inner.pool.is_scarce() {
            self.let_go();
        }
        Ran::ToSyscall(number)
    }

    /// Runs until something stops it, if it has not run to a syscall.
    #[cold]
    #[inline(never)]
    fn go_on(&mut self, ran: Ran) -> Result<Exit, RunError> {
        let inner = &*self.module.inner;
        let (code, blocks, regions) = (&inner.code, &inner.blocks, &inner.regions);
        let (regs, gas, pause) = (&mut self.regs, &mut self.gas, self.pause.as_ref());
        let space = self.held.as_deref_mut();
        match (ran, space, &inner.native) {
            (
                Ran::Native(start, left),
                Some(AddressSpace { contents, window: Some(window) }),
                Some(native),
            ) => {
                let guest = Guest { code, blocks, regions, contents, regs, gas, pause };
                let stop = recompiler::go_on(native, guest, window, start, left);
                self.came_back(stop)
            }
            (Ran::Interpreted(start, left), Some(AddressSpace { contents, window: Some(window) }), _) => {
                let stop = any_window!(window, window => {
                    Machine { code, blocks, regions, window, contents, regs, gas, pause }.go_on(start, Some(left))
                });
                self.came_back(stop)
            }
            (Ran::ToSyscall(number), ..) => Ok(Exit::Syscall(number)),
            (.., None) => self.interpret::<false>(),
            _ if inner.in_lock_step => verify::run(self),
            _ => self.run_native(),
        }
    }

    /// Executes one instruction, under the same rules of gas: entering a block charges for all of it, and where that gas is
    /// missing nothing is executed. For debuggers and traces.
    ///
    /// Gives [`Exit::Paused`] if nothing else stopped it; [`Instance::pc`] is then the next instruction.
    ///
    /// # Errors
    /// As [`Instance::run`].
    pub fn step(&mut self) -> Result<Exit, RunError> {
        self.interpret::<true>()
    }

    /// Runs native code, which there must be.
    pub(crate) fn run_native(&mut self) -> Result<Exit, RunError> {
        let offset = match self.state {
            State::Native(offset) if self.gas >= 0 => offset,
            State::Idle => return Err(RunError::NotPrepared),
            _ if self.gas < 0 => return Ok(self.without_gas()),
            _ => match self.enter_native() {
                Ok(offset) => offset,
                Err(exit) => return Ok(exit),
            },
        };
        let inner = &*self.module.inner;
        let pool = &inner.engine.inner.pool;
        let space = self.held.get_or_insert_with(|| self.slot.take());
        if !space.can_run()
            && let Err(error) = mount(pool, &self.slot, space)
        {
            // As in `interpret`.
            self.state = State::Native(offset);
            self.note_interrupted();
            return Err(error.into());
        }
        let AddressSpace { contents, window } = &mut **space;
        let (Some(window), Some(native)) = (window, &inner.native) else { return Err(RunError::NotPrepared) };
        let guest = Guest {
            code: &inner.code,
            blocks: &inner.blocks,
            regions: &inner.regions,
            contents,
            regs: &mut self.regs,
            gas: &mut self.gas,
            pause: self.pause.as_ref(),
        };
        let stop = recompiler::run(native, guest, window, offset);
        self.came_back(stop)
    }

    /// Where to begin in native code, as `enter`, or to go on after something else was executed.
    #[cold]
    fn enter_native(&mut self) -> Result<Offset, Exit> {
        let module::Inner { code, blocks, regions, native, .. } = &*self.module.inner;
        let pc = self.pc;
        let invalid = Trap { kind: TrapKind::InvalidEntry, pc, address: None };
        let place = match self.state {
            State::At(position) => {
                let (pc, unpaid) = regions.place(code, blocks, position);
                native.as_ref().and_then(|native| native.offset(pc, unpaid)).map(|offset| (offset, 0))
            }
            _ => native.as_ref().and_then(|native| native.entry(code, pc)),
        };
        let Some((offset, cost)) = place else { return Err(self.trap(invalid)) };
        if self.gas < cost.into() {
            self.status = Status::Stopped(Exit::OutOfGas);
            return Err(Exit::OutOfGas);
        }
        self.gas -= i64::from(cost);
        Ok(offset)
    }

    /// Runs, or executes one instruction, in the interpreter.
    pub(crate) fn interpret<const STEP: bool>(&mut self) -> Result<Exit, RunError> {
        self.leave_native();
        let position = match self.state {
            State::At(position) if self.gas >= 0 => position,
            State::Idle => return Err(RunError::NotPrepared),
            _ if self.gas < 0 => return Ok(self.without_gas()),
            _ => match self.enter() {
                Ok(position) => position,
                Err(exit) => return Ok(exit),
            },
        };
        let inner = &*self.module.inner;
        let pool = &inner.engine.inner.pool;
        let space = self.held.get_or_insert_with(|| self.slot.take());
        if !space.can_run()
            && let Err(error) = mount(pool, &self.slot, space)
        {
            // Entering the middle of a block has been paid: it must not be paid again.
            self.state = State::At(position);
            self.note_interrupted();
            return Err(error.into());
        }
        let AddressSpace { contents, window } = &mut **space;
        let Some(window) = window else { return Err(RunError::NotPrepared) };
        let stop = any_window!(window, window => {
            let machine = Machine {
                code: &inner.code,
                blocks: &inner.blocks,
                regions: &inner.regions,
                window,
                contents,
                regs: &mut self.regs,
                gas: &mut self.gas,
                pause: self.pause.as_ref(),
            };
            if STEP { machine.step(position) } else { machine.execute(position) }
        });
        self.came_back(stop)
    }

    /// Goes on where native code stopped with operations of the interpreter.
    #[inline]
    fn leave_native(&mut self) {
        if let State::Native(offset) = self.state {
            let module::Inner { code, blocks, regions, native, .. } = &*self.module.inner;
            let place = native.as_ref().and_then(|native| native.place(offset));
            let position = place.and_then(|place| regions.position(code, blocks, place));
            debug_assert!(position.is_some(), "no operation for {offset:?}");
            self.state = position.map_or(State::Idle, State::At);
        }
    }

    /// Leaves the memory where the pool can take its window.
    #[cold]
    fn let_go(&mut self) {
        if let Some(space) = self.held.take() {
            self.slot.note_used(self.module.inner.engine.inner.pool.clock());
            self.slot.put(space);
        }
    }

    /// Does something with its memory, and leaves it where it is.
    #[inline]
    fn with_space<T>(&self, work: impl FnOnce(&AddressSpace) -> T) -> T {
        match &self.held {
            Some(space) => work(space),
            None => {
                let space = self.slot.take();
                let result = work(&space);
                self.slot.put(space);
                result
            }
        }
    }

    /// Changes something in its memory, and leaves it where it is.
    #[inline]
    fn with_space_mut<T>(&mut self, work: impl FnOnce(&mut AddressSpace) -> T) -> T {
        change(&mut self.held, &self.slot, work)
    }

    /// The first page whose bytes or permissions are not as in another instance of the module.
    pub(crate) fn different_page(&mut self, other: &mut Self) -> Option<u32> {
        self.with_space_mut(|space| other.with_space_mut(|other| space.different_page(other)))
    }

    /// Lets the pool have the window that `leave` takes the memory out of.
    fn leave_window(&mut self, leave: impl FnOnce(&mut AddressSpace) -> Option<AnyWindow>) {
        let Self { module, slot, held, .. } = self;
        change(held, slot, |space| module.inner.engine.inner.pool.release(slot, leave(space)));
    }

    /// After something stopped it.
    fn came_back<Place: Into<State>>(&mut self, stop: Stop<Place>) -> Result<Exit, RunError> {
        if self.module.inner.engine.inner.pool.is_scarce() {
            self.let_go();
        }
        self.stopped(stop)
    }

    fn stopped<Place: Into<State>>(&mut self, stop: Stop<Place>) -> Result<Exit, RunError> {
        let exit = match stop {
            Stop::Syscall { pc, number, next } => {
                self.at(pc, next);
                Exit::Syscall(number)
            }
            Stop::Finished { pc } => {
                self.pc = pc;
                self.state = State::Idle;
                Exit::Finished
            }
            Stop::OutOfGas { pc, next } => {
                self.at(pc, next);
                Exit::OutOfGas
            }
            Stop::Trap { pc, kind, address } => self.trap(Trap { kind, pc, address }),
            Stop::PageFault { pc, denied, next } => {
                self.at(pc, next);
                Exit::PageFault(PageFault {
                    page_address: denied.address / PAGE_SIZE * PAGE_SIZE,
                    address: denied.address,
                    pc,
                    write_protected: denied.permission == Permission::Read,
                })
            }
            Stop::Paused { pc, next } => {
                self.at(pc, next);
                Exit::Paused
            }
            Stop::Host { pc, error, next } => {
                self.at(pc, next);
                self.status = Status::Stopped(Exit::Paused);
                return Err(error.into());
            }
        };
        self.status = Status::Stopped(exit);
        Ok(exit)
    }

    fn at(&mut self, pc: u32, next: impl Into<State>) {
        self.pc = pc;
        self.state = next.into();
    }

    fn trap(&mut self, trap: Trap) -> Exit {
        self.pc = trap.pc;
        self.state = State::Idle;
        self.status = Status::Stopped(Exit::Trap(trap));
        Exit::Trap(trap)
    }

    /// There is less than no gas. What went on behind a syscall is where it goes on from now on: it is there that gas is missing.
    #[cold]
    fn without_gas(&mut self) -> Exit {
        let module::Inner { code, blocks, regions, .. } = &*self.module.inner;
        match self.place() {
            Some((pc, _)) => self.pc = pc,
            None if regions.entry(code, blocks, self.pc).is_some() => {}
            // Gas is not what is missing where nothing can be entered.
            None => return Exit::OutOfGas,
        }
        self.status = Status::Stopped(Exit::OutOfGas);
        Exit::OutOfGas
    }

    /// The host failed before it could go on. Perhaps its block has been paid, so it is not as ready as it was.
    #[cold]
    fn note_interrupted(&mut self) {
        if !matches!(self.status, Status::Stopped(Exit::Syscall(_))) {
            self.status = Status::Stopped(Exit::Paused);
        }
    }

    /// The instruction at which it goes on, if it has begun, and whether the block that starts there is still to be paid for.
    fn place(&self) -> Option<(u32, bool)> {
        let module::Inner { code, blocks, regions, native, .. } = &*self.module.inner;
        match self.state {
            State::Idle | State::Entry => None,
            State::At(position) => Some(regions.place(code, blocks, position)),
            State::Native(offset) => native.as_ref().and_then(|native| native.place(offset)),
        }
    }

    /// Where to begin after the host has set the pc. In the middle of a block the whole block is charged here.
    #[cold]
    fn enter(&mut self) -> Result<Position, Exit> {
        let module::Inner { code, blocks, regions, .. } = &*self.module.inner;
        let Some((position, cost)) = regions.entry(code, blocks, self.pc) else {
            let pc = self.pc;
            return Err(self.trap(Trap { kind: TrapKind::InvalidEntry, pc, address: None }));
        };
        if self.gas < cost.into() {
            self.status = Status::Stopped(Exit::OutOfGas);
            return Err(Exit::OutOfGas);
        }
        self.gas -= i64::from(cost);
        Ok(position)
    }

    /// Its memory, for reading.
    pub fn memory(&self) -> Memory<'_> {
        Memory { instance: self }
    }

    /// Its memory, for reading and writing.
    pub fn memory_mut(&mut self) -> MemoryMut<'_> {
        MemoryMut { instance: self }
    }

    /// End of the heap.
    pub fn heap_top(&self) -> u32 {
        self.with_space(|space| space.contents.heap_top())
    }

    /// Bytes of its memory: data and stack as the program declares them, and the heap as far as it has grown, in whole pages.
    pub fn memory_bytes(&self) -> u64 {
        self.with_space(|space| space.contents.accessible_bytes())
    }

    /// Sets the most bytes of memory that it may have from now on, heap included: `sbrk` beyond gives 0. It keeps what it has
    /// already, and never gets more than [`Config::memory_limit`](crate::Config::memory_limit).
    ///
    /// For embedders whose instances share a limit. It is a setting of the instance and of its forks, like the gas that they
    /// are given, and no part of a [`Snapshot`](crate::Snapshot).
    pub fn set_memory_limit(&mut self, bytes: u64) {
        self.with_space_mut(|space| space.contents.set_limit(bytes));
    }

    /// Puts its memory, heap included, back to what it was after `instantiate`. It is idle afterwards; gas stays.
    ///
    /// Takes time in proportion to the pages it has written.
    pub fn reset(&mut self) {
        self.with_space_mut(AddressSpace::reset);
        self.regs = [0; 16];
        self.pc = 0;
        self.state = State::Idle;
        self.status = Status::Idle;
    }

    /// Gives up the window it runs in, if it has one, for others to use. The next `run` takes a new one. Not observable.
    ///
    /// Takes time in proportion to the pages it has written.
    pub fn park(&mut self) {
        self.leave_window(AddressSpace::park);
    }

    /// The numbers of the pages that were written or protected since it was made, in ascending order: all whose bytes or
    /// permissions are not as the program declares, and perhaps some that are so again.
    ///
    /// Takes time in proportion to those pages.
    pub fn changed_pages(&mut self) -> Vec<u32> {
        self.with_space_mut(AddressSpace::own_pages)
    }

    /// Another instance in the same state, which shares all memory with this one until either writes it.
    ///
    /// Takes time in proportion to the pages that differ from the program's image.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self {
            held: Some(Box::new(self.with_space_mut(AddressSpace::fork))),
            module: self.module.clone(),
            slot: Arc::new(Slot::new()),
            regs: self.regs,
            gas: self.gas,
            pc: self.pc,
            state: self.state,
            status: self.status,
            pause: self.pause.clone(),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.leave_window(AddressSpace::dismount);
    }
}

impl core::fmt::Debug for Instance {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Instance")
            .field("pc", &self.pc)
            .field("gas", &self.gas)
            .field("regs", &&self.regs[..13])
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Changes something in the memory of an instance, which is in one of these places and stays there.
#[inline]
fn change<T>(
    held: &mut Option<Box<AddressSpace>>,
    slot: &Slot,
    work: impl FnOnce(&mut AddressSpace) -> T,
) -> T {
    match held {
        Some(space) => work(space),
        None => {
            let mut space = slot.take();
            let result = work(&mut space);
            slot.put(space);
            result
        }
    }
}

#[cold]
fn mount(pool: &Pool, slot: &Arc<Slot>, space: &mut AddressSpace) -> Result<(), HostError> {
    while !space.can_run() {
        pool.release(slot, space.park());
        let window = pool.acquire(slot, space.image())?;
        space.mount(window);
    }
    Ok(())
}
