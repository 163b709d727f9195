#include "shape.h"

#include <stdlib.h>
#include <string.h>

// Looks for any of many three-byte beginnings in a stretch of bytes, at a fraction of an instruction a byte.
//
// With AVX2 each byte's two halves look up in which of eight buckets it may stand first, second or third; where the
// three agree a bucket may stand, and the exact tables decide. Elsewhere the exact tables alone do the work.

struct cogni_triggers {
    uint64_t exact[3][256];  // by place and byte: the groups that may have it there
    uint8_t low[3][16], high[3][16];
    uint32_t count;
};

cogni_triggers *cogni_triggers_new(void) {
    cogni_triggers *triggers = cogni_allocate(sizeof *triggers);
    memset(triggers, 0, sizeof *triggers);
    return triggers;
}

void cogni_triggers_free(cogni_triggers *triggers) { free(triggers); }

void cogni_triggers_add(cogni_triggers *triggers, const uint8_t *bytes, uint32_t group) {
    // Neighbours in the caller's order look alike, so that sharing a bucket blurs little.
    const uint8_t bucket = (uint8_t)(1u << (group / 8));
    for (int place = 0; place < 3; place++) {
        triggers->exact[place][bytes[place]] |= (uint64_t)1 << group;
        triggers->low[place][bytes[place] & 15] |= bucket;
        triggers->high[place][bytes[place] >> 4] |= bucket;
    }
    triggers->count++;
}

static size_t next_exact(const cogni_triggers *triggers, const uint8_t *bytes, size_t end, size_t at) {
    for (; at < end; at++) {
        const uint64_t two = triggers->exact[0][bytes[at]] & triggers->exact[1][bytes[at + 1]];
        if (two && (two & triggers->exact[2][bytes[at + 2]])) return at;
    }
    return at;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static __m256i table(const uint8_t *half) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)half));
}

__attribute__((target("avx2"))) static size_t next_avx2(const cogni_triggers *triggers, const uint8_t *bytes,
                                                        size_t end, size_t at) {
    __m256i low[3], high[3];
    for (int place = 0; place < 3; place++) {
        low[place] = table(triggers->low[place]);
        high[place] = table(triggers->high[place]);
    }
    const __m256i nibble = _mm256_set1_epi8(15);
    for (; at + 32 <= end; at += 32) {
        __m256i may = _mm256_set1_epi8(-1);
        for (int place = 0; place < 3; place++) {
            const __m256i block = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + at + place));
            const __m256i first = _mm256_shuffle_epi8(low[place], _mm256_and_si256(block, nibble));
            const __m256i second =
                _mm256_shuffle_epi8(high[place], _mm256_and_si256(_mm256_srli_epi16(block, 4), nibble));
            may = _mm256_and_si256(may, _mm256_and_si256(first, second));
        }
        uint32_t mask = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(may, _mm256_setzero_si256()));
        while (mask) {
            const size_t place = at + (size_t)__builtin_ctz(mask);
            if (next_exact(triggers, bytes, place + 1, place) == place) return place;
            mask &= mask - 1;
        }
    }
    return next_exact(triggers, bytes, end, at);
}
#endif

size_t cogni_triggers_next(const cogni_triggers *triggers, const uint8_t *bytes, size_t length, size_t from) {
    if (length < 3 || triggers->count == 0) return length;
    const size_t end = length - 2;
    if (from >= end) return length;
    size_t found;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) found = next_avx2(triggers, bytes, end, from);
    else
#endif
        found = next_exact(triggers, bytes, end, from);
    return found < end ? found : length;
}
