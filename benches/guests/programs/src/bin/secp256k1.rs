//! See `work::secp256k1`.
#![cfg_attr(not(target_os = "linux"), no_std, no_main)]

programs::program!(secp256k1);
