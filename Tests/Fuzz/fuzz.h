// What the harnesses of the kernel share: claims, and texts that grow.
#ifndef COGNI_FUZZ_H
#define COGNI_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void demand(int holds, const char *claim) {
    if (holds) return;
    fprintf(stderr, "broken: %s\n", claim);
    abort();
}

typedef struct {
    uint8_t *bytes;
    size_t length, room;
} text;

static inline void put(text *to, const char *bytes, size_t length) {
    if (length == 0) return;
    if (to->length + length > to->room) {
        to->room = (to->length + length) * 2;
        to->bytes = realloc(to->bytes, to->room);
    }
    memcpy(to->bytes + to->length, bytes, length);
    to->length += length;
}

#endif
