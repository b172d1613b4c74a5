"""Constants and signatures of libpvm. Made by generate.py from pvm.h: do not edit."""

from ctypes import c_char_p, c_int, c_int32, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p

PVM_ABI_VERSION = 1
PVM_REGISTER_COUNT = 13
PVM_PAGE_SIZE = 4096
PVM_RETURN_ADDRESS = 4294901760
PVM_STATE_HALT = 0
PVM_STATE_PANIC = 1
PVM_STATE_FAULT = 2
PVM_STATE_HOST = 3
PVM_STATE_OOG = 4
PVM_STATE_READY = 5
PVM_STATE_PAUSED = 6
PVM_STATE_INVALID = 255
PVM_WORKDIGEST_OK = 0
PVM_WORKDIGEST_OOG = 1
PVM_WORKDIGEST_PANIC = 2
PVM_WORKDIGEST_BAD_EXPORT = 3
PVM_WORKDIGEST_OVERSIZE = 4
PVM_WORKDIGEST_BAD = 5
PVM_WORKDIGEST_BIG = 6
PVM_NONE = 18446744073709551615
PVM_WHAT = 18446744073709551614
PVM_OOB = 18446744073709551613
PVM_WHO = 18446744073709551612
PVM_FULL = 18446744073709551611
PVM_CORE = 18446744073709551610
PVM_CASH = 18446744073709551609
PVM_LOW = 18446744073709551608
PVM_HUH = 18446744073709551607
PVM_CONSTANTS_GRAY_PAPER = 0
PVM_CONSTANTS_32 = 1
PVM_PROFILE_GRAY_PAPER_0_7 = 1
PVM_PROFILE_GRAY_PAPER_0_7_BLOCK = 2
PVM_PROFILE_GRAY_PAPER_0_8 = 3
PVM_ISA_REVIVE_V1 = 0
PVM_ISA_JAM_V1 = 1
PVM_ISA_LATEST32 = 2
PVM_ISA_LATEST64_BITMASK = 3
PVM_ISA_GRAY_PAPER_0_7 = 4
PVM_ISA_LATEST64_EXTENDED = 5
PVM_GAS_FLAT = 0
PVM_GAS_PIPELINE_L1 = 1
PVM_GAS_PIPELINE_L2 = 2
PVM_GAS_PIPELINE_L3 = 3
PVM_GAS_PIPELINE_L1_V037 = 4
PVM_GAS_PIPELINE_L2_V037 = 5
PVM_GAS_PIPELINE_L3_V037 = 6
PVM_CHARGE_BLOCK = 0
PVM_CHARGE_INSTRUCTION = 1
PVM_BACKEND_INTERPRETER = 0
PVM_BACKEND_RECOMPILER = 1
PVM_BACKEND_VERIFY = 2
PVM_BACKEND_AUTO = 3
PVM_PERMISSION_NONE = 0
PVM_PERMISSION_READ = 1
PVM_PERMISSION_READ_WRITE = 2
PVM_TRAP_NONE = 4294967295
PVM_TRAP_TRAP = 0
PVM_TRAP_INVALID_INSTRUCTION = 1
PVM_TRAP_CODE_END = 2
PVM_TRAP_LOW_ADDRESS = 3
PVM_TRAP_UNMAPPED = 4
PVM_TRAP_READ_ONLY = 5
PVM_TRAP_INVALID_INDIRECT_JUMP = 6
PVM_TRAP_INVALID_JUMP = 7
PVM_TRAP_INVALID_ENTRY = 8
PVM_TRAP_HOST = 100
PVM_TRACE_NONE = 0
PVM_TRACE_INSTRUCTION = 1
PVM_TRACE_BLOCK = 2
PVM_INNER_MACHINE = 0
PVM_INNER_PEEK = 1
PVM_INNER_POKE = 2
PVM_INNER_PAGES = 3
PVM_INNER_INVOKE = 4
PVM_INNER_EXPUNGE = 5
PVM_STATUS_OK = 0
PVM_STATUS_NULL_POINTER = 1
PVM_STATUS_INVALID_ARGUMENT = 2
PVM_STATUS_INVALID_HANDLE = 3
PVM_STATUS_BUSY = 4
PVM_STATUS_INVALID_STATE = 5
PVM_STATUS_INVALID_PROGRAM = 6
PVM_STATUS_OUT_OF_BOUNDS = 7
PVM_STATUS_UNAVAILABLE = 8
PVM_STATUS_HOST = 9
PVM_STATUS_LIMIT = 10
PVM_STATUS_INTERNAL = 11
PVM_STATUS_BUFFER_TOO_SMALL = 12
PVM_STATUS_NOT_FOUND = 13
PVM_STATUS_GUEST_PANIC = 14
PVM_STATUS_DIFFERENCE = 15
PVM_STATUS_INTERRUPTED = 16
PVM_RESULT_OK = 0
PVM_RESULT_OOG = 1
PVM_RESULT_PANIC = 2
PVM_RESULT_HOST_CALL = 3
PVM_RESULT_ERROR = 4
PVM_RESULT_FAULT = 5
PVM_RESULT_PAUSED = 6
PVM_HOST_CONTINUE = 0
PVM_HOST_TERMINATE = 1
PVM_HOST_ERROR = 2

FUNCTIONS = {
    "pvm_config_init": (c_int32, [c_void_p, c_size_t, c_uint32]),
    "pvm_backend_available": (c_int32, [c_uint32]),
    "pvm_release_caches": (None, []),
    "pvm_last_error": (c_char_p, []),
    "pvm_status_text": (c_char_p, [c_int32]),
    "pvm_abi_version": (c_uint32, []),
    "pvm_version": (c_char_p, []),
    "pvm_module_from_parts": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p]),
    "pvm_module_from_raw": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p]),
    "pvm_module_from_standard": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p]),
    "pvm_module_from_polkavm": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p]),
    "pvm_module_retain": (c_int32, [c_void_p]),
    "pvm_module_release": (None, [c_void_p]),
    "pvm_module_info": (c_int32, [c_void_p, c_void_p]),
    "pvm_module_export": (c_int32, [c_void_p, c_uint32, c_void_p, c_void_p, c_void_p]),
    "pvm_module_find_export": (c_int32, [c_void_p, c_char_p, c_size_t, c_void_p]),
    "pvm_module_import": (c_int32, [c_void_p, c_uint32, c_void_p, c_void_p]),
    "pvm_module_blocks": (c_size_t, [c_void_p, c_void_p, c_size_t]),
    "pvm_module_disassemble": (c_int32, [c_void_p, c_uint32, c_void_p, c_size_t, c_void_p, c_void_p]),
    "pvm_create": (c_void_p, [c_uint32, c_void_p, c_size_t, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_uint64]),
    "pvm_create_with_config": (c_void_p, [c_void_p, c_uint32, c_void_p, c_size_t, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_uint64]),
    "pvm_instantiate": (c_int32, [c_void_p, c_void_p]),
    "pvm_fork": (c_int32, [c_void_p, c_void_p]),
    "pvm_destroy": (None, [c_void_p]),
    "pvm_reset": (c_int32, [c_void_p]),
    "pvm_park": (c_int32, [c_void_p]),
    "pvm_set_memory_bounds": (c_int32, [c_void_p, c_uint32, c_uint32, c_uint32, c_uint32, c_uint32, c_uint32, c_uint32, c_uint32]),
    "pvm_set_host_callback": (c_int32, [c_void_p, c_void_p]),
    "pvm_set_user_data": (c_int32, [c_void_p, c_void_p]),
    "pvm_get_user_data": (c_void_p, [c_void_p]),
    "pvm_get_service_index": (c_uint32, [c_void_p]),
    "pvm_error": (c_char_p, [c_void_p]),
    "pvm_execute": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "pvm_resume": (c_int32, [c_void_p]),
    "pvm_resume_child": (c_int32, [c_void_p]),
    "pvm_step": (c_int32, [c_void_p]),
    "pvm_interrupt": (c_int32, [c_void_p]),
    "pvm_set_interruptible": (c_int32, [c_void_p, c_int]),
    "pvm_prepare": (c_int32, [c_void_p, c_uint32, c_void_p, c_size_t]),
    "pvm_prepare_standard": (c_int32, [c_void_p, c_uint32, c_void_p, c_size_t]),
    "pvm_get_register": (c_uint64, [c_void_p, c_int]),
    "pvm_set_register": (c_int32, [c_void_p, c_int, c_uint64]),
    "pvm_get_registers": (c_void_p, [c_void_p]),
    "pvm_read_registers": (c_int32, [c_void_p, c_void_p]),
    "pvm_write_registers": (c_int32, [c_void_p, c_void_p]),
    "pvm_get_gas": (c_uint64, [c_void_p]),
    "pvm_set_gas": (c_int32, [c_void_p, c_uint64]),
    "pvm_get_pc": (c_uint32, [c_void_p]),
    "pvm_set_pc": (c_int32, [c_void_p, c_uint32]),
    "pvm_get_machine_state": (c_uint8, [c_void_p]),
    "pvm_get_result_code": (c_int, [c_void_p]),
    "pvm_set_result_code": (c_int32, [c_void_p, c_int]),
    "pvm_is_terminated": (c_int, [c_void_p]),
    "pvm_get_host_call": (c_uint32, [c_void_p]),
    "pvm_get_fault_address": (c_uint32, [c_void_p]),
    "pvm_get_exit": (c_int32, [c_void_p, c_void_p]),
    "pvm_register_name": (c_char_p, [c_int]),
    "pvm_read_memory": (c_int32, [c_void_p, c_uint32, c_void_p, c_size_t]),
    "pvm_write_memory": (c_int32, [c_void_p, c_uint32, c_void_p, c_size_t]),
    "pvm_borrow_memory": (c_int32, [c_void_p, c_uint32, c_void_p, c_void_p]),
    "pvm_access_memory": (c_int32, [c_void_p, c_void_p, c_size_t]),
    "pvm_zero_memory": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "pvm_initialize_memory": (c_int32, [c_void_p, c_uint32, c_void_p, c_size_t]),
    "pvm_check_memory": (c_int32, [c_void_p, c_uint32, c_uint64, c_uint32]),
    "pvm_map": (c_int32, [c_void_p, c_uint32, c_uint64, c_uint32]),
    "pvm_protect": (c_int32, [c_void_p, c_uint32, c_uint64, c_uint32]),
    "pvm_unmap": (c_int32, [c_void_p, c_uint32, c_uint64]),
    "pvm_get_heap_pointer": (c_uint32, [c_void_p]),
    "pvm_set_heap_pointer": (c_int32, [c_void_p, c_uint32]),
    "pvm_grow_heap": (c_int32, [c_void_p, c_uint64, c_void_p]),
    "pvm_write_ram_bytes_8": (c_uint64, [c_void_p, c_uint32, c_uint8]),
    "pvm_write_ram_bytes_16": (c_uint64, [c_void_p, c_uint32, c_uint16]),
    "pvm_write_ram_bytes_32": (c_uint64, [c_void_p, c_uint32, c_uint32]),
    "pvm_write_ram_bytes_64": (c_uint64, [c_void_p, c_uint32, c_uint64]),
    "pvm_write_ram_bytes": (c_uint64, [c_void_p, c_uint32, c_void_p, c_uint32]),
    "pvm_read_ram_bytes_8": (c_uint8, [c_void_p, c_uint32, c_void_p]),
    "pvm_read_ram_bytes_16": (c_uint16, [c_void_p, c_uint32, c_void_p]),
    "pvm_read_ram_bytes_32": (c_uint32, [c_void_p, c_uint32, c_void_p]),
    "pvm_read_ram_bytes_64": (c_uint64, [c_void_p, c_uint32, c_void_p]),
    "pvm_read_ram_bytes": (c_uint64, [c_void_p, c_uint32, c_void_p, c_uint32, c_void_p]),
    "pvm_set_logging": (c_int32, [c_void_p, c_int]),
    "pvm_set_tracing": (c_int32, [c_void_p, c_int]),
    "pvm_set_log_callback": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "pvm_set_trace_callback": (c_int32, [c_void_p, c_uint32, c_void_p, c_void_p]),
    "pvm_describe": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p]),
    "pvm_record_start": (c_int32, [c_void_p, c_size_t]),
    "pvm_record_stop": (c_int32, [c_void_p]),
    "pvm_record_read": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p]),
    "pvm_replay": (c_int32, [c_void_p, c_char_p, c_size_t, c_void_p]),
    "pvm_inner_call": (c_int32, [c_void_p, c_uint32]),
    "pvm_inner_machine": (c_int32, [c_void_p, c_uint64, c_uint64, c_uint64, c_void_p]),
    "pvm_inner_peek": (c_int32, [c_void_p, c_uint64, c_uint64, c_uint64, c_uint64, c_void_p]),
    "pvm_inner_poke": (c_int32, [c_void_p, c_uint64, c_uint64, c_uint64, c_uint64, c_void_p]),
    "pvm_inner_pages": (c_int32, [c_void_p, c_uint64, c_uint64, c_uint64, c_uint64, c_void_p]),
    "pvm_inner_invoke": (c_int32, [c_void_p, c_uint64, c_uint64, c_void_p, c_void_p]),
    "pvm_inner_expunge": (c_int32, [c_void_p, c_uint64, c_void_p]),
    "pvm_snapshot": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p]),
    "pvm_restore": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p]),
    "pvm_restore_into": (c_int32, [c_void_p, c_void_p, c_size_t]),
}
