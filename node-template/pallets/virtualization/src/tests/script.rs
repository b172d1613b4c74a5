//! Scripts for the guest that does what its input says.

use sp_runtime::AccountId32;

/// A script in the making. The guest's source has the table of operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Script(Vec<u8>);

impl Script {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn set(self, key: &[u8], fill: u8, length: u32) -> Self {
        self.byte(1).text(key).byte(fill).bytes(&length.to_le_bytes())
    }

    pub(super) fn remove(self, key: &[u8]) -> Self {
        self.byte(2).text(key)
    }

    pub(super) fn get(self, key: &[u8]) -> Self {
        self.byte(3).text(key)
    }

    pub(super) fn transfer(self, to: &AccountId32, amount: u128) -> Self {
        self.byte(4).account(to).bytes(&amount.to_le_bytes())
    }

    /// Calls the export `run` with all gas.
    pub(super) fn call(self, instance: &AccountId32, input: Vec<u8>) -> Self {
        self.call_with(instance, "run", input, 0, u64::MAX, false)
    }

    /// Calls the export `run` with all gas, and fails as it fails.
    pub(super) fn call_unwinding(self, instance: &AccountId32, input: Vec<u8>) -> Self {
        self.call_with(instance, "run", input, 0, u64::MAX, true)
    }

    pub(super) fn call_with(
        self,
        instance: &AccountId32,
        export: &str,
        input: Vec<u8>,
        value: u128,
        gas: u64,
        unwinds: bool,
    ) -> Self {
        self.byte(5)
            .account(instance)
            .bytes(&value.to_le_bytes())
            .bytes(&gas.to_le_bytes())
            .byte(unwinds.into())
            .text(export.as_bytes())
            .bytes(&(input.len() as u32).to_le_bytes())
            .bytes(&input)
    }

    pub(super) fn event(mut self, topics: &[[u8; 32]], fill: u8, length: u32) -> Self {
        self = self.byte(6).byte(topics.len() as u8);
        for topic in topics {
            self = self.bytes(topic);
        }
        self.byte(fill).bytes(&length.to_le_bytes())
    }

    pub(super) fn trap(self) -> Vec<u8> {
        self.byte(7).0
    }

    pub(super) fn spin(self) -> Vec<u8> {
        self.byte(8).0
    }

    pub(super) fn revert(self) -> Vec<u8> {
        self.byte(9).0
    }

    pub(super) fn terminate(self, beneficiary: &AccountId32) -> Vec<u8> {
        self.byte(10).account(beneficiary).0
    }

    pub(super) fn print(self, text: &[u8]) -> Self {
        self.byte(11).text(text)
    }

    pub(super) fn context(self) -> Self {
        self.byte(12)
    }

    pub(super) fn hash(self, text: &[u8]) -> Self {
        self.byte(13).text(text)
    }

    /// The syscall with this name, with these registers.
    pub(super) fn raw(mut self, name: &str, registers: [u64; 4]) -> Self {
        let number =
            crate::SYSCALLS.iter().position(|syscall| *syscall == name).expect("there is this syscall");
        self = self.byte(14).byte(number as u8);
        for register in registers {
            self = self.bytes(&register.to_le_bytes());
        }
        self
    }

    pub(super) fn unknown_syscall(self) -> Vec<u8> {
        self.byte(15).0
    }

    /// Ends the slice of a job.
    pub(super) fn yields(self) -> Self {
        self.raw("yield_v1", [0; 4])
    }

    /// Ends with the output.
    pub(super) fn end(self) -> Vec<u8> {
        self.byte(0).0
    }

    /// Returns from the export.
    pub(super) fn finish(self) -> Vec<u8> {
        self.byte(16).0
    }

    fn byte(self, byte: u8) -> Self {
        self.bytes(&[byte])
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, text: &[u8]) -> Self {
        self.byte(u8::try_from(text.len()).expect("texts have at most 255 bytes")).bytes(text)
    }

    fn account(self, account: &AccountId32) -> Self {
        self.bytes(account.as_ref())
    }
}

/// Reads what a script put out.
pub(super) struct Output<'a>(pub(super) &'a [u8]);

impl<'a> Output<'a> {
    pub(super) fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().expect("so many were taken")
    }

    /// The answer of a syscall.
    pub(super) fn answer(&mut self) -> i64 {
        i64::from_le_bytes(self.array())
    }

    /// What a callee returned.
    pub(super) fn returned(&mut self) -> &'a [u8] {
        let length = u32::from_le_bytes(self.array());
        self.take(length as usize)
    }

    /// An item.
    pub(super) fn item(&mut self) -> Option<&'a [u8]> {
        let [found] = self.array();
        let value = self.returned();
        (found == 1).then_some(value)
    }

    pub(super) fn amount(&mut self) -> u128 {
        u128::from_le_bytes(self.array())
    }

    pub(super) fn number(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }
}
