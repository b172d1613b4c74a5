/* Gives a program its memory when it asks for it.
 *
 *     page_faults ../programs/pages.pvm
 */
#include "common.h"

int main(int argc, char **argv) {
    size_t length;
    pvm_config_t config;
    pvm_module_t *module;
    pvm_vm_t *vm;
    if (argc < 2) {
        fprintf(stderr, "usage: %s PROGRAM\n", argv[0]);
        return 2;
    }
    uint8_t *program = read_file(argv[1], &length);
    check(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_8), "configuration");
    check(pvm_module_from_raw(&config, program, length, &module), argv[1]);
    check(pvm_instantiate(module, &vm), "instantiate");
    check(pvm_prepare(vm, 0, (const uint64_t[]){0x100000, 5}, 2), "prepare");
    check(pvm_set_gas(vm, 100000), "gas");

    pvm_result_t result;
    while ((result = pvm_resume(vm)) == PVM_RESULT_FAULT) {
        uint32_t page = pvm_get_fault_address(vm);
        uint8_t byte = (uint8_t)(page >> 12);
        printf("page %#x, which begins with %d\n", page, byte);
        check(pvm_map(vm, page, PVM_PAGE_SIZE, PVM_PERMISSION_READ), "map");
        check(pvm_initialize_memory(vm, page, &byte, 1), "contents");
    }
    printf("sum: %" PRIu64 "\n", pvm_get_register(vm, 7));
    pvm_destroy(vm);
    pvm_module_release(module);
    free(program);
    return result != PVM_RESULT_OK;
}
