/* Inner machines, snapshots, recordings, traces. */
#include <sys/resource.h>

#include "check.h"

static pvm_vm_t *create(uint64_t gas) {
    pvm_vm_t *vm = pvm_create(0, CALL, sizeof CALL, RETURN_REGS, CALL_BITS, sizeof CALL_BITS, NULL, 0, gas);
    CHECK(vm != NULL);
    return vm;
}

/* The program CALL as a raw blob: no jump table, 7 bytes of code, a byte of bitmask. */
static const uint8_t BLOB[] = {0, 0, 7, 10, 7, 149, 0x77, 1, 50, 0, 0x25};

static void inner_machines(void) {
    const uint64_t base = 0x20000;
    uint64_t r = 99, more = 99, state[14] = {0};
    pvm_vm_t *vm = create(0);
    SAME(pvm_map(vm, base, 0x3000, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_map(vm, base + 0x3000, 0x1000, PVM_PERMISSION_READ), PVM_STATUS_OK);
    SAME(pvm_write_memory(vm, base, BLOB, sizeof BLOB), PVM_STATUS_OK);

    /* machine */
    SAME(pvm_inner_machine(vm, base, sizeof BLOB, 0, &r), PVM_STATUS_OK);
    SAME(r, 0);
    SAME(pvm_inner_machine(vm, base, sizeof BLOB, 2, &r), PVM_STATUS_OK);
    SAME(r, 1);
    SAME(pvm_inner_machine(vm, base, sizeof BLOB - 1, 0, &r), PVM_STATUS_OK);
    SAME(r, PVM_HUH);
    FAILS(pvm_inner_machine(vm, 0, 1, 0, &r), PVM_STATUS_GUEST_PANIC, "panics");
    FAILS(pvm_inner_machine(vm, base + 0x3fff, 2, 0, &r), PVM_STATUS_GUEST_PANIC, "panics");
    FAILS(pvm_inner_machine(vm, UINT64_MAX, UINT64_MAX, 0, &r), PVM_STATUS_GUEST_PANIC, "panics");
    FAILS(pvm_inner_machine(vm, base, sizeof BLOB, 0, NULL), PVM_STATUS_NULL_POINTER, "result");

    /* pages */
    SAME(pvm_inner_pages(vm, 0, 15, 1, 2, &r), PVM_STATUS_OK);
    SAME(r, PVM_HUH);
    SAME(pvm_inner_pages(vm, 0, 16, (1 << 20) - 16, 2, &r), PVM_STATUS_OK);
    SAME(r, PVM_HUH);
    SAME(pvm_inner_pages(vm, 0, UINT64_MAX, UINT64_MAX, 2, &r), PVM_STATUS_OK);
    SAME(r, PVM_HUH);
    SAME(pvm_inner_pages(vm, 0, 32, 2, 5, &r), PVM_STATUS_OK);
    SAME(r, PVM_HUH);
    SAME(pvm_inner_pages(vm, 0, 32, 2, 4, &r), PVM_STATUS_OK);
    SAME(r, PVM_HUH); /* Nothing is there to keep. */
    SAME(pvm_inner_pages(vm, 7, 32, 2, 2, &r), PVM_STATUS_OK);
    SAME(r, PVM_WHO);
    SAME(pvm_inner_pages(vm, 0, 32, 2, 2, &r), PVM_STATUS_OK);
    SAME(r, 0);

    /* poke and peek */
    SAME(pvm_write_memory(vm, base + 0x1000, (const uint8_t *)"across a page", 13), PVM_STATUS_OK);
    SAME(pvm_inner_poke(vm, 0, base + 0x1000, 33 * 4096 - 5, 13, &r), PVM_STATUS_OK);
    SAME(r, 0);
    SAME(pvm_inner_peek(vm, 0, base + 0x1ffd, 33 * 4096 - 5, 13, &r), PVM_STATUS_OK);
    SAME(r, 0);
    char text[14] = "";
    SAME(pvm_read_memory(vm, base + 0x1ffd, (uint8_t *)text, 13), PVM_STATUS_OK);
    CHECK(strcmp(text, "across a page") == 0);
    SAME(pvm_inner_poke(vm, 0, base, 34 * 4096 - 1, 2, &r), PVM_STATUS_OK);
    SAME(r, PVM_OOB);
    SAME(pvm_inner_peek(vm, 0, base, 34 * 4096 - 1, 2, &r), PVM_STATUS_OK);
    SAME(r, PVM_OOB);
    SAME(pvm_inner_peek(vm, 0, base, UINT64_MAX, 2, &r), PVM_STATUS_OK);
    SAME(r, PVM_OOB);
    SAME(pvm_inner_peek(vm, 9, base, 0, 2, &r), PVM_STATUS_OK);
    SAME(r, PVM_WHO);
    SAME(pvm_inner_peek(vm, 0, 0, UINT64_MAX, 0, &r), PVM_STATUS_OK);
    SAME(r, 0);
    FAILS(pvm_inner_peek(vm, 9, base + 0x3000, 0, 2, &r), PVM_STATUS_GUEST_PANIC, "panics"); /* before WHO */
    SAME(pvm_inner_poke(vm, 0, base + 0x3000, 32 * 4096, 1, &r), PVM_STATUS_OK); /* reading is enough */
    SAME(r, 0);
    SAME(pvm_inner_pages(vm, 0, 32, 1, 3, &r), PVM_STATUS_OK);
    SAME(pvm_inner_poke(vm, 0, base, 32 * 4096, 1, &r), PVM_STATUS_OK);
    SAME(r, PVM_OOB);
    SAME(pvm_inner_pages(vm, 0, 33, 1, 1, &r), PVM_STATUS_OK); /* zeroes */
    SAME(pvm_inner_peek(vm, 0, base + 0x1000, 33 * 4096, 1, &r), PVM_STATUS_OK);
    SAME(pvm_read_ram_bytes_8(vm, base + 0x1000, NULL), 0);

    /* invoke */
    const uint32_t at = base + 0x2000;
    state[0] = 100, state[1] = PVM_RETURN_ADDRESS, state[8] = 4;
    SAME(pvm_write_memory(vm, at, (uint8_t *)state, sizeof state), PVM_STATUS_OK);
    SAME(pvm_inner_invoke(vm, 5, at, &r, &more), PVM_STATUS_OK);
    SAME(r, PVM_WHO);
    SAME(more, 99);
    FAILS(pvm_inner_invoke(vm, 5, base + 0x3000, &r, &more), PVM_STATUS_GUEST_PANIC, "panics");
    SAME(pvm_inner_invoke(vm, 0, at, &r, &more), PVM_STATUS_OK);
    SAME(r, PVM_STATE_HOST);
    SAME(more, 7);
    SAME(pvm_inner_invoke(vm, 0, at, &r, NULL), PVM_STATUS_OK);
    SAME(r, PVM_STATE_HALT);
    SAME(pvm_read_memory(vm, at, (uint8_t *)state, sizeof state), PVM_STATUS_OK);
    SAME(state[0], 97);
    SAME(state[8], 5);
    /* It begins anew after it has halted. More gas than 2^63 loses nothing. */
    state[0] = UINT64_MAX;
    SAME(pvm_write_memory(vm, at, (uint8_t *)state, sizeof state), PVM_STATUS_OK);
    SAME(pvm_inner_invoke(vm, 0, at, &r, &more), PVM_STATUS_OK);
    SAME(r, PVM_STATE_HOST);
    SAME(pvm_read_ram_bytes_64(vm, at, NULL), UINT64_MAX - 1);

    /* By registers. */
    SAME(pvm_set_register(vm, 7, 1), PVM_STATUS_OK);
    SAME(pvm_set_register(vm, 8, at), PVM_STATUS_OK);
    SAME(pvm_write_ram_bytes_64(vm, at, 1), 0);
    SAME(pvm_inner_call(vm, PVM_INNER_INVOKE), PVM_STATUS_OK);
    SAME(pvm_get_register(vm, 7), PVM_STATE_OOG); /* It began at 2, with gas for one instruction. */
    SAME(pvm_get_register(vm, 8), at);
    SAME(pvm_set_register(vm, 7, 1), PVM_STATUS_OK);
    SAME(pvm_inner_call(vm, PVM_INNER_EXPUNGE), PVM_STATUS_OK);
    SAME(pvm_get_register(vm, 7), 5);
    SAME(pvm_set_register(vm, 8, 1), PVM_STATUS_OK);
    FAILS(pvm_inner_call(vm, PVM_INNER_INVOKE), PVM_STATUS_GUEST_PANIC, "panics");
    FAILS(pvm_inner_call(vm, 6), PVM_STATUS_INVALID_ARGUMENT, "PVM_INNER");

    /* expunge */
    SAME(pvm_inner_expunge(vm, 0, &r), PVM_STATUS_OK);
    SAME(r, 2); /* behind the host call */
    SAME(pvm_inner_expunge(vm, 0, &r), PVM_STATUS_OK);
    SAME(r, PVM_WHO);
    SAME(pvm_inner_machine(vm, base, sizeof BLOB, UINT64_MAX, &r), PVM_STATUS_OK);
    SAME(r, 0);
    SAME(pvm_inner_invoke(vm, 0, at, &r, &more), PVM_STATUS_OK);
    SAME(r, PVM_STATE_PANIC); /* No instruction starts at 2^64 - 1. */
    pvm_destroy(vm);

    /* Limits. */
    pvm_config_t config;
    SAME(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_8), PVM_STATUS_OK);
    config.inner_machine_limit = 2;
    config.inner_page_limit = 3;
    vm = pvm_create_with_config(&config, 0, CALL, sizeof CALL, NULL, CALL_BITS, 1, NULL, 0, 0);
    SAME(pvm_map(vm, base, 0x1000, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_write_memory(vm, base, BLOB, sizeof BLOB), PVM_STATUS_OK);
    for (uint64_t n = 0; n < 3; n++) {
        SAME(pvm_inner_machine(vm, base, sizeof BLOB, 0, &r), PVM_STATUS_OK);
        SAME(r, n < 2 ? n : PVM_HUH);
    }
    SAME(pvm_inner_pages(vm, 0, 20, 2, 2, &r), PVM_STATUS_OK);
    FAILS(pvm_inner_pages(vm, 1, 20, 2, 2, &r), PVM_STATUS_LIMIT, "inner_page_limit");
    SAME(pvm_inner_pages(vm, 1, 20, 1, 2, &r), PVM_STATUS_OK);
    SAME(pvm_inner_pages(vm, 0, 20, 1, 0, &r), PVM_STATUS_OK);
    SAME(pvm_inner_pages(vm, 1, 20, 2, 2, &r), PVM_STATUS_OK);
    SAME(r, 0);
    pvm_destroy(vm);
}

static int last_number = 0;

static pvm_host_result_t keep_number(pvm_vm_t *vm, int number) {
    (void)vm;
    last_number = number;
    return PVM_HOST_TERMINATE;
}

/* ecalli 0x80, whose number the Gray Paper sign-extends: 2^64 - 128. */
static void negative_host_calls(void) {
    static const uint8_t code[] = {10, 0x80}, bits[] = {1}, blob[] = {0, 0, 2, 10, 0x80, 1};
    const uint64_t state[14] = {[0] = 100};
    uint64_t r = 0, more = 0;
    pvm_exit_t exit;
    pvm_vm_t *vm = pvm_create(0, code, sizeof code, NULL, bits, 1, NULL, 0, 100);
    SAME(pvm_map(vm, 0x20000, 0x1000, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_write_memory(vm, 0x20000, blob, sizeof blob), PVM_STATUS_OK);
    SAME(pvm_write_memory(vm, 0x20100, (const uint8_t *)state, sizeof state), PVM_STATUS_OK);
    SAME(pvm_inner_machine(vm, 0x20000, sizeof blob, 0, &r), PVM_STATUS_OK);
    SAME(pvm_inner_invoke(vm, r, 0x20100, &r, &more), PVM_STATUS_OK);
    SAME(r, PVM_STATE_HOST);
    SAME(more, UINT64_MAX - 127);
    SAME(pvm_set_register(vm, 7, 0), PVM_STATUS_OK);
    SAME(pvm_set_register(vm, 8, 0x20100), PVM_STATUS_OK);
    SAME(pvm_inner_expunge(vm, 0, &r), PVM_STATUS_OK);
    SAME(pvm_inner_machine(vm, 0x20000, sizeof blob, 0, &r), PVM_STATUS_OK);
    SAME(pvm_inner_call(vm, PVM_INNER_INVOKE), PVM_STATUS_OK);
    SAME(pvm_get_register(vm, 8), UINT64_MAX - 127);

    /* Of the machine itself it is the low half, and the callback's number is negative. */
    SAME(pvm_set_host_callback(vm, keep_number), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_get_host_call(vm), 0xffffff80);
    SAME(last_number, -128);
    SAME((uint64_t)(int32_t)pvm_get_host_call(vm), UINT64_MAX - 127);
    SAME(pvm_get_exit(vm, &exit), PVM_STATUS_OK);
    SAME(exit.host_call, 0xffffff80);
    pvm_destroy(vm);
}

static long most_memory(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_maxrss;
}

/* A guest that says that its program is as long as its memory costs nothing. */
static void long_programs(void) {
    const uint64_t base = 0x20000, length = 0xe0000000;
    uint64_t r = 0;
    pvm_config_t config;
    SAME(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_8), PVM_STATUS_OK);
    config.inner_machine_limit = 1;
    pvm_vm_t *vm = pvm_create_with_config(&config, 0, CALL, sizeof CALL, NULL, CALL_BITS, 1, NULL, 0, 0);
    SAME(pvm_grow_heap(vm, length, NULL), PVM_STATUS_OK);
    SAME(pvm_check_memory(vm, base, length, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    long before = most_memory();
    SAME(pvm_inner_machine(vm, base, length, 0, &r), PVM_STATUS_OK);
    SAME(r, PVM_HUH);
    SAME(pvm_write_memory(vm, base, BLOB, sizeof BLOB), PVM_STATUS_OK);
    SAME(pvm_inner_machine(vm, base, length, 0, &r), PVM_STATUS_OK);
    SAME(r, PVM_HUH);
    SAME(pvm_inner_machine(vm, base, sizeof BLOB, 0, &r), PVM_STATUS_OK);
    SAME(r, 0);
    /* Nor if there is no room for it. */
    SAME(pvm_inner_machine(vm, base, 100 << 20, 0, &r), PVM_STATUS_OK);
    SAME(r, PVM_HUH);
    CHECK(most_memory() - before < 50 << 10); /* in KiB */
    pvm_destroy(vm);
}

/* A copy has inner machines of its own; what goes back to an earlier state has none. */
static void inner_machines_of_copies(void) {
    const uint64_t base = 0x20000;
    uint64_t r = 0;
    pvm_vm_t *vm = create(100), *fork = NULL, *other = NULL;
    uint8_t bytes[20000];
    size_t length = 0;
    SAME(pvm_map(vm, base, 0x1000, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_write_memory(vm, base, BLOB, sizeof BLOB), PVM_STATUS_OK);
    SAME(pvm_snapshot(vm, bytes, sizeof bytes, &length), PVM_STATUS_OK);
    for (uint64_t n = 0; n < 3; n++) {
        SAME(pvm_inner_machine(vm, base, sizeof BLOB, 0, &r), PVM_STATUS_OK);
        SAME(pvm_inner_pages(vm, n, 20, 1, 2, &r), PVM_STATUS_OK);
        SAME(pvm_inner_poke(vm, n, base + 2, 20 * 4096, 1, &r), PVM_STATUS_OK);
        SAME(r, 0);
    }
    SAME(pvm_inner_expunge(vm, 1, &r), PVM_STATUS_OK);
    size_t ignored = 0;
    FAILS(pvm_snapshot(vm, NULL, 0, &ignored), PVM_STATUS_INVALID_STATE, "2 of them to be expunged first");

    SAME(pvm_fork(vm, &fork), PVM_STATUS_OK);
    SAME(pvm_inner_poke(fork, 0, base + 3, 20 * 4096, 1, &r), PVM_STATUS_OK);
    SAME(r, 0);
    pvm_vm_t *vms[] = {vm, fork};
    for (int index = 0; index < 2; index++) {
        SAME(pvm_inner_peek(vms[index], 0, base + 100, 20 * 4096, 1, &r), PVM_STATUS_OK);
        SAME(r, 0);
        SAME(pvm_read_ram_bytes_8(vms[index], base + 100, NULL), BLOB[2 + index]);
        SAME(pvm_inner_peek(vms[index], 1, base + 100, 20 * 4096, 1, &r), PVM_STATUS_OK);
        SAME(r, PVM_WHO);
        SAME(pvm_inner_peek(vms[index], 2, base + 100, 20 * 4096, 1, &r), PVM_STATUS_OK);
        SAME(pvm_read_ram_bytes_8(vms[index], base + 100, NULL), BLOB[2]);
        SAME(pvm_inner_machine(vms[index], base, sizeof BLOB, 0, &r), PVM_STATUS_OK);
        SAME(r, 1);
    }

    SAME(pvm_fork(vm, &other), PVM_STATUS_OK);
    SAME(pvm_restore_into(other, BLOB, sizeof BLOB), PVM_STATUS_INVALID_ARGUMENT); /* which changes nothing */
    SAME(pvm_inner_expunge(other, 2, &r), PVM_STATUS_OK);
    SAME(r, 0);
    SAME(pvm_restore_into(other, bytes, length), PVM_STATUS_OK);
    SAME(pvm_reset(fork), PVM_STATUS_OK);
    pvm_vm_t *without[] = {other, fork};
    for (int index = 0; index < 2; index++) {
        SAME(pvm_inner_expunge(without[index], 0, &r), PVM_STATUS_OK);
        SAME(r, PVM_WHO);
        SAME(pvm_snapshot(without[index], bytes, sizeof bytes, &length), PVM_STATUS_OK);
        pvm_destroy(without[index]);
    }
    pvm_destroy(vm);
}

/* add_imm_64 a0, a0, 1; branch_ne_imm a0, 10, -3; jump_ind ra, 0: eleven blocks, 21 instructions. */
static const uint8_t LOOP_BLOB[] = {0, 0, 9, 149, 0x77, 1, 82, 0x17, 10, 0xfd, 50, 0, 0x89, 0};
static const uint32_t LOOP_STATE = 0x21000;
static int interruptions = 0;

/* Invokes the inner machine, and has the embedder go on with that if it is interrupted. */
static pvm_host_result_t invoke(pvm_vm_t *vm, int number) {
    (void)number;
    pvm_status_t status = pvm_inner_call(vm, PVM_INNER_INVOKE);
    if (status == PVM_STATUS_INTERRUPTED) {
        interruptions++;
        return PVM_HOST_TERMINATE;
    }
    SAME(status, PVM_STATUS_OK);
    return PVM_HOST_CONTINUE;
}

static void interrupted_inner_machines(uint32_t profile, uint32_t backend) {
    const uint64_t state[14] = {[0] = 5000, [1] = PVM_RETURN_ADDRESS};
    uint64_t expected[14], found[14], r = 0, more = 99;
    pvm_config_t config;
    SAME(pvm_config_init(&config, sizeof config, profile), PVM_STATUS_OK);
    config.backend = backend;
    pvm_vm_t *vm = pvm_create_with_config(&config, 0, CALL, sizeof CALL, RETURN_REGS, CALL_BITS, 1, NULL, 0, 1000);
    CHECK(vm != NULL);
    SAME(pvm_map(vm, 0x20000, 0x2000, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_write_memory(vm, 0x20000, LOOP_BLOB, sizeof LOOP_BLOB), PVM_STATUS_OK);
    for (uint64_t n = 0; n < 3; n++) {
        SAME(pvm_inner_machine(vm, 0x20000, sizeof LOOP_BLOB, 0, &r), PVM_STATUS_OK);
        SAME(r, n);
    }
    SAME(pvm_write_memory(vm, LOOP_STATE, (const uint8_t *)state, sizeof state), PVM_STATUS_OK);
    SAME(pvm_inner_invoke(vm, 0, LOOP_STATE, &r, &more), PVM_STATUS_OK);
    SAME(r, PVM_STATE_HALT);
    SAME(pvm_read_memory(vm, LOOP_STATE, (uint8_t *)expected, sizeof expected), PVM_STATUS_OK);
    SAME(expected[8], 10);

    /* At every block. What the program sees does not change before the end, which is the same. */
    SAME(pvm_set_interruptible(vm, 1), PVM_STATUS_OK);
    SAME(pvm_write_memory(vm, LOOP_STATE, (const uint8_t *)state, sizeof state), PVM_STATUS_OK);
    int blocks = 1;
    for (;;) {
        SAME(pvm_interrupt(vm), PVM_STATUS_OK);
        if (pvm_inner_invoke(vm, 1, LOOP_STATE, &r, &more) == PVM_STATUS_OK) {
            break;
        }
        CHECK(strstr(pvm_last_error(), "interrupted") != NULL);
        SAME(pvm_read_memory(vm, LOOP_STATE, (uint8_t *)found, sizeof found), PVM_STATUS_OK);
        CHECK(memcmp(found, state, sizeof state) == 0);
        if (++blocks > 100) {
            break;
        }
    }
    SAME(blocks, 11);
    SAME(r, PVM_STATE_HALT);
    SAME(pvm_read_memory(vm, LOOP_STATE, (uint8_t *)found, sizeof found), PVM_STATUS_OK);
    CHECK(memcmp(found, expected, sizeof found) == 0);

    /* In a callback: the embedder goes on with the host call, then with the program. */
    SAME(pvm_set_interruptible(vm, 1), PVM_STATUS_OK); /* Nothing is to be interrupted now. */
    SAME(pvm_write_memory(vm, LOOP_STATE, (const uint8_t *)state, sizeof state), PVM_STATUS_OK);
    SAME(pvm_set_host_callback(vm, invoke), PVM_STATUS_OK);
    SAME(pvm_set_register(vm, 7, 2), PVM_STATUS_OK);
    SAME(pvm_set_register(vm, 8, LOOP_STATE), PVM_STATUS_OK);
    SAME(pvm_set_register(vm, 0, PVM_RETURN_ADDRESS), PVM_STATUS_OK);
    interruptions = 0;
    SAME(pvm_interrupt(vm), PVM_STATUS_OK);
    pvm_result_t result = pvm_execute(vm, 0, 0);
    SAME(result, PVM_RESULT_HOST_CALL);
    SAME(interruptions, 1);
    SAME(pvm_get_register(vm, 7), 2);
    SAME(pvm_inner_call(vm, PVM_INNER_INVOKE), PVM_STATUS_OK);
    SAME(pvm_get_register(vm, 7), PVM_STATE_HALT);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(pvm_get_register(vm, 7), PVM_STATE_HALT + 1);
    SAME(pvm_read_memory(vm, LOOP_STATE, (uint8_t *)found, sizeof found), PVM_STATUS_OK);
    CHECK(memcmp(found, expected, sizeof found) == 0);
    pvm_destroy(vm);
}

static pvm_host_result_t refuse(pvm_vm_t *vm, int number) {
    (void)vm;
    (void)number;
    return PVM_HOST_ERROR;
}

/* What the host refused has panicked, also when it comes from a snapshot. */
static void snapshots_after_a_refusal(uint32_t backend) {
    pvm_config_t config;
    pvm_exit_t stop, restored;
    size_t length = 0;
    uint8_t bytes[1000], again[1000];
    SAME(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_7_BLOCK), PVM_STATUS_OK);
    config.backend = backend;
    pvm_vm_t *vm = pvm_create_with_config(&config, 0, CALL, sizeof CALL, RETURN_REGS, CALL_BITS, 1, NULL, 0, 100);
    pvm_vm_t *other = pvm_create_with_config(&config, 0, CALL, sizeof CALL, NULL, CALL_BITS, 1, NULL, 0, 0), *fork = NULL;
    SAME(pvm_set_host_callback(vm, refuse), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_PANIC);
    SAME(pvm_snapshot(vm, bytes, sizeof bytes, &length), PVM_STATUS_OK);
    SAME(pvm_restore_into(other, bytes, length), PVM_STATUS_OK);
    SAME(pvm_fork(vm, &fork), PVM_STATUS_OK);
    SAME(pvm_get_exit(vm, &stop), PVM_STATUS_OK);
    SAME(stop.trap, PVM_TRAP_HOST);
    SAME(stop.can_resume, 0);
    pvm_vm_t *all[] = {vm, other, fork};
    for (int index = 0; index < 3; index++) {
        SAME(pvm_get_exit(all[index], &restored), PVM_STATUS_OK);
        CHECK(memcmp(&stop, &restored, sizeof stop) == 0);
        SAME(pvm_is_terminated(all[index]), 1);
        SAME(pvm_get_machine_state(all[index]), PVM_STATE_PANIC);
        size_t length_again = 0;
        SAME(pvm_snapshot(all[index], again, sizeof again, &length_again), PVM_STATUS_OK);
        CHECK(length == length_again && memcmp(bytes, again, length) == 0);
        SAME(pvm_resume(all[index]), PVM_RESULT_ERROR);
        CHECK(strstr(pvm_last_error(), "panicked") != NULL);
        SAME(pvm_execute(all[index], 2, 0), PVM_RESULT_OK); /* It can begin anew. */
        pvm_destroy(all[index]);
    }
}

static void snapshots(void) {
    pvm_vm_t *vm = create(100), *other = create(0), *restored = NULL;
    SAME(pvm_map(vm, 0x40000, 4096, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_write_ram_bytes_32(vm, 0x40010, 1234), 0);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    size_t length = 0, again = 0;
    FAILS(pvm_snapshot(vm, NULL, 0, &length), PVM_STATUS_BUFFER_TOO_SMALL, "bytes");
    uint8_t *bytes = malloc(length), *copy = malloc(length);
    SAME(pvm_snapshot(vm, bytes, length, &length), PVM_STATUS_OK);
    SAME(pvm_restore_into(other, bytes, length), PVM_STATUS_OK);
    SAME(pvm_snapshot(other, copy, length, &again), PVM_STATUS_OK);
    CHECK(again == length && memcmp(bytes, copy, length) == 0);
    SAME(pvm_get_machine_state(other), PVM_STATE_HOST);
    SAME(pvm_get_host_call(other), 7);
    SAME(pvm_read_ram_bytes_32(other, 0x40010, NULL), 1234);
    SAME(pvm_set_register(other, 7, 50), PVM_STATUS_OK);
    SAME(pvm_resume(other), PVM_RESULT_OK);
    SAME(pvm_get_register(other, 7), 51);
    SAME(pvm_get_gas(other), 97);

    pvm_module_t *module = NULL, *foreign = NULL;
    SAME(pvm_module_from_raw(NULL, BLOB, sizeof BLOB, &module), PVM_STATUS_OK);
    SAME(pvm_module_from_parts(NULL, MEMORY, sizeof MEMORY, MEMORY_BITS, 1, NULL, 0, &foreign), PVM_STATUS_OK);
    FAILS(pvm_restore(foreign, bytes, length, &restored), PVM_STATUS_INVALID_ARGUMENT, "of the module");
    bytes[length / 2] ^= 1;
    FAILS(pvm_restore(module, bytes, length, &restored), PVM_STATUS_INVALID_ARGUMENT, "snapshot");
    FAILS(pvm_restore(module, bytes, 0, &restored), PVM_STATUS_INVALID_ARGUMENT, "snapshot");
    FAILS(pvm_restore_into(other, copy, length - 1), PVM_STATUS_INVALID_ARGUMENT, "snapshot");
    SAME(pvm_get_register(other, 7), 51);
    CHECK(restored == NULL);
    SAME(pvm_restore(module, copy, length, &restored), PVM_STATUS_OK);
    SAME(pvm_resume(restored), PVM_RESULT_OK);
    SAME(pvm_get_gas(restored), 97);
    free(bytes);
    free(copy);
    pvm_destroy(vm);
    pvm_destroy(other);
    pvm_destroy(restored);
    pvm_module_release(module);
    pvm_module_release(foreign);
}

static const char EXPECTED[] = "program 0x000007" "0a0795770132" "0025\n"
                               "start pc=0 gas=100 r00=0xffff0000\n"
                               "\n"
                               "ecalli=7 pc=0 gas=99 r00=0xffff0000\n"
                               "memread 0x00040000 len=2 -> 0x0102\n"
                               "memwrite 0x00040002 len=1 <- 0x07\n"
                               "setreg r07 <- 0x2a\n"
                               "setgas <- 50\n"
                               "\n"
                               "HALT pc=5 gas=48 r00=0xffff0000 r07=0x2b\n";

static pvm_vm_t *with_page(void) {
    pvm_vm_t *vm = create(100);
    SAME(pvm_map(vm, 0x40000, 4096, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_write_memory(vm, 0x40000, (const uint8_t *)"\1\2", 2), PVM_STATUS_OK);
    return vm;
}

static pvm_host_result_t record_answer(pvm_vm_t *vm, int number) {
    (void)number;
    SAME(pvm_read_ram_bytes_16(vm, 0x40000, NULL), 0x0201);
    SAME(pvm_write_ram_bytes_8(vm, 0x40002, 7), 0);
    SAME(pvm_set_gas(vm, 50), PVM_STATUS_OK);
    SAME(pvm_set_register(vm, 7, 42), PVM_STATUS_OK);
    return PVM_HOST_CONTINUE;
}

static void replays(const char *text, pvm_status_t status, uint32_t line, const char *part) {
    pvm_vm_t *vm = with_page();
    uint32_t at = 0;
    FAILS(pvm_replay(vm, text, strlen(text), &at), status, part);
    SAME(at, line);
    pvm_destroy(vm);
}

static void recordings(void) {
    for (int with_callback = 0; with_callback < 2; with_callback++) {
        pvm_vm_t *vm = with_page();
        SAME(pvm_record_start(vm, 10000), PVM_STATUS_OK);
        if (with_callback) {
            SAME(pvm_set_host_callback(vm, record_answer), PVM_STATUS_OK);
        }
        pvm_result_t result = pvm_execute(vm, 0, 0);
        if (!with_callback) {
            SAME(result, PVM_RESULT_HOST_CALL);
            record_answer(vm, 7);
            result = pvm_resume(vm);
        }
        SAME(result, PVM_RESULT_OK);
        char text[1000];
        size_t length = 0;
        FAILS(pvm_record_read(vm, text, 10, &length), PVM_STATUS_BUFFER_TOO_SMALL, "takes");
        SAME(length, strlen(EXPECTED));
        SAME(pvm_record_read(vm, text, sizeof text, &length), PVM_STATUS_OK);
        if (strcmp(text, EXPECTED) != 0) {
            fprintf(stderr, "recorded:\n%s\nexpected:\n%s\n", text, EXPECTED);
            failures++;
        }
        SAME(pvm_execute(vm, 0, 0), with_callback ? PVM_RESULT_OK : PVM_RESULT_HOST_CALL);
        FAILS(pvm_record_read(vm, text, sizeof text, &length), PVM_STATUS_INVALID_STATE, "cannot say");
        SAME(pvm_record_stop(vm), PVM_STATUS_OK);
        FAILS(pvm_record_read(vm, text, sizeof text, &length), PVM_STATUS_INVALID_STATE, "nothing is being recorded");
        SAME(pvm_record_start(vm, 5), PVM_STATUS_OK);
        SAME(pvm_execute(vm, 0, 0), with_callback ? PVM_RESULT_OK : PVM_RESULT_HOST_CALL);
        FAILS(pvm_record_read(vm, text, sizeof text, &length), PVM_STATUS_INVALID_STATE, "limit");
        pvm_destroy(vm);
    }

    replays(EXPECTED, PVM_STATUS_OK, 0, "");
    char changed[sizeof EXPECTED];
#define WITH(from, to, line, part)                                                                                      \
    strcpy(changed, EXPECTED);                                                                                           \
    memcpy(strstr(changed, from), to, strlen(to));                                                                       \
    replays(changed, PVM_STATUS_DIFFERENCE, line, part)
    WITH("0x000007", "0x000107", 1, "the program");
    WITH("gas=99", "gas=98", 4, "gas is 99, the trace says 98");
    WITH("ecalli=7", "ecalli=6", 4, "host call 7 pc=0x0");
    WITH("pc=0 gas=99", "pc=1 gas=99", 4, "pc is 0, the trace says 1");
    WITH("0x0102\nmemw", "0x0103\nmemw", 5, "memory at 0x00040001 is 0x02, the trace says 0x03");
    WITH("0x00040002", "0x00050002", 6, "not writable");
    WITH("0x00040000", "0x00050000", 5, "not mapped");
    WITH("r07=0x2b", "r07=0x2c", 10, "register r07 (a0) is 0x2b, the trace says 0x2c");
    WITH("HALT", "OOG ", 10, "halted");
    strcpy(changed, EXPECTED);
    memcpy(strstr(changed, "setgas <- 50"), "setgas <- ab", 12);
    replays(changed, PVM_STATUS_INVALID_ARGUMENT, 0, "line 8");
    replays("\xff", PVM_STATUS_INVALID_ARGUMENT, 0, "no text");
    replays("", PVM_STATUS_INVALID_ARGUMENT, 0, "no line `start`");
}

static int events = 0, stop_at = 1000;
static char lines[4000] = "";

static int on_event(pvm_vm_t *vm, const pvm_trace_event_t *event, void *user_data) {
    CHECK(user_data == &events);
    if (pvm_get_machine_state(vm) != PVM_STATE_HOST) {
        SAME(event->pc, pvm_get_pc(vm));
    }
    SAME(event->gas, pvm_get_gas(vm));
    SAME(event->registers[7], pvm_get_register(vm, 7));
    return ++events == stop_at;
}

static void on_line(pvm_vm_t *vm, const char *text, void *user_data) {
    CHECK(vm != NULL && user_data == lines);
    strcat(lines, text);
    strcat(lines, "\n");
}

static void traces(void) {
    pvm_vm_t *vm = create(100);
    SAME(pvm_set_trace_callback(vm, PVM_TRACE_INSTRUCTION, on_event, &events), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(events, 1);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(events, 3);
    SAME(pvm_get_gas(vm), 97);
    events = 0, stop_at = 2;
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_resume(vm), PVM_RESULT_PAUSED);
    SAME(pvm_get_pc(vm), 2);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(events, 4);
    events = 0, stop_at = 1000;
    SAME(pvm_set_trace_callback(vm, PVM_TRACE_BLOCK, on_event, &events), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(events, 3); /* Gas is charged by the instruction. */
    SAME(pvm_get_gas(vm), 91);
    FAILS(pvm_set_trace_callback(vm, 3, on_event, NULL), PVM_STATUS_INVALID_ARGUMENT, "PVM_TRACE");
    SAME(pvm_set_trace_callback(vm, PVM_TRACE_BLOCK, NULL, NULL), PVM_STATUS_OK);

    SAME(pvm_set_log_callback(vm, on_line, lines), PVM_STATUS_OK);
    SAME(pvm_set_logging(vm, 1), PVM_STATUS_OK);
    SAME(pvm_set_tracing(vm, 1), PVM_STATUS_OK);
    SAME(pvm_set_register(vm, 7, 0), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    CHECK(strstr(lines, "pc=0x0 gas=91 ecalli 7 | ra=0xffff0000"));
    CHECK(strstr(lines, "\nhost call 7 pc=0x0 gas=90\n"));
    CHECK(strstr(lines, "\npc=0x2 gas=90 add_imm_64 a0, a0, 1 |"));
    CHECK(strstr(lines, "\nhalted pc=0x5 gas=88\n"));
    char text[100];
    size_t length = 0;
    SAME(pvm_describe(vm, text, sizeof text, &length), PVM_STATUS_OK);
    CHECK(strcmp(text, "halted pc=0x5 gas=88") == 0 && length == strlen(text));
    pvm_destroy(vm);

    pvm_config_t config;
    SAME(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_7_BLOCK), PVM_STATUS_OK);
    vm = pvm_create_with_config(&config, 0, CALL, sizeof CALL, RETURN_REGS, CALL_BITS, 1, NULL, 0, 100);
    events = 0;
    SAME(pvm_set_trace_callback(vm, PVM_TRACE_BLOCK, on_event, &events), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(events, 2);
    pvm_destroy(vm);
}

int main(void) {
    inner_machines();
    negative_host_calls();
    long_programs();
    inner_machines_of_copies();
    snapshots();
    const uint32_t backends[] = {PVM_BACKEND_INTERPRETER, PVM_BACKEND_RECOMPILER, PVM_BACKEND_VERIFY};
    for (size_t index = 0; index < sizeof backends / sizeof *backends; index++) {
        if (pvm_backend_available(backends[index])) {
            interrupted_inner_machines(PVM_PROFILE_GRAY_PAPER_0_7_BLOCK, backends[index]);
            interrupted_inner_machines(PVM_PROFILE_GRAY_PAPER_0_8, backends[index]);
            snapshots_after_a_refusal(backends[index]);
        }
    }
    recordings();
    traces();
    return finish();
}
