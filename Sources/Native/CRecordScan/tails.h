#ifndef COGNI_TAILS_H
#define COGNI_TAILS_H

#include "heads.h"
#include "record_scan.h"

#include <stdint.h>

// Rows that end as earlier ones did.
//
// A report names the same things in one bucket after the other, and mostly in the same order: what stands behind the last number of a
// row, its tail, is then byte for byte what stood there a bucket earlier. Such a tail is compared and not scanned again: its bytes
// have been checked, and where its cells are is known. Which one to expect, the order of the bucket before says; where that fails,
// the row is scanned as any other, and the tail is looked up by its text to find the way back.

#define NO_TAIL 0u

// Tests make it small.
#ifndef TAILS_MOST
#define TAILS_MOST (1u << 13)
#endif

enum {
    TAIL_CELLS = 16,
    // Shorter ones are scanned as fast; longer ones would fill memory.
    TAIL_SHORTEST = 48,
    TAIL_LONGEST = 1 << 12,
    TAIL_TEXT_MOST = 2 << 20,
    // Rows in a page whose tail was not the expected one, less those where it was, after which no more are expected in it.
    TAIL_PATIENCE = 1 << 10,
};

typedef struct {
    uint32_t text, length;  // from its first key to the closing brace of the row; where it lies in `texts`
    int32_t after;          // the shape's entry of the member before it; -1: it is the whole row
    uint32_t place;         // among the tails of the bucket before, + 1; 0: it was not there
    uint32_t count;         // cells
    uint16_t slots[TAIL_CELLS];
    cogni_cell cells[TAIL_CELLS];  // offsets count from the tail's beginning
} row_tail;

typedef struct {
    row_tail *items;  // by number; the first is none
    uint32_t count, room;
    uint8_t *texts;
    size_t text_bytes, text_room;
    uint32_t *numbers;  // a table by the text's hash
    uint32_t *before, *now;  // of the bucket before, and of this one so far, in their order
    uint32_t before_count, before_room, now_count, now_room;
    uint32_t expected;  // index in `before`
    uint32_t hits;      // in this bucket
    uint64_t repeated;  // hits in this page
    int32_t patience;
    int32_t is_to_forget;  // all of it, before the next rows are scanned
    uint64_t serial;    // another one when numbers are given anew
} row_tails;

// The tail of the row at hand, as far as it is read, and what stands before it.
typedef struct {
    const row_tail *expected;  // null: none
    const uint8_t *start;  // null: a number came last, so that it begins with the next member
    int32_t after;
    uint32_t count;
    uint16_t slots[TAIL_CELLS];
    uint32_t number;       // once it is known
    row_member members[HEAD_MEMBERS];  // from the row's beginning
    uint32_t member_count; // HEAD_MEMBERS + 1: there are more, or some that heads are not made of
} open_tail;

row_tails *cogni_tails_new(void);
void cogni_tails_free(row_tails *tails);
// Before rows are scanned: those of the batch before have been encoded.
void cogni_tails_begin_batch(row_tails *tails);
void cogni_tails_open_page(row_tails *tails);
void cogni_tails_end_bucket(row_tails *tails);
// Takes note of a row's end. `start` is the page's text, `cells` are the row's, whose offsets count from `page`. Returns the tail's
// number, or NO_TAIL.
uint32_t cogni_tails_note(row_tails *tails, const open_tail *open, const uint8_t *end, const uint8_t *page, const cogni_cell *cells);

// The tail that the next row should have, or null.
static inline const row_tail *expected_tail(const row_tails *tails) {
    return tails->expected < tails->before_count ? &tails->items[tails->before[tails->expected]] : NULL;
}

#endif
