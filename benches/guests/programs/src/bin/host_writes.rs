//! See `work::host_writes`.
#![cfg_attr(not(target_os = "linux"), no_std, no_main)]

programs::program!(host_writes);
