#ifndef COGNI_EXACT_SUM_H
#define COGNI_EXACT_SUM_H

#include "record_scan.h"

// A sum of decimals that never rounds. Values of up to 18 digits go into 128 bits at a common scale; what does not
// fit there goes into limbs of nine digits, as many as it takes.

typedef struct {
    uint64_t *limbs;   // base 10^9, the lowest first
    uint32_t count, capacity;
    uint32_t point;    // so many of the limbs stand behind the decimal point
} big_decimal;

typedef struct {
    __int128 small;      // in units of 10^-scale; below 10^38
    uint32_t scale;      // at most 18
    big_decimal plus, minus;
    uint64_t values;     // added so far
    int is_foreign;      // something that is no plain decimal came by: there is no sum
} exact_sum;

void exact_sum_restart(exact_sum *sum);
void exact_sum_free(exact_sum *sum);

// Adds `value` / 10^`scale`; `scale` is at most 18.
void exact_sum_add_small(exact_sum *sum, int64_t value, uint32_t scale);
// Adds a whole number below 2^63 that is itself the sum of `values` values.
void exact_sum_add_whole(exact_sum *sum, int64_t value, uint64_t values);
// Adds any plain decimal: `-12.500`. What is none makes the sum foreign.
void exact_sum_add_text(exact_sum *sum, const uint8_t *text, size_t length);
// Plain notation without zeros at the end of a fraction. Returns the length, of which at most `capacity` bytes are
// written; 0 when there is no sum: nothing was added, or something foreign.
size_t exact_sum_text(exact_sum *sum, uint8_t *out, size_t capacity);

#endif
