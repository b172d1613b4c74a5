/* What the header promises, function by function. */
#include "check.h"

static int calls = 0;

static pvm_host_result_t answer(pvm_vm_t *vm, int func_id) {
    calls++;
    SAME(func_id, 7);
    SAME(pvm_get_machine_state(vm), PVM_STATE_HOST);
    SAME(pvm_get_host_call(vm), 7);
    CHECK(pvm_get_user_data(vm) == &calls);
    SAME(pvm_set_register(vm, 7, pvm_get_register(vm, 7) + 41), PVM_STATUS_OK);
    FAILS(pvm_execute(vm, 0, 0), PVM_RESULT_ERROR, "being executed already");
    FAILS(pvm_resume(vm), PVM_RESULT_ERROR, "being executed already");
    CHECK(strstr(pvm_error(vm), "being executed already"));
    FAILS(pvm_set_register(vm, 13, 0), PVM_STATUS_INVALID_ARGUMENT, "from 0 to 12");
    FAILS(pvm_step(vm), PVM_RESULT_ERROR, "being executed already");
    CHECK(strstr(pvm_error(vm), "being executed already"));
    return PVM_HOST_CONTINUE;
}

static pvm_host_result_t terminate(pvm_vm_t *vm, int func_id) {
    (void)vm, (void)func_id;
    return PVM_HOST_TERMINATE;
}

static pvm_host_result_t fail(pvm_vm_t *vm, int func_id) {
    (void)vm, (void)func_id;
    return PVM_HOST_ERROR;
}

static pvm_host_result_t nonsense(pvm_vm_t *vm, int func_id) {
    (void)vm, (void)func_id;
    return 77;
}

static pvm_host_result_t destroy(pvm_vm_t *vm, int func_id) {
    (void)func_id;
    pvm_destroy(vm);
    return PVM_HOST_CONTINUE;
}

static pvm_vm_t *create(const pvm_config_t *config, uint64_t gas) {
    pvm_vm_t *vm = pvm_create_with_config(config, 3, CALL, sizeof CALL, RETURN_REGS, CALL_BITS, sizeof CALL_BITS, NULL, 0, gas);
    CHECK(vm != NULL);
    return vm;
}

static void host_calls(const pvm_config_t *config, uint64_t cost) {
    /* Without a callback. */
    pvm_vm_t *vm = create(config, 1000);
    SAME(pvm_get_service_index(vm), 3);
    SAME(pvm_get_machine_state(vm), PVM_STATE_READY);
    SAME(pvm_is_terminated(vm), 0);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_get_machine_state(vm), PVM_STATE_HOST);
    SAME(pvm_get_host_call(vm), 7);
    SAME(pvm_get_pc(vm), 0);
    SAME(pvm_is_terminated(vm), 0);
    SAME(pvm_set_register(vm, 7, 5), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(pvm_get_register(vm, 7), 6);
    SAME(pvm_get_machine_state(vm), PVM_STATE_HALT);
    SAME(pvm_get_result_code(vm), PVM_WORKDIGEST_OK);
    SAME(pvm_is_terminated(vm), 1);
    SAME(pvm_get_gas(vm), 1000 - cost);
    FAILS(pvm_resume(vm), PVM_RESULT_ERROR, "has halted");

    /* With one. */
    SAME(pvm_set_user_data(vm, &calls), PVM_STATUS_OK);
    SAME(pvm_set_host_callback(vm, answer), PVM_STATUS_OK);
    calls = 0;
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_OK);
    SAME(calls, 1);
    SAME(pvm_get_register(vm, 7), 6 + 41 + 1);
    SAME(pvm_execute(vm, 0, 1), PVM_RESULT_HOST_CALL); /* as a child */
    SAME(calls, 1);
    SAME(pvm_resume_child(vm), PVM_RESULT_OK);

    SAME(pvm_set_host_callback(vm, terminate), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_is_terminated(vm), 1);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(pvm_set_host_callback(vm, fail), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_PANIC);
    SAME(pvm_get_result_code(vm), PVM_WORKDIGEST_PANIC);
    SAME(pvm_set_result_code(vm, PVM_WORKDIGEST_BIG), PVM_STATUS_OK);
    SAME(pvm_get_result_code(vm), PVM_WORKDIGEST_BIG);
    FAILS(pvm_resume(vm), PVM_RESULT_ERROR, "has panicked");
    SAME(pvm_set_host_callback(vm, nonsense), PVM_STATUS_OK);
    FAILS(pvm_execute(vm, 0, 0), PVM_RESULT_ERROR, "returned 77");
    CHECK(strstr(pvm_error(vm), "returned 77"));
    SAME(pvm_set_host_callback(vm, destroy), PVM_STATUS_OK);
    FAILS(pvm_execute(vm, 0, 0), PVM_RESULT_ERROR, "has destroyed the VM");
}

static void gas(void) {
    pvm_vm_t *vm = create(NULL, 2);
    /* Of three instructions the gas pays for two. */
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_resume(vm), PVM_RESULT_OOG);
    SAME(pvm_get_machine_state(vm), PVM_STATE_OOG);
    SAME(pvm_get_result_code(vm), PVM_WORKDIGEST_OOG);
    SAME(pvm_get_gas(vm), 0);
    SAME(pvm_get_pc(vm), 5);
    SAME(pvm_set_gas(vm, 10), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(pvm_get_gas(vm), 9);
    FAILS(pvm_set_gas(vm, UINT64_MAX), PVM_STATUS_INVALID_ARGUMENT, "at most 2^63 - 1");
    SAME(pvm_get_gas(vm), 9);
    pvm_destroy(vm);

    CHECK(!pvm_create(0, CALL, sizeof CALL, NULL, CALL_BITS, 1, NULL, 0, UINT64_MAX));

    /* By the block all of it is missing at once. */
    pvm_config_t config;
    SAME(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_7_BLOCK), PVM_STATUS_OK);
    vm = create(&config, 2);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_OOG);
    SAME(pvm_get_gas(vm), 2);
    SAME(pvm_get_pc(vm), 0);
    pvm_destroy(vm);
}

static void stepping(void) {
    pvm_vm_t *vm = create(NULL, 10);
    FAILS(pvm_step(NULL), PVM_RESULT_ERROR, "null pointer");
    SAME(pvm_resume(vm), PVM_RESULT_HOST_CALL); /* the pc is 0 at first */
    pvm_destroy(vm);
    vm = create(NULL, 10);
    SAME(pvm_set_pc(vm, 0), PVM_STATUS_OK);
    SAME(pvm_step(vm), PVM_RESULT_HOST_CALL);
    SAME(pvm_step(vm), PVM_RESULT_PAUSED);
    SAME(pvm_get_pc(vm), 5);
    SAME(pvm_get_register(vm, 7), 1);
    SAME(pvm_step(vm), PVM_RESULT_OK);
    SAME(pvm_get_gas(vm), 7);
    /* Where no instruction starts. */
    SAME(pvm_execute(vm, 1, 0), PVM_RESULT_PANIC);
    pvm_exit_t exit;
    SAME(pvm_get_exit(vm, &exit), PVM_STATUS_OK);
    SAME(exit.trap, PVM_TRAP_INVALID_ENTRY);
    SAME(exit.can_resume, 0);
    SAME(pvm_execute(vm, 1u << 31, 0), PVM_RESULT_PANIC);
    pvm_destroy(vm);
}

static void registers(void) {
    pvm_vm_t *vm = create(NULL, 10);
    const uint64_t *shown = pvm_get_registers(vm);
    SAME(shown[0], PVM_RETURN_ADDRESS);
    SAME(pvm_set_register(vm, 12, UINT64_MAX), PVM_STATUS_OK);
    SAME(shown[12], UINT64_MAX);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(shown[7], 1);
    uint64_t copy[13];
    SAME(pvm_read_registers(vm, copy), PVM_STATUS_OK);
    CHECK(memcmp(copy, shown, sizeof copy) == 0);
    copy[3] = 33;
    SAME(pvm_write_registers(vm, copy), PVM_STATUS_OK);
    SAME(pvm_get_register(vm, 3), 33);
    SAME(shown[3], 33);
    FAILS(pvm_set_register(vm, 13, 0), PVM_STATUS_INVALID_ARGUMENT, "from 0 to 12");
    FAILS(pvm_get_register(vm, -1), 0, "from 0 to 12");
    FAILS(pvm_read_registers(vm, NULL), PVM_STATUS_NULL_POINTER, "null");
    FAILS(pvm_read_registers(vm, (uint64_t *)((char *)copy + 1)), PVM_STATUS_INVALID_ARGUMENT, "misaligned");
    CHECK(strcmp(pvm_register_name(7), "a0") == 0);
    SAME(pvm_reset(vm), PVM_STATUS_OK);
    SAME(shown[3], 0);
    pvm_destroy(vm);
}

static void memory(void) {
    const uint32_t rw = 0x30000, ro = 0x10000, output = 0xfeff0000, stack = 0xfefde000;
    pvm_vm_t *vm = pvm_create(0, MEMORY, sizeof MEMORY, RETURN_REGS, MEMORY_BITS, 1, NULL, 0, 1000);
    SAME(pvm_set_memory_bounds(vm, rw, rw + 100, ro, ro + 10, output, output + 1, stack, 0xfefe0000), PVM_STATUS_OK);
    FAILS(pvm_set_memory_bounds(vm, 0, 0, 0, 0, 0, 0, 0, 0), PVM_STATUS_INVALID_STATE, "directly after pvm_create");
    /* Before the first execution all that is mapped can be written. */
    SAME(pvm_write_ram_bytes_64(vm, ro + 4088, 0x1122334455667788), 0);
    SAME(pvm_write_ram_bytes(vm, output, (const uint8_t *)"hello", 5), 0);
    SAME(pvm_write_ram_bytes_32(vm, rw + 1, 0xdeadbeef), 0);
    SAME(pvm_write_ram_bytes_16(vm, 0xfefdfffe, 0xabcd), 0);
    SAME(pvm_write_ram_bytes_16(vm, 0xfefdffff, 0), PVM_OOB);
    SAME(pvm_write_ram_bytes_64(vm, ro + 4089, 0), PVM_OOB);
    SAME(pvm_write_ram_bytes_8(vm, 0xffff, 0), PVM_OOB);
    SAME(pvm_write_ram_bytes_8(vm, UINT32_MAX, 0), PVM_OOB);
    SAME(pvm_write_ram_bytes_64(vm, UINT32_MAX, 0), PVM_OOB);
    SAME(pvm_write_ram_bytes_8(vm, rw + 4096, 0), PVM_OOB);
    int code = 99;
    SAME(pvm_read_ram_bytes_64(vm, ro + 4088, &code), 0x1122334455667788);
    SAME(code, 0);
    SAME(pvm_read_ram_bytes_32(vm, rw + 1, NULL), 0xdeadbeef);
    SAME(pvm_read_ram_bytes_16(vm, 0xfefdfffe, &code), 0xabcd);
    SAME(pvm_read_ram_bytes_8(vm, rw + 2, &code), 0xbe);
    SAME(pvm_read_ram_bytes_8(vm, 0x20000, &code), 0);
    SAME(code, -3);
    char text[6] = "";
    SAME(pvm_read_ram_bytes(vm, output, (uint8_t *)text, 5, &code), 0);
    CHECK(strcmp(text, "hello") == 0);
    SAME(pvm_read_ram_bytes(vm, output, NULL, 5, &code), PVM_WHAT);
    SAME(code, -2);

    /* The heap begins behind rw. */
    SAME(pvm_get_heap_pointer(vm), rw + 100);
    SAME(pvm_set_heap_pointer(vm, rw + 8192), PVM_STATUS_OK);
    SAME(pvm_write_ram_bytes_8(vm, rw + 8191, 1), 0);
    SAME(pvm_write_ram_bytes_8(vm, rw + 8192, 1), PVM_OOB);
    FAILS(pvm_set_heap_pointer(vm, rw), PVM_STATUS_INVALID_ARGUMENT, "cannot shrink");
    FAILS(pvm_set_heap_pointer(vm, 0xfffff000), PVM_STATUS_LIMIT, "cannot grow");
    uint32_t end = 0;
    SAME(pvm_grow_heap(vm, 1, &end), PVM_STATUS_OK);
    SAME(end, rw + 8193);

    /* The program writes what it may write, and faults elsewhere. */
    SAME(pvm_set_register(vm, 8, rw), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_OK);
    SAME(pvm_read_ram_bytes_8(vm, rw + 1, NULL), 0);
    SAME(pvm_write_ram_bytes_8(vm, ro, 1), PVM_OOB);
    SAME(pvm_initialize_memory(vm, ro, (const uint8_t *)"x", 1), PVM_STATUS_OK);
    SAME(pvm_set_register(vm, 8, ro), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_FAULT);
    SAME(pvm_get_register(vm, 7), 'x');
    SAME(pvm_get_machine_state(vm), PVM_STATE_FAULT);
    SAME(pvm_get_fault_address(vm), ro);
    pvm_exit_t exit;
    SAME(pvm_get_exit(vm, &exit), PVM_STATUS_OK);
    SAME(exit.has_address, 1);
    SAME(exit.address, ro + 1);
    SAME(exit.is_write_protected, 1);
    SAME(exit.can_resume, 1);
    SAME(pvm_protect(vm, ro, 4096, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(pvm_read_ram_bytes_8(vm, ro + 1, NULL), 'x');

    /* Below 0x10000 it panics. */
    SAME(pvm_set_register(vm, 8, 0xffff), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_PANIC);
    SAME(pvm_get_exit(vm, &exit), PVM_STATUS_OK);
    SAME(exit.trap, PVM_TRAP_LOW_ADDRESS);
    SAME(exit.address, 0xffff);

    /* Pages. */
    SAME(pvm_set_register(vm, 8, 0x50fff), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_FAULT);
    SAME(pvm_get_fault_address(vm), 0x50000);
    SAME(pvm_map(vm, 0x50000, 4096, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_FAULT);
    SAME(pvm_get_fault_address(vm), 0x51000);
    FAILS(pvm_protect(vm, 0x50000, 8192, PVM_PERMISSION_READ), PVM_STATUS_OUT_OF_BOUNDS, "0x00051000");
    SAME(pvm_map(vm, 0x51000, 4096, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(pvm_check_memory(vm, 0x50000, 8192, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
    FAILS(pvm_check_memory(vm, 0x50000, 8193, PVM_PERMISSION_READ), PVM_STATUS_OUT_OF_BOUNDS, "0x00052000");
    FAILS(pvm_check_memory(vm, 0, UINT64_MAX, PVM_PERMISSION_READ), PVM_STATUS_OUT_OF_BOUNDS, "not accessible");
    SAME(pvm_unmap(vm, 0x50000, 8192), PVM_STATUS_OK);
    uint8_t byte = 0;
    FAILS(pvm_read_memory(vm, 0x50000, &byte, 1), PVM_STATUS_OUT_OF_BOUNDS, "not");
    FAILS(pvm_map(vm, 0x50001, 4096, PVM_PERMISSION_READ), PVM_STATUS_INVALID_ARGUMENT, "whole pages");
    FAILS(pvm_map(vm, 0xf000, 4096, PVM_PERMISSION_READ), PVM_STATUS_INVALID_ARGUMENT, "whole pages");
    FAILS(pvm_map(vm, 0x50000, UINT64_MAX - 4095, PVM_PERMISSION_READ), PVM_STATUS_INVALID_ARGUMENT, "whole pages");
    FAILS(pvm_map(vm, 0x50000, 4096, 3), PVM_STATUS_INVALID_ARGUMENT, "permission 3");
    FAILS(pvm_write_memory(vm, rw, NULL, 1), PVM_STATUS_NULL_POINTER, "null");
    SAME(pvm_write_memory(vm, 0, NULL, 0), PVM_STATUS_OK);
    FAILS(pvm_read_memory(vm, rw, &byte, SIZE_MAX), PVM_STATUS_INVALID_ARGUMENT, "no such memory");
    SAME(pvm_write_memory(vm, rw, (const uint8_t *)"abc", 3), PVM_STATUS_OK);
    const uint8_t *borrowed = NULL;
    size_t borrowed_length = 0;
    SAME(pvm_borrow_memory(vm, rw + 1, &borrowed, &borrowed_length), PVM_STATUS_OK);
    SAME(borrowed_length, 4096 - (rw + 1) % 4096);
    SAME(memcmp(borrowed, "bc", 2), 0);
    FAILS(pvm_borrow_memory(vm, 0x50000, &borrowed, &borrowed_length), PVM_STATUS_OUT_OF_BOUNDS, "not");
    FAILS(pvm_borrow_memory(vm, rw, NULL, &borrowed_length), PVM_STATUS_NULL_POINTER, "null");
    uint8_t read[3] = {0};
    pvm_access_t accesses[] = {
        {rw + 8, 1, (uint8_t *)"xyz", 3},
        {rw + 1, 0, read, 2},
        {rw + 9, 0, read + 2, 1},
        {0, 0, NULL, 0},
    };
    SAME(pvm_access_memory(vm, accesses, 4), PVM_STATUS_OK);
    SAME(memcmp(read, "bcy", 3), 0);
    accesses[0].data = (uint8_t *)"123";
    accesses[3] = (pvm_access_t){0x50000, 0, read, 1};
    FAILS(pvm_access_memory(vm, accesses, 4), PVM_STATUS_OUT_OF_BOUNDS, "not");
    SAME(pvm_access_memory(vm, &accesses[2], 1), PVM_STATUS_OK);
    SAME(read[2], 'y'); /* Nothing of it was done. */
    accesses[0].data = NULL;
    FAILS(pvm_access_memory(vm, accesses, 1), PVM_STATUS_NULL_POINTER, "null");
    SAME(pvm_zero_memory(vm, rw + 1, 1), PVM_STATUS_OK);
    SAME(pvm_read_ram_bytes_32(vm, rw, NULL) & 0xffffff, 0x630061);

    /* Back to the beginning. */
    SAME(pvm_reset(vm), PVM_STATUS_OK);
    SAME(pvm_read_ram_bytes_32(vm, rw, NULL), 0);
    SAME(pvm_read_ram_bytes_32(vm, ro, NULL), 0);
    SAME(pvm_write_ram_bytes_32(vm, ro, 1), 0);
    SAME(pvm_read_ram_bytes_8(vm, 0x20000, &code), 0);
    SAME(code, -3);
    pvm_destroy(vm);

    vm = pvm_create(0, MEMORY, sizeof MEMORY, NULL, MEMORY_BITS, 1, NULL, 0, 0);
    FAILS(pvm_set_memory_bounds(vm, 0x40000, 0x30000, 0, 0, 0, 0, 0, 0), PVM_STATUS_INVALID_ARGUMENT, "before the start");
    FAILS(pvm_set_memory_bounds(vm, 0x20000, 0xffff0000, 0, 0, 0, 0, 0, 0), PVM_STATUS_INVALID_PROGRAM, "do not fit");
    SAME(pvm_set_memory_bounds(vm, 0x20000, 0x30000, 0, 0, 0, 0, 0, 0), PVM_STATUS_OK);
    SAME(pvm_write_ram_bytes_8(vm, 0x20000, 0), 0);
    pvm_destroy(vm);
}

static void old_constants(void) {
    pvm_config_t config;
    SAME(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_8), PVM_STATUS_OK);
    config.error_constants = PVM_CONSTANTS_32;
    pvm_vm_t *vm = create(&config, 1);
    SAME(pvm_write_ram_bytes_8(vm, 0x20000, 0), (1ull << 32) - 3);
    pvm_destroy(vm);
}

static void modules(void) {
    pvm_config_t config;
    SAME(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_8), PVM_STATUS_OK);
    pvm_module_t *module = NULL, *none = NULL;
    SAME(pvm_module_from_parts(&config, CALL, sizeof CALL, CALL_BYTES, sizeof CALL_BYTES, NULL, 0, &module), PVM_STATUS_OK);
    pvm_module_info_t info;
    SAME(pvm_module_info(module, &info), PVM_STATUS_OK);
    SAME(info.code_length, sizeof CALL);
    SAME(info.instruction_set, PVM_ISA_JAM_V1);
    pvm_block_t block;
    SAME(pvm_module_blocks(module, NULL, 0), 1);
    SAME(pvm_module_blocks(module, &block, 1), 1);
    SAME(block.pc, 0);
    CHECK(block.cost > 3);
    char text[64];
    size_t length = 0;
    uint32_t next = 0;
    SAME(pvm_module_disassemble(module, 2, text, sizeof text, &length, &next), PVM_STATUS_OK);
    CHECK(strcmp(text, "add_imm_64 a0, a0, 1") == 0);
    SAME(length, strlen(text));
    SAME(next, 5);
    FAILS(pvm_module_disassemble(module, 2, text, length, &length, &next), PVM_STATUS_BUFFER_TOO_SMALL, "21 bytes");
    SAME(pvm_module_disassemble(module, 1000, text, sizeof text, NULL, NULL), PVM_STATUS_OK);
    FAILS(pvm_module_find_export(module, "x", 1, &next), PVM_STATUS_NOT_FOUND, "no export `x`");
    FAILS(pvm_module_export(module, 0, NULL, NULL, NULL), PVM_STATUS_NOT_FOUND, "no export");
    FAILS(pvm_module_import(module, 0, NULL, NULL), PVM_STATUS_NOT_FOUND, "no import");

    /* VMs outlive their module. */
    pvm_vm_t *vm = NULL, *fork = NULL;
    SAME(pvm_instantiate(module, &vm), PVM_STATUS_OK);
    SAME(pvm_module_retain(module), PVM_STATUS_OK);
    pvm_module_release(module);
    pvm_module_release(module);
    FAILS(pvm_resume(vm), PVM_RESULT_ERROR, "nothing to go on with");
    uint64_t arguments[10] = {11, 22};
    SAME(pvm_prepare(vm, 0, arguments, 2), PVM_STATUS_OK);
    FAILS(pvm_prepare(vm, 0, arguments, 10), PVM_STATUS_INVALID_ARGUMENT, "at most nine");
    SAME(pvm_get_register(vm, 8), 22);
    SAME(pvm_set_gas(vm, block.cost), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_HOST_CALL);
    SAME(pvm_fork(vm, &fork), PVM_STATUS_OK);
    SAME(pvm_set_register(fork, 7, 100), PVM_STATUS_OK);
    SAME(pvm_park(vm), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(pvm_get_register(vm, 7), 12);
    SAME(pvm_get_gas(vm), 0);
    SAME(pvm_resume(fork), PVM_RESULT_OK);
    SAME(pvm_get_register(fork, 7), 101);
    FAILS(pvm_prepare_standard(fork, 0, CALL, 1), PVM_STATUS_INVALID_ARGUMENT, "auxiliary");
    pvm_destroy(vm);
    pvm_destroy(fork);

    /* What is no program. */
    FAILS(pvm_module_from_raw(&config, NULL, 0, &none), PVM_STATUS_INVALID_PROGRAM, "jump table");
    FAILS(pvm_module_from_raw(&config, NULL, 5, &none), PVM_STATUS_NULL_POINTER, "the program is a null pointer");
    FAILS(pvm_module_from_standard(&config, CALL, sizeof CALL, &none), PVM_STATUS_INVALID_PROGRAM, "header");
    FAILS(pvm_module_from_polkavm(&config, CALL, sizeof CALL, &none), PVM_STATUS_INVALID_PROGRAM, "PVM");
    FAILS(pvm_module_from_parts(&config, CALL, sizeof CALL, CALL_BYTES, 3, NULL, 0, &none), PVM_STATUS_INVALID_ARGUMENT, "bitmask");
    FAILS(pvm_module_from_raw(&config, CALL, sizeof CALL, NULL), PVM_STATUS_NULL_POINTER, "place for the module");
    CHECK(none == NULL);
}

static void configurations(void) {
    pvm_config_t config, bad;
    FAILS(pvm_config_init(&config, sizeof config, 0), PVM_STATUS_INVALID_ARGUMENT, "profile 0");
    FAILS(pvm_config_init(&config, 8, PVM_PROFILE_GRAY_PAPER_0_8), PVM_STATUS_INVALID_ARGUMENT, "8 bytes");
    FAILS(pvm_config_init(NULL, sizeof config, PVM_PROFILE_GRAY_PAPER_0_8), PVM_STATUS_NULL_POINTER, "null");
    SAME(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_8), PVM_STATUS_OK);
    SAME(config.backend, PVM_BACKEND_INTERPRETER);
    pvm_module_t *module = NULL;
#define REFUSED(field, value, status, part)                                                                              \
    bad = config, bad.field = value;                                                                                    \
    FAILS(pvm_module_from_parts(&bad, CALL, sizeof CALL, CALL_BITS, 1, NULL, 0, &module), status, part)
    REFUSED(struct_size, 4, PVM_STATUS_INVALID_ARGUMENT, "4 bytes");
    REFUSED(instruction_set, 99, PVM_STATUS_INVALID_ARGUMENT, "instruction set 99");
    REFUSED(gas_model, 99, PVM_STATUS_INVALID_ARGUMENT, "gas model 99");
    REFUSED(charge, 99, PVM_STATUS_INVALID_ARGUMENT, "charge gas 99");
    REFUSED(charge, PVM_CHARGE_INSTRUCTION, PVM_STATUS_INVALID_ARGUMENT, "only under flat");
    REFUSED(backend, 99, PVM_STATUS_INVALID_ARGUMENT, "backend 99");
    REFUSED(error_constants, 99, PVM_STATUS_INVALID_ARGUMENT, "constants 99");
    REFUSED(latest64, PVM_ISA_JAM_V1, PVM_STATUS_INVALID_ARGUMENT, "latest64");
    REFUSED(window_limit, 0, PVM_STATUS_INVALID_ARGUMENT, "windows");
    REFUSED(memory_limit, 0, PVM_STATUS_INVALID_ARGUMENT, "memory limit");
    SAME(pvm_backend_available(PVM_BACKEND_INTERPRETER), 1);
    SAME(pvm_backend_available(PVM_BACKEND_AUTO), 1);
    SAME(pvm_backend_available(99), 0);
    if (!pvm_backend_available(PVM_BACKEND_RECOMPILER)) {
        REFUSED(backend, PVM_BACKEND_RECOMPILER, PVM_STATUS_UNAVAILABLE, "recompiler");
    }
    CHECK(module == NULL);
    SAME(pvm_abi_version(), PVM_ABI_VERSION);
    CHECK(strlen(pvm_version()) >= 5);
    CHECK(strcmp(pvm_status_text(PVM_STATUS_BUSY), pvm_status_text(-1)) != 0);
}

static void handles(void) {
    uint64_t no_handle[64] = {0};
    pvm_vm_t *vm = create(NULL, 1), *other = (pvm_vm_t *)no_handle, *misaligned = (pvm_vm_t *)((char *)no_handle + 1);
    pvm_module_t *module = NULL;
    SAME(pvm_module_from_parts(NULL, CALL, sizeof CALL, CALL_BITS, 1, NULL, 0, &module), PVM_STATUS_OK);
    FAILS(pvm_set_gas(NULL, 1), PVM_STATUS_NULL_POINTER, "the VM is a null pointer");
    FAILS(pvm_set_gas(misaligned, 1), PVM_STATUS_INVALID_ARGUMENT, "the VM is misaligned");
    FAILS(pvm_set_gas(other, 1), PVM_STATUS_INVALID_HANDLE, "the VM is none");
    FAILS(pvm_set_gas((pvm_vm_t *)module, 1), PVM_STATUS_INVALID_HANDLE, "the VM is none");
    FAILS(pvm_module_retain((pvm_module_t *)vm), PVM_STATUS_INVALID_HANDLE, "the module is none");
    FAILS(pvm_instantiate((pvm_module_t *)vm, &other), PVM_STATUS_INVALID_HANDLE, "the module is none");
    SAME(pvm_get_machine_state(NULL), PVM_STATE_INVALID);
    SAME(pvm_is_terminated(NULL), 1);
    SAME(pvm_get_result_code(NULL), -1);
    SAME(pvm_read_ram_bytes_8(NULL, 0, NULL), 0);
    SAME(pvm_write_ram_bytes_8(NULL, 0, 0), PVM_WHAT);
    SAME(pvm_execute(NULL, 0, 0), PVM_RESULT_ERROR);
    CHECK(pvm_get_registers(NULL) == NULL);
    CHECK(strstr(pvm_error(NULL), "null pointer"));
    CHECK(strcmp(pvm_error(vm), "") == 0);
    pvm_destroy(NULL);
    pvm_destroy((pvm_vm_t *)module);
    pvm_module_release((pvm_module_t *)vm);
    pvm_module_release(NULL);
    pvm_destroy(vm);
    pvm_module_release(module);
    pvm_release_caches();
}

static void interrupts(void) {
    /* jump 0: without end. */
    static const uint8_t code[] = {40, 0}, bits[] = {1};
    pvm_config_t config;
    pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_7_BLOCK);
    pvm_vm_t *vm = pvm_create_with_config(&config, 0, code, sizeof code, NULL, bits, 1, NULL, 0, 1000);
    SAME(pvm_set_interruptible(vm, 1), PVM_STATUS_OK);
    SAME(pvm_interrupt(vm), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_PAUSED);
    SAME(pvm_get_gas(vm), 999);
    SAME(pvm_get_machine_state(vm), PVM_STATE_PAUSED);
    SAME(pvm_is_terminated(vm), 0);
    SAME(pvm_resume(vm), PVM_RESULT_OOG);
    SAME(pvm_set_interruptible(vm, 0), PVM_STATUS_OK);
    SAME(pvm_set_gas(vm, 5), PVM_STATUS_OK);
    SAME(pvm_interrupt(vm), PVM_STATUS_OK);
    SAME(pvm_resume(vm), PVM_RESULT_OOG);
    SAME(pvm_interrupt(NULL), PVM_STATUS_NULL_POINTER);
    pvm_destroy(vm);
}

int main(void) {
    pvm_config_t config;
    host_calls(NULL, 3);
    for (uint32_t backend = PVM_BACKEND_INTERPRETER; backend <= PVM_BACKEND_AUTO; backend++) {
        if (pvm_backend_available(backend)) {
            SAME(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_7_BLOCK), PVM_STATUS_OK);
            config.backend = backend;
            host_calls(&config, 3);
        }
    }
    gas();
    stepping();
    registers();
    memory();
    old_constants();
    modules();
    configurations();
    handles();
    interrupts();
    return finish();
}
