/* Code as it is written against the header that was proposed in 2025: plain names, a callback without user data, a VM created from
 * code, regions by pvm_set_memory_bounds. */
#define PVM_SHORT_NAMES
#include "pvm.h"

#include <stdio.h>

static int last_call = -1;

static pvm_host_result_t host(pvm_vm_t *vm, int func_id) {
    last_call = func_id;
    if (pvm_get_gas(vm) < 10) {
        return PVM_HOST_TERMINATE;
    }
    pvm_set_register(vm, 7, NONE);
    return PVM_HOST_CONTINUE;
}

int main(void) {
    const uint8_t code[] = {10, 7, 149, 0x77, 1, 50, 0};
    const uint8_t bitmask[] = {1, 0, 1, 0, 0, 1, 0};
    uint64_t initial_regs[REG_SIZE] = {0xffff0000};
    const uint32_t jump_table[] = {0};
    VM *vm = pvm_create(42, code, sizeof code, initial_regs, bitmask, sizeof bitmask, jump_table, 1, 1000);
    if (!vm) {
        return 1;
    }
    pvm_set_memory_bounds(vm, 2 * Z_Z + Z_Z, 3 * Z_Z + Z_P, Z_Z, Z_Z + 100, 0xfeff0000, 0xfeff0000 + 20, 0xfefdf000, 0xfefe0000);
    pvm_set_heap_pointer(vm, 3 * Z_Z + 2 * Z_P);
    pvm_set_host_callback(vm, host);
    pvm_set_logging(vm, 0);
    pvm_set_tracing(vm, 0);
    int error_code = OK;
    if (pvm_write_ram_bytes_32(vm, Z_Z, 5) != OK || pvm_write_ram_bytes_8(vm, 0, 1) != OOB) {
        return 2;
    }
    if (pvm_read_ram_bytes_32(vm, Z_Z, &error_code) != 5 || error_code != OK) {
        return 3;
    }
    pvm_result_t result = pvm_execute(vm, 0, 0);
    if (result != PVM_RESULT_OK || last_call != 7 || pvm_get_register(vm, 7) != 0) {
        return 4;
    }
    if (pvm_get_machine_state(vm) != HALT || pvm_get_result_code(vm) != WORKDIGEST_OK || !pvm_is_terminated(vm)) {
        return 5;
    }
    const uint64_t *registers = pvm_get_registers(vm);
    if (registers[0] != 0xffff0000 || pvm_get_gas(vm) != 997 || OOB != UINT64_MAX - 2) {
        return 6;
    }
    pvm_destroy(vm);
    puts("ok");
    return 0;
}
