//! A contract with a token: whoever made the instance starts with all of it.
//!
//! Amounts have 16 bytes, the lowest first; accounts 32.
#![no_std]
#![no_main]

extern crate alloc;

use polkavm_derive::polkavm_export;
use sdk::{revert, storage, Account};

sdk::heap!(16 * 1024);

const SUPPLY: &[u8] = b"supply";

/// Gives the amount in the input to who makes the instance.
#[polkavm_export]
fn init() {
    let input = sdk::input();
    let Ok(supply) = <[u8; 16]>::try_from(input.as_slice()) else { revert(b"the supply has 16 bytes") };
    storage::set(SUPPLY, &supply);
    set_balance(&sdk::caller(), u128::from_le_bytes(supply));
}

/// Returns the amount that there is of the token.
#[polkavm_export]
fn total_supply() {
    sdk::return_value(&storage::get_array::<16>(SUPPLY).unwrap_or_default());
}

/// Returns what the account in the input has.
#[polkavm_export]
fn balance_of() {
    let input = sdk::input();
    let Ok(account) = <[u8; 32]>::try_from(input.as_slice()) else { revert(b"an account has 32 bytes") };
    sdk::return_value(&balance(&Account(account)).to_le_bytes());
}

/// Transfers from the caller to the account in the first 32 bytes of the input the amount in the 16 behind, and deposits an
/// event under both accounts.
#[polkavm_export]
fn transfer() {
    let input = sdk::input();
    let Some((to, amount)) = input.split_first_chunk::<32>() else { revert(b"an account has 32 bytes") };
    let Ok(amount) = <[u8; 16]>::try_from(amount).map(u128::from_le_bytes) else {
        revert(b"an amount has 16 bytes")
    };
    let (from, to) = (sdk::caller(), Account(*to));
    let Some(rest) = balance(&from).checked_sub(amount) else { revert(b"not enough") };
    set_balance(&from, rest);
    // After the sender's, which may be the same account. The supply fits, so every sum of balances does.
    set_balance(&to, balance(&to) + amount);
    sdk::emit_event(&[from.0, to.0], &amount.to_le_bytes());
}

fn balance(account: &Account) -> u128 {
    storage::get_array(&account.0).map_or(0, u128::from_le_bytes)
}

/// Who has nothing takes no storage.
fn set_balance(account: &Account, amount: u128) {
    if amount == 0 {
        storage::remove(&account.0);
    } else {
        storage::set(&account.0, &amount.to_le_bytes());
    }
}
