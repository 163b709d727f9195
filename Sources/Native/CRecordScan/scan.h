#ifndef COGNI_SCAN_H
#define COGNI_SCAN_H

#include "record_scan.h"
#include "shape.h"
#include "heads.h"
#include "tails.h"

// The state of a scan, shared by the kernels.

enum { AT_START, AT_MEMBER, AT_ELEMENT, AT_END, AT_FAULT };

struct cogni_scan {
    const cogni_shape *shape;
    int32_t *follow;        // for each entry of each node: what came after it; follow[base[node]] is what came first
    uint32_t *base;
    const uint8_t *bytes, *end, *at;
    int phase;
    uint32_t level;         // the object we are in
    int is_first;           // no member of the object, or no element of the array, has been seen yet
    int has_rows[COGNI_MAX_LEVELS];
    int32_t last_entry[COGNI_MAX_LEVELS];
    cogni_cell *level_cells[COGNI_MAX_LEVELS];
    cogni_cell *cells;
    uint32_t row_slots, rows, row_capacity;
    row_tails *tails;       // null: rows do not stand in buckets
    row_head head;          // only where there are tails
    uint32_t *tail_numbers; // of the batch's rows
    uint32_t *head_numbers; // likewise
    cogni_extra *extras;
    uint32_t extra_count, extra_capacity;
    uint64_t elements;
    int bucket_done;
    cogni_scan_fault fault;
};

// Rows with the same number, which is not NO_TAIL, end alike: the cells of `cogni_scan_tail` have the same texts and kinds in each.
static inline uint32_t cogni_scan_tail_number(const cogni_scan *scan, uint32_t row) { return scan->tails ? scan->tail_numbers[row] : NO_TAIL; }
// Rows with the same number, which is not NO_HEAD, are made of that head and of their tail alone: they have numbers in the same slots,
// and where the head has another value it is the same.
static inline uint32_t cogni_scan_head_number(const cogni_scan *scan, uint32_t row) { return scan->tails ? scan->head_numbers[row] : NO_HEAD; }
static inline const row_tail *cogni_scan_tail(const cogni_scan *scan, uint32_t number) { return &scan->tails->items[number]; }

// One for each set of instructions: see scan_steps.h.
int32_t cogni_scan_next_portable(cogni_scan *scan, uint32_t max_rows);
int32_t cogni_scan_next_baseline(cogni_scan *scan, uint32_t max_rows);
int32_t cogni_scan_next_avx2(cogni_scan *scan, uint32_t max_rows);

#endif
