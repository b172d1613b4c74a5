/* Recordings: what can be read can be replayed, and what cannot be said cannot be read. */
#include "check.h"

/* ecalli 7; load_ind_u8 a0, a1, 0; jump_ind ra, 0: what the host has put into memory at a1 is the program's result. */
static const uint8_t LOADS[] = {10, 7, 124, 0x87, 50, 0};
static const uint8_t LOADS_BITS[] = {0x15};
/* The program CALL as a raw blob. */
static const uint8_t BLOB[] = {0, 0, 7, 10, 7, 149, 0x77, 1, 50, 0, 0x25};

enum { WRITABLE = 0x40000, STATE = 0x41000, READABLE = 0x50000, INNER = 0x20000 };

static const uint32_t BACKENDS[] = {PVM_BACKEND_INTERPRETER, PVM_BACKEND_RECOMPILER};
static uint32_t backend = PVM_BACKEND_INTERPRETER;

/* A VM as every recording begins with it. */
static pvm_vm_t *fresh(void) {
    pvm_config_t config;
    SAME(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_7_BLOCK), PVM_STATUS_OK);
    config.backend = backend;
    pvm_vm_t *vm = pvm_create_with_config(&config, 0, LOADS, sizeof LOADS, RETURN_REGS, LOADS_BITS, 1, NULL, 0, 100);
    CHECK(vm != NULL);
    const uint64_t state[14] = {[0] = 1000, [1] = PVM_RETURN_ADDRESS};
    SAME(pvm_map(vm, WRITABLE, 0x2000, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_map(vm, READABLE, 0x1000, PVM_PERMISSION_READ), PVM_STATUS_OK);
    SAME(pvm_write_memory(vm, WRITABLE, BLOB, sizeof BLOB), PVM_STATUS_OK);
    SAME(pvm_write_memory(vm, STATE, (const uint8_t *)state, sizeof state), PVM_STATUS_OK);
    SAME(pvm_set_register(vm, 8, WRITABLE), PVM_STATUS_OK);
    return vm;
}

/* One that has an inner machine besides, with a page that begins with 99, which its recording must not need. */
static pvm_vm_t *with_inner_machine(void) {
    pvm_vm_t *vm = fresh();
    uint64_t r = 1;
    SAME(pvm_inner_machine(vm, WRITABLE, sizeof BLOB, 0, &r), PVM_STATUS_OK);
    SAME(r, 0);
    SAME(pvm_inner_pages(vm, 0, INNER / 4096, 1, 2, &r), PVM_STATUS_OK);
    SAME(pvm_write_ram_bytes_8(vm, WRITABLE + 100, 99), 0);
    SAME(pvm_inner_poke(vm, 0, WRITABLE + 100, INNER, 1, &r), PVM_STATUS_OK);
    SAME(pvm_write_ram_bytes_8(vm, WRITABLE + 100, 0), 0);
    return vm;
}

/* Reads the recording of a VM and executes it again on a fresh one, which must come to the same. */
static void replays(pvm_vm_t *vm, const char *name) {
    static char text[20000];
    size_t length = 0;
    uint32_t line = 0;
    pvm_status_t status = pvm_record_read(vm, text, sizeof text, &length);
    if (status != PVM_STATUS_OK) {
        fprintf(stderr, "%s: %s\n", name, pvm_last_error());
        failures++;
        return;
    }
    pvm_vm_t *again = fresh();
    status = pvm_replay(again, text, length, &line);
    if (status != PVM_STATUS_OK) {
        fprintf(stderr, "%s: %s\n%s\n", name, pvm_last_error(), text);
        failures++;
    }
    pvm_exit_t exits[2];
    SAME(pvm_get_exit(vm, &exits[0]), PVM_STATUS_OK);
    SAME(pvm_get_exit(again, &exits[1]), PVM_STATUS_OK);
    CHECK(memcmp(&exits[0], &exits[1], sizeof *exits) == 0);
    pvm_destroy(again);
}

/* The recording of a VM cannot be read, for this reason. */
static void is_refused(pvm_vm_t *vm, const char *name, const char *part) {
    static char text[20000];
    size_t length = 0;
    pvm_status_t status = pvm_record_read(vm, text, sizeof text, &length);
    if (status != PVM_STATUS_INVALID_STATE || !strstr(pvm_last_error(), part)) {
        fprintf(stderr, "%s: status %d, `%s`, not `%s`\n", name, status, pvm_last_error(), part);
        failures++;
    }
}

/* What can be said. The result of the program is what the host has put where it reads. */
static void peek(pvm_vm_t *vm) {
    uint64_t r = 77;
    SAME(pvm_inner_peek(vm, 0, WRITABLE, INNER, 1, &r), PVM_STATUS_OK);
    SAME(r, 0);
}

static void peek_by_registers(pvm_vm_t *vm) {
    const uint64_t operands[] = {0, WRITABLE, INNER, 1};
    for (int index = 0; index < 4; index++) {
        SAME(pvm_set_register(vm, 7 + index, operands[index]), PVM_STATUS_OK);
    }
    SAME(pvm_inner_call(vm, PVM_INNER_PEEK), PVM_STATUS_OK);
}

static void invoke(pvm_vm_t *vm) {
    uint64_t r = 77, more = 77;
    SAME(pvm_inner_invoke(vm, 0, STATE, &r, &more), PVM_STATUS_OK);
    SAME(r, PVM_STATE_HOST);
    SAME(more, 7);
    SAME(pvm_set_register(vm, 8, STATE), PVM_STATUS_OK);
}

static void poke_and_make(pvm_vm_t *vm) {
    uint64_t r = 77;
    SAME(pvm_inner_poke(vm, 0, WRITABLE, INNER, 11, &r), PVM_STATUS_OK);
    SAME(pvm_inner_machine(vm, WRITABLE, sizeof BLOB, 0, &r), PVM_STATUS_OK);
    SAME(r, 1);
    SAME(pvm_inner_machine(vm, WRITABLE, sizeof BLOB - 1, 0, &r), PVM_STATUS_OK);
    SAME(r, PVM_HUH);
}

static void write_and_read(pvm_vm_t *vm) {
    uint8_t bytes[300];
    const uint8_t *borrowed = NULL;
    size_t length = 0;
    pvm_access_t accesses[] = {{WRITABLE + 4, 1, (uint8_t *)"abcd", 4}, {WRITABLE + 2, 0, bytes, 8}};
    SAME(pvm_write_memory(vm, WRITABLE + 100, (const uint8_t *)"own", 3), PVM_STATUS_OK);
    SAME(pvm_read_memory(vm, WRITABLE + 90, bytes, 20), PVM_STATUS_OK);
    SAME(pvm_access_memory(vm, accesses, 2), PVM_STATUS_OK);
    SAME(pvm_zero_memory(vm, WRITABLE + 101, 200), PVM_STATUS_OK);
    SAME(pvm_borrow_memory(vm, WRITABLE + 80, &borrowed, &length), PVM_STATUS_OK);
    SAME(pvm_write_ram_bytes_8(vm, WRITABLE, 33), 0);
    SAME(pvm_write_ram_bytes_8(vm, WRITABLE, 34), 0);
    SAME(pvm_read_ram_bytes_8(vm, WRITABLE, NULL), 34);
}

/* The program reads, and the host writes and reads, what was not there before. */
static void grow(pvm_vm_t *vm) {
    uint32_t before = pvm_get_heap_pointer(vm), end = 0;
    SAME(pvm_grow_heap(vm, 5000, &end), PVM_STATUS_OK);
    SAME(end, before + 5000);
    SAME(pvm_read_ram_bytes_8(vm, end - 1, NULL), 0);
    SAME(pvm_write_ram_bytes_8(vm, end - 2, 78), 0);
    SAME(pvm_grow_heap(vm, 9000, &end), PVM_STATUS_OK);
    SAME(pvm_write_ram_bytes_8(vm, end - 1, 77), 0);
    SAME(pvm_set_register(vm, 8, end - 1), PVM_STATUS_OK);
}

static void move_heap(pvm_vm_t *vm) {
    SAME(pvm_set_heap_pointer(vm, pvm_get_heap_pointer(vm) + 1), PVM_STATUS_OK);
    SAME(pvm_set_register(vm, 8, pvm_get_heap_pointer(vm) - 1), PVM_STATUS_OK);
}

/* What fails or changes nothing is nothing to say. */
static void in_vain(pvm_vm_t *vm) {
    uint32_t end = 0;
    SAME(pvm_map(vm, WRITABLE + 1, 0x1000, PVM_PERMISSION_READ), PVM_STATUS_INVALID_ARGUMENT);
    SAME(pvm_protect(vm, 0x90000, 0x1000, PVM_PERMISSION_READ), PVM_STATUS_OUT_OF_BOUNDS);
    SAME(pvm_unmap(vm, 1, 1), PVM_STATUS_INVALID_ARGUMENT);
    SAME(pvm_grow_heap(vm, 1ull << 40, NULL), PVM_STATUS_LIMIT);
    SAME(pvm_grow_heap(vm, 0, &end), PVM_STATUS_OK);
    SAME(pvm_write_ram_bytes_8(vm, READABLE, 1), PVM_OOB);
    SAME(pvm_initialize_memory(vm, WRITABLE, (const uint8_t *)"i", 1), PVM_STATUS_OK);
    SAME(pvm_restore_into(vm, BLOB, sizeof BLOB), PVM_STATUS_INVALID_ARGUMENT);
}

/* What cannot be said. */
static void map(pvm_vm_t *vm) { SAME(pvm_map(vm, 0x60000, 0x1000, PVM_PERMISSION_READ), PVM_STATUS_OK); }
static void protect(pvm_vm_t *vm) { SAME(pvm_protect(vm, READABLE, 0x1000, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK); }
static void unmap(pvm_vm_t *vm) { SAME(pvm_unmap(vm, READABLE, 0x1000), PVM_STATUS_OK); }
static void initialize(pvm_vm_t *vm) { SAME(pvm_initialize_memory(vm, READABLE, BLOB, 1), PVM_STATUS_OK); }
static void reset(pvm_vm_t *vm) { SAME(pvm_reset(vm), PVM_STATUS_OK); }
static void go_elsewhere(pvm_vm_t *vm) { SAME(pvm_set_pc(vm, 2), PVM_STATUS_OK); }
static void prepare(pvm_vm_t *vm) { SAME(pvm_prepare(vm, 2, NULL, 0), PVM_STATUS_OK); }

static void restore(pvm_vm_t *vm) {
    static uint8_t bytes[20000];
    size_t length = 0;
    uint64_t r = 77;
    FAILS(pvm_snapshot(vm, bytes, sizeof bytes, &length), PVM_STATUS_INVALID_STATE, "1 of them to be expunged");
    SAME(pvm_inner_expunge(vm, 0, &r), PVM_STATUS_OK);
    SAME(pvm_snapshot(vm, bytes, sizeof bytes, &length), PVM_STATUS_OK);
    SAME(pvm_restore_into(vm, bytes, length), PVM_STATUS_OK);
}

static void replay_another(pvm_vm_t *vm) {
    const char *text = "start pc=4 gas=10 r00=0xffff0000\n";
    SAME(pvm_replay(vm, text, strlen(text), NULL), PVM_STATUS_OK);
}

static const struct {
    const char *name;
    void (*deed)(pvm_vm_t *vm);
    const char *problem;
} DEEDS[] = {
    {"peek", peek, NULL},
    {"peek by registers", peek_by_registers, NULL},
    {"invoke", invoke, NULL},
    {"poke and machine", poke_and_make, NULL},
    {"write and read", write_and_read, NULL},
    {"in vain", in_vain, NULL},
    {"grow_heap", grow, NULL},
    {"heap pointer", move_heap, NULL},
    {"map", map, "pages were mapped"},
    {"protect", protect, "pages were mapped"},
    {"unmap", unmap, "pages were mapped"},
    {"initialize", initialize, "can only read"},
    {"reset", reset, "was reset"},
    {"restore", restore, "was restored"},
    {"set_pc", go_elsewhere, "went on elsewhere"},
    {"prepare", prepare, "went on elsewhere"},
    {"replay", replay_another, "meanwhile"},
};

static void at_host_calls(void) {
    for (size_t index = 0; index < sizeof DEEDS / sizeof *DEEDS; index++) {
        pvm_vm_t *vm = with_inner_machine();
        SAME(pvm_record_start(vm, 10000), PVM_STATUS_OK);
        SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
        DEEDS[index].deed(vm);
        pvm_resume(vm);
        if (DEEDS[index].problem) {
            is_refused(vm, DEEDS[index].name, DEEDS[index].problem);
        } else {
            SAME(pvm_get_machine_state(vm), PVM_STATE_HALT);
            replays(vm, DEEDS[index].name);
        }
        pvm_destroy(vm);
    }
    /* Before the beginning and after the end, most of it is the embedder's business. */
    for (size_t index = 0; index < sizeof DEEDS / sizeof *DEEDS; index++) {
        pvm_vm_t *vm = with_inner_machine();
        SAME(pvm_record_start(vm, 10000), PVM_STATUS_OK);
        SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
        SAME(pvm_resume(vm), PVM_RESULT_OK);
        char text[2][10000];
        size_t length = 0;
        SAME(pvm_record_read(vm, text[0], sizeof *text, &length), PVM_STATUS_OK);
        replays(vm, "nothing");
        DEEDS[index].deed(vm);
        SAME(pvm_record_read(vm, text[1], sizeof *text, &length), PVM_STATUS_OK);
        CHECK(strcmp(text[0], text[1]) == 0);
        pvm_destroy(vm);
    }
}

static void before_the_beginning(void) {
    /* What is lost is not put back by a replay. */
    pvm_vm_t *vm = fresh();
    SAME(pvm_record_start(vm, 10000), PVM_STATUS_OK);
    SAME(pvm_write_ram_bytes_64(vm, WRITABLE, 0x0101010101010101), 0);
    SAME(pvm_write_memory(vm, STATE - 4, (const uint8_t *)"12345678", 8), PVM_STATUS_OK);
    SAME(pvm_unmap(vm, WRITABLE, 0x1000), PVM_STATUS_OK);
    SAME(pvm_map(vm, WRITABLE, 0x1000, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_write_memory(vm, WRITABLE, BLOB, 4), PVM_STATUS_OK);
    SAME(pvm_initialize_memory(vm, READABLE, BLOB, 4), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    uint8_t bytes[8];
    SAME(pvm_read_memory(vm, STATE - 4, bytes, 8), PVM_STATUS_OK);
    CHECK(memcmp(bytes, "\0\0\0\0" "5678", 8) == 0);
    SAME(pvm_read_memory(vm, WRITABLE, bytes, 4), PVM_STATUS_OK);
    SAME(pvm_read_memory(vm, READABLE, bytes, 4), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    replays(vm, "unmapped before");
    pvm_destroy(vm);

    /* A reset does away with it as well. */
    vm = fresh();
    SAME(pvm_record_start(vm, 10000), PVM_STATUS_OK);
    SAME(pvm_write_ram_bytes_8(vm, WRITABLE, 7), 0);
    SAME(pvm_reset(vm), PVM_STATUS_OK);
    char text[1000];
    size_t length = 0;
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_record_read(vm, text, sizeof text, &length), PVM_STATUS_OK);
    CHECK(!strstr(text, "memwrite"));
    pvm_destroy(vm);

    /* A recording cannot begin in the middle. */
    vm = fresh();
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_record_start(vm, 10000), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    is_refused(vm, "middle", "in the middle");
    pvm_destroy(vm);
}

/* Arguments of a standard program replace those that were there. */
static void arguments(void) {
    FILE *file = fopen(EXAMPLES "/service.jam", "rb");
    uint8_t blob[1000];
    CHECK(file != NULL);
    size_t size = fread(blob, 1, sizeof blob, file);
    fclose(file);
    pvm_config_t config;
    pvm_module_t *module = NULL;
    pvm_vm_t *vm = NULL, *again = NULL;
    SAME(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_8), PVM_STATUS_OK);
    config.backend = backend;
    SAME(pvm_module_from_standard(&config, blob, size, &module), PVM_STATUS_OK);
    SAME(pvm_instantiate(module, &vm), PVM_STATUS_OK);
    SAME(pvm_record_start(vm, 100000), PVM_STATUS_OK);
    uint8_t many[5000];
    memset(many, 1, sizeof many);
    SAME(pvm_prepare_standard(vm, 0, many, sizeof many), PVM_STATUS_OK);
    SAME(pvm_initialize_memory(vm, (uint32_t)pvm_get_register(vm, 7) + 4500, BLOB, 5), PVM_STATUS_OK);
    SAME(pvm_prepare_standard(vm, 0, many, 3), PVM_STATUS_OK);
    SAME(pvm_initialize_memory(vm, (uint32_t)pvm_get_register(vm, 7) + 2, (const uint8_t *)"\5\6", 2), PVM_STATUS_OK);
    SAME(pvm_set_register(vm, 8, 5), PVM_STATUS_OK);
    SAME(pvm_set_gas(vm, 100000), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_HOST_CALL);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(pvm_read_ram_bytes_64(vm, (uint32_t)pvm_get_register(vm, 7), NULL), 1 + 1 + 5 + 6);
    char text[10000];
    size_t length = 0;
    SAME(pvm_record_read(vm, text, sizeof text, &length), PVM_STATUS_OK);
    SAME(pvm_instantiate(module, &again), PVM_STATUS_OK);
    SAME(pvm_replay(again, text, length, NULL), PVM_STATUS_OK);
    pvm_destroy(vm);
    pvm_destroy(again);
    pvm_module_release(module);
}

static int change = 0;

static int on_event(pvm_vm_t *vm, const pvm_trace_event_t *event, void *user_data) {
    (void)user_data;
    if (change == 1) {
        SAME(pvm_set_register(vm, 3, event->gas), PVM_STATUS_OK);
    } else if (change == 2) {
        SAME(pvm_write_ram_bytes_8(vm, WRITABLE + 8, 1), 0);
    } else if (change == 3) {
        SAME(pvm_record_start(vm, 10000), PVM_STATUS_OK);
    }
    return change == 4;
}

/* Where the program can be looked at and not touched. */
static void between_instructions(void) {
    for (change = 0; change < 5; change++) {
        pvm_vm_t *vm = fresh();
        SAME(pvm_set_trace_callback(vm, PVM_TRACE_BLOCK, on_event, NULL), PVM_STATUS_OK);
        SAME(pvm_record_start(vm, 10000), PVM_STATUS_OK);
        pvm_result_t result = pvm_execute(vm, 0, 0);
        for (int stops = 0; stops < 20 && (result == PVM_RESULT_HOST_CALL || result == PVM_RESULT_PAUSED); stops++) {
            if (stops == 5) {
                SAME(pvm_set_trace_callback(vm, PVM_TRACE_NONE, NULL, NULL), PVM_STATUS_OK);
            }
            result = pvm_resume(vm);
        }
        SAME(result, PVM_RESULT_OK);
        if (change == 0 || change == 4) {
            replays(vm, "trace callback");
        } else {
            is_refused(vm, "trace callback", change == 3 ? "in the middle" : "between two instructions");
        }
        pvm_destroy(vm);
    }
    for (int deed = 0; deed < 5; deed++) {
        pvm_vm_t *vm = fresh();
        SAME(pvm_record_start(vm, 10000), PVM_STATUS_OK);
        SAME(pvm_set_pc(vm, 0), PVM_STATUS_OK);
        SAME(pvm_step(vm), PVM_RESULT_HOST_CALL);
        SAME(pvm_step(vm), PVM_RESULT_PAUSED);
        switch (deed) {
        case 1:
            SAME(pvm_set_gas(vm, 50), PVM_STATUS_OK);
            break;
        case 2:
            SAME(pvm_write_ram_bytes_8(vm, WRITABLE + 8, 1), 0);
            break;
        case 3:
            SAME(pvm_set_pc(vm, 4), PVM_STATUS_OK);
            break;
        case 4:
            SAME(pvm_grow_heap(vm, 1, NULL), PVM_STATUS_OK);
            break;
        default:
            SAME(pvm_read_ram_bytes_8(vm, WRITABLE, NULL), 0);
        }
        SAME(pvm_resume(vm), PVM_RESULT_OK);
        if (deed == 0) {
            replays(vm, "step");
        } else {
            is_refused(vm, "step", deed == 3 ? "went on elsewhere" : "between two instructions");
        }
        pvm_destroy(vm);
    }
}

/* A heap that cannot come to end where the recording says is a difference, at the line that says so. */
static void heap_elsewhere(void) {
    static const char *const ENDS[] = {"0x1", "0xffffffff"};
    for (int index = 0; index < 2; index++) {
        char text[300];
        snprintf(text, sizeof text,
                 "start pc=0 gas=100 r00=0xffff0000 r08=0x40000\n"
                 "ecalli=7 pc=0 gas=%d r00=0xffff0000 r08=0x40000\nsetheap <- %s\n",
                 97, ENDS[index]);
        pvm_vm_t *vm = fresh();
        uint32_t line = 0;
        FAILS(pvm_replay(vm, text, strlen(text), &line), PVM_STATUS_DIFFERENCE, "the end of the heap is");
        SAME(line, 3);
        CHECK(strstr(pvm_last_error(), ENDS[index]) != NULL);
        pvm_destroy(vm);
    }
}

static pvm_host_result_t refuse(pvm_vm_t *vm, int number) {
    SAME(number, 7);
    if (change) {
        SAME(pvm_set_register(vm, 3, 5), PVM_STATUS_OK);
        SAME(pvm_set_gas(vm, 20), PVM_STATUS_OK);
        SAME(pvm_write_ram_bytes_8(vm, WRITABLE, 3), 0);
    }
    return PVM_HOST_ERROR;
}

/* What the host refuses panics again, and what panics of itself is no refusal. */
static void refusals(void) {
    for (change = 0; change < 2; change++) {
        pvm_vm_t *vm = fresh();
        SAME(pvm_set_host_callback(vm, refuse), PVM_STATUS_OK);
        SAME(pvm_record_start(vm, 10000), PVM_STATUS_OK);
        SAME(pvm_execute(vm, 0, 0), PVM_RESULT_PANIC);
        replays(vm, "refusal");
        char text[1000];
        size_t length = 0;
        SAME(pvm_set_register(vm, 4, 44), PVM_STATUS_OK); /* too late */
        SAME(pvm_record_read(vm, text, sizeof text, &length), PVM_STATUS_OK);
        CHECK(!strstr(text, "r04"));
        /* With other registers it is no refusal, but an execution that goes on and ends otherwise. */
        char *end = strstr(text, "PANIC");
        CHECK(end != NULL);
        strcpy(strstr(end, " r08"), " r07=0x1 r08=0x40000\n");
        pvm_vm_t *again = fresh();
        uint32_t line = 0;
        FAILS(pvm_replay(again, text, strlen(text), &line), PVM_STATUS_DIFFERENCE, "the end is halted");
        CHECK(line > 3);
        pvm_destroy(again);
        pvm_destroy(vm);
    }
    pvm_vm_t *vm = fresh();
    SAME(pvm_record_start(vm, 10000), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_set_register(vm, 8, 0xfff), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_PANIC);
    replays(vm, "panic");
    pvm_destroy(vm);
}

/* Nothing is reserved for what is too long. */
static void limits(void) {
    pvm_vm_t *vm = fresh();
    SAME(pvm_map(vm, 0x100000, 0x10000000, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_record_start(vm, 10000), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_zero_memory(vm, 0x100000, 0x10000000), PVM_STATUS_OK);
    is_refused(vm, "zeros", "longer than its limit");
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    pvm_destroy(vm);
}

int main(void) {
    for (size_t index = 0; index < sizeof BACKENDS / sizeof *BACKENDS; index++) {
        backend = BACKENDS[index];
        if (pvm_backend_available(backend)) {
            at_host_calls();
            before_the_beginning();
            arguments();
            between_instructions();
            heap_elsewhere();
            refusals();
            limits();
        }
    }
    return finish();
}
