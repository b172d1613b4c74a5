/* How fast libpvm is from C: gas a second, host calls, memory.  rate ../examples/programs */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#include "../examples/c/common.h"

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static pvm_host_result_t answer(pvm_vm_t *vm, int number) {
    pvm_set_register(vm, 7, pvm_get_register(vm, 7) + (uint64_t)number);
    return PVM_HOST_CONTINUE;
}

typedef enum { RAW, STANDARD, POLKAVM } form_t;

/* A VM of a program, and where `export` starts if it has names. */
static pvm_vm_t *load(const char *folder, const char *name, form_t form, uint32_t backend, const char *export, uint32_t *pc) {
    char file[500];
    size_t length;
    pvm_config_t config;
    pvm_module_t *module;
    pvm_vm_t *vm;
    snprintf(file, sizeof file, "%s/%s", folder, name);
    uint8_t *program = read_file(file, &length);
    check(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_7_BLOCK), "configuration");
    config.backend = backend;
    check(form == STANDARD  ? pvm_module_from_standard(&config, program, length, &module)
          : form == POLKAVM ? pvm_module_from_polkavm(&config, program, length, &module)
                            : pvm_module_from_raw(&config, program, length, &module), file);
    *pc = 0;
    if (export != NULL) {
        check(pvm_module_find_export(module, export, strlen(export), pc), export);
    }
    check(pvm_instantiate(module, &vm), "instantiate");
    pvm_module_release(module);
    free(program);
    return vm;
}

/* Gas a second, in billions: the best of three runs of a program that makes no host call. */
static double rate(pvm_vm_t *vm, uint32_t pc, uint64_t argument) {
    double best = 1e9;
    uint64_t gas = 0;
    for (int run = 0; run < 3; run++) {
        check(pvm_prepare(vm, pc, &argument, 1), "prepare");
        check(pvm_set_gas(vm, INT64_MAX), "gas");
        double start = now();
        if (pvm_resume(vm) != PVM_RESULT_OK) {
            exit(1);
        }
        double time = now() - start;
        gas = INT64_MAX - pvm_get_gas(vm);
        best = time < best ? time : best;
        check(pvm_reset(vm), "reset");
    }
    pvm_destroy(vm);
    return (double)gas / best * 1e-9;
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "../examples/programs";
    for (uint32_t backend = PVM_BACKEND_INTERPRETER; backend <= PVM_BACKEND_RECOMPILER; backend++) {
        if (!pvm_backend_available(backend)) {
            continue;
        }
        const char *name = backend == PVM_BACKEND_RECOMPILER ? "recompiler" : "interpreter";
        uint64_t rounds = backend == PVM_BACKEND_RECOMPILER ? 200000000 : 20000000, calls = 1000000, sum = 0;
        uint64_t limit = backend == PVM_BACKEND_RECOMPILER ? 20000000 : 2000000;
        double best[4] = {1e9, 1e9, 1e9, 1e9};
        uint32_t pc;
        pvm_vm_t *vm = load(folder, "spin.pvm", RAW, backend, NULL, &pc);
        double spin = rate(vm, pc, rounds);
        vm = load(folder, "../../../guests/blobs/jam-v1/primes.polkavm", POLKAVM, backend, "primes", &pc);
        double primes = rate(vm, pc, limit);
        vm = load(folder, "calls.jam", STANDARD, backend, NULL, &pc);
        for (int run = 0; run < 6; run++) {
            int with_callback = run % 2;
            check(pvm_set_host_callback(vm, with_callback ? answer : NULL), "callback");
            check(pvm_prepare(vm, 0, &calls, 1), "prepare");
            check(pvm_set_gas(vm, INT64_MAX), "gas");
            double start = now();
            while (pvm_resume(vm) == PVM_RESULT_HOST_CALL) {
                answer(vm, 7);
            }
            double time = now() - start;
            best[1 + with_callback] = time < best[1 + with_callback] ? time : best[1 + with_callback];
        }
        uint8_t bytes[32] = {0};
        for (int run = 0; run < 3; run++) {
            double start = now();
            for (uint32_t i = 0; i < calls; i++) {
                check(pvm_write_memory(vm, 0x20000, bytes, sizeof bytes), "write");
                check(pvm_read_memory(vm, 0x20000, bytes, sizeof bytes), "read");
                sum += bytes[0];
            }
            double time = now() - start;
            best[3] = time < best[3] ? time : best[3];
        }
        pvm_destroy(vm);
        printf("C %s: loop %.2f, primes %.2f Ggas/s, host call %.1f ns by return, %.1f ns by callback, "
               "write and read of 32 bytes %.1f ns\n",
               name, spin, primes, best[1] / (double)calls * 1e9, best[2] / (double)calls * 1e9,
               best[3] / (double)calls * 1e9);
        if (sum != 0) {
            return 1;
        }
    }
    return 0;
}
