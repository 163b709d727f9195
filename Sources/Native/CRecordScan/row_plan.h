#ifndef COGNI_ROW_PLAN_H
#define COGNI_ROW_PLAN_H

#include "encoder.h"

#include <string.h>

// Rows of one bucket that begin with the same head (heads.h) and end with a known tail (tails.h) are alike but for the digits in the
// one and the words of the other. What else they become is worked out once, and copied.
//
// A plan holds within one call of `cogni_encode`: the rows are of one bucket, so that what stands above them is the same for all.
typedef struct {
    uint32_t head;  // NO_HEAD: nothing was planned yet
    int32_t is_possible;
    // What it was made with.
    uint64_t vocabulary, tail_columns;
    int32_t spells_nulls;
    uint64_t nulls;   // of columns outside the tail: bit c: the template leaves out column c
    uint32_t length;  // of the texts of words outside the tail
    int64_t time;
    uint32_t word_count, counter_count;
    uint32_t numbers[64];
    uint16_t places[64];
    uint16_t slots[HEAD_MEMBERS];  // of the counters, in the order of their columns
} row_plan;

// Plans by a row that has just been encoded, of the same bucket as the rows to come. Not possible where there are values that neither
// are the head's counters nor the same in each row.
void cogni_plan_rows(row_plan *plan, const cogni_encoder *encoder, const encoded_tail *tail, uint32_t head, uint32_t row_level,
                     const cogni_cell *cells, const uint32_t *numbers, int64_t time);

static inline int is_planned(const row_plan *plan, const cogni_encoder *encoder, uint32_t head) {
    return plan->head == head && plan->vocabulary == encoder->words->serial && plan->spells_nulls == encoder->spells_nulls;
}

static inline int fits(const row_plan *plan, const cogni_encoder *encoder, uint32_t head, const encoded_tail *tail) {
    return is_planned(plan, encoder, head) && plan->is_possible && tail->is_known && tail->is_whole && tail->columns == plan->tail_columns;
}

// Writes a row that the plan fits. Returns its size; 0: it has to be written as any other.
static inline size_t write_by_plan(const row_plan *plan, const cogni_encoder *encoder, const encoded_tail *tail, const uint8_t *page,
                                   const cogni_cell *cells, uint8_t *record) {
    if ((plan->nulls | tail->nulls) != encoder->last_nulls) return 0;
    uint32_t *numbers = (uint32_t *)(void *)(record + sizeof(row_header));
    for (uint32_t i = 0; i < plan->word_count; i++) numbers[plan->places[i]] = plan->numbers[i];
    for (uint32_t i = 0; i < tail->count; i++) numbers[tail->places[i]] = tail->numbers[i];
    uint8_t *start = (uint8_t *)(numbers + encoder->words->word_places), *to = start;
    for (uint32_t i = 0; i < plan->counter_count; i++) {
        const cogni_cell cell = cells[plan->slots[i]];
        if (cell.length > MAX_INLINE) return 0;
        *to = (uint8_t)cell.length;
        memcpy(to + 1, page + cell.offset, 32);  // behind the page there is room to read, behind the row to write
        to += 1 + cell.length;
    }
    row_header *header = (row_header *)(void *)record;
    header->time = plan->time;
    header->inline_length = (uint16_t)(to - start);
    header->line_length = encoder->words->templates[encoder->last_template]->fixed + plan->length + tail->length +
                          header->inline_length - plan->counter_count;
    header->template = (uint16_t)encoder->last_template;
    return (size_t)(to - record);
}

#endif
