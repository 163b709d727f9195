#ifndef COGNI_TOTALS_H
#define COGNI_TOTALS_H

#include "exact_sum.h"
#include "record_scan.h"
#include "value_set.h"
#include "vocabulary.h"

typedef struct {
    const uint8_t *prefix;
    uint32_t prefix_length;
    int is_number;
    int protection;
    uint64_t nulls;
    int64_t plain;  // of whole numbers, until it is added to `sum`
    uint64_t plain_values;
    exact_sum sum;
    // The cell of the line at hand, for sets.
    const uint8_t *cell;
    uint32_t cell_length;
    int is_null;
    word_notes looked_at;  // of a protected column's words: A_HIDDEN or A_BARE
} total;

enum { A_HIDDEN = 1, A_BARE = 2 };

// The inline values of rows of one template.
typedef struct {
    uint8_t columns[64];
    uint32_t count;
    uint64_t rows;  // seen in this block
} template_look;

struct cogni_repeats;

struct cogni_totals {
    int is_csv, is_strict;
    total *columns;
    uint32_t count;
    value_set *sets;
    uint32_t set_count;
    int is_protected;  // some column is
    template_look *templates;  // MAX_TEMPLATES, for rows in words
    uint32_t *inline_keys;     // of the values that stand in the block's rows themselves, one after the other: see repeats.h
    size_t inline_room;
    struct cogni_repeats *repeats;    // null: they are not looked for
    uint64_t words;    // serial number of the vocabulary that notes speak of
};

// Adds the plain decimal of a cell, quoted or not.
void cogni_total_add_cell(total *each, const uint8_t *cell, const uint8_t *end);
// Moves what was added up in `plain` into `sum`.
void cogni_total_settle(total *each);
// Whether a cell, which is not null, shows what the column should not show.
int cogni_total_is_bare(const total *each, const uint8_t *cell, uint32_t length);

static inline void cogni_total_add_plain(total *each, uint64_t value) {
    int64_t sum;
    if (__builtin_add_overflow(each->plain, (int64_t)value, &sum)) {
        cogni_total_settle(each);
        sum = (int64_t)value;
    }
    each->plain = sum;
    each->plain_values++;
}

#endif
