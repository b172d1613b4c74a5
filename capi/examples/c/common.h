/* What the examples share: reading a file, and giving up with the library's reason. */
#ifndef COMMON_H
#define COMMON_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pvm.h>

/* Ends the program if a function of libpvm failed. */
static inline void check(pvm_status_t status, const char *what) {
    if (status != PVM_STATUS_OK) {
        fprintf(stderr, "%s: %s: %s\n", what, pvm_status_text(status), pvm_last_error());
        exit(1);
    }
}

static inline uint8_t *read_file(const char *name, size_t *length) {
    FILE *file = fopen(name, "rb");
    if (!file) {
        perror(name);
        exit(1);
    }
    uint8_t *bytes = NULL;
    size_t count;
    *length = 0;
    do {
        bytes = realloc(bytes, *length + 65536);
        if (!bytes) {
            abort();
        }
        count = fread(bytes + *length, 1, 65536, file);
        *length += count;
    } while (count > 0);
    fclose(file);
    return bytes;
}

#endif
