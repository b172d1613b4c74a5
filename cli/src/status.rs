//! Exit statuses of the process.

/// What `--help` says about exit statuses.
pub(crate) const HELP: &str = "\
Exit status:
    0  success; `run`: the program finished
    1  `conformance`: a vector failed, or there was none; `run --processes`: the root exited with another code than 0;
       otherwise the host failed (no memory, closed output)
    2  wrong usage: a bad option or number, a file that cannot be read, an export that does not exist
  101  `run`: the program trapped
  102  `run`: the program ran out of gas
  103  bad program: the file is no program, or one that does not compile
  104  `run --strict-syscalls`: the program called the host by a symbol that is not known
  105  `run --processes`: all processes wait for one another";

/// How a command ended. Clap itself exits with 2 on wrong usage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    /// All went well.
    Success = 0,
    /// A vector failed, or the host did.
    Failure = 1,
    /// The command line asks for what is not there.
    Usage = 2,
    /// The program trapped.
    Trap = 101,
    /// The program ran out of gas.
    OutOfGas = 102,
    /// The bytes are no program.
    BadProgram = 103,
    /// The program called the host in a way that is not known.
    UnknownSyscall = 104,
    /// Processes wait for one another for ever.
    Deadlock = 105,
}
