//! See `work::ed25519`.
#![cfg_attr(not(target_os = "linux"), no_std, no_main)]

programs::program!(ed25519);
