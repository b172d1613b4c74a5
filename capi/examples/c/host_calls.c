/* Answers host calls without a callback: pvm_resume returns at each. Then does the same on a fork, and on a copy from a snapshot.
 *
 *     host_calls ../programs/calls.jam
 */
#include "common.h"

/* Runs to the end; host call 7 asks for the square of register 7. */
static uint64_t run(pvm_vm_t *vm) {
    for (;;) {
        switch (pvm_resume(vm)) {
        case PVM_RESULT_OK:
            return pvm_get_register(vm, 7);
        case PVM_RESULT_HOST_CALL: {
            uint64_t n = pvm_get_register(vm, 7);
            pvm_set_register(vm, 7, pvm_get_host_call(vm) == 7 ? n * n : PVM_WHAT);
            break;
        }
        case PVM_RESULT_OOG:
            printf("out of gas, 50 more\n");
            pvm_set_gas(vm, pvm_get_gas(vm) + 50);
            break;
        default:
            fprintf(stderr, "%s\n", pvm_error(vm));
            exit(1);
        }
    }
}

int main(int argc, char **argv) {
    size_t length;
    pvm_module_t *module;
    pvm_vm_t *vm, *fork, *copy;
    if (argc < 2) {
        fprintf(stderr, "usage: %s PROGRAM\n", argv[0]);
        return 2;
    }
    uint8_t *program = read_file(argv[1], &length);
    check(pvm_module_from_standard(NULL, program, length, &module), argv[1]);
    check(pvm_instantiate(module, &vm), "instantiate");
    check(pvm_prepare(vm, 0, (const uint64_t[]){10}, 1), "prepare");
    check(pvm_set_gas(vm, 30), "gas");

    if (pvm_resume(vm) != PVM_RESULT_HOST_CALL) {
        return 1;
    }
    /* It waits for its first answer. So do the others. */
    check(pvm_fork(vm, &fork), "fork");
    size_t size = 0;
    pvm_snapshot(vm, NULL, 0, &size);
    uint8_t *snapshot = malloc(size);
    check(pvm_snapshot(vm, snapshot, size, &size), "snapshot");
    check(pvm_restore(module, snapshot, size, &copy), "restore");

    pvm_vm_t *all[] = {vm, fork, copy};
    for (int i = 0; i < 3; i++) {
        pvm_set_register(all[i], 7, 100);
        printf("sum: %" PRIu64 ", gas left: %" PRIu64 "\n", run(all[i]), pvm_get_gas(all[i]));
        pvm_destroy(all[i]);
    }
    pvm_module_release(module);
    free(snapshot);
    free(program);
    return 0;
}
