#ifndef COGNI_DICTIONARY_H
#define COGNI_DICTIONARY_H

#include "shape.h"

#include <stdint.h>
#include <string.h>

// From a column's raw values to their finished text: an open-addressed table over bytes that it owns. Part of encode.c.

typedef struct {
    uint64_t hash;
    uint32_t raw, raw_length, kind;
    uint32_t text, length;
    uint32_t key, key_length;
    int32_t is_null;
    int64_t time;
} dictionary_entry;

typedef struct {
    dictionary_entry *entries;
    uint32_t count, capacity;
    uint32_t *slots;       // index + 1 of an entry, 0 when free
    uint32_t slot_mask;
    uint8_t *bytes;
    size_t used, room;
} dictionary;

// A dictionary over these bounds is emptied: values that never repeat would only fill memory.
#define MAX_ENTRIES (1u << 15)
#define MAX_BYTES ((size_t)4 << 20)

static inline uint64_t mixed(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_of(const uint8_t *bytes, uint32_t length, uint32_t kind) {
    uint64_t hash = 0x9E3779B97F4A7C15ull ^ ((uint64_t)length << 8 | kind);
    uint64_t word;
    uint32_t left = length;
    while (left >= 8) {
        memcpy(&word, bytes, 8);
        hash = mixed(hash ^ word, 0xD6E8FEB86659FD93ull);
        bytes += 8;
        left -= 8;
    }
    word = 0;
    memcpy(&word, bytes, left);
    return mixed(hash ^ word, 0xA0761D6478BD642Full);
}

static inline dictionary_entry *find(const dictionary *words, uint64_t hash, const uint8_t *raw, uint32_t length,
                                     uint32_t kind) {
    if (!words->slots) return NULL;
    for (uint32_t at = (uint32_t)hash & words->slot_mask;; at = (at + 1) & words->slot_mask) {
        uint32_t index = words->slots[at];
        if (index == 0) return NULL;
        dictionary_entry *entry = &words->entries[index - 1];
        if (entry->hash == hash && entry->raw_length == length && entry->kind == kind &&
            memcmp(words->bytes + entry->raw, raw, length) == 0)
            return entry;
    }
}

static inline uint32_t keep(dictionary *words, const uint8_t *bytes, uint32_t length) {
    if (words->used + length > words->room) {
        words->room = (words->used + length) * 2 + 4096;
        words->bytes = cogni_reallocate(words->bytes, words->room);
    }
    memcpy(words->bytes + words->used, bytes, length);
    words->used += length;
    return (uint32_t)(words->used - length);
}

static inline void index_entry(dictionary *words, uint32_t index) {
    uint32_t at = (uint32_t)words->entries[index].hash & words->slot_mask;
    while (words->slots[at]) at = (at + 1) & words->slot_mask;
    words->slots[at] = index + 1;
}

#endif
