#include "exact_sum.h"
#include "shape.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t limb_base = 1000000000;

static const int64_t power[19] = {1,
                                  10,
                                  100,
                                  1000,
                                  10000,
                                  100000,
                                  1000000,
                                  10000000,
                                  100000000,
                                  1000000000,
                                  10000000000,
                                  100000000000,
                                  1000000000000,
                                  10000000000000,
                                  100000000000000,
                                  1000000000000000,
                                  10000000000000000,
                                  100000000000000000,
                                  1000000000000000000};

static unsigned __int128 magnitude(__int128 value) {
    return value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
}

static unsigned __int128 small_limit(void) {
    return (unsigned __int128)power[18] * (unsigned __int128)power[18] * 100;  // 10^38
}

// ---------------------------------------------------------------- limbs

// Makes room for `whole` limbs before the point and `fraction` behind it.
static void big_reserve(big_decimal *big, uint32_t whole, uint32_t fraction) {
    uint32_t had_whole = big->count - big->point;
    uint32_t new_point = fraction > big->point ? fraction : big->point;
    uint32_t new_whole = whole > had_whole ? whole : had_whole;
    uint32_t wanted = new_point + new_whole;
    if (wanted > big->capacity) {
        big->capacity = wanted * 2;
        big->limbs = cogni_reallocate(big->limbs, big->capacity * sizeof(uint64_t));
    }
    uint32_t shift = new_point - big->point;
    if (shift) {
        memmove(big->limbs + shift, big->limbs, big->count * sizeof(uint64_t));
        memset(big->limbs, 0, shift * sizeof(uint64_t));
    }
    uint32_t filled = big->count + shift;
    if (wanted > filled) memset(big->limbs + filled, 0, (wanted - filled) * sizeof(uint64_t));
    big->count = wanted;
    big->point = new_point;
}

static void big_add_limb(big_decimal *big, uint32_t at, uint64_t limb) {
    while (limb) {
        if (at == big->count) big_reserve(big, big->count - big->point + 1, big->point);
        uint64_t sum = big->limbs[at] + limb;
        big->limbs[at] = sum % limb_base;
        limb = sum / limb_base;
        at++;
    }
}

// Digits only: `whole` of them before the point, `fraction` behind it.
static void big_add_digits(big_decimal *big, const uint8_t *whole, size_t whole_length, const uint8_t *fraction,
                           size_t fraction_length) {
    big_reserve(big, (uint32_t)(whole_length + 8) / 9, (uint32_t)(fraction_length + 8) / 9);
    uint32_t at = big->point;
    for (size_t end = whole_length; end > 0; at++) {
        size_t start = end > 9 ? end - 9 : 0;
        uint64_t limb = 0;
        for (size_t i = start; i < end; i++) limb = limb * 10 + (whole[i] - '0');
        big_add_limb(big, at, limb);
        end = start;
    }
    for (size_t start = 0, index = 1; start < fraction_length; start += 9, index++) {
        uint64_t limb = 0;
        for (size_t i = start; i < start + 9; i++) limb = limb * 10 + (i < fraction_length ? fraction[i] - '0' : 0u);
        big_add_limb(big, big->point - (uint32_t)index, limb);
    }
}

static int big_compare(const big_decimal *a, const big_decimal *b) {  // of one shape
    for (uint32_t at = a->count; at-- > 0;) {
        if (a->limbs[at] != b->limbs[at]) return a->limbs[at] < b->limbs[at] ? -1 : 1;
    }
    return 0;
}

static void big_subtract(big_decimal *from, const big_decimal *less) {  // of one shape, and `less` is not more
    uint64_t borrow = 0;
    for (uint32_t at = 0; at < from->count; at++) {
        uint64_t taken = less->limbs[at] + borrow;
        borrow = from->limbs[at] < taken;
        from->limbs[at] = from->limbs[at] + (borrow ? limb_base : 0) - taken;
    }
}

// ---------------------------------------------------------------- text

typedef struct {
    uint8_t *out;
    size_t capacity, used;
} text_out;

static void put(text_out *text, uint8_t byte) {
    if (text->used < text->capacity) text->out[text->used] = byte;
    text->used++;
}

// `digits` from the highest; the last `scale` of them stand behind the point.
static void put_decimal(text_out *text, int is_negative, const uint8_t *digits, size_t count, size_t scale) {
    while (scale > 0 && digits[count - 1] == '0') {
        count--;
        scale--;
    }
    size_t from = 0;
    while (count - from > scale + 1 && digits[from] == '0') from++;
    int is_zero = 1;
    for (size_t i = from; i < count; i++) is_zero &= digits[i] == '0';
    if (is_negative && !is_zero) put(text, '-');
    for (size_t i = from; i < count; i++) {
        if (count - i == scale) put(text, '.');
        put(text, digits[i]);
    }
}

// Digits of a number below 2^127, at least `least` of them, at the end of `out` (40 bytes). Returns their count.
static size_t digits_of(unsigned __int128 value, uint8_t out[40], size_t least) {
    size_t count = 0;
    while (value > 0 || count < least) {
        out[39 - count++] = (uint8_t)('0' + (int)(value % 10));
        value /= 10;
    }
    return count;
}

static void flush_small(exact_sum *sum) {
    if (sum->small == 0) return;
    uint8_t digits[40];
    size_t count = digits_of(magnitude(sum->small), digits, sum->scale + 1);
    const uint8_t *first = digits + 40 - count;
    size_t whole = count - sum->scale;
    big_add_digits(sum->small < 0 ? &sum->minus : &sum->plus, first, whole, first + whole, sum->scale);
    sum->small = 0;
}

// ---------------------------------------------------------------- the sum

void exact_sum_restart(exact_sum *sum) {
    sum->small = 0;
    sum->scale = 0;
    sum->values = 0;
    sum->is_foreign = 0;
    sum->plus.count = sum->plus.point = 0;
    sum->minus.count = sum->minus.point = 0;
}

void exact_sum_free(exact_sum *sum) {
    free(sum->plus.limbs);
    free(sum->minus.limbs);
}

void exact_sum_add_small(exact_sum *sum, int64_t value, uint32_t scale) {
    sum->values++;
    if (scale > sum->scale) {
        if (magnitude(sum->small) > small_limit() / (unsigned __int128)power[scale - sum->scale]) flush_small(sum);
        sum->small *= power[scale - sum->scale];
        sum->scale = scale;
    }
    // Below 10^37, so that the sum stays below 2^127.
    sum->small += (__int128)value * power[sum->scale - scale];
    if (magnitude(sum->small) > small_limit()) flush_small(sum);
}

void exact_sum_add_whole(exact_sum *sum, int64_t value, uint64_t values) {
    exact_sum_add_small(sum, value, 0);
    sum->values += values - 1;
}

void exact_sum_add_text(exact_sum *sum, const uint8_t *text, size_t length) {
    size_t at = 0;
    int is_negative = length > 0 && text[0] == '-';
    if (is_negative) at++;
    size_t whole = at;
    while (at < length && text[at] >= '0' && text[at] <= '9') at++;
    size_t whole_end = at, fraction = at;
    if (at < length && text[at] == '.') {
        fraction = ++at;
        while (at < length && text[at] >= '0' && text[at] <= '9') at++;
        if (at == fraction) whole_end = whole;  // `1.` is none
    }
    if (at != length || whole_end == whole) {
        sum->is_foreign = 1;
        return;
    }
    sum->values++;
    big_add_digits(is_negative ? &sum->minus : &sum->plus, text + whole, whole_end - whole, text + fraction,
                   length - fraction);
}

size_t exact_sum_text(exact_sum *sum, uint8_t *out, size_t capacity) {
    if (sum->values == 0 || sum->is_foreign) return 0;
    text_out text = {out, capacity, 0};
    if (sum->plus.count == 0 && sum->minus.count == 0) {
        uint8_t digits[40];
        size_t count = digits_of(magnitude(sum->small), digits, sum->scale + 1);
        put_decimal(&text, sum->small < 0, digits + 40 - count, count, sum->scale);
        return text.used;
    }
    flush_small(sum);
    uint32_t whole = 1, point = 0;
    const big_decimal *both[2] = {&sum->plus, &sum->minus};
    for (int i = 0; i < 2; i++) {
        if (both[i]->count - both[i]->point > whole) whole = both[i]->count - both[i]->point;
        if (both[i]->point > point) point = both[i]->point;
    }
    big_reserve(&sum->plus, whole, point);
    big_reserve(&sum->minus, whole, point);
    int is_negative = big_compare(&sum->plus, &sum->minus) < 0;
    big_decimal *larger = is_negative ? &sum->minus : &sum->plus;
    big_decimal *lesser = is_negative ? &sum->plus : &sum->minus;
    big_subtract(larger, lesser);
    lesser->count = lesser->point = 0;
    uint8_t *digits = cogni_allocate((size_t)larger->count * 9);
    for (uint32_t limb = 0; limb < larger->count; limb++) {
        uint64_t value = larger->limbs[larger->count - 1 - limb];
        for (uint32_t i = 9; i-- > 0;) {
            digits[limb * 9 + i] = (uint8_t)('0' + (int)(value % 10));
            value /= 10;
        }
    }
    put_decimal(&text, is_negative, digits, (size_t)larger->count * 9, (size_t)larger->point * 9);
    free(digits);
    return text.used;
}
