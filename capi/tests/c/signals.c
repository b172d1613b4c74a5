/* A host that has a SIGSEGV handler of its own, as the runtimes of Go and of Java have: it catches accesses to its own protected
 * memory, on a signal stack of its own, on several threads. Neither it nor the recompiler's handler may take the other's signals,
 * whoever came first. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

#define THREADS 4

/* Protected memory of the host: an access to it is repaired by the handler. */
static char *barrier;
static long page_size;
static _Atomic int repaired = 0, handed_on = 0;
static struct sigaction before;

static void handle(int signal, siginfo_t *info, void *context) {
    char *at = info->si_addr;
    if (at >= barrier && at < barrier + page_size * THREADS) {
        char *page = barrier + (at - barrier) / page_size * page_size;
        mprotect(page, (size_t)page_size, PROT_READ | PROT_WRITE);
        repaired++;
        return;
    }
    /* Not the host's: whoever was there before. */
    handed_on++;
    if (before.sa_flags & SA_SIGINFO) {
        before.sa_sigaction(signal, info, context);
    } else {
        static const char text[] = "a signal that is nobody's\n";
        (void)!write(2, text, sizeof text - 1);
        _exit(3);
    }
}

static void install(void) {
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &before);
}

/* load_ind_u8 a0, a1, 0; store_ind_u8 a0, a1, 1; jump_ind ra, 0: faults where nothing is mapped. */
static pvm_module_t *module;

static void run_vm(uint32_t address) {
    pvm_vm_t *vm = NULL;
    SAME(pvm_instantiate(module, &vm), PVM_STATUS_OK);
    SAME(pvm_set_gas(vm, 1000000), PVM_STATUS_OK);
    for (int round = 0; round < 20; round++) {
        uint64_t arguments[] = {0, address};
        SAME(pvm_prepare(vm, 0, arguments, 2), PVM_STATUS_OK);
        SAME(pvm_resume(vm), PVM_RESULT_FAULT);
        SAME(pvm_get_fault_address(vm), address);
        SAME(pvm_map(vm, address, PVM_PAGE_SIZE, PVM_PERMISSION_READ), PVM_STATUS_OK);
        SAME(pvm_resume(vm), PVM_RESULT_FAULT);
        SAME(pvm_protect(vm, address, PVM_PAGE_SIZE, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
        SAME(pvm_resume(vm), PVM_RESULT_OK);
        SAME(pvm_unmap(vm, address, PVM_PAGE_SIZE), PVM_STATUS_OK);
    }
    pvm_destroy(vm);
}

static void *work(void *argument) {
    long number = (long)argument;
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&stack, NULL);
    if (number % 2) {
        /* As runtimes let their workers do. The first execution lets this thread have SIGSEGV. */
        sigset_t all, now;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, NULL);
        run_vm(0x100000);
        pthread_sigmask(SIG_SETMASK, NULL, &now);
        CHECK(sigismember(&now, SIGSEGV) == 0);
        CHECK(sigismember(&now, SIGTERM) == 1);
    }
    for (int round = 0; round < 20; round++) {
        run_vm(0x100000);
        char *page = barrier + number * page_size;
        mprotect(page, (size_t)page_size, PROT_NONE);
        *(volatile char *)page = 1;
    }
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    free(stack.ss_sp);
    return NULL;
}

int main(int argc, char **argv) {
    int is_first = argc > 1 && strcmp(argv[1], "first") == 0;
    pvm_config_t config;
    page_size = sysconf(_SC_PAGESIZE);
    barrier = mmap(NULL, (size_t)page_size * THREADS, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SAME(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_8), PVM_STATUS_OK);

    /* The interpreter touches no handler. */
    struct sigaction now;
    SAME(pvm_module_from_parts(&config, MEMORY, sizeof MEMORY, MEMORY_BITS, 1, NULL, 0, &module), PVM_STATUS_OK);
    run_vm(0x100000);
    sigaction(SIGSEGV, NULL, &now);
    CHECK(now.sa_handler == SIG_DFL);
    pvm_module_release(module);

    if (!pvm_backend_available(PVM_BACKEND_RECOMPILER)) {
        return finish();
    }
    config.backend = PVM_BACKEND_RECOMPILER;
    if (is_first) {
        install();
    }
    SAME(pvm_module_from_parts(&config, MEMORY, sizeof MEMORY, MEMORY_BITS, 1, NULL, 0, &module), PVM_STATUS_OK);
    run_vm(0x100000);
    if (!is_first) {
        install();
        CHECK(before.sa_flags & SA_SIGINFO);
    }
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, work, (void *)i);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    SAME(repaired, THREADS * 20);
    CHECK(is_first ? handed_on == 0 : handed_on > 0);
    pvm_module_release(module);
    return finish();
}
