#ifndef COGNI_RUN_H
#define COGNI_RUN_H

#include "record_scan.h"

// One record as it lies in a chunk and in a run file: this header, the key, the line.
typedef struct {
    uint32_t key_length;
    uint32_t line_length;
    int64_t time;
} record_header;

typedef struct {
    uint64_t prefix;   // eight bytes of the key at the depth being sorted, big-endian
    const uint8_t *record;
    uint64_t order;    // of arrival
} run_entry;

typedef struct chunk {
    struct chunk *before;
    size_t capacity, used;
} chunk;

struct cogni_run {
    chunk *chunks;       // the newest first
    run_entry *entries;
    uint64_t count, capacity, chunk_bytes;
    int is_sorted;
};

// Room for one record; the caller fills it. Valid until the run goes away or is truncated.
uint8_t *cogni_run_reserve(cogni_run *run, uint32_t key_length, uint32_t line_length, int64_t time);

uint64_t cogni_checksum(uint64_t state, const uint8_t *bytes, size_t length);

static inline const record_header *header_of(const uint8_t *record) { return (const record_header *)(const void *)record; }
static inline const uint8_t *key_of(const uint8_t *record) { return record + sizeof(record_header); }
static inline size_t record_size(uint32_t key_length, uint32_t line_length) {
    return (sizeof(record_header) + (size_t)key_length + line_length + 7) & ~(size_t)7;
}

#endif
