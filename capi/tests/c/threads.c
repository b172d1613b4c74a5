/* Many VMs on many threads, and one VM on many threads, which is refused and does no harm. */
#include <pthread.h>

#include "check.h"

#define THREADS 4

static pvm_module_t *module;
static pvm_vm_t *shared;
static _Atomic int busy = 0, wrong = 0;

/* A count of host calls; CALL adds 1 to the answer. */
static pvm_host_result_t answer(pvm_vm_t *vm, int number) {
    int *count = pvm_get_user_data(vm);
    ++*count;
    pvm_set_register(vm, 7, (uint64_t)number);
    return PVM_HOST_CONTINUE;
}

static void *alone(void *argument) {
    (void)argument;
    for (int round = 0; round < 200; round++) {
        int count = 0;
        pvm_vm_t *vm = NULL, *fork = NULL;
        wrong += pvm_instantiate(module, &vm) != PVM_STATUS_OK;
        pvm_set_host_callback(vm, answer);
        pvm_set_user_data(vm, &count);
        pvm_set_gas(vm, 1000);
        for (int call = 0; call < 5; call++) {
            wrong += pvm_prepare(vm, 0, NULL, 0) != PVM_STATUS_OK;
            wrong += pvm_resume(vm) != PVM_RESULT_OK || pvm_get_register(vm, 7) != 8;
        }
        wrong += count != 5;
        wrong += pvm_fork(vm, &fork) != PVM_STATUS_OK;
        pvm_map(fork, 0x50000, 4096, PVM_PERMISSION_READ_WRITE);
        wrong += pvm_write_ram_bytes_32(fork, 0x50000, 7) != 0;
        pvm_destroy(vm);
        pvm_destroy(fork);
        wrong += pvm_get_gas(NULL) != 0; /* The text of an error is each thread's own. */
        wrong += strstr(pvm_last_error(), "null pointer") == NULL;
    }
    return NULL;
}

static void *together(void *argument) {
    (void)argument;
    for (int round = 0; round < 2000; round++) {
        uint64_t registers[13];
        pvm_status_t status = pvm_read_registers(shared, registers);
        busy += status == PVM_STATUS_BUSY;
        wrong += status != PVM_STATUS_BUSY && status != PVM_STATUS_OK;
        pvm_set_gas(shared, 1000);
        pvm_result_t result = pvm_execute(shared, 0, 0);
        wrong += result != PVM_RESULT_HOST_CALL && result != PVM_RESULT_ERROR;
        pvm_map(shared, 0x50000, 4096, PVM_PERMISSION_READ);
        pvm_interrupt(shared);
        pvm_error(shared);
    }
    return NULL;
}

/* What a second thread is told while the first one is in a callback. */
static void *intrude(void *argument) {
    pvm_vm_t *vm = argument;
    wrong += pvm_execute(vm, 0, 0) != PVM_RESULT_ERROR;
    wrong += strstr(pvm_last_error(), "by another thread") == NULL;
    wrong += strstr(pvm_error(vm), "by another thread") == NULL;
    wrong += pvm_step(vm) != PVM_RESULT_ERROR || strstr(pvm_error(vm), "by another thread") == NULL;
    wrong += pvm_set_register(vm, 13, 0) != PVM_STATUS_INVALID_ARGUMENT;
    wrong += strstr(pvm_error(vm), "from 0 to 12") == NULL;
    return NULL;
}

static pvm_host_result_t let_another_intrude(pvm_vm_t *vm, int number) {
    (void)number;
    pthread_t thread;
    pthread_create(&thread, NULL, intrude, vm);
    pthread_join(thread, NULL);
    return PVM_HOST_CONTINUE;
}

static void intrusion(void) {
    pvm_vm_t *vm = NULL;
    SAME(pvm_instantiate(module, &vm), PVM_STATUS_OK);
    SAME(pvm_set_host_callback(vm, let_another_intrude), PVM_STATUS_OK);
    SAME(pvm_set_gas(vm, 1000), PVM_STATUS_OK);
    SAME(pvm_prepare(vm, 0, NULL, 0), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    CHECK(strstr(pvm_error(vm), "from 0 to 12")); /* What the other thread was refused is not for this one. */
    pvm_destroy(vm);
}

static void on_threads(void *(*work)(void *)) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, work, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

int main(void) {
    for (uint32_t backend = PVM_BACKEND_INTERPRETER; backend <= PVM_BACKEND_RECOMPILER; backend++) {
        if (!pvm_backend_available(backend)) {
            continue;
        }
        pvm_config_t config;
        pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_7_BLOCK);
        config.backend = backend;
        config.window_limit = 2; /* Fewer than there are VMs: they take them from each other. */
        SAME(pvm_module_from_parts(&config, CALL, sizeof CALL, CALL_BITS, 1, NULL, 0, &module), PVM_STATUS_OK);
        on_threads(alone);
        SAME(pvm_instantiate(module, &shared), PVM_STATUS_OK);
        on_threads(together);
        pvm_destroy(shared);
        intrusion();
        pvm_module_release(module);
    }
    SAME(wrong, 0);
    pvm_release_caches();
    return finish();
}
