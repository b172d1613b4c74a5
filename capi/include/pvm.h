/*
 * libpvm: the PVM as a C library.
 *
 * Made from Rust sources by cbindgen: do not edit. `HATCHERY_BLESS=1 cargo test -p hatchery-capi --test header` makes it anew.
 *
 * Ownership   Handles are made by functions that give one, and end with pvm_destroy or pvm_module_release. Everything that is
 *             passed in is copied; no pointer is kept but those of pvm_set_user_data and of callbacks. Pointers that are given
 *             out say how long they are valid.
 * Threads     Modules never change and can be used by any number of threads. A VM is used by one thread at a time, any thread;
 *             whoever comes second gets PVM_STATUS_BUSY. Different VMs do not know of each other.
 * Errors      No function aborts, exits or throws. Functions that can fail give a PVM_STATUS_*, or what their description says;
 *             the text is in pvm_error(vm), and in pvm_last_error() for the thread. On failure nothing has changed.
 * Pointers    Null and misaligned pointers are refused. Others must be as good as in any C library: readable or writable as far
 *             as the length says, handles alive. Of length 0 a pointer can be anything.
 * Units       Gas is the Gray Paper's; sizes and addresses are bytes; a page is 4096 bytes; pc is an offset into the code.
 * Signals     Only PVM_BACKEND_RECOMPILER and _VERIFY, and _AUTO where it is one of them, install a signal handler, for SIGSEGV;
 *             it passes on what is not its own to the handler that was there before.
 */

#ifndef PVM_H
#define PVM_H

#include <stddef.h>
#include <stdint.h>
typedef struct pvm_vm_t pvm_vm_t;
typedef struct pvm_module_t pvm_module_t;


/**
 * The version of this interface. It changes when a program that was built against an older header no longer works.
 */
#define PVM_ABI_VERSION 1

/**
 * Registers of a VM.
 */
#define PVM_REGISTER_COUNT 13

/**
 * Bytes in a page (the Gray Paper's Z_P).
 */
#define PVM_PAGE_SIZE 4096

/**
 * Where a program that returns to its caller ends: the initial value of register 0 in a JAM standard program.
 */
#define PVM_RETURN_ADDRESS 4294901760

/**
 * Machine state: halted.
 */
#define PVM_STATE_HALT 0

/**
 * Machine state: panicked.
 */
#define PVM_STATE_PANIC 1

/**
 * Machine state: at a page fault.
 */
#define PVM_STATE_FAULT 2

/**
 * Machine state: at a host call.
 */
#define PVM_STATE_HOST 3

/**
 * Machine state: out of gas.
 */
#define PVM_STATE_OOG 4

/**
 * Machine state: nothing has been executed yet.
 */
#define PVM_STATE_READY 5

/**
 * Machine state: paused between two instructions.
 */
#define PVM_STATE_PAUSED 6

/**
 * Machine state: none, the handle is not usable.
 */
#define PVM_STATE_INVALID 255

/**
 * Work digest: success.
 */
#define PVM_WORKDIGEST_OK 0

/**
 * Work digest: out of gas.
 */
#define PVM_WORKDIGEST_OOG 1

/**
 * Work digest: panic.
 */
#define PVM_WORKDIGEST_PANIC 2

/**
 * Work digest: bad exports, which the embedder finds out.
 */
#define PVM_WORKDIGEST_BAD_EXPORT 3

/**
 * Work digest: oversized, which the embedder finds out.
 */
#define PVM_WORKDIGEST_OVERSIZE 4

/**
 * Work digest: no code, which the embedder finds out.
 */
#define PVM_WORKDIGEST_BAD 5

/**
 * Work digest: code too large, which the embedder finds out.
 */
#define PVM_WORKDIGEST_BIG 6

/**
 * Result of a host call: there is no such thing. These are the numbers of the current Gray Paper, 2^64 - k.
 */
#define PVM_NONE 18446744073709551615ull

/**
 * Result of a host call: an unknown name.
 */
#define PVM_WHAT 18446744073709551614ull

/**
 * Result of a host call: an inner machine's memory is not accessible.
 */
#define PVM_OOB 18446744073709551613ull

/**
 * Result of a host call: an unknown index.
 */
#define PVM_WHO 18446744073709551612ull

/**
 * Result of a host call: storage or resource is full.
 */
#define PVM_FULL 18446744073709551611ull

/**
 * Result of a host call: core index unknown.
 */
#define PVM_CORE 18446744073709551610ull

/**
 * Result of a host call: insufficient funds.
 */
#define PVM_CASH 18446744073709551609ull

/**
 * Result of a host call: gas limit too low.
 */
#define PVM_LOW 18446744073709551608ull

/**
 * Result of a host call: already solicited, cannot be forgotten, or invalid.
 */
#define PVM_HUH 18446744073709551607ull

/**
 * Error constants as in the current Gray Paper: 2^64 - k.
 */
#define PVM_CONSTANTS_GRAY_PAPER 0

/**
 * Error constants of 32 bits, 2^32 - k, as in old headers for C.
 */
#define PVM_CONSTANTS_32 1

/**
 * Gray Paper 0.7 to the letter: its instruction set, one gas charged before each instruction. Always interpreted.
 */
#define PVM_PROFILE_GRAY_PAPER_0_7 1

/**
 * Gray Paper 0.7 as its test vectors have it: its instruction set, one gas for each instruction, charged for a basic block when it
 * is entered.
 */
#define PVM_PROFILE_GRAY_PAPER_0_7_BLOCK 2

/**
 * Gray Paper 0.8: its instruction set (JamV1), the gas of its pipeline model, charged for a basic block when it is entered.
 */
#define PVM_PROFILE_GRAY_PAPER_0_8 3

/**
 * Instruction set: PolkaVM's ReviveV1.
 */
#define PVM_ISA_REVIVE_V1 0

/**
 * Instruction set: JamV1, the Gray Paper 0.8's.
 */
#define PVM_ISA_JAM_V1 1

/**
 * Instruction set: PolkaVM's Latest32, with registers of 32 bits.
 */
#define PVM_ISA_LATEST32 2

/**
 * Instruction set: PolkaVM's Latest64 in the encoding with a bitmask.
 */
#define PVM_ISA_LATEST64_BITMASK 3

/**
 * Instruction set: the Gray Paper 0.7's.
 */
#define PVM_ISA_GRAY_PAPER_0_7 4

/**
 * Instruction set: PolkaVM's Latest64 in the encoding without a bitmask.
 */
#define PVM_ISA_LATEST64_EXTENDED 5

/**
 * Gas: one for each instruction.
 */
#define PVM_GAS_FLAT 0

/**
 * Gas: the pipeline model, loads hit the first-level cache.
 */
#define PVM_GAS_PIPELINE_L1 1

/**
 * Gas: the pipeline model, loads hit the second-level cache. The Gray Paper 0.8's.
 */
#define PVM_GAS_PIPELINE_L2 2

/**
 * Gas: the pipeline model, loads hit the third-level cache.
 */
#define PVM_GAS_PIPELINE_L3 3

/**
 * Gas: as PVM_GAS_PIPELINE_L1, in the variant of polkavm 0.37.
 */
#define PVM_GAS_PIPELINE_L1_V037 4

/**
 * Gas: as PVM_GAS_PIPELINE_L2, in the variant of polkavm 0.37.
 */
#define PVM_GAS_PIPELINE_L2_V037 5

/**
 * Gas: as PVM_GAS_PIPELINE_L3, in the variant of polkavm 0.37.
 */
#define PVM_GAS_PIPELINE_L3_V037 6

/**
 * Gas is charged for a basic block, in full, when it is entered.
 */
#define PVM_CHARGE_BLOCK 0

/**
 * Gas is charged before each instruction. With PVM_GAS_FLAT only; always interpreted.
 */
#define PVM_CHARGE_INSTRUCTION 1

/**
 * The portable interpreter. Installs no signal handler.
 */
#define PVM_BACKEND_INTERPRETER 0

/**
 * Native code, on x86-64 with Linux. The first engine that uses it installs a handler for SIGSEGV, which passes on every signal
 * that is not its own.
 */
#define PVM_BACKEND_RECOMPILER 1

/**
 * Both in lock-step: an execution that differs returns PVM_RESULT_ERROR. Slow; for those who look for defects.
 */
#define PVM_BACKEND_VERIFY 2

/**
 * Whatever this machine does best; may be the recompiler.
 */
#define PVM_BACKEND_AUTO 3

/**
 * A page is not mapped.
 */
#define PVM_PERMISSION_NONE 0

/**
 * A page can be read.
 */
#define PVM_PERMISSION_READ 1

/**
 * A page can be read and written.
 */
#define PVM_PERMISSION_READ_WRITE 2

/**
 * It did not panic.
 */
#define PVM_TRAP_NONE 4294967295

/**
 * A trap instruction.
 */
#define PVM_TRAP_TRAP 0

/**
 * No instruction of the instruction set.
 */
#define PVM_TRAP_INVALID_INSTRUCTION 1

/**
 * Execution ran off the end of the code.
 */
#define PVM_TRAP_CODE_END 2

/**
 * An access below 0x10000.
 */
#define PVM_TRAP_LOW_ADDRESS 3

/**
 * An access to memory that is not mapped.
 */
#define PVM_TRAP_UNMAPPED 4

/**
 * A write to read-only memory.
 */
#define PVM_TRAP_READ_ONLY 5

/**
 * An indirect jump through an address without a jump target.
 */
#define PVM_TRAP_INVALID_INDIRECT_JUMP 6

/**
 * A jump to what is no start of a block.
 */
#define PVM_TRAP_INVALID_JUMP 7

/**
 * The execution was started where no instruction starts.
 */
#define PVM_TRAP_INVALID_ENTRY 8

/**
 * A host callback said PVM_HOST_ERROR.
 */
#define PVM_TRAP_HOST 100

/**
 * Nothing is traced.
 */
#define PVM_TRACE_NONE 0

/**
 * Every instruction is traced. The execution is interpreted.
 */
#define PVM_TRACE_INSTRUCTION 1

/**
 * Every basic block is traced, and what is left of one after a host call or page fault; where gas is charged by the instruction, every
 * instruction.
 */
#define PVM_TRACE_BLOCK 2

/**
 * Host call machine: registers 7 to 9 are the program's address and length and the initial pc.
 */
#define PVM_INNER_MACHINE 0

/**
 * Host call peek: registers 7 to 10 are n, the outer destination, the inner source, the length.
 */
#define PVM_INNER_PEEK 1

/**
 * Host call poke: registers 7 to 10 are n, the outer source, the inner destination, the length.
 */
#define PVM_INNER_POKE 2

/**
 * Host call pages: registers 7 to 10 are n, the first page, how many, and what to make of them.
 */
#define PVM_INNER_PAGES 3

/**
 * Host call invoke: registers 7 and 8 are n and the address of gas and registers.
 */
#define PVM_INNER_INVOKE 4

/**
 * Host call expunge: register 7 is n.
 */
#define PVM_INNER_EXPUNGE 5

/**
 * What a function that can fail returns: one of PVM_STATUS_*. Zero is success.
 */
typedef int32_t pvm_status_t;

/**
 * How programs are executed. Fill it by pvm_config_init, then change what should be different. Where a function takes a pointer
 * to one, null stands for PVM_PROFILE_GRAY_PAPER_0_7.
 *
 * Everything but backend and window_limit decides what programs can observe, and must be the same wherever results are
 * compared.
 */
typedef struct {
    /**
     * Bytes of this struct, which pvm_config_init sets. Later versions of the library may have more fields at the end.
     */
    uint32_t struct_size;
    /**
     * One of PVM_ISA_*: of raw JAM programs and JAM standard programs. PolkaVM blobs name their own.
     */
    uint32_t instruction_set;
    /**
     * One of PVM_GAS_*.
     */
    uint32_t gas_model;
    /**
     * One of PVM_CHARGE_*.
     */
    uint32_t charge;
    /**
     * One of PVM_BACKEND_*. Not observable but by time. pvm_config_init chooses the interpreter.
     */
    uint32_t backend;
    /**
     * One of PVM_CONSTANTS_*: what functions that give results of host calls, and pvm_write_ram_bytes and its kin, give.
     */
    uint32_t error_constants;
    /**
     * PVM_ISA_LATEST64_BITMASK or PVM_ISA_LATEST64_EXTENDED: what version byte 2 of a PolkaVM blob means, which the blob does
     * not say. The first up to polkavm-linker 0.35, the second from 0.37 on.
     */
    uint32_t latest64;
    /**
     * The most VMs that keep a window of 4 GiB of address space between executions, which saves time. All VMs with equal
     * configurations share them.
     */
    uint32_t window_limit;
    /**
     * The most bytes of memory that a program may have, in whole pages: data, stack and heap together. A program that declares
     * more is refused, its heap grows no further.
     */
    uint64_t memory_limit;
    /**
     * The most inner machines of a VM.
     */
    uint32_t inner_machine_limit;
    /**
     * The most pages that all inner machines of a VM may have together.
     */
    uint32_t inner_page_limit;
} pvm_config_t;

/**
 * What a program consists of. Addresses and sizes in bytes.
 */
typedef struct {
    /**
     * One of PVM_ISA_*.
     */
    uint32_t instruction_set;
    /**
     * Bytes of code.
     */
    uint32_t code_length;
    /**
     * Entries of the jump table.
     */
    uint32_t jump_table_length;
    /**
     * Entry points with a name.
     */
    uint32_t export_count;
    /**
     * Host calls with a name.
     */
    uint32_t import_count;
    /**
     * Start of the read-only data.
     */
    uint32_t ro_address;
    /**
     * Its size.
     */
    uint32_t ro_size;
    /**
     * Start of the read-write data.
     */
    uint32_t rw_address;
    /**
     * Its size.
     */
    uint32_t rw_size;
    /**
     * Where the heap begins.
     */
    uint32_t heap_base;
    /**
     * The lowest address of the stack.
     */
    uint32_t stack_address;
    /**
     * Its size. The stack pointer begins at its end.
     */
    uint32_t stack_size;
    /**
     * Start of the space for arguments.
     */
    uint32_t arguments_address;
    /**
     * Its size.
     */
    uint32_t arguments_size;
    /**
     * The Blake2b-256 hash of what it was compiled from.
     */
    uint8_t code_hash[32];
} pvm_module_info_t;

/**
 * A basic block.
 */
typedef struct {
    /**
     * Where it starts in the code.
     */
    uint32_t pc;
    /**
     * What entering it costs, in gas.
     */
    uint32_t cost;
} pvm_block_t;

/**
 * What a host callback wants: one of PVM_HOST_*.
 */
typedef int32_t pvm_host_result_t;

/**
 * What the program's host calls are answered by: it is given the VM and the number of the host call, which is negative where the
 * Gray Paper's is 2^64 minus something, and returns one of PVM_HOST_*. It can use the VM, even destroy it, but not execute it. It must return: no longjmp, no exceptions.
 */
typedef pvm_host_result_t (*pvm_host_callback_t)(pvm_vm_t *vm, int func_id);

/**
 * Why an execution returned: one of PVM_RESULT_*.
 */
typedef int32_t pvm_result_t;

/**
 * What the last execution came to.
 */
typedef struct {
    /**
     * One of PVM_RESULT_*; PVM_RESULT_ERROR if nothing has been executed.
     */
    pvm_result_t result;
    /**
     * One of PVM_STATE_*.
     */
    uint32_t machine_state;
    /**
     * The number of the host call, if it is at one, as pvm_get_host_call gives it.
     */
    uint32_t host_call;
    /**
     * The instruction at which it stopped.
     */
    uint32_t pc;
    /**
     * The gas that is left.
     */
    uint64_t gas;
    /**
     * 1 if there is an address that could not be accessed or jumped to.
     */
    uint32_t has_address;
    /**
     * That address; the first byte of the access that lies in a page that does not allow it.
     */
    uint32_t address;
    /**
     * The start of the page to map, if it is at a page fault.
     */
    uint32_t page_address;
    /**
     * 1 if the page is mapped but must not be written, if it is at a page fault.
     */
    uint32_t is_write_protected;
    /**
     * Why it panicked: one of PVM_TRAP_*; PVM_TRAP_NONE if it did not.
     */
    uint32_t trap;
    /**
     * 1 if pvm_resume can go on.
     */
    uint32_t can_resume;
} pvm_exit_t;

/**
 * A part of memory to be read or written by pvm_access_memory.
 */
typedef struct {
    /**
     * Where it begins.
     */
    uint32_t address;
    /**
     * 0: it is copied to `data`. Not 0: `data` is copied to it.
     */
    uint32_t is_write;
    /**
     * The caller's bytes.
     */
    uint8_t *data;
    /**
     * How many.
     */
    size_t length;
} pvm_access_t;

/**
 * Is given a line of text without an end of line, valid until it returns, and the pointer of pvm_set_log_callback. It can use the
 * VM as a host callback can.
 */
typedef void (*pvm_log_callback_t)(pvm_vm_t *vm, const char *text, void *user_data);

/**
 * What is about to be executed.
 */
typedef struct {
    /**
     * PVM_TRACE_INSTRUCTION or PVM_TRACE_BLOCK.
     */
    uint32_t unit;
    /**
     * Where the instruction or block starts, or goes on after a host call.
     */
    uint32_t pc;
    /**
     * The gas before it is charged, as far as it has to be.
     */
    uint64_t gas;
    /**
     * The registers.
     */
    uint64_t registers[PVM_REGISTER_COUNT];
} pvm_trace_event_t;

/**
 * Is called before an instruction or block is executed, with what is about to happen, valid until it returns, and the pointer of
 * pvm_set_trace_callback. It can use the VM as a host callback can. If it returns anything but 0 the execution returns
 * PVM_RESULT_PAUSED before that instruction or block.
 */
typedef int (*pvm_trace_callback_t)(pvm_vm_t *vm, const pvm_trace_event_t *event, void *user_data);

/**
 * All is well.
 */
#define PVM_STATUS_OK 0

/**
 * A pointer is null that must not be.
 */
#define PVM_STATUS_NULL_POINTER 1

/**
 * An argument makes no sense: a length, a number, a misaligned pointer. Nothing was done.
 */
#define PVM_STATUS_INVALID_ARGUMENT 2

/**
 * A handle is not what it should be, for example a module where a VM is wanted, or has been destroyed.
 */
#define PVM_STATUS_INVALID_HANDLE 3

/**
 * Another thread is using the VM at this moment. Nothing was done.
 */
#define PVM_STATUS_BUSY 4

/**
 * The VM is in a state in which this cannot be done, for example resuming what has ended. Nothing was done.
 */
#define PVM_STATUS_INVALID_STATE 5

/**
 * The bytes are no program, or one that cannot be had with this configuration. The text says where and why.
 */
#define PVM_STATUS_INVALID_PROGRAM 6

/**
 * Memory is not mapped, or may not be written. Nothing was done.
 */
#define PVM_STATUS_OUT_OF_BOUNDS 7

/**
 * This machine or this build cannot do it, for example the recompiler on another processor.
 */
#define PVM_STATUS_UNAVAILABLE 8

/**
 * The operating system refused memory. No program is at fault; what was being done can be tried again.
 */
#define PVM_STATUS_HOST 9

/**
 * A limit of the configuration is reached. Nothing was done.
 */
#define PVM_STATUS_LIMIT 10

/**
 * A defect of this library, which the text describes. The handle can only be destroyed.
 */
#define PVM_STATUS_INTERNAL 11

/**
 * The caller's buffer is too small. The needed length was given; the buffer is unchanged.
 */
#define PVM_STATUS_BUFFER_TOO_SMALL 12

/**
 * There is nothing of this name or number.
 */
#define PVM_STATUS_NOT_FOUND 13

/**
 * The Gray Paper says that the program that made this host call panics.
 */
#define PVM_STATUS_GUEST_PANIC 14

/**
 * Two executions that should be the same are not: a replay, or two backends. The text has the first difference.
 */
#define PVM_STATUS_DIFFERENCE 15

/**
 * An inner machine was interrupted. The same call goes on.
 */
#define PVM_STATUS_INTERRUPTED 16

/**
 * The program halted.
 */
#define PVM_RESULT_OK 0

/**
 * Gas is short for what comes next. Nothing of it was executed or deducted; more gas and pvm_resume go on.
 */
#define PVM_RESULT_OOG 1

/**
 * The program panicked.
 */
#define PVM_RESULT_PANIC 2

/**
 * The program made a host call that no callback has answered, or whose callback said PVM_HOST_TERMINATE. pvm_resume goes on
 * behind it.
 */
#define PVM_RESULT_HOST_CALL 3

/**
 * Nothing was executed, or not up to a stop of the program: pvm_error says why, or, if a callback has destroyed the VM,
 * pvm_last_error.
 */
#define PVM_RESULT_ERROR 4

/**
 * The program accessed a page that is not mapped, or wrote one that is read-only. After it has been mapped pvm_resume tries the
 * access again.
 */
#define PVM_RESULT_FAULT 5

/**
 * pvm_interrupt stopped it, or a trace callback, or pvm_step has made its step. pvm_resume goes on.
 */
#define PVM_RESULT_PAUSED 6

/**
 * Go on behind the host call.
 */
#define PVM_HOST_CONTINUE 0

/**
 * End the execution: it returns PVM_RESULT_HOST_CALL.
 */
#define PVM_HOST_TERMINATE 1

/**
 * End the execution as a panic of the program: it returns PVM_RESULT_PANIC.
 */
#define PVM_HOST_ERROR 2

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Fills a configuration with the settings of a profile, one of PVM_PROFILE_*: the interpreter, no limits that a program would
 * notice. struct_size is sizeof(pvm_config_t) of the caller; of a newer library only that much is filled.
 */
pvm_status_t pvm_config_init(pvm_config_t *config,
                             size_t struct_size,
                             uint32_t profile);

/**
 * Whether this machine has a backend, one of PVM_BACKEND_*: 1 or 0.
 */
int32_t pvm_backend_available(uint32_t number);

/**
 * Gives back what the library keeps for VMs to come: windows of address space and bookkeeping. What is in use stays. Never
 * necessary.
 */
void pvm_release_caches(void);

/**
 * The text of the last function that failed on this thread, whatever it was called with; empty if none has. Valid until the
 * next function fails on this thread. Never null.
 */
const char *pvm_last_error(void);

/**
 * What a PVM_STATUS_* means, in a few words. Valid for ever, never null.
 */
const char *pvm_status_text(pvm_status_t status);

/**
 * PVM_ABI_VERSION of the library that is loaded. A program should compare it with that of the header it was built with.
 */
uint32_t pvm_abi_version(void);

/**
 * The version of the library, such as "0.1.0". Valid for ever, never null.
 */
const char *pvm_version(void);

/**
 * Compiles code with its bitmask and jump table. The bitmask says where instructions start: either one bit for each byte of code,
 * the lowest bit of a byte first, or one byte, 0 or 1, for each; its length tells which. Memory is empty: see pvm_map.
 *
 * *out becomes a handle that has to be released by pvm_module_release; it is unchanged if this fails. All bytes are copied.
 */
pvm_status_t pvm_module_from_parts(const pvm_config_t *config,
                                   const uint8_t *code,
                                   size_t code_length,
                                   const uint8_t *bitmask,
                                   size_t bitmask_length,
                                   const uint32_t *jump_table,
                                   size_t jump_table_length,
                                   pvm_module_t **out);

/**
 * Compiles a raw JAM program: jump table, code and packed bitmask in one blob (Gray Paper, appendix A.2, deblob). Memory is
 * empty: see pvm_map. *out as in pvm_module_from_parts.
 */
pvm_status_t pvm_module_from_raw(const pvm_config_t *config,
                                 const uint8_t *blob,
                                 size_t length,
                                 pvm_module_t **out);

/**
 * Compiles a JAM standard program (SPI; Gray Paper, appendix A.7): read-only and read-write data, heap and stack, and a raw
 * program. Give its VMs arguments by pvm_prepare_standard. *out as in pvm_module_from_parts.
 */
pvm_status_t pvm_module_from_standard(const pvm_config_t *config,
                                      const uint8_t *blob,
                                      size_t length,
                                      pvm_module_t **out);

/**
 * Compiles a PolkaVM blob, which names its instruction set, its exports and its imports. *out as in pvm_module_from_parts.
 */
pvm_status_t pvm_module_from_polkavm(const pvm_config_t *config,
                                     const uint8_t *blob,
                                     size_t length,
                                     pvm_module_t **out);

/**
 * Makes the same handle count once more: it has to be released once more.
 */
pvm_status_t pvm_module_retain(pvm_module_t *module);

/**
 * Releases a module. VMs made of it stay usable. Null does nothing.
 */
void pvm_module_release(pvm_module_t *module);

/**
 * What a program consists of.
 */
pvm_status_t pvm_module_info(const pvm_module_t *module, pvm_module_info_t *info);

/**
 * The export with this number, in the order of their names: name, its length, where it starts. The name is any bytes, not zero-
 * terminated, and valid as long as the module. Each of the last three can be null.
 */
pvm_status_t pvm_module_export(const pvm_module_t *module,
                               uint32_t index,
                               const char **name,
                               size_t *name_length,
                               uint32_t *pc);

/**
 * Where the export of this name starts.
 */
pvm_status_t pvm_module_find_export(const pvm_module_t *module,
                                    const char *name,
                                    size_t name_length,
                                    uint32_t *pc);

/**
 * The name by which the program makes host call `index`, as in pvm_module_export.
 */
pvm_status_t pvm_module_import(const pvm_module_t *module,
                               uint32_t index,
                               const char **name,
                               size_t *name_length);

/**
 * The blocks that jumps can enter, in the order of the code, with what entering each costs. Fills `blocks` as far as `capacity`
 * goes and gives how many there are; call it with capacity 0 to learn that. Computes the costs anew each time; takes time linear
 * in the length of the code. 0 also on failure: then pvm_last_error says why.
 */
size_t pvm_module_blocks(const pvm_module_t *module,
                         pvm_block_t *blocks,
                         size_t capacity);

/**
 * Writes the text of the instruction at `pc`, such as "add_imm_64 a0, a0, 1", and a zero behind it, and gives where the next
 * instruction starts. `text_length`, if not null, becomes the length of the text without the zero; if `capacity` is less than
 * that plus one this fails with PVM_STATUS_BUFFER_TOO_SMALL. What is no instruction is called "invalid"; running it panics.
 */
pvm_status_t pvm_module_disassemble(const pvm_module_t *module,
                                    uint32_t pc,
                                    char *text,
                                    size_t capacity,
                                    size_t *text_length,
                                    uint32_t *next_pc);

/**
 * Makes a VM of code with its bitmask and jump table under PVM_PROFILE_GRAY_PAPER_0_7, in the interpreter. As
 * pvm_create_with_config, without a configuration.
 */
pvm_vm_t *pvm_create(uint32_t service_index,
                     const uint8_t *code,
                     size_t code_length,
                     const uint64_t *initial_regs,
                     const uint8_t *bitmask,
                     size_t bitmask_length,
                     const uint32_t *jump_table,
                     size_t jump_table_length,
                     uint64_t initial_gas);

/**
 * Makes a VM of code with its bitmask and jump table; both forms of a bitmask are accepted, see pvm_module_from_parts.
 *
 * initial_regs are 13 registers, or null for zeros. Gas is at most 2^63 - 1. Memory is empty: see pvm_set_memory_bounds and
 * pvm_map. Until the first execution pvm_write_ram_bytes and its kin can write all memory that is mapped, from then on what the
 * program can write.
 *
 * Gives a handle that has to be destroyed by pvm_destroy, or null: then pvm_last_error says why. All bytes are copied. The code is
 * compiled when the VM is first used; of many VMs with the same code, make a module.
 */
pvm_vm_t *pvm_create_with_config(const pvm_config_t *config,
                                 uint32_t service_index,
                                 const uint8_t *code,
                                 size_t code_length,
                                 const uint64_t *initial_regs,
                                 const uint8_t *bitmask,
                                 size_t bitmask_length,
                                 const uint32_t *jump_table,
                                 size_t jump_table_length,
                                 uint64_t initial_gas);

/**
 * Makes a VM of a module: registers zero, no gas, memory as the program declares it. Costs next to nothing, memory is shared until
 * it is written. *out becomes a handle that has to be destroyed by pvm_destroy; it is unchanged if this fails.
 */
pvm_status_t pvm_instantiate(const pvm_module_t *module,
                             pvm_vm_t **out);

/**
 * Makes another VM in the same state, inner machines included, which shares all memory with the first until either writes it.
 * Callbacks and user data are the same; recordings and traces are not taken over. *out as in pvm_instantiate.
 */
pvm_status_t pvm_fork(pvm_vm_t *vm,
                      pvm_vm_t **out);

/**
 * Destroys a VM and all that belongs to it: inner machines, recordings, pointers it has given. Null does nothing. Called by a
 * callback of this VM, it ends the execution, which returns PVM_RESULT_ERROR; the callback must not use the VM any more.
 */
void pvm_destroy(pvm_vm_t *vm);

/**
 * Puts memory back to what it was after pvm_instantiate or pvm_set_memory_bounds, registers to zero and the pc to 0. Inner
 * machines are destroyed; gas, callbacks and user data stay. Takes time in proportion to the pages written.
 */
pvm_status_t pvm_reset(pvm_vm_t *vm);

/**
 * Lets other VMs have the window of address space that this one runs in, until it runs again. Not observable. For VMs that will
 * not run for a while.
 */
pvm_status_t pvm_park(pvm_vm_t *vm);

/**
 * Maps the four regions of a JAM program, each from its first address up to its end, in bytes, widened to whole pages; a region
 * whose end is its start is empty. rw and stack can be written, ro and output only be read by the program, whose arguments go to
 * output. All bytes are zero. The heap begins at the end of rw.
 *
 * The order is ro, rw, stack, and rw begins at least 64 KiB behind the end of ro, rounded up to 64 KiB, as in JAM standard programs.
 * To be called before anything else is done with a VM of pvm_create; later it fails with PVM_STATUS_INVALID_STATE. What this
 * function cannot express, pvm_map can.
 */
pvm_status_t pvm_set_memory_bounds(pvm_vm_t *vm,
                                   uint32_t rw_addr,
                                   uint32_t rw_end,
                                   uint32_t ro_addr,
                                   uint32_t ro_end,
                                   uint32_t output_addr,
                                   uint32_t output_end,
                                   uint32_t stack_addr,
                                   uint32_t stack_end);

/**
 * Sets what host calls are answered by; null: pvm_execute returns at each.
 */
pvm_status_t pvm_set_host_callback(pvm_vm_t *vm, pvm_host_callback_t callback);

/**
 * Keeps a pointer for the callbacks, which the library does not follow.
 */
pvm_status_t pvm_set_user_data(pvm_vm_t *vm, void *user_data);

/**
 * The pointer of pvm_set_user_data; null at first.
 */
void *pvm_get_user_data(pvm_vm_t *vm);

/**
 * The service index that the VM was created with, 0 for those of a module.
 */
uint32_t pvm_get_service_index(pvm_vm_t *vm);

/**
 * The text of the last function that failed with this VM; empty if none has. Valid until the next function fails with it. If that was
 * on this thread, and because another was using the VM, or if the VM itself is unusable: as pvm_last_error. Never null.
 */
const char *pvm_error(pvm_vm_t *vm);

/**
 * Executes from `entry_point`, an offset into the code, with registers and memory as they are, until something stops it that no
 * callback answers. Gives one of PVM_RESULT_*.
 *
 * Host calls are answered by the callback. If there is none, or is_child is not 0, as for a machine whose host calls are its
 * parent's to answer, the execution returns PVM_RESULT_HOST_CALL. After that, and after PVM_RESULT_OOG, PVM_RESULT_FAULT and
 * PVM_RESULT_PAUSED, pvm_resume goes on.
 */
pvm_result_t pvm_execute(pvm_vm_t *vm,
                         uint32_t entry_point,
                         uint32_t is_child);

/**
 * Goes on where the last execution stopped, or begins at the pc that pvm_prepare, pvm_prepare_standard or pvm_set_pc has set. As
 * pvm_execute, with the callback if there is one.
 */
pvm_result_t pvm_resume(pvm_vm_t *vm);

/**
 * As pvm_resume, but returns at host calls even if there is a callback.
 */
pvm_result_t pvm_resume_child(pvm_vm_t *vm);

/**
 * Executes one instruction, under the same rules of gas: where blocks are charged, entering one charges all of it. Gives
 * PVM_RESULT_PAUSED if nothing else stopped it; pvm_get_pc is then the next instruction. Callbacks are not called.
 */
pvm_result_t pvm_step(pvm_vm_t *vm);

/**
 * Makes the execution of this VM, on whichever thread, return PVM_RESULT_PAUSED at the end of the block that it is executing, or the
 * next execution after one block. The VM must have been made interruptible and must not be destroyed meanwhile. For other
 * threads and signal handlers.
 */
pvm_status_t pvm_interrupt(pvm_vm_t *vm);

/**
 * Whether pvm_interrupt has an effect: not 0 if so. At first it has none, since looking for it takes some time.
 */
pvm_status_t pvm_set_interruptible(pvm_vm_t *vm,
                                   int enable);

/**
 * Prepares a call: the pc, the stack pointer at the top of the stack, the return address such that returning halts, up to nine
 * arguments in registers 7 to 12 and 2 to 4, all others zero. Memory stays as it is. pvm_resume executes it.
 */
pvm_status_t pvm_prepare(pvm_vm_t *vm,
                         uint32_t pc,
                         const uint64_t *arguments,
                         size_t count);

/**
 * Prepares a JAM standard program as the Gray Paper's Y does: as pvm_prepare, with the arguments in memory, their address in
 * register 7 and their length in register 8. Memory stays as it is otherwise. Its entry points are 0 (is_authorized, refine)
 * and 5 (accumulate). pvm_resume executes it.
 */
pvm_status_t pvm_prepare_standard(pvm_vm_t *vm,
                                  uint32_t pc,
                                  const uint8_t *arguments,
                                  size_t length);

/**
 * A register; 0 on failure. Registers of 32 bits are zero-extended.
 */
uint64_t pvm_get_register(pvm_vm_t *vm, int index);

/**
 * Sets a register. Of registers of 32 bits only the low half of the value counts.
 */
pvm_status_t pvm_set_register(pvm_vm_t *vm, int index, uint64_t value);

/**
 * A pointer to the 13 registers, to be read, as they are at each stop and after each function that sets them; null on failure.
 * Valid until the VM is destroyed.
 */
const uint64_t *pvm_get_registers(pvm_vm_t *vm);

/**
 * Copies the 13 registers to where `registers` points.
 */
pvm_status_t pvm_read_registers(pvm_vm_t *vm, uint64_t *registers);

/**
 * Sets the 13 registers to what `registers` points to.
 */
pvm_status_t pvm_write_registers(pvm_vm_t *vm, const uint64_t *registers);

/**
 * The gas that is left; 0 on failure.
 */
uint64_t pvm_get_gas(pvm_vm_t *vm);

/**
 * Sets the gas that is left, at most 2^63 - 1.
 */
pvm_status_t pvm_set_gas(pvm_vm_t *vm, uint64_t gas);

/**
 * The instruction at which it stopped, or where pvm_resume will begin; 0 on failure. After a host call it is that of the host
 * call.
 */
uint32_t pvm_get_pc(pvm_vm_t *vm);

/**
 * Makes pvm_resume begin at `pc`, with registers and memory as they are. Where gas is charged by the block, the block that it lies
 * in is charged in full then. Where no instruction starts, executing panics.
 */
pvm_status_t pvm_set_pc(pvm_vm_t *vm,
                        uint32_t pc);

/**
 * Why the last execution stopped: one of PVM_STATE_*, of which the first five are the Gray Paper's. PVM_STATE_INVALID on failure.
 */
uint8_t pvm_get_machine_state(pvm_vm_t *vm);

/**
 * The work-digest code of the last execution, one of PVM_WORKDIGEST_*, unless pvm_set_result_code has set another: OK if it
 * halted, OOG if it ran out of gas, PANIC if it panicked or faulted. OK if nothing has been executed; -1 on failure.
 */
int pvm_get_result_code(pvm_vm_t *vm);

/**
 * Sets what pvm_get_result_code gives, until the next pvm_execute: the codes beyond PANIC are found out by the embedder.
 */
pvm_status_t pvm_set_result_code(pvm_vm_t *vm,
                                 int code);

/**
 * 1 if the last execution has ended: halted, panicked, faulted, out of gas, or terminated by a callback. 0 if not, and at a host
 * call or pause; 1 on failure.
 */
int pvm_is_terminated(pvm_vm_t *vm);

/**
 * The number of the host call at which it is; 0 if it is at none. These are the low 32 bits of what ecalli has, which the Gray Paper
 * sign-extends to 64: (uint64_t)(int32_t)pvm_get_host_call(vm) is its number. None of its host calls has one that this changes.
 */
uint32_t pvm_get_host_call(pvm_vm_t *vm);

/**
 * The address of the page to map if it is at a page fault, as the Gray Paper's FAULT has it; 0 otherwise. pvm_get_exit has the
 * address itself.
 */
uint32_t pvm_get_fault_address(pvm_vm_t *vm);

/**
 * What the last execution came to, all at once.
 */
pvm_status_t pvm_get_exit(pvm_vm_t *vm, pvm_exit_t *exit);

/**
 * The name of a register, such as "a0"; null if there is none of this number. Valid for ever.
 */
const char *pvm_register_name(int index);

/**
 * Copies `length` bytes of memory at `address` to `buffer`: all or, on failure, none. Everything that the program can read is
 * readable.
 */
pvm_status_t pvm_read_memory(pvm_vm_t *vm,
                             uint32_t address,
                             uint8_t *buffer,
                             size_t length);

/**
 * Copies `length` bytes from `data` to memory at `address`: all or, on failure, none. Everything that the program can write is
 * writable.
 */
pvm_status_t pvm_write_memory(pvm_vm_t *vm,
                              uint32_t address,
                              const uint8_t *data,
                              size_t length);

/**
 * Gives a pointer to the byte of memory at `address` where it lies, and how many can be read from there on: up to the end of its page,
 * 4096 bytes at most. It is valid until the next call of a function that is given this VM. It is for reading.
 */
pvm_status_t pvm_borrow_memory(pvm_vm_t *vm,
                               uint32_t address,
                               const uint8_t **data,
                               size_t *length);

/**
 * Reads and writes `count` parts of memory, one after the other, as pvm_read_memory and pvm_write_memory: all or, on failure, none. For
 * languages in which a call is dear.
 */
pvm_status_t pvm_access_memory(pvm_vm_t *vm,
                               const pvm_access_t *accesses,
                               size_t count);

/**
 * Zeroes `length` bytes of memory at `address`: all or, on failure, none.
 */
pvm_status_t pvm_zero_memory(pvm_vm_t *vm, uint32_t address, uint32_t length);

/**
 * As pvm_write_memory, but everything that is mapped is writable: for initial contents of what the program can only read.
 */
pvm_status_t pvm_initialize_memory(pvm_vm_t *vm,
                                   uint32_t address,
                                   const uint8_t *data,
                                   size_t length);

/**
 * Whether all of a range can be accessed by the program, one of PVM_PERMISSION_*: what host calls of the Gray Paper check before they do
 * anything. Fails with PVM_STATUS_OUT_OF_BOUNDS if not. Of length 0 every range can.
 */
pvm_status_t pvm_check_memory(pvm_vm_t *vm,
                              uint32_t address,
                              uint64_t length,
                              uint32_t number);

/**
 * Maps whole pages, one of PVM_PERMISSION_*: `address` and `length` are multiples of 4096 bytes, `address` is 0x10000 at the lowest.
 * Pages that were not mapped are zero; pages that were keep their bytes; PVM_PERMISSION_NONE unmaps, as pvm_unmap.
 */
pvm_status_t pvm_map(pvm_vm_t *vm,
                     uint32_t address,
                     uint64_t length,
                     uint32_t number);

/**
 * Changes what the program may do to whole pages, all of which are mapped. As pvm_map otherwise.
 */
pvm_status_t pvm_protect(pvm_vm_t *vm, uint32_t address, uint64_t length, uint32_t number);

/**
 * Unmaps whole pages, whose bytes are lost.
 */
pvm_status_t pvm_unmap(pvm_vm_t *vm, uint32_t address, uint64_t length);

/**
 * The end of the heap, in bytes; 0 on failure.
 */
uint32_t pvm_get_heap_pointer(pvm_vm_t *vm);

/**
 * Sets the end of the heap, behind which the program's sbrk goes on: memory from the end of the read-write data up to there, rounded
 * up to whole pages, becomes readable and writable. The heap cannot shrink; memory_limit and the stack limit it.
 */
pvm_status_t pvm_set_heap_pointer(pvm_vm_t *vm,
                                  uint32_t pointer);

/**
 * Grows the heap by so many bytes, as the Gray Paper 0.8's grow_heap needs it, and gives its new end. `end` can be null.
 */
pvm_status_t pvm_grow_heap(pvm_vm_t *vm,
                           uint64_t size,
                           uint32_t *end);

/**
 * Writes a byte. Gives 0, or PVM_OOB if that is not mapped or, after the first execution, not writable for the program; PVM_WHAT if
 * the VM is unusable: then pvm_last_error says why.
 */
uint64_t pvm_write_ram_bytes_8(pvm_vm_t *vm,
                               uint32_t address,
                               uint8_t data);

/**
 * Writes two bytes, little-endian, at any address. As pvm_write_ram_bytes_8.
 */
uint64_t pvm_write_ram_bytes_16(pvm_vm_t *vm, uint32_t address, uint16_t data);

/**
 * Writes four bytes, little-endian, at any address. As pvm_write_ram_bytes_8.
 */
uint64_t pvm_write_ram_bytes_32(pvm_vm_t *vm, uint32_t address, uint32_t data);

/**
 * Writes eight bytes, little-endian, at any address. As pvm_write_ram_bytes_8.
 */
uint64_t pvm_write_ram_bytes_64(pvm_vm_t *vm, uint32_t address, uint64_t data);

/**
 * Writes bytes: all or, on failure, none. As pvm_write_ram_bytes_8.
 */
uint64_t pvm_write_ram_bytes(pvm_vm_t *vm, uint32_t address, const uint8_t *data, uint32_t length);

/**
 * Reads a byte; 0 on failure. *error_code becomes 0, or -3 if that is not mapped, or -2 if the VM is unusable; it can be null.
 */
uint8_t pvm_read_ram_bytes_8(pvm_vm_t *vm,
                             uint32_t address,
                             int *error_code);

/**
 * Reads two bytes, little-endian, at any address. As pvm_read_ram_bytes_8.
 */
uint16_t pvm_read_ram_bytes_16(pvm_vm_t *vm, uint32_t address, int *error_code);

/**
 * Reads four bytes, little-endian, at any address. As pvm_read_ram_bytes_8.
 */
uint32_t pvm_read_ram_bytes_32(pvm_vm_t *vm, uint32_t address, int *error_code);

/**
 * Reads eight bytes, little-endian, at any address. As pvm_read_ram_bytes_8.
 */
uint64_t pvm_read_ram_bytes_64(pvm_vm_t *vm, uint32_t address, int *error_code);

/**
 * Reads bytes: all or, on failure, none. Gives 0, PVM_OOB or PVM_WHAT; *error_code as in pvm_read_ram_bytes_8.
 */
uint64_t pvm_read_ram_bytes(pvm_vm_t *vm,
                            uint32_t address,
                            uint8_t *buffer,
                            uint32_t length,
                            int *error_code);

/**
 * Whether every stop and every host call is said in a line of text: not 0 if so. Lines go to standard error, or to the callback of
 * pvm_set_log_callback.
 */
pvm_status_t pvm_set_logging(pvm_vm_t *vm,
                             int enable);

/**
 * Whether every instruction is said in a line of text before it is executed: not 0 if so. Lines go where those of pvm_set_logging
 * go. Slow.
 */
pvm_status_t pvm_set_tracing(pvm_vm_t *vm,
                             int enable);

/**
 * Sets where lines of text go; null: standard error.
 */
pvm_status_t pvm_set_log_callback(pvm_vm_t *vm, pvm_log_callback_t callback, void *user_data);

/**
 * Sets what is called before each instruction or block, one of PVM_TRACE_*; null or PVM_TRACE_NONE: nothing.
 */
pvm_status_t pvm_set_trace_callback(pvm_vm_t *vm,
                                    uint32_t unit,
                                    pvm_trace_callback_t callback,
                                    void *user_data);

/**
 * Writes the line that pvm_set_logging would say of the last stop, such as "host call 7 pc=0x2 gas=95", and a zero behind it.
 * `text_length` as in pvm_module_disassemble.
 */
pvm_status_t pvm_describe(pvm_vm_t *vm,
                          char *text,
                          size_t capacity,
                          size_t *text_length);

/**
 * Records host calls from the next execution on as text, as JIP-6 has them: the program, what pvm_prepare_standard and
 * pvm_write_memory and its kin put into memory before, registers and gas at each host call, what the host read, wrote and set, be it
 * by pvm_inner_call and its kin, and the end. At most `limit` bytes. What was recorded before is lost. What is done before this is
 * called is no part of it, nor are pages that are mapped and a heap that is made to grow until the execution begins: pvm_replay needs
 * a VM that is like this one.
 *
 * The format knows bytes of memory, registers and gas, at host calls, and one thing more that is this library's own: a line `setheap <-
 * ADDRESS` where the heap was made to grow (the Gray Paper 0.8's grow_heap), which others will not understand. pvm_record_read
 * fails, and says why, if between the beginning and the end of the execution pages were mapped, protected or unmapped, memory that
 * the program can only read was written, or the VM was reset, restored or given another pc; if anything was changed elsewhere than
 * at a host call, as at a pause or in a trace callback; if the execution went on after a fault or out of gas; or if it had begun
 * before.
 */
pvm_status_t pvm_record_start(pvm_vm_t *vm,
                              size_t limit);

/**
 * Stops recording and forgets what was recorded.
 */
pvm_status_t pvm_record_stop(pvm_vm_t *vm);

/**
 * Writes what has been recorded, and a zero behind it. *length becomes the length without the zero; if `capacity` is less than that
 * plus one this fails with PVM_STATUS_BUFFER_TOO_SMALL.
 */
pvm_status_t pvm_record_read(pvm_vm_t *vm,
                             char *text,
                             size_t capacity,
                             size_t *length);

/**
 * Executes a recording again on a VM of the same program, newly made, with the pages mapped that the recording needs and the program
 * does not declare: sets registers, gas and pc, answers host calls as the recording says, lets the heap grow where it did, and
 * compares registers, gas, pc and what the host read at each of them, and the end. A PANIC that has the pc, the registers and the
 * gas of the last host call is one that its host wanted, as by PVM_HOST_ERROR. Callbacks are not called.
 *
 * Fails with PVM_STATUS_DIFFERENCE at the first difference, and with PVM_STATUS_INVALID_ARGUMENT if the text is no recording; the text of
 * the error says what and where, and *line, which can be null, becomes the number of the line. The pc at HALT and PANIC is not
 * compared, since implementations differ there, nor is the program if the recording has none.
 */
pvm_status_t pvm_replay(pvm_vm_t *vm,
                        const char *text,
                        size_t length,
                        uint32_t *line);

/**
 * Answers the host call `operation`, one of PVM_INNER_*, from the registers of the VM, as the Gray Paper has it, and sets register 7,
 * and 8 after invoke. Fails with PVM_STATUS_GUEST_PANIC, and changes nothing, where the program panics, and with
 * PVM_STATUS_INTERRUPTED as pvm_inner_invoke does. For use in a host callback, which knows which numbers these host calls have.
 */
pvm_status_t pvm_inner_call(pvm_vm_t *vm,
                            uint32_t operation);

/**
 * Makes an inner machine of the raw JAM program in the memory of the VM, which begins at `pc`. *result becomes its number, the
 * lowest that is free, or PVM_HUH if the bytes are no program, as more than some 100 MiB never are, or inner_machine_limit is reached. Its memory is empty. Fails with
 * PVM_STATUS_GUEST_PANIC if the program's bytes cannot be read.
 */
pvm_status_t pvm_inner_machine(pvm_vm_t *vm,
                               uint64_t address,
                               uint64_t length,
                               uint64_t pc,
                               uint64_t *result);

/**
 * Copies from the memory of inner machine `n` at `source` to that of the VM at `destination`. *result becomes 0, PVM_WHO if there is
 * no such machine, PVM_OOB if its memory cannot be read. Fails with PVM_STATUS_GUEST_PANIC if that of the VM cannot be written.
 */
pvm_status_t pvm_inner_peek(pvm_vm_t *vm,
                            uint64_t n,
                            uint64_t destination,
                            uint64_t source,
                            uint64_t length,
                            uint64_t *result);

/**
 * Copies from the memory of the VM at `source` to that of inner machine `n` at `destination`. *result becomes 0, PVM_WHO if there is
 * no such machine, PVM_OOB if its memory cannot be written. Fails with PVM_STATUS_GUEST_PANIC if that of the VM cannot be read.
 */
pvm_status_t pvm_inner_poke(pvm_vm_t *vm,
                            uint64_t n,
                            uint64_t source,
                            uint64_t destination,
                            uint64_t length,
                            uint64_t *result);

/**
 * Makes something of `count` pages of inner machine `n` from number `first` on (an address divided by 4096): 0 unmaps them, 1 maps
 * them to be read, 2 to be read and written, both with zero bytes; 3 and 4 do the same and keep their bytes. *result becomes 0,
 * PVM_WHO if there is no such machine, PVM_HUH if the pages are not between 16 and 2^20 - 2, `kind` is above 4, or pages that are to keep
 * their bytes are not mapped. Fails with PVM_STATUS_LIMIT at inner_page_limit.
 */
pvm_status_t pvm_inner_pages(pvm_vm_t *vm,
                             uint64_t n,
                             uint64_t first,
                             uint64_t count,
                             uint64_t kind,
                             uint64_t *result);

/**
 * Executes inner machine `n` with the gas and the 13 registers that are in the memory of the VM at `address`, 14 numbers of 64
 * bits, and puts there what they are afterwards. *result becomes one of the first five PVM_STATE_*, and *result2, which can be
 * null, the number of the host call, sign-extended from 32 bits, or the address of the faulted page; or *result becomes PVM_WHO if there is no such
 * machine. Fails with PVM_STATUS_GUEST_PANIC if those 112 bytes cannot be written.
 *
 * After a host call, a fault or out of gas the next invocation goes on, in a block that has been paid for.
 *
 * pvm_interrupt stops it, too, at the end of a block, if the VM is interruptible: this fails with PVM_STATUS_INTERRUPTED then and
 * changes nothing that the program sees. The same call, as soon as the embedder wants, goes on with the gas and the registers that
 * it was given first. A host callback returns PVM_HOST_TERMINATE meanwhile: the execution returns PVM_RESULT_HOST_CALL, and
 * pvm_resume goes on after the host call was answered. After PVM_STATUS_HOST, too, the same call goes on.
 */
pvm_status_t pvm_inner_invoke(pvm_vm_t *vm,
                              uint64_t n,
                              uint64_t address,
                              uint64_t *result,
                              uint64_t *result2);

/**
 * Destroys inner machine `n`. *result becomes its pc, or PVM_WHO if there is no such machine.
 */
pvm_status_t pvm_inner_expunge(pvm_vm_t *vm, uint64_t n, uint64_t *result);

/**
 * Writes the state of the VM, registers, gas, pc, memory and where it stopped, to `buffer`. *length becomes the number of bytes; if
 * `capacity` is less this fails with PVM_STATUS_BUFFER_TOO_SMALL, so that capacity 0 asks for it.
 *
 * The bytes are canonical: equal states have equal bytes, whatever the backend. Callbacks, recordings and the service index are no part
 * of it. Legal at every stop, but not with inner machines, which it cannot contain: then this fails with
 * PVM_STATUS_INVALID_STATE, and pvm_fork is what copies them.
 */
pvm_status_t pvm_snapshot(pvm_vm_t *vm,
                          uint8_t *buffer,
                          size_t capacity,
                          size_t *length);

/**
 * Makes a VM in the state that pvm_snapshot has written, of the same program under the same configuration but for the backend. Fails
 * with PVM_STATUS_INVALID_ARGUMENT if the bytes are no snapshot or of another module. *out as in pvm_instantiate.
 */
pvm_status_t pvm_restore(const pvm_module_t *module,
                         const uint8_t *bytes,
                         size_t length,
                         pvm_vm_t **out);

/**
 * As pvm_restore, into a VM of the same program, which keeps its callbacks and user data. Its inner machines are destroyed: they
 * belong to the state that is given up. On failure it stays as it is. For VMs of pvm_create, which have no module.
 */
pvm_status_t pvm_restore_into(pvm_vm_t *vm,
                              const uint8_t *bytes,
                              size_t length);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PVM_H */

/*
 * Names without a prefix, as in the header that was proposed in 2025, for code written against it: define PVM_SHORT_NAMES before
 * including this file. Its error constants had 32 bits: for those define PVM_SHORT_NAMES_32 as well, and set error_constants of the
 * configuration to PVM_CONSTANTS_32.
 */
#ifdef PVM_SHORT_NAMES
typedef pvm_vm_t VM;
#define REG_SIZE PVM_REGISTER_COUNT
#define Z_P PVM_PAGE_SIZE
#define Z_A 2
#define Z_Z (1 << 16)
#define Z_Q (1 << 16)
#define Z_I (1 << 24)
#define W_X 1024
#define M 128
#define V 1023
#define OK 0
#ifdef PVM_SHORT_NAMES_32
#define PVM_SHORT_(x) ((x) & UINT32_MAX)
#else
#define PVM_SHORT_(x) (x)
#endif
#define NONE PVM_SHORT_(PVM_NONE)
#define WHAT PVM_SHORT_(PVM_WHAT)
#define OOB PVM_SHORT_(PVM_OOB)
#define WHO PVM_SHORT_(PVM_WHO)
#define FULL PVM_SHORT_(PVM_FULL)
#define CORE PVM_SHORT_(PVM_CORE)
#define CASH PVM_SHORT_(PVM_CASH)
#define LOW PVM_SHORT_(PVM_LOW)
#define HUH PVM_SHORT_(PVM_HUH)
#define HALT PVM_STATE_HALT
#define PANIC PVM_STATE_PANIC
#define FAULT PVM_STATE_FAULT
#define HOST PVM_STATE_HOST
#define OOG PVM_STATE_OOG
#define WORKDIGEST_OK PVM_WORKDIGEST_OK
#define WORKDIGEST_OOG PVM_WORKDIGEST_OOG
#define WORKDIGEST_PANIC PVM_WORKDIGEST_PANIC
#define WORKDIGEST_BAD_EXPORT PVM_WORKDIGEST_BAD_EXPORT
#define WORKDIGEST_OVERSIZE PVM_WORKDIGEST_OVERSIZE
#define WORKDIGEST_BAD PVM_WORKDIGEST_BAD
#define WORKDIGEST_BIG PVM_WORKDIGEST_BIG
#endif /* PVM_SHORT_NAMES */
