#ifndef COGNI_TEXT_H
#define COGNI_TEXT_H

#include <stddef.h>
#include <stdint.h>

// Scanning inside strings and numbers: the part of the kernel that has one version for each set of instructions. The file that
// includes this chooses: COGNI_AVX2, COGNI_PORTABLE, or else what every machine of the architecture has (SSE2 on x86-64,
// NEON on arm64). See scan_steps.h.

#if defined(COGNI_AVX2)
#include <immintrin.h>
#elif !defined(COGNI_PORTABLE) && defined(__SSE2__)
#define COGNI_SSE2
#include <emmintrin.h>
#elif !defined(COGNI_PORTABLE) && defined(__ARM_NEON)
#define COGNI_NEON
#include <arm_neon.h>
#endif
#include <string.h>

// The first byte at or after `at` that is a quote, a backslash, a control character or not ASCII.
// Reads up to 32 bytes past it; the page's padding (zeroes, which are control characters) stops it.
static inline const uint8_t *cogni_skip_plain(const uint8_t *at) {
#if defined(COGNI_AVX2)
    const __m256i quote = _mm256_set1_epi8('"'), slash = _mm256_set1_epi8('\\'), space = _mm256_set1_epi8(0x20);
    for (;;) {
        __m256i block = _mm256_loadu_si256((const __m256i *)at);
        // Signed comparison: bytes of 0x80 and above are negative, hence below the space too.
        __m256i stop = _mm256_or_si256(_mm256_cmpgt_epi8(space, block),
                                       _mm256_or_si256(_mm256_cmpeq_epi8(block, quote), _mm256_cmpeq_epi8(block, slash)));
        uint32_t mask = (uint32_t)_mm256_movemask_epi8(stop);
        if (mask) return at + __builtin_ctz(mask);
        at += 32;
    }
#elif defined(COGNI_SSE2)
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);
    for (;;) {
        __m128i block = _mm_loadu_si128((const __m128i *)at);
        __m128i stop = _mm_or_si128(_mm_cmplt_epi8(block, space),
                                    _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, slash)));
        int mask = _mm_movemask_epi8(stop);
        if (mask) return at + __builtin_ctz((unsigned)mask);
        at += 16;
    }
#elif defined(COGNI_NEON)
    const uint8x16_t quote = vdupq_n_u8('"'), slash = vdupq_n_u8('\\');
    const int8x16_t space = vdupq_n_s8(0x20);
    for (;;) {
        uint8x16_t block = vld1q_u8(at);
        uint8x16_t stop = vorrq_u8(vcltq_s8(vreinterpretq_s8_u8(block), space),
                                   vorrq_u8(vceqq_u8(block, quote), vceqq_u8(block, slash)));
        uint64_t mask = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(stop), 4)), 0);
        if (mask) return at + (__builtin_ctzll(mask) >> 2);
        at += 16;
    }
#else
    while (*at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\') at++;
    return at;
#endif
}

// The first byte at or after `at` that is not a digit. Reads up to 16 bytes past it.
static inline const uint8_t *cogni_skip_digits(const uint8_t *at) {
#if defined(COGNI_AVX2) || defined(COGNI_SSE2)
    const __m128i zero = _mm_set1_epi8('0'), nine = _mm_set1_epi8(9);
    for (;;) {
        __m128i value = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)at), zero);
        unsigned digits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(value, nine), value));
        if (digits != 0xFFFF) return at + __builtin_ctz(~digits);
        at += 16;
    }
#else
    while (*at >= '0' && *at <= '9') at++;
    return at;
#endif
}

// Whether two texts of the same length are equal. Both may be read up to 32 bytes too far.
static inline int cogni_same_text(const uint8_t *a, const uint8_t *b, uint32_t length) {
#if defined(COGNI_AVX2)
    if (length <= 32) {
        __m256i x = _mm256_loadu_si256((const __m256i *)a), y = _mm256_loadu_si256((const __m256i *)b);
        uint64_t differs = (uint32_t)~_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, y));
        return (differs & ((1ull << length) - 1)) == 0;
    }
#elif defined(COGNI_SSE2)
    if (length <= 32) {
        __m128i x = _mm_loadu_si128((const __m128i *)a), y = _mm_loadu_si128((const __m128i *)b);
        uint64_t differs = ~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y)) & 0xFFFF;
        x = _mm_loadu_si128((const __m128i *)(a + 16));
        y = _mm_loadu_si128((const __m128i *)(b + 16));
        differs |= (uint64_t)(~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y)) & 0xFFFF) << 16;
        return (differs & ((1ull << length) - 1)) == 0;
    }
#endif
    return memcmp(a, b, length) == 0;
}

// Length of the well-formed UTF-8 sequence at `at` (which is not ASCII), or 0. Table 3-7 of the Unicode standard.
static inline unsigned cogni_utf8_length(const uint8_t *at) {
    uint8_t a = at[0], b = at[1];
    if (a < 0xC2) return 0;
    if (a < 0xE0) return (b & 0xC0) == 0x80 ? 2 : 0;
    if (a < 0xF0) {
        uint8_t low = a == 0xE0 ? 0xA0 : 0x80, high = a == 0xED ? 0x9F : 0xBF;
        return b >= low && b <= high && (at[2] & 0xC0) == 0x80 ? 3 : 0;
    }
    if (a < 0xF5) {
        uint8_t low = a == 0xF0 ? 0x90 : 0x80, high = a == 0xF4 ? 0x8F : 0xBF;
        return b >= low && b <= high && (at[2] & 0xC0) == 0x80 && (at[3] & 0xC0) == 0x80 ? 4 : 0;
    }
    return 0;
}

static inline int cogni_hex(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

#endif
