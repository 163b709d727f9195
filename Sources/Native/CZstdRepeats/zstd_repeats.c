#define ZSTD_STATIC_LINKING_ONLY
// Calls for one block are called deprecated from 1.5.5 on, since what comes before must stay in memory. They stay nevertheless, and
// whoever calls them here sees to that.
#define ZSTD_DISABLE_DEPRECATE_WARNINGS
#include <zstd.h>

#include "zstd_repeats.h"

#include <stdlib.h>
#include <string.h>

// Not every shared library lets it be seen.
#pragma weak ZSTD_registerSequenceProducer
#pragma weak ZSTD_compressContinue
#pragma weak ZSTD_compressEnd

enum {
    // Shorter repeats cost more than their bytes.
    SHORTEST = 6,
    // A block of which more than one byte in so many stands in a long stretch that repeats nothing is left to zstd: it sees repeats
    // within cells too. In short stretches, counters above all, there is nothing to be seen.
    LITERAL_SHARE = 24,
    LONG_LITERALS = 25,
};

typedef struct {
    uint32_t literals, length, distance;
} repeat;

struct cogni_zstd_repeats {
    repeat *items;  // from `first` to `end`: not begun yet
    size_t first, end, room;
    repeat now;     // what is left of the one at hand
    int has_failed;
    int insists, sufficed;
};

void cogni_zstd_repeats_restart(cogni_zstd_repeats *repeats) {
    repeats->first = repeats->end = 0;
    repeats->now = (repeat){0, 0, 0};
    repeats->has_failed = repeats->insists = repeats->sufficed = 0;
}

void cogni_zstd_repeats_insist(cogni_zstd_repeats *repeats, int32_t insists) { repeats->insists = insists; }

int32_t cogni_zstd_repeats_sufficed(const cogni_zstd_repeats *repeats) { return repeats->sufficed; }

int32_t cogni_zstd_repeats_failed(const cogni_zstd_repeats *repeats) { return repeats->has_failed; }

int32_t cogni_zstd_repeats_add(cogni_zstd_repeats *repeats, const uint32_t *items, size_t count, size_t bytes) {
    size_t said = 0;
    for (size_t i = 0; i < count; i++) said += (size_t)items[3 * i] + items[3 * i + 1];
    if (said != bytes) return 0;
    if (repeats->first > 0) {
        memmove(repeats->items, repeats->items + repeats->first, (repeats->end - repeats->first) * sizeof(repeat));
        repeats->end -= repeats->first;
        repeats->first = 0;
    }
    if (repeats->end + count > repeats->room) {
        repeats->room = (repeats->end + count) * 2;
        repeats->items = realloc(repeats->items, repeats->room * sizeof(repeat));
        if (!repeats->items) abort();
    }
    if (count) memcpy(repeats->items + repeats->end, items, count * sizeof(repeat));
    repeats->end += count;
    return 1;
}

#if ZSTD_VERSION_NUMBER >= 10504
static inline int same(const uint8_t *a, const uint8_t *b) {
    uint32_t one, two;
    memcpy(&one, a, 4);
    memcpy(&two, b, 4);
    return one == two;
}

// Whether the bytes at both ends of a repeat are what they are said to be, as far as that can be seen in this block.
static inline int is_true(const uint8_t *block, const uint8_t *at, uint32_t length, uint32_t distance) {
    if (distance == 0) return 0;
    if ((size_t)(at - block) < distance) return 1;
    const uint8_t *last = at + length - 4;
    return same(at, at - distance) && same(last, last - distance);
}

// The frame is lost. Where zstd must not search, it is given the block as it is.
static size_t failed(cogni_zstd_repeats *repeats, ZSTD_Sequence *out, size_t size) {
    repeats->has_failed = 1;
    if (!repeats->insists) return ZSTD_SEQUENCE_PRODUCER_ERROR;
    out[0] = (ZSTD_Sequence){.litLength = (unsigned)size};
    return 1;
}

// A repeat is what was said without a break, and what of it lies in one block: where `add` or this function was called for a part
// must not be seen in the frame.
static size_t produce(void *state, ZSTD_Sequence *out, size_t capacity, const void *source, size_t size, const void *dictionary,
                      size_t dictionary_size, int level, size_t window) {
    (void)dictionary, (void)dictionary_size, (void)level;
    cogni_zstd_repeats *repeats = state;
    repeat now = repeats->now;
    const uint8_t *block = source, *at = block;
    size_t left = size, count = 0, unmatched = 0;
    if (size == 0) return ZSTD_SEQUENCE_PRODUCER_ERROR;
    if (repeats->has_failed) return failed(repeats, out, size);
    while (left > 0) {
        while (repeats->first < repeats->end) {
            const repeat *next = &repeats->items[repeats->first];
            if (now.length == 0) {
                now.literals += next->literals;
                now.length = next->length;
                now.distance = next->distance;
            } else if (next->literals == 0 && next->distance == now.distance) {
                now.length += next->length;
            } else {
                break;
            }
            repeats->first++;
        }
        if (count == capacity) return failed(repeats, out, size);
        if (now.literals >= left) {
            out[count++] = (ZSTD_Sequence){.litLength = (unsigned)left};
            if (left >= LONG_LITERALS) unmatched += left;
            now.literals -= (uint32_t)left;
            break;
        }
        const size_t room = left - now.literals;
        const uint32_t length = now.length < room ? now.length : (uint32_t)room;
        if (length < SHORTEST) {
            if (length == 0) return failed(repeats, out, size);
            now.literals += length;
            now.length -= length;
            continue;
        }
        at += now.literals;
        if (now.distance > window || !is_true(block, at, length, now.distance)) return failed(repeats, out, size);
        out[count++] = (ZSTD_Sequence){.offset = now.distance, .litLength = now.literals, .matchLength = length};
        at += length;
        if (now.literals >= LONG_LITERALS) unmatched += now.literals;
        left -= now.literals + length;
        now.literals = 0;
        now.length -= length;
    }
    repeats->now = now;
    repeats->sufficed = unmatched * LITERAL_SHARE <= size;
    return repeats->sufficed || repeats->insists ? count : ZSTD_SEQUENCE_PRODUCER_ERROR;
}

int32_t cogni_zstd_takes_blocks(void) { return ZSTD_compressContinue && ZSTD_compressEnd; }

size_t cogni_zstd_block(void *context, void *out, size_t room, const void *bytes, size_t count, int32_t is_last) {
    return (is_last ? ZSTD_compressEnd : ZSTD_compressContinue)(context, out, room, bytes, count);
}

cogni_zstd_repeats *cogni_zstd_repeats_new(void *context) {
    if (!ZSTD_registerSequenceProducer) return NULL;
    if (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_enableSeqProducerFallback, 1))) return NULL;
    // A distance that comes again costs a bit or two in place of twenty; below level 10 zstd does not look for that by itself.
    if (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_searchForExternalRepcodes, ZSTD_ps_enable))) return NULL;
    cogni_zstd_repeats *repeats = calloc(1, sizeof *repeats);
    if (!repeats) abort();
    ZSTD_registerSequenceProducer(context, repeats, produce);
    return repeats;
}
#else
cogni_zstd_repeats *cogni_zstd_repeats_new(void *context) {
    (void)context;
    return NULL;
}

int32_t cogni_zstd_takes_blocks(void) { return 0; }

size_t cogni_zstd_block(void *context, void *out, size_t room, const void *bytes, size_t count, int32_t is_last) {
    (void)context, (void)out, (void)room, (void)bytes, (void)count, (void)is_last;
    abort();
}
#endif

void cogni_zstd_repeats_free(cogni_zstd_repeats *repeats) {
    if (!repeats) return;
    free(repeats->items);
    free(repeats);
}
