#ifndef COGNI_ENCODER_H
#define COGNI_ENCODER_H

#include "run.h"
#include "scan.h"

// The state of an encoder: see encode.c.

typedef struct {
    int32_t kind, level, slot, other_slot;
    uint8_t *prefix;
    uint32_t prefix_length;
    int32_t place;
    // Constant columns, and row columns for `row`: text and key, one behind the other.
    uint8_t *own;
    size_t own_room;
    uint32_t own_length, own_key_length;
    int32_t own_is_null;
    uint32_t row;
    // Numbers in the present vocabulary: of the own text, of true and false, of the last value met.
    uint32_t own_word, is_own_known, yes_word, no_word, last_word;
    // A column that should have a value, and (bits) whether a null and an absence have been told of.
    uint32_t is_required, told;
} column;

// What the columns of a tail become: see tails.h.
typedef struct {
    uint32_t is_known;
    uint32_t length, count;
    uint64_t columns;  // bit c: column c is among them
    uint64_t nulls;    // those of them that the template leaves out
    uint32_t numbers[TAIL_CELLS];
    uint16_t places[TAIL_CELLS];
    uint32_t is_whole;  // no other column of the row's own level is filled from the tail
} encoded_tail;

struct cogni_encoder {
    column *columns;
    uint32_t count;
    uint32_t keys[64];
    uint32_t key_count;
    int32_t quoted_times;
    uint8_t *null_text, *ending;
    uint32_t null_length, ending_length;
    int32_t time_column;
    int32_t unit;
    // Made when the first value comes, once all columns are known.
    vocabulary *words;
    // Begun in the row at hand, which `cogni_encode` may have stopped at to ask for a value.
    int32_t is_begun_in_row, has_stopped;
    uint32_t stopped_row;
    size_t counted_bytes;
    uint64_t last_nulls;
    uint32_t last_template;
    int32_t spells_nulls;
    // By the tail's number, as long as the scan's numbers, our words and the way of writing nulls stay what they were.
    encoded_tail *tails;
    uint32_t tail_room;
    uint64_t tail_serial, tail_words;
    int32_t tail_nulls_are_spelled;
    // Calendar month of the last day asked for.
    int64_t month_day, month;
};

// Whether a template can say that the column is null.
static inline int leaves_out(const cogni_encoder *encoder, uint32_t c) { return c < 64 && !encoder->spells_nulls; }

#endif
