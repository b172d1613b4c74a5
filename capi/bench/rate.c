/* How fast libpvm is from C: gas a second, host calls, memory.  rate FOLDER, of this file. Lines are for pairs.py. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
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

/* Gas a second, in billions: the best of three runs or more, half a second of them, of a program that makes no host call. */
static double rate(pvm_vm_t *vm, uint32_t pc, uint64_t argument) {
    double best = 1e9, all = 0;
    uint64_t gas = 0;
    for (int run = 0; run < 3 || all < 0.5; run++) {
        check(pvm_prepare(vm, pc, &argument, 1), "prepare");
        check(pvm_set_gas(vm, INT64_MAX), "gas");
        double start = now();
        if (pvm_resume(vm) != PVM_RESULT_OK) {
            exit(1);
        }
        double time = now() - start;
        gas = INT64_MAX - pvm_get_gas(vm);
        best = time < best ? time : best;
        all += time;
        check(pvm_reset(vm), "reset");
    }
    pvm_destroy(vm);
    return (double)gas / best * 1e-9;
}

int main(int argc, char **argv) {
    const char *bench = argc > 1 ? argv[1] : ".";
    char folder[400], file[400];
    for (uint32_t backend = PVM_BACKEND_INTERPRETER; backend <= PVM_BACKEND_RECOMPILER; backend++) {
        if (!pvm_backend_available(backend)) {
            continue;
        }
        const char *name = backend == PVM_BACKEND_RECOMPILER ? "recompiler" : "interpreter";
        uint64_t arguments[2], calls = 1000000, sum = 0;
        double best[3] = {1e9, 1e9, 1e9};
        char guest[40], export[40];
        uint32_t pc;
        snprintf(folder, sizeof folder, "%s/../examples/programs", bench);
        pvm_vm_t *vm = load(folder, "spin.pvm", RAW, backend, NULL, &pc);
        printf("C %s loop %.3f Ggas/s\n", name, rate(vm, pc, backend == PVM_BACKEND_RECOMPILER ? 200000000 : 20000000));
        snprintf(file, sizeof file, "%s/guests.txt", bench);
        FILE *guests = fopen(file, "r");
        if (guests == NULL) {
            perror(file);
            return 1;
        }
        while (fscanf(guests, "%39s %39s %" SCNu64 " %" SCNu64, guest, export, &arguments[0], &arguments[1]) == 4) {
            snprintf(file, sizeof file, "../../../guests/blobs/jam-v1/%s.polkavm", guest);
            vm = load(folder, file, POLKAVM, backend, export, &pc);
            printf("C %s %s %.3f Ggas/s\n", name, guest, rate(vm, pc, arguments[backend == PVM_BACKEND_RECOMPILER]));
        }
        fclose(guests);
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
            best[with_callback] = time < best[with_callback] ? time : best[with_callback];
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
            best[2] = time < best[2] ? time : best[2];
        }
        pvm_destroy(vm);
        const char *const figures[] = {"call-by-return", "call-by-callback", "write-and-read"};
        for (int figure = 0; figure < 3; figure++) {
            printf("C %s %s %.1f ns\n", name, figures[figure], best[figure] / (double)calls * 1e9);
        }
        if (sum != 0) {
            return 1;
        }
    }
    return 0;
}
