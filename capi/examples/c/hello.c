/* Runs a JAM service: gives it arguments, answers its host calls by a callback, prints gas, registers and result.
 *
 *     hello ../programs/service.jam 1 2 3
 */
#include "common.h"

/* Host call 100 is the log of JIP-1: level, target and its length, message and its length in registers 7 to 11. */
static pvm_host_result_t host(pvm_vm_t *vm, int number) {
    char message[256];
    uint64_t address = pvm_get_register(vm, 10), length = pvm_get_register(vm, 11);
    if (number != 100) {
        pvm_set_register(vm, 7, PVM_WHAT);
        return PVM_HOST_CONTINUE;
    }
    if (length > sizeof message ||
        pvm_read_memory(vm, (uint32_t)address, (uint8_t *)message, length) != PVM_STATUS_OK) {
        return PVM_HOST_ERROR; /* The program panics. */
    }
    printf("log: %.*s\n", (int)length, message);
    pvm_set_gas(vm, pvm_get_gas(vm) - 10);
    pvm_set_register(vm, 7, PVM_WHAT);
    return PVM_HOST_CONTINUE;
}

int main(int argc, char **argv) {
    uint8_t arguments[64];
    size_t count = 0, length;
    if (argc < 2) {
        fprintf(stderr, "usage: %s PROGRAM [BYTE]...\n", argv[0]);
        return 2;
    }
    for (int i = 2; i < argc && count < sizeof arguments; i++) {
        arguments[count++] = (uint8_t)atoi(argv[i]);
    }

    pvm_config_t config;
    pvm_module_t *module;
    pvm_vm_t *vm;
    uint8_t *program = read_file(argv[1], &length);
    check(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_8), "configuration");
    check(pvm_module_from_standard(&config, program, length, &module), argv[1]);
    check(pvm_instantiate(module, &vm), "instantiate");
    check(pvm_set_host_callback(vm, host), "callback");
    check(pvm_prepare_standard(vm, 0, arguments, count), "arguments");
    check(pvm_set_gas(vm, 10000), "gas");

    pvm_result_t result = pvm_resume(vm);

    char text[200];
    check(pvm_describe(vm, text, sizeof text, NULL), "describe");
    printf("%s\n", text);
    for (int i = 0; i < PVM_REGISTER_COUNT; i++) {
        printf("%s=%#" PRIx64 "%s", pvm_register_name(i), pvm_get_register(vm, i), i == 12 ? "\n" : " ");
    }
    if (result == PVM_RESULT_OK) {
        /* Where the result is and how long it is stands in registers 7 and 8. */
        printf("sum: %" PRIu64 "\n", pvm_read_ram_bytes_64(vm, (uint32_t)pvm_get_register(vm, 7), NULL));
    }
    pvm_destroy(vm);
    pvm_module_release(module);
    free(program);
    return result != PVM_RESULT_OK;
}
