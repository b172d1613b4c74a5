//! The operations as they are. Slots are paths in registers; the table in `docs/capabilities.md` describes each.

#[polkavm_derive::polkavm_import]
extern "C" {
    #[polkavm_import(index = 1)]
    pub fn cap_copy(from: u64, to: u64);
    #[polkavm_import(index = 2)]
    pub fn cap_move(from: u64, to: u64);
    #[polkavm_import(index = 3)]
    pub fn cap_drop(slot: u64);
    #[polkavm_import(index = 4)]
    pub fn cap_swap(a: u64, b: u64);
    #[polkavm_import(index = 5)]
    pub fn cap_mint_cnode(to: u64, size_log: u64);
    #[polkavm_import(index = 16)]
    pub fn cap_yield(marker: u64) -> u64;
    #[polkavm_import(index = 18)]
    pub fn cap_derive_spawn(image: u64, prepared: u64, to: u64);
    #[polkavm_import(index = 20)]
    pub fn cap_same_type(a: u64, b: u64) -> u64;
    #[polkavm_import(index = 21)]
    pub fn cap_type_of(from: u64, to: u64);
    #[polkavm_import(index = 22)]
    pub fn cap_read_data(from: u64, address: u64, length: u64) -> u64;
    #[polkavm_import(index = 23)]
    pub fn cap_mint_data(address: u64, length: u64, quota: u64, to: u64);
    #[polkavm_import(index = 24)]
    pub fn cap_open(file: u64, to: u64);
    #[polkavm_import(index = 25)]
    pub fn cap_save(from: u64, quota: u64) -> u64;
    #[polkavm_import(index = 26)]
    pub fn cap_call(instance: u64, endpoint: u64, a: u64, b: u64, c: u64, d: u64) -> (u64, u64);
}
