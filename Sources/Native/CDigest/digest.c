#include "digest.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))

int32_t cogni_digest_is_there(void) {
    const char *wanted = getenv("COGNI_ISA");
    if (wanted && strcmp(wanted, "avx2") != 0) return 0;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29);
}

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

// The words of the hash as the instructions want them: a b e f in one register, c d g h in the other.
typedef struct {
    __m128i abef, cdgh;
} state;

WITH_SHA static inline state state_of(const cogni_digest *digest) {
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)digest->hash), 0xB1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(digest->hash + 4)), 0x1B);
    return (state){_mm_alignr_epi8(abcd, efgh, 8), _mm_blend_epi16(efgh, abcd, 0xF0)};
}

WITH_SHA static inline void keep_state(cogni_digest *digest, state from) {
    __m128i feba = _mm_shuffle_epi32(from.abef, 0x1B), dchg = _mm_shuffle_epi32(from.cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)digest->hash, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(digest->hash + 4), _mm_alignr_epi8(dchg, feba, 8));
}

WITH_SHA static inline void load_block(__m128i *words, const uint8_t *block) {
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    for (int i = 0; i < 4; i++)
        words[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i)), order);
}

// Four of the 64 rounds, and the words of the four rounds that come sixteen later.
WITH_SHA static inline void four_rounds(state *of, __m128i *words, int at) {
    __m128i sum = _mm_add_epi32(words[at & 3], _mm_load_si128((const __m128i *)(const void *)(constants + 4 * at)));
    of->cdgh = _mm_sha256rnds2_epu32(of->cdgh, of->abef, sum);
    of->abef = _mm_sha256rnds2_epu32(of->abef, of->cdgh, _mm_shuffle_epi32(sum, 0x0E));
    if (at >= 12) return;
    __m128i last = words[(at + 3) & 3], between = _mm_alignr_epi8(last, words[(at + 2) & 3], 4);
    __m128i next = _mm_add_epi32(_mm_sha256msg1_epu32(words[at & 3], words[(at + 1) & 3]), between);
    words[at & 3] = _mm_sha256msg2_epu32(next, last);
}

WITH_SHA static inline void add_state(state *of, state before) {
    of->abef = _mm_add_epi32(of->abef, before.abef);
    of->cdgh = _mm_add_epi32(of->cdgh, before.cdgh);
}

WITH_SHA void cogni_digest_blocks(cogni_digest *digest, const uint8_t *blocks, size_t count) {
    state one = state_of(digest);
    for (; count > 0; count--, blocks += 64) {
        __m128i words[4];
        const state before = one;
        load_block(words, blocks);
#pragma unroll
        for (int at = 0; at < 16; at++) four_rounds(&one, words, at);
        add_state(&one, before);
    }
    keep_state(digest, one);
}

__attribute__((always_inline)) WITH_SHA static inline void two(cogni_digest *a, const uint8_t *a_blocks, cogni_digest *b,
                                                                const uint8_t *b_blocks, size_t count) {
    state one = state_of(a), other = state_of(b);
    for (size_t done = 0; done < count; done++) {
        __m128i one_words[4], other_words[4];
        const state one_before = one, other_before = other;
        load_block(one_words, a_blocks + 64 * done);
        load_block(other_words, b_blocks + 64 * done);
#pragma unroll
        for (int at = 0; at < 16; at++) {
            four_rounds(&one, one_words, at);
            four_rounds(&other, other_words, at);
        }
        add_state(&one, one_before);
        add_state(&other, other_before);
    }
    keep_state(a, one);
    keep_state(b, other);
}

WITH_SHA static void two_by_sixteen(cogni_digest *a, const uint8_t *a_blocks, cogni_digest *b, const uint8_t *b_blocks, size_t count) {
    two(a, a_blocks, b, b_blocks, count);
}

// With AVX-512 there are 32 registers, so that neither content's words have to leave them: a twelfth faster.
__attribute__((target("sha,sse4.1,ssse3,avx512vl,avx512bw"))) static void two_by_thirty_two(
    cogni_digest *a, const uint8_t *a_blocks, cogni_digest *b, const uint8_t *b_blocks, size_t count) {
    two(a, a_blocks, b, b_blocks, count);
}

void cogni_digest_two(cogni_digest *a, const uint8_t *a_blocks, size_t a_count, cogni_digest *b, const uint8_t *b_blocks,
                      size_t b_count) {
    static atomic_int known;  // 1: there are 16 registers, 2: there are 32; whoever comes first asks, and all would find the same
    int registers = atomic_load_explicit(&known, memory_order_relaxed);
    if (registers == 0) {
        registers = !getenv("COGNI_ISA") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") ? 2 : 1;
        atomic_store_explicit(&known, registers, memory_order_relaxed);
    }
    const size_t both = a_count < b_count ? a_count : b_count;
    (registers == 2 ? two_by_thirty_two : two_by_sixteen)(a, a_blocks, b, b_blocks, both);
    if (a_count > both) cogni_digest_blocks(a, a_blocks + 64 * both, a_count - both);
    if (b_count > both) cogni_digest_blocks(b, b_blocks + 64 * both, b_count - both);
}

#else

int32_t cogni_digest_is_there(void) { return 0; }

void cogni_digest_blocks(cogni_digest *digest, const uint8_t *blocks, size_t count) {
    (void)digest, (void)blocks, (void)count;
    abort();
}

void cogni_digest_two(cogni_digest *a, const uint8_t *a_blocks, size_t a_count, cogni_digest *b, const uint8_t *b_blocks,
                      size_t b_count) {
    (void)a, (void)a_blocks, (void)a_count, (void)b, (void)b_blocks, (void)b_count;
    abort();
}

#endif

void cogni_digest_start(cogni_digest *digest) {
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(digest->hash, first, sizeof first);
    digest->length = 0;
}

size_t cogni_digest_take(cogni_digest *digest, const uint8_t *bytes, size_t length, const uint8_t **blocks) {
    size_t waiting = digest->length % 64;
    digest->length += length;
    if (waiting > 0) {
        size_t wanted = 64 - waiting, taken = length < wanted ? length : wanted;
        memcpy(digest->tail + waiting, bytes, taken);
        bytes += taken;
        length -= taken;
        *blocks = bytes;
        if (taken < wanted) return 0;
        cogni_digest_blocks(digest, digest->tail, 1);
    }
    *blocks = bytes;
    if (length % 64 > 0) memcpy(digest->tail, bytes + (length - length % 64), length % 64);
    return length / 64;
}

void cogni_digest_finish(cogni_digest *digest, uint8_t *out) {
    size_t waiting = digest->length % 64;
    uint8_t end[128] = {0};
    size_t blocks = waiting < 56 ? 1 : 2;
    memcpy(end, digest->tail, waiting);
    end[waiting] = 0x80;
    for (int i = 0; i < 8; i++) end[64 * blocks - 1 - (size_t)i] = (uint8_t)(digest->length * 8 >> 8 * i);
    cogni_digest_blocks(digest, end, blocks);
    for (int i = 0; i < 32; i++) out[i] = (uint8_t)(digest->hash[i / 4] >> (24 - 8 * (i % 4)));
}
