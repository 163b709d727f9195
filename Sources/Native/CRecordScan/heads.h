#ifndef COGNI_HEADS_H
#define COGNI_HEADS_H

#include "record_scan.h"

#include <stdint.h>

// Rows that begin alike but for their numbers.
//
// Up to its tail (tails.h) a report's row is keys, numbers and now and then a text that is every row's. What stands between the numbers
// of the last row that was scanned, its head, is compared with the next one: where it is the same, only the numbers are left to
// be checked, and all cells' places are known from where they end. Where it is not, the row is scanned as any other.

#define NO_HEAD 0u

enum {
    HEAD_MEMBERS = 32,
    HEAD_TEXT = 1 << 10,
    // More is read at once when texts are compared.
    HEAD_SLACK = 32,
    // Whoever has a longer one is not in a hurry.
    HEAD_LONGEST_NUMBER = 32,
    // Rows in a page with another head, less those with this one, after which none is looked for in it.
    HEAD_PATIENCE = 1 << 8,
};

typedef struct {
    uint32_t length;  // of the text before it: from the number before, or from the row's opening brace
    int32_t slot;     // -1: of no interest
} head_number;

// A value that is every row's.
typedef struct {
    uint32_t slot;
    uint32_t number;  // it stands before this one, or behind the last one
    cogni_cell cell;  // its offset counts from where the text before that number begins
} head_cell;

typedef struct {
    int32_t is_known, patience;
    uint64_t repeated;  // rows of this page that began with it
    uint32_t number;  // another one for each head that is learned; never NO_HEAD
    int32_t after;  // the shape's entry of its last member
    uint32_t number_count, cell_count;
    uint32_t length;  // of the text behind the last number
    head_number numbers[HEAD_MEMBERS];
    head_cell cells[HEAD_MEMBERS];
    uint8_t text[HEAD_TEXT + HEAD_SLACK];  // without the numbers
} row_head;

typedef struct {
    int32_t slot;
    cogni_cell cell;
} row_member;

void cogni_heads_open_page(row_head *head);
// Learns a row's head: from `start`, behind its opening brace, to `end`, where its tail begins. `members` are as many as there are up to
// `end` or more, in their order; their offsets count from `page`. `after` is the entry of the last one before `end`.
void cogni_heads_learn(row_head *head, const uint8_t *page, const uint8_t *start, const uint8_t *end, int32_t after,
                       const row_member *members, uint32_t count);

#endif
