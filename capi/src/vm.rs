//! A VM: what its handle points to, and who may touch it.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::ffi::CString;
use std::sync::Arc;

use hatchery_engine::program::Program;
use hatchery_engine::{
    Exit, Instance, PageFault, Pause, ProgramCounter, Reg, Status as InstanceStatus, Trap,
};

use crate::config::Settings;
use crate::constants::*;
use crate::inner::InnerMachines;
use crate::layout::Region;
use crate::pointer;
use crate::record::Recorder;
use crate::status::{self, Failure, c_text, catch, remember};
use crate::trace::Watch;

/// What the program's host calls are answered by: it is given the VM and the number of the host call, which is negative where the
/// Gray Paper's is 2^64 minus something, and returns one of PVM_HOST_*. It can use the VM, even destroy it, but not execute it. It must return: no longjmp, no exceptions.
pub type HostCallback = Option<unsafe extern "C" fn(vm: *mut Vm, func_id: c_int) -> HostResult>;

/// A VM: a program with registers, gas and memory of its own.
///
/// Functions on different VMs can be called on different threads at the same time. One VM is to be used by one thread at a time,
/// any thread; a function that comes while another is using it fails with PVM_STATUS_BUSY, and one that executes gives
/// PVM_RESULT_ERROR while another thread is executing the VM, even while that is in a callback. pvm_interrupt is for other threads.
#[repr(C)] // The tag comes first.
pub struct Vm {
    tag: AtomicU64,
    /// Its number: no two VMs have the same.
    number: u64,
    is_locked: AtomicBool,
    /// The thread that executes it; 0 if none does.
    executor: AtomicUsize,
    pub(crate) is_destroyed: AtomicBool,
    pub(crate) pause: Pause,
    state: UnsafeCell<State>,
    /// What `pvm_get_registers` has handed out a pointer to.
    pub(crate) registers: UnsafeCell<[u64; PVM_REGISTER_COUNT]>,
}

// SAFETY: the state is touched by who holds the lock only. Pointers of the user's in it are not followed.
unsafe impl Send for Vm {}
// SAFETY: as above.
unsafe impl Sync for Vm {}

/// Tells a VM from other memory.
const TAG: u64 = 0x2020_206d_762d_6d76;

pub(crate) struct State {
    machine: Machine,
    pub(crate) settings: Settings,
    /// What the program was compiled from.
    pub(crate) source: Arc<[u8]>,
    pub(crate) stop: Stop,
    /// Whether the callback has ended the execution.
    pub(crate) is_ended: bool,
    /// Whether the host can still write memory that the program can only read.
    pub(crate) is_initializing: bool,
    /// Whether `pvm_get_registers` has been called, so that its copy has to follow.
    pub(crate) registers_are_shown: bool,
    pub(crate) callback: HostCallback,
    pub(crate) user_data: *mut c_void,
    pub(crate) service_index: u32,
    pub(crate) watch: Watch,
    pub(crate) inner: InnerMachines,
    pub(crate) recorder: Option<Box<Recorder>>,
    /// The flag that interrupts it, if it can be interrupted.
    pub(crate) pause: Option<Pause>,
    /// What `pvm_set_memory_bounds` has made of memory.
    regions: Vec<Region>,
    pub(crate) result_code: Option<i32>,
    error: CString,
    /// A panic has interrupted something: nothing of this can be relied on.
    is_broken: bool,
}

/// The program: compiled, or still to be.
enum Machine {
    Instance(Instance),
    /// Until its memory layout is known, which compiling needs.
    Blueprint(Box<Blueprint>),
}

#[derive(Clone)]
pub(crate) struct Blueprint {
    pub(crate) program: Program,
    pub(crate) regs: [u64; PVM_REGISTER_COUNT],
    pub(crate) gas: i64,
    /// Applied once the instance is there.
    pub(crate) regions: Vec<Region>,
}

/// Why the last execution stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    Ready,
    Halt,
    Panic(Option<Trap>),
    Fault(PageFault),
    Host(u32),
    OutOfGas,
    Paused,
}

impl Stop {
    pub(crate) const fn of_exit(exit: Exit) -> Self {
        match exit {
            Exit::Finished => Self::Halt,
            Exit::Syscall(number) => Self::Host(number),
            Exit::OutOfGas => Self::OutOfGas,
            Exit::Trap(trap) => Self::Panic(Some(trap)),
            Exit::PageFault(fault) => Self::Fault(fault),
            Exit::Paused => Self::Paused,
        }
    }

    pub(crate) const fn of_status(status: InstanceStatus) -> Self {
        match status {
            InstanceStatus::Idle | InstanceStatus::Ready => Self::Ready,
            InstanceStatus::Stopped(exit) => Self::of_exit(exit),
        }
    }

    pub(crate) const fn machine_state(self) -> u8 {
        match self {
            Self::Ready => PVM_STATE_READY,
            Self::Halt => PVM_STATE_HALT,
            Self::Panic(_) => PVM_STATE_PANIC,
            Self::Fault(_) => PVM_STATE_FAULT,
            Self::Host(_) => PVM_STATE_HOST,
            Self::OutOfGas => PVM_STATE_OOG,
            Self::Paused => PVM_STATE_PAUSED,
        }
    }

    pub(crate) const fn result(self) -> ExecutionResult {
        match self {
            Self::Ready => PVM_RESULT_ERROR,
            Self::Halt => PVM_RESULT_OK,
            Self::Panic(_) => PVM_RESULT_PANIC,
            Self::Fault(_) => PVM_RESULT_FAULT,
            Self::Host(_) => PVM_RESULT_HOST_CALL,
            Self::OutOfGas => PVM_RESULT_OOG,
            Self::Paused => PVM_RESULT_PAUSED,
        }
    }
}

impl State {
    pub(crate) fn of_instance(settings: Settings, source: Arc<[u8]>, instance: Instance) -> Self {
        Self::new(settings, source, Machine::Instance(instance))
    }

    pub(crate) fn of_blueprint(settings: Settings, source: Arc<[u8]>, blueprint: Blueprint) -> Self {
        Self::new(settings, source, Machine::Blueprint(Box::new(blueprint)))
    }

    fn new(settings: Settings, source: Arc<[u8]>, machine: Machine) -> Self {
        Self {
            machine,
            settings,
            source,
            stop: Stop::Ready,
            is_ended: false,
            is_initializing: true,
            registers_are_shown: false,
            callback: None,
            user_data: core::ptr::null_mut(),
            service_index: 0,
            watch: Watch::default(),
            inner: InnerMachines::default(),
            recorder: None,
            pause: None,
            regions: Vec::new(),
            result_code: None,
            error: CString::default(),
            is_broken: false,
        }
    }

    /// The instance, which is made now if it was not there yet.
    #[inline]
    pub(crate) fn instance(&mut self) -> Result<&mut Instance, Failure> {
        if let Machine::Blueprint(_) = self.machine {
            self.build()?;
        }
        match &mut self.machine {
            Machine::Instance(instance) => Ok(instance),
            Machine::Blueprint(_) => Err(Failure::new(PVM_STATUS_INTERNAL, "no instance was made")),
        }
    }

    /// What the instance will be made of, if it has not been made.
    pub(crate) fn blueprint(&mut self) -> Option<&mut Blueprint> {
        match &mut self.machine {
            Machine::Blueprint(blueprint) => Some(blueprint),
            Machine::Instance(_) => None,
        }
    }

    #[cold]
    fn build(&mut self) -> Result<(), Failure> {
        let Machine::Blueprint(blueprint) = &self.machine else { return Ok(()) };
        let module = self.settings.engine()?.compile_program(blueprint.program.clone())?;
        let mut instance = module.instantiate();
        for (reg, value) in Reg::ALL.into_iter().zip(blueprint.regs) {
            instance.set_reg(reg, value);
        }
        instance.set_gas(blueprint.gas);
        for region in &blueprint.regions {
            region.apply(&mut instance)?;
        }
        instance.set_pc(ProgramCounter(0));
        self.regions = blueprint.regions.clone();
        self.machine = Machine::Instance(instance);
        Ok(())
    }

    /// Back to the beginning, with the same regions.
    pub(crate) fn reset(&mut self) -> Result<(), Failure> {
        // A copy: should the host fail they are still known.
        let regions = self.regions.clone();
        let instance = self.instance()?;
        instance.reset();
        for region in &regions {
            region.apply(instance)?;
        }
        instance.set_pc(ProgramCounter(0));
        Ok(())
    }

    /// Goes on with another instance of the same program.
    pub(crate) fn replace_instance(&mut self, instance: Instance) {
        self.machine = Machine::Instance(instance);
    }

    /// Takes note of why the program stopped.
    #[inline]
    pub(crate) fn note_exit(&mut self, exit: Exit) {
        self.stop = Stop::of_exit(exit);
        self.is_initializing = false;
    }

    /// The instruction at which it stopped or, unless it is at a host call, at which it goes on.
    pub(crate) fn pc(&mut self) -> Result<u32, Failure> {
        if self.stop == Stop::Paused {
            return self.next_pc();
        }
        Ok(self.instance()?.pc().0)
    }

    /// The instruction at which it goes on: behind the host call, if it is at one.
    pub(crate) fn next_pc(&mut self) -> Result<u32, Failure> {
        let instance = self.instance()?;
        let pc = instance.pc();
        Ok(match instance.status() {
            InstanceStatus::Stopped(Exit::Syscall(_)) => instance.module().instruction_at(pc).next_pc,
            _ => pc.0,
        })
    }

    /// Takes over what another VM of the same program makes of memory.
    pub(crate) fn copy_regions(&mut self, other: &Self) {
        self.regions.clone_from(&other.regions);
    }

    /// A register, whether there is an instance or not.
    #[inline]
    pub(crate) fn reg(&self, reg: Reg) -> u64 {
        match &self.machine {
            Machine::Instance(instance) => instance.reg(reg),
            Machine::Blueprint(blueprint) => blueprint.regs[reg as usize],
        }
    }

    #[inline]
    pub(crate) fn set_reg(&mut self, reg: Reg, value: u64) {
        match &mut self.machine {
            Machine::Instance(instance) => instance.set_reg(reg, value),
            Machine::Blueprint(blueprint) => blueprint.regs[reg as usize] = value,
        }
    }

    #[inline]
    pub(crate) fn gas(&self) -> i64 {
        match &self.machine {
            Machine::Instance(instance) => instance.gas(),
            Machine::Blueprint(blueprint) => blueprint.gas,
        }
    }

    #[inline]
    pub(crate) fn set_gas(&mut self, gas: i64) {
        match &mut self.machine {
            Machine::Instance(instance) => instance.set_gas(gas),
            Machine::Blueprint(blueprint) => blueprint.gas = gas,
        }
    }
}

impl Vm {
    /// A handle to a new VM.
    pub(crate) fn hand_out(state: State) -> *mut Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let vm = Self {
            tag: AtomicU64::new(TAG),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            is_locked: AtomicBool::new(false),
            executor: AtomicUsize::new(0),
            is_destroyed: AtomicBool::new(false),
            pause: Pause::new(),
            state: UnsafeCell::new(state),
            registers: UnsafeCell::new([0; PVM_REGISTER_COUNT]),
        };
        Arc::into_raw(Arc::new(vm)).cast_mut()
    }

    /// The VM of a handle.
    ///
    /// # Safety
    /// If the pointer is neither null nor misaligned it must be one that this library gave, and that is still alive.
    #[inline]
    pub(crate) unsafe fn of<'a>(handle: *const Self) -> Result<&'a Self, Failure> {
        // SAFETY: as the caller says.
        unsafe { Self::find(handle) }.map_err(|status| match pointer::check(handle, "the VM") {
            Err(failure) => failure,
            Ok(()) => Failure::new(status, "the VM is none, or has been destroyed"),
        })
    }

    /// As [`Vm::of`], without an allocation for the text: for signal handlers.
    ///
    /// # Safety
    /// As [`Vm::of`].
    #[inline]
    pub(crate) unsafe fn find<'a>(handle: *const Self) -> Result<&'a Self, Status> {
        if handle.is_null() {
            return Err(PVM_STATUS_NULL_POINTER);
        }
        if !handle.is_aligned() {
            return Err(PVM_STATUS_INVALID_ARGUMENT);
        }
        // SAFETY: not null and aligned; whatever this library gave has eight bytes at its beginning that say what it is.
        let tag = unsafe { (*handle.cast::<AtomicU64>()).load(Ordering::Relaxed) };
        if tag != TAG {
            return Err(PVM_STATUS_INVALID_HANDLE);
        }
        // SAFETY: it is a VM, which lives as long as its caller holds it.
        Ok(unsafe { &*handle })
    }

    /// A VM that stays alive while this is held, even if it is destroyed meanwhile.
    ///
    /// # Safety
    /// As [`Vm::of`].
    pub(crate) unsafe fn hold(handle: *mut Self) -> Result<Arc<Self>, Failure> {
        // SAFETY: as the caller says; a VM is always in an `Arc`.
        unsafe {
            Self::of(handle)?;
            Arc::increment_strong_count(handle.cast_const());
            Ok(Arc::from_raw(handle.cast_const()))
        }
    }

    /// Gives up the user's reference.
    ///
    /// # Safety
    /// As [`Vm::of`], and the handle is not used again, but by those who hold it.
    pub(crate) unsafe fn destroy(handle: *mut Self) -> Result<(), Failure> {
        // SAFETY: as the caller says; a VM is always in an `Arc`.
        unsafe {
            let vm = Self::of(handle)?;
            if vm.is_destroyed.swap(true, Ordering::AcqRel) {
                return Err(Failure::new(PVM_STATUS_INVALID_HANDLE, "the VM has been destroyed"));
            }
            drop(Arc::from_raw(handle.cast_const()));
        }
        Ok(())
    }

    /// Works on the state, which is locked meanwhile. A failure is remembered, a panic becomes one.
    #[inline]
    pub(crate) fn locked<T>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.is_locked.swap(true, Ordering::Acquire) {
            return Err(self.busy());
        }
        // SAFETY: whoever sets the lock has the state for itself.
        let state = unsafe { &mut *self.state.get() };
        let result = catch(|| {
            if state.is_broken {
                return Err(broken());
            }
            work(state)
        });
        if let Err(failure) = &result {
            state.failed(failure);
        }
        self.is_locked.store(false, Ordering::Release);
        result
    }

    #[cold]
    fn busy(&self) -> Failure {
        status::note_refusal(self.number);
        Failure::new(PVM_STATUS_BUSY, "the VM is in use by another thread: it is for one at a time")
    }

    /// Takes note that the VM is being executed by this thread.
    pub(crate) fn begin_execution(self: Arc<Self>) -> Result<Executing, Failure> {
        let own = this_thread();
        match self.executor.compare_exchange(0, own, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(Executing(self)),
            Err(other) if other == own => self.locked(|_| {
                Err(Failure::state("the VM is being executed already: a callback cannot execute it"))
            }),
            Err(_) => Err(self.busy()),
        }
    }

    /// The text of the last failure.
    pub(crate) fn error(&self) -> Result<*const core::ffi::c_char, Failure> {
        if status::has_refused(self.number) {
            return Ok(status::pvm_last_error());
        }
        if self.is_locked.swap(true, Ordering::Acquire) {
            return Err(self.busy());
        }
        // SAFETY: as in `locked`.
        let text = unsafe { &*self.state.get() }.error.as_ptr();
        self.is_locked.store(false, Ordering::Release);
        Ok(text)
    }
}

/// A number of this thread, which no other has as long as it lives; not 0.
fn this_thread() -> usize {
    thread_local! {
        static PLACE: u8 = const { 0 };
    }
    PLACE.with(|place| core::ptr::from_ref(place).addr())
}

fn broken() -> Failure {
    Failure::new(PVM_STATUS_INTERNAL, "a defect of libpvm has left the VM unusable: it can only be destroyed")
}

impl State {
    #[cold]
    fn failed(&mut self, failure: &Failure) {
        self.is_broken |= failure.status == PVM_STATUS_INTERNAL;
        self.error = c_text(&failure.text);
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.tag.store(0, Ordering::Relaxed);
    }
}

/// A VM while it is executed.
pub(crate) struct Executing(pub(crate) Arc<Vm>);

impl Drop for Executing {
    fn drop(&mut self) {
        self.0.executor.store(0, Ordering::Release);
    }
}

/// Does the work of a function that returns a status.
///
/// # Safety
/// As [`Vm::of`].
pub(crate) unsafe fn status(
    handle: *const Vm,
    work: impl FnOnce(&mut State) -> Result<(), Failure>,
) -> Status {
    // SAFETY: as the caller says.
    match unsafe { Vm::of(handle) }.and_then(|vm| vm.locked(work)) {
        Ok(()) => PVM_STATUS_OK,
        Err(failure) => failed(&failure),
    }
}

/// Does the work of a function that returns something else, or gives what it returns on failure.
///
/// # Safety
/// As [`Vm::of`].
#[inline]
pub(crate) unsafe fn value<T>(
    handle: *const Vm,
    otherwise: T,
    work: impl FnOnce(&mut State) -> Result<T, Failure>,
) -> T {
    // SAFETY: as the caller says.
    match unsafe { Vm::of(handle) }.and_then(|vm| vm.locked(work)) {
        Ok(value) => value,
        Err(failure) => {
            failed(&failure);
            otherwise
        }
    }
}

#[cold]
fn failed(failure: &Failure) -> Status {
    remember(failure);
    failure.status
}

impl core::fmt::Debug for Vm {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Vm").finish_non_exhaustive()
    }
}
