//! See `work::scatter`.
#![cfg_attr(not(target_os = "linux"), no_std, no_main)]

programs::program!(scatter);
