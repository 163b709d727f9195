#ifndef COGNI_DIGITS_H
#define COGNI_DIGITS_H

#include <stdint.h>
#include <string.h>

// Numbers of up to eight decimal digits, all digits at once.

#define EIGHT_ZEROS 0x3030303030303030ull  // as text

// Up to eight bytes from `text` on as the last of eight digits, zeros before them. Eight bytes may be read.
static inline uint64_t eight_digits(const uint8_t *text, uint32_t length) {
    if (length == 0) return EIGHT_ZEROS;
    const uint32_t shift = 64 - 8 * length;
    uint64_t digits;
    memcpy(&digits, text, 8);
    return shift ? digits << shift | EIGHT_ZEROS >> (64 - shift) : digits;
}

static inline int are_digits(uint64_t digits) {
    return ((digits & (digits + 0x0606060606060606ull)) & 0xF0F0F0F0F0F0F0F0ull) == EIGHT_ZEROS;
}

static inline uint32_t value_of_digits(uint64_t digits) {
    digits -= EIGHT_ZEROS;
    digits = digits * 10 + (digits >> 8);  // pairs of digits, in every second byte
    const uint64_t outer = (digits & 0x000000FF000000FFull) * (100 + (1000000ull << 32));
    const uint64_t inner = (digits >> 16 & 0x000000FF000000FFull) * (1 + (10000ull << 32));
    return (uint32_t)((outer + inner) >> 32);
}

#endif
