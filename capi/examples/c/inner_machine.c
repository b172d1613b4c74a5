/* Does what a refine host does when its service asks for inner machines. The outer machine here has no program of its own: what it
 * would ask for by host calls is asked for directly.
 *
 *     inner_machine ../programs/inner.pvm
 */
#include "common.h"

int main(int argc, char **argv) {
    static const uint8_t trap[] = {0}, bits[] = {1};
    const uint32_t at = 0x20000, gas_and_registers = 0x30000, buffer = 0x31000;
    size_t length;
    uint64_t n, result, more = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: %s PROGRAM\n", argv[0]);
        return 2;
    }
    uint8_t *program = read_file(argv[1], &length);
    pvm_vm_t *vm = pvm_create(0, trap, sizeof trap, NULL, bits, 1, NULL, 0, 0);
    check(pvm_map(vm, at, 0x12000, PVM_PERMISSION_READ_WRITE), "map");

    /* machine: the program is in the memory of the outer machine. */
    check(pvm_write_memory(vm, at, program, length), "program");
    check(pvm_inner_machine(vm, at, length, 0, &n), "machine");
    printf("machine: %" PRIu64 "\n", n);

    /* pages: one page to write. */
    check(pvm_inner_pages(vm, n, 0x50, 1, 2, &result), "pages");

    /* invoke: gas, then the registers; register 0 is where returning halts, 7 and 8 are arguments. */
    uint64_t state[14] = {[0] = 1000, [1] = PVM_RETURN_ADDRESS, [8] = 20, [9] = 0x50008};
    check(pvm_write_memory(vm, gas_and_registers, (uint8_t *)state, sizeof state), "state");
    check(pvm_inner_invoke(vm, n, gas_and_registers, &result, &more), "invoke");
    while (result == PVM_STATE_HOST) {
        check(pvm_read_memory(vm, gas_and_registers, (uint8_t *)state, sizeof state), "state");
        printf("invoke: host call %" PRIu64 ", gas left %" PRIu64 "\n", more, state[0]);
        state[8] = 2; /* The answer. */
        check(pvm_write_memory(vm, gas_and_registers, (uint8_t *)state, sizeof state), "state");
        check(pvm_inner_invoke(vm, n, gas_and_registers, &result, &more), "invoke");
    }
    check(pvm_read_memory(vm, gas_and_registers, (uint8_t *)state, sizeof state), "state");
    printf("invoke: state %" PRIu64 ", gas left %" PRIu64 "\n", result, state[0]);

    /* peek: what it has stored. */
    check(pvm_inner_peek(vm, n, buffer, 0x50008, 8, &result), "peek");
    printf("peek: %" PRIu64 "\n", pvm_read_ram_bytes_64(vm, buffer, NULL));
    check(pvm_inner_expunge(vm, n, &result), "expunge");
    printf("expunge: pc %" PRIu64 "\n", result);
    pvm_destroy(vm);
    free(program);
    return 0;
}
