//! What there is instead of the recompiler where it does not work: nothing that could be called.

use crate::gas::GasModel;
use crate::interpreter::{Regions, Stop};
use crate::memory::{AnyWindow, Contents, HostError};
use crate::pause::Pause;
use crate::program::Code;

#[derive(Debug)]
pub(crate) enum Recompiler {}

#[derive(Debug)]
pub(crate) enum Compiled {}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Offset {}

impl Recompiler {
    pub(crate) fn new() -> Result<Self, &'static str> {
        Err("it makes code for x86-64 on Linux")
    }

    pub(crate) fn compile(&self, _: &Code, _: &[u64], _: GasModel) -> Result<Option<Compiled>, HostError> {
        match *self {}
    }
}

impl Compiled {
    pub(crate) fn place(&self, _: Offset) -> Option<(u32, bool)> {
        match *self {}
    }

    pub(crate) fn offset(&self, _: u32, _: bool) -> Option<Offset> {
        match *self {}
    }

    pub(crate) fn entry(&self, _: &Code, _: u32) -> Option<(Offset, u32)> {
        match *self {}
    }

    pub(crate) fn resident_bytes(&self) -> usize {
        match *self {}
    }
}

#[derive(Debug)]
pub(crate) struct Guest<'a> {
    pub(crate) code: &'a Code,
    pub(crate) blocks: &'a [u64],
    pub(crate) regions: &'a Regions,
    pub(crate) contents: &'a mut Contents,
    pub(crate) regs: &'a mut [u64; 16],
    pub(crate) gas: &'a mut i64,
    pub(crate) pause: Option<&'a Pause>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Left {}

#[allow(dead_code, reason = "there is no native code that could run")]
pub(crate) enum Ran {
    ToSyscall { pc: u32, number: u32, next: Offset },
    ToHost(Left),
    NotYet,
}

pub(crate) fn run_to_syscall(
    compiled: &Compiled,
    _: &mut [u64; 16],
    _: &mut i64,
    _: Option<&Pause>,
    _: &mut AnyWindow,
    _: Offset,
) -> Ran {
    match *compiled {}
}

pub(crate) fn run(compiled: &Compiled, guest: Guest<'_>, _: &mut AnyWindow, _: Offset) -> Stop<Offset> {
    let Guest { code, blocks, regions, contents, regs, gas, pause } = guest;
    let _ = (code, blocks, regions, contents, regs, gas, pause);
    match *compiled {}
}

pub(crate) fn go_on(
    compiled: &Compiled,
    _: Guest<'_>,
    _: &mut AnyWindow,
    _: Offset,
    _: Left,
) -> Stop<Offset> {
    match *compiled {}
}
