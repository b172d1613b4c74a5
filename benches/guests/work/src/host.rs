//! What programs ask their host for. Each machine has its own way to ask; the questions and the answers are the same.

/// A function of the host: three numbers in, one out.
pub type Function = extern "C" fn(number: u64, a: u64, b: u64, c: u64) -> u64;

macro_rules! functions {
    ($($(#[$doc:meta])* $number:literal $name:ident)*) => {
        /// The names of the functions, at their numbers.
        pub const NAMES: [&str; [$($number),*].len()] = [$(stringify!($name)),*];

        #[cfg(target_env = "polkavm")]
        mod functions {
            mod imported {
                #[polkavm_derive::polkavm_import]
                unsafe extern "C" {
                    $(pub fn $name(a: u64, b: u64, c: u64) -> u64;)*
                }
            }
            $($(#[$doc])* pub(super) fn $name(a: u64, b: u64, c: u64) -> u64 {
                // SAFETY: the callers below give pointers to what they own.
                unsafe { imported::$name(a, b, c) }
            })*
        }

        #[cfg(target_arch = "wasm32")]
        mod functions {
            mod imported {
                #[link(wasm_import_module = "host")]
                unsafe extern "C" {
                    $(pub fn $name(a: u64, b: u64, c: u64) -> u64;)*
                }
            }
            $($(#[$doc])* pub(super) fn $name(a: u64, b: u64, c: u64) -> u64 {
                // SAFETY: the callers below give pointers to what they own.
                unsafe { imported::$name(a, b, c) }
            })*
        }

        #[cfg(not(any(target_env = "polkavm", target_arch = "wasm32")))]
        mod functions {
            $($(#[$doc])* #[inline] pub(super) fn $name(a: u64, b: u64, c: u64) -> u64 {
                super::ask($number, a, b, c)
            })*
        }
    };
}

functions! {
    /// Gives the first number plus one.
    0 nothing
    /// Reads 1024 bytes at the first, and gives the one at the second.
    1 look
    /// Writes 1024 bytes at the first: the lowest byte of the second, everywhere.
    2 fill
    /// Writes the input of the call that the first names at the second, at most 128 bytes. Its length.
    3 input
    /// Writes the 20 bytes of the address that made the call that the first names at the second.
    4 caller
    /// Writes the Keccak-256 digest of what is at the first, as long as the second says, at the third.
    5 hash
    /// Writes the 32 bytes that are stored for the 32 bytes at the first at the second. 1, or 0 if nothing is stored.
    6 storage_get
    /// Stores the 32 bytes at the second for the 32 bytes at the first.
    7 storage_set
    /// Takes note of what is at the first, as long as the second says.
    8 event
}

/// By the instruction for it, as ckb-vm's programs.
#[cfg(all(target_arch = "riscv64", not(target_env = "polkavm")))]
#[inline]
fn ask(number: u64, a: u64, b: u64, c: u64) -> u64 {
    let answer;
    // SAFETY: the callers below give pointers to what they own; the host changes nothing else.
    unsafe {
        core::arch::asm!(
            "ecall",
            in("a7") FIRST_CALL + number,
            inlateout("a0") a => answer,
            in("a1") b,
            in("a2") c,
            options(nostack)
        );
    }
    answer
}

/// What the host's function 0 is called by; 93 ends a program.
pub const FIRST_CALL: u64 = 4096;

/// By the function that the process which has loaded this library has set.
#[cfg(not(any(target_arch = "riscv64", target_arch = "wasm32")))]
fn ask(number: u64, a: u64, b: u64, c: u64) -> u64 {
    HOST.get().map_or(0, |host| host(number, a, b, c))
}

#[cfg(not(any(target_arch = "riscv64", target_arch = "wasm32")))]
static HOST: Cell = Cell(core::sync::atomic::AtomicPtr::new(core::ptr::null_mut()));

#[cfg(not(any(target_arch = "riscv64", target_arch = "wasm32")))]
struct Cell(core::sync::atomic::AtomicPtr<()>);

#[cfg(not(any(target_arch = "riscv64", target_arch = "wasm32")))]
impl Cell {
    #[inline]
    fn get(&self) -> Option<Function> {
        let pointer = self.0.load(core::sync::atomic::Ordering::Relaxed);
        // SAFETY: it is null, which is `None`, or what `set` was given.
        unsafe { core::mem::transmute::<*mut (), Option<Function>>(pointer) }
    }
}

/// Sets who is asked.
#[cfg(not(any(target_arch = "riscv64", target_arch = "wasm32")))]
pub fn set(host: Function) {
    HOST.0.store(host as *mut (), core::sync::atomic::Ordering::Relaxed);
}

/// One more than the number.
#[inline]
pub fn nothing(number: u64) -> u64 {
    functions::nothing(number, 0, 0)
}

/// The byte at `index`, after the host has read all.
#[inline]
pub fn look(kilobyte: &[u8], index: u64) -> u64 {
    assert_eq!(kilobyte.len(), 1024);
    functions::look(kilobyte.as_ptr() as u64, index, 0)
}

/// Has the host fill all bytes with the lowest of `number`.
#[inline]
pub fn fill(kilobyte: &mut [u8], number: u64) {
    assert_eq!(kilobyte.len(), 1024);
    functions::fill(kilobyte.as_mut_ptr() as u64, number, 0);
}

/// The input of a call.
pub fn input(call: u64, buffer: &mut [u8; 128]) -> &[u8] {
    let length = functions::input(call, buffer.as_mut_ptr() as u64, 0);
    &buffer[..length as usize]
}

/// Who made a call.
pub fn caller(call: u64) -> [u8; 20] {
    let mut address = [0; 20];
    functions::caller(call, address.as_mut_ptr() as u64, 0);
    address
}

/// The Keccak-256 digest.
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    functions::hash(bytes.as_ptr() as u64, bytes.len() as u64, digest.as_mut_ptr() as u64);
    digest
}

/// What is stored for a key.
pub fn storage_get(key: &[u8; 32]) -> Option<[u8; 32]> {
    let mut value = [0; 32];
    let found = functions::storage_get(key.as_ptr() as u64, value.as_mut_ptr() as u64, 0);
    (found == 1).then_some(value)
}

/// Stores a value for a key.
pub fn storage_set(key: &[u8; 32], value: &[u8; 32]) {
    functions::storage_set(key.as_ptr() as u64, value.as_ptr() as u64, 0);
}

/// Tells the world.
pub fn event(bytes: &[u8]) {
    functions::event(bytes.as_ptr() as u64, bytes.len() as u64, 0);
}
