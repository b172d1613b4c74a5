/* What the test programs share: checks that say what is wrong, and go on. */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pvm.h"

static int failures = 0;

/* Checks that two numbers are the same. */
#define SAME(actual, expected)                                                                         \
    do {                                                                                               \
        uint64_t actual_ = (uint64_t)(actual), expected_ = (uint64_t)(expected);                       \
        if (actual_ != expected_) {                                                                    \
            fprintf(stderr, "%s:%d: %s is %" PRIu64 " (%#" PRIx64 "), not %" PRIu64 " (%s)\n", __FILE__, __LINE__, \
                    #actual, actual_, actual_, expected_, pvm_last_error());                           \
            failures++;                                                                                \
        }                                                                                              \
    } while (0)

#define CHECK(condition)                                                                               \
    do {                                                                                               \
        if (!(condition)) {                                                                            \
            fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition, pvm_last_error()); \
            failures++;                                                                                \
        }                                                                                              \
    } while (0)

/* Checks that a function fails, and that the text says this. */
#define FAILS(call, status, part)                                                                      \
    do {                                                                                               \
        SAME(call, status);                                                                            \
        if (!strstr(pvm_last_error(), part)) {                                                         \
            fprintf(stderr, "%s:%d: the error is `%s`, without `%s`\n", __FILE__, __LINE__, pvm_last_error(), part); \
            failures++;                                                                                \
        }                                                                                              \
    } while (0)

static int finish(void) {
    if (failures == 0) {
        puts("ok");
    }
    return failures != 0;
}

/* ecalli 7; add_imm_64 a0, a0, 1; jump_ind ra, 0: the same bytes in both Gray Papers. */
static const uint8_t CALL[] = {10, 7, 149, 0x77, 1, 50, 0};
static const uint8_t CALL_BITS[] = {0x25};
static const uint8_t CALL_BYTES[] = {1, 0, 1, 0, 0, 1, 0};
static const uint64_t RETURN_REGS[PVM_REGISTER_COUNT] = {PVM_RETURN_ADDRESS};

/* load_ind_u8 a0, a1, 0; store_ind_u8 a0, a1, 1; jump_ind ra, 0. */
static const uint8_t MEMORY[] = {124, 0x87, 120, 0x87, 1, 50, 0};
static const uint8_t MEMORY_BITS[] = {0x25};

#endif
