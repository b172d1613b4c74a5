//! The syscalls as they are: pointers, lengths, and an answer in a0. The table in `docs/pallet.md` describes each.

#[polkavm_derive::polkavm_import]
extern "C" {
    /// Writes the account of this instance, 32 bytes.
    pub fn address_v1(account: *mut u8) -> u64;
    /// Writes the balance of this instance, 16 bytes.
    pub fn balance_v1(amount: *mut u8) -> u64;
    /// The number of the block.
    pub fn block_number_v1() -> u64;
    /// Calls an instance. `arguments` are eight numbers.
    pub fn call_v1(arguments: *const u64) -> u64;
    /// Writes the account that called this instance, 32 bytes.
    pub fn caller_v1(account: *mut u8) -> u64;
    /// Shows a text to developers.
    pub fn debug_print_v1(text: *const u8, length: usize) -> u64;
    /// Deposits an event under up to four topics of 32 bytes.
    pub fn emit_event_v1(topics: *const u8, topic_count: usize, data: *const u8, length: usize) -> u64;
    /// The gas that is left.
    pub fn gas_left_v1() -> u64;
    /// Writes the 16 bytes of a BLAKE2b-128 hash.
    pub fn hash_blake2_128_v1(data: *const u8, length: usize, hash: *mut u8) -> u64;
    /// Writes the 32 bytes of a BLAKE2b-256 hash.
    pub fn hash_blake2_256_v1(data: *const u8, length: usize, hash: *mut u8) -> u64;
    /// Writes the 32 bytes of a Keccak-256 hash.
    pub fn hash_keccak_256_v1(data: *const u8, length: usize, hash: *mut u8) -> u64;
    /// Writes the input as far as it fits and gives its length.
    pub fn input_v1(buffer: *mut u8, capacity: usize) -> u64;
    /// Ends the call with this output.
    pub fn return_value_v1(output: *const u8, length: usize) -> u64;
    /// Writes what the last callee returned as far as it fits and gives its length.
    pub fn returned_v1(buffer: *mut u8, capacity: usize) -> u64;
    /// Ends the call with this output and undoes it.
    pub fn revert_v1(output: *const u8, length: usize) -> u64;
    /// Writes an item as far as it fits and gives its length.
    pub fn storage_get_v1(key: *const u8, key_length: usize, buffer: *mut u8, capacity: usize) -> u64;
    /// Removes an item and gives its length.
    pub fn storage_remove_v1(key: *const u8, key_length: usize) -> u64;
    /// Stores an item and gives the length of what it replaces.
    pub fn storage_set_v1(key: *const u8, key_length: usize, value: *const u8, length: usize) -> u64;
    /// Ends the call and the instance.
    pub fn terminate_v1(beneficiary: *const u8) -> u64;
    /// Transfers an amount of 16 bytes to an account of 32.
    pub fn transfer_v1(to: *const u8, amount: *const u8) -> u64;
    /// Writes the amount that came with this call, 16 bytes.
    pub fn value_v1(amount: *mut u8) -> u64;
    /// Ends the slice of a job. Gives 1 in the next, and 0 at once where no job runs.
    pub fn yield_v1() -> u64;
}
