//! All work as a library for the machine that runs the benchmarks: a function by the name of each module of `work`.

#[global_allocator]
static HEAP: work::heap::Heap = work::heap::Heap::new();

/// Sets who answers when work asks its host.
#[unsafe(no_mangle)]
pub extern "C" fn set_host(host: work::host::Function) {
    work::host::set(host);
}

macro_rules! export {
    ($($name:ident)*) => {
        $(
            #[doc = concat!("See `work::", stringify!($name), "`.")]
            #[unsafe(no_mangle)]
            pub extern "C" fn $name(amount: u64) -> u64 {
                work::$name::run(amount)
            }
        )*
    };
}

export! {
    allocate chase contract copy dirty ed25519 emulate empty fib host_reads host_writes image keccak matrix primes scatter
    secp256k1 sha256 sort syscalls
}
