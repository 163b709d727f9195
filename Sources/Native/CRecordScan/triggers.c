#include "isa.h"
#include "shape.h"

#include <stdlib.h>
#include <string.h>

// Looks for any of many three-byte beginnings in a stretch of bytes, at a fraction of an instruction a byte.
//
// With AVX2 each byte's two halves look up in which of eight buckets it may stand first, second or third; where the
// three agree a bucket may stand, and the exact tables decide. With AVX-512's byte permutations seven of its eight bits look that
// up at once, 64 bytes at a time. Elsewhere the exact tables alone do the work.

enum { GROUPS = 64, BUCKETS = 8, FEW = 4 };

// What may stand at each of the three places: bit n of `low` or `high` allows bytes with that half.
typedef struct {
    uint16_t low[3], high[3];
    uint64_t members;  // bit g: group g is in it
} halves;

struct cogni_triggers {
    uint64_t exact[3][256];  // by place and byte: the groups that may have it there
    uint8_t low[3][16], high[3][16];
    uint8_t whole[3][128];  // by place and the byte's lower seven bits: the buckets that may have it there
    uint32_t count;
    uint8_t firsts[FEW];  // the bytes that any of them begins with, the last one again and again; when there are no more
    int has_few;
};

// How often a byte is seen in lines of JSON and CSV, roughly; what does not look like text hardly ever.
static double share_of(uint32_t byte) {
    if (byte >= 'a' && byte <= 'z') return 0.6 / 26;
    if (byte >= '0' && byte <= '9') return 0.12 / 10;
    if (byte >= 'A' && byte <= 'Z') return 0.08 / 26;
    if (byte == '_' || byte == '"' || byte == ',' || byte == ':') return 0.18 / 4;
    return byte >= 0x20 && byte < 0x7F ? 0.02 / 29 : 0.0001;
}

// How much text both together would let through in vain.
static double cost_of(const halves *a, const halves *b, double shares[16][16]) {
    double cost = 1;
    for (int place = 0; place < 3; place++) {
        double sum = 0;
        for (uint32_t high = a->high[place] | b->high[place]; high; high &= high - 1) {
            const double *row = shares[__builtin_ctz(high)];
            for (uint32_t low = a->low[place] | b->low[place]; low; low &= low - 1) sum += row[__builtin_ctz(low)];
        }
        cost *= sum;
    }
    return cost;
}

static void join(halves *to, const halves *from) {
    for (int place = 0; place < 3; place++) {
        to->low[place] |= from->low[place];
        to->high[place] |= from->high[place];
    }
    to->members |= from->members;
}

// Puts groups together, always the two that lose least by it, until there is a bucket for each.
static uint32_t gather(halves *groups, uint32_t count) {
    double shares[16][16], own[GROUPS], loss[GROUPS][GROUPS];
    for (uint32_t byte = 0; byte < 256; byte++) shares[byte >> 4][byte & 15] = share_of(byte);
    for (uint32_t i = 0; i < count; i++) own[i] = cost_of(&groups[i], &groups[i], shares);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = i + 1; j < count; j++) loss[i][j] = cost_of(&groups[i], &groups[j], shares) - own[i] - own[j];
    }
    while (count > BUCKETS) {
        uint32_t a = 0, b = 1;
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t j = i + 1; j < count; j++) {
                if (loss[i][j] < loss[a][b]) a = i, b = j;
            }
        }
        join(&groups[a], &groups[b]);
        // The last one moves to the free place.
        const uint32_t moved = --count;
        groups[b] = groups[moved];
        own[b] = own[moved];
        own[a] = cost_of(&groups[a], &groups[a], shares);
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t j = i + 1; j < count; j++) {
                if (i == a || j == a || i == b || j == b)
                    loss[i][j] = cost_of(&groups[i], &groups[j], shares) - own[i] - own[j];
            }
        }
    }
    return count;
}

static void note_firsts(cogni_triggers *triggers, const uint8_t *beginnings, uint32_t count) {
    uint32_t firsts = 0;
    for (uint32_t n = 0; n < count; n++) {
        const uint8_t first = beginnings[3 * n];
        if (firsts > 0 && memchr(triggers->firsts, first, firsts)) continue;
        if (firsts == FEW) return;
        triggers->firsts[firsts++] = first;
    }
    if (firsts == 0) return;
    memset(triggers->firsts + firsts, triggers->firsts[firsts - 1], FEW - firsts);
    triggers->has_few = 1;
}

cogni_triggers *cogni_triggers_new(const uint8_t *beginnings, uint32_t count) {
    cogni_triggers *triggers = cogni_allocate(sizeof *triggers);
    memset(triggers, 0, sizeof *triggers);
    triggers->count = count;
    note_firsts(triggers, beginnings, count);
    halves groups[GROUPS];
    memset(groups, 0, sizeof groups);
    for (uint32_t n = 0; n < count; n++) {
        // Neighbours look alike, so that sharing a group blurs little.
        const uint32_t group = count <= GROUPS ? n : (uint32_t)((uint64_t)n * GROUPS / count);
        for (int place = 0; place < 3; place++) {
            const uint8_t byte = beginnings[3 * n + (uint32_t)place];
            triggers->exact[place][byte] |= (uint64_t)1 << group;
            groups[group].low[place] |= (uint16_t)(1u << (byte & 15));
            groups[group].high[place] |= (uint16_t)(1u << (byte >> 4));
        }
        groups[group].members = (uint64_t)1 << group;
    }
    const uint32_t buckets = gather(groups, count < GROUPS ? count : GROUPS);
    for (uint32_t bucket = 0; bucket < buckets; bucket++) {
        for (int place = 0; place < 3; place++) {
            for (int half = 0; half < 16; half++) {
                triggers->low[place][half] |= (uint8_t)((groups[bucket].low[place] >> half & 1) << bucket);
                triggers->high[place][half] |= (uint8_t)((groups[bucket].high[place] >> half & 1) << bucket);
            }
            for (int byte = 0; byte < 256; byte++) {
                if (triggers->exact[place][byte] & groups[bucket].members) triggers->whole[place][byte & 127] |= (uint8_t)(1u << bucket);
            }
        }
    }
    return triggers;
}

void cogni_triggers_free(cogni_triggers *triggers) { free(triggers); }

// Whether something stands here, of the one scan or of the other, which is null where there is none.
static inline int is_exact(const cogni_triggers *triggers, const cogni_triggers *other, const uint8_t *at) {
    uint64_t all = triggers->exact[0][at[0]] & triggers->exact[1][at[1]] & triggers->exact[2][at[2]];
    if (other) all |= other->exact[0][at[0]] & other->exact[1][at[1]] & other->exact[2][at[2]];
    return all != 0;
}

static size_t next_exact(const cogni_triggers *triggers, const cogni_triggers *other, const uint8_t *bytes, size_t end, size_t at) {
    while (at < end && !is_exact(triggers, other, bytes + at)) at++;
    return at;
}

#if defined(__x86_64__)
#include <immintrin.h>

// Each kernel is inlined more than once: for one scan, and for two at once, for which bytes are loaded once.

#define WITH_AVX2 __attribute__((target("avx2")))
#define WITH_VBMI __attribute__((target("avx512bw,avx512vbmi")))
#define INLINED __attribute__((always_inline)) static inline

WITH_AVX2 INLINED __m256i half_table(const uint8_t *half) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)half));
}

WITH_AVX2 INLINED void load_halves(const cogni_triggers *triggers, __m256i *low, __m256i *high) {
    for (int place = 0; place < 3; place++) {
        low[place] = half_table(triggers->low[place]);
        high[place] = half_table(triggers->high[place]);
    }
}

// Where in the 32 bytes from here on something may stand.
WITH_AVX2 INLINED uint32_t may_stand_by_halves(const __m256i *low, const __m256i *high, const uint8_t *at) {
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i may = _mm256_set1_epi8(-1);
    for (int place = 0; place < 3; place++) {
        const __m256i block = _mm256_loadu_si256((const __m256i *)(const void *)(at + place));
        const __m256i first = _mm256_shuffle_epi8(low[place], _mm256_and_si256(block, nibble));
        const __m256i second = _mm256_shuffle_epi8(high[place], _mm256_and_si256(_mm256_srli_epi16(block, 4), nibble));
        may = _mm256_and_si256(may, _mm256_and_si256(first, second));
    }
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(may, _mm256_setzero_si256()));
}

// Where in the 32 bytes from here on stands what something may begin with.
WITH_AVX2 INLINED uint32_t may_begin(const __m256i *firsts, const uint8_t *at) {
    const __m256i block = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i may = _mm256_cmpeq_epi8(block, firsts[0]);
    for (int n = 1; n < FEW; n++) may = _mm256_or_si256(may, _mm256_cmpeq_epi8(block, firsts[n]));
    return (uint32_t)_mm256_movemask_epi8(may);
}

// Blocks that are looked at before the exact tables are asked about what was found: whether there is something in one is as good as
// chance, and a branch on it would be foretold wrongly every few blocks, which takes as long as looking at one.
enum { STRETCH = 32 };

// `few`: of the other scan only the first bytes are looked for, which are few, and seldom in most texts.
WITH_AVX2 INLINED size_t by_halves(const cogni_triggers *triggers, const cogni_triggers *other, int few, const uint8_t *bytes, size_t end,
                                   size_t at) {
    __m256i low[3], high[3], other_low[3], other_high[3], firsts[FEW];
    load_halves(triggers, low, high);
    if (other && few) {
        for (int n = 0; n < FEW; n++) firsts[n] = _mm256_set1_epi8((char)other->firsts[n]);
    } else if (other) {
        load_halves(other, other_low, other_high);
    }
    while (at + 32 <= end) {
        const size_t left = (end - at) / 32;
        const uint32_t blocks = left < STRETCH ? (uint32_t)left : STRETCH;
        struct { uint32_t block, mask; } found[STRETCH];
        uint32_t count = 0;
        for (uint32_t b = 0; b < blocks; b++) {
            const uint8_t *block = bytes + at + 32 * b;
            uint32_t mask = may_stand_by_halves(low, high, block);
            if (other && few) mask |= may_begin(firsts, block);
            else if (other) mask |= may_stand_by_halves(other_low, other_high, block);
            found[count].block = b;
            found[count].mask = mask;
            count += mask != 0;
        }
        for (uint32_t f = 0; f < count; f++) {
            for (uint32_t mask = found[f].mask; mask; mask &= mask - 1) {
                const size_t place = at + 32 * found[f].block + (size_t)__builtin_ctz(mask);
                if (is_exact(triggers, other, bytes + place)) return place;
            }
        }
        at += 32 * (size_t)blocks;
    }
    return next_exact(triggers, other, bytes, end, at);
}

WITH_AVX2 static size_t next_avx2(const cogni_triggers *triggers, const cogni_triggers *other, const uint8_t *bytes, size_t end,
                                  size_t at) {
    if (!other) return by_halves(triggers, NULL, 0, bytes, end, at);
    return other->has_few ? by_halves(triggers, other, 1, bytes, end, at) : by_halves(triggers, other, 0, bytes, end, at);
}

enum { WHOLE_TABLES = 6 };

WITH_VBMI INLINED void load_whole(const cogni_triggers *triggers, __m512i *tables) {
    for (int place = 0; place < 3; place++) {
        tables[2 * place] = _mm512_loadu_si512(triggers->whole[place]);
        tables[2 * place + 1] = _mm512_loadu_si512(triggers->whole[place] + 64);
    }
}

// Where in the three blocks, each a byte behind the one before, something may stand.
WITH_VBMI INLINED uint64_t may_stand(const __m512i *tables, const __m512i *blocks) {
    const __m512i first = _mm512_permutex2var_epi8(tables[0], blocks[0], tables[1]);
    const __m512i second = _mm512_permutex2var_epi8(tables[2], blocks[1], tables[3]);
    const __m512i third = _mm512_permutex2var_epi8(tables[4], blocks[2], tables[5]);
    return _mm512_test_epi8_mask(_mm512_and_si512(first, second), third);
}

WITH_VBMI INLINED size_t by_whole(const cogni_triggers *triggers, const cogni_triggers *other, const uint8_t *bytes, size_t end,
                                  size_t at) {
    __m512i tables[WHOLE_TABLES], others[WHOLE_TABLES];
    load_whole(triggers, tables);
    if (other) load_whole(other, others);
    for (; at + 64 <= end; at += 64) {
        const __m512i blocks[3] = {_mm512_loadu_si512(bytes + at), _mm512_loadu_si512(bytes + at + 1),
                                   _mm512_loadu_si512(bytes + at + 2)};
        uint64_t mask = may_stand(tables, blocks);
        if (other) mask |= may_stand(others, blocks);
        for (; mask; mask &= mask - 1) {
            const size_t place = at + (size_t)__builtin_ctzll(mask);
            if (is_exact(triggers, other, bytes + place)) return place;
        }
    }
    return next_exact(triggers, other, bytes, end, at);
}

WITH_VBMI static size_t next_avx512(const cogni_triggers *triggers, const cogni_triggers *other, const uint8_t *bytes, size_t end,
                                    size_t at) {
    return other ? by_whole(triggers, other, bytes, end, at) : by_whole(triggers, NULL, bytes, end, at);
}
#endif

size_t cogni_triggers_next(const cogni_triggers *triggers, const cogni_triggers *other, const uint8_t *bytes, size_t length,
                           size_t from) {
    if (length < 3 || from >= length - 2 || triggers->count + (other ? other->count : 0) == 0) return length;
    const size_t end = length - 2;
    size_t found;
#if defined(__x86_64__)
    const int vectors = cogni_vectors();
    if (vectors == AVX512_VECTORS) found = next_avx512(triggers, other, bytes, end, from);
    else if (vectors == AVX2_VECTORS) found = next_avx2(triggers, other, bytes, end, from);
    else
#endif
        found = next_exact(triggers, other, bytes, end, from);
    return found < end ? found : length;
}
