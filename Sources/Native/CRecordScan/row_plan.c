#include "row_plan.h"

void cogni_plan_rows(row_plan *plan, const cogni_encoder *encoder, const encoded_tail *tail, uint32_t head, uint32_t row_level,
                     const cogni_cell *cells, const uint32_t *numbers, int64_t time) {
    plan->head = head;
    plan->is_possible = 0;
    plan->vocabulary = encoder->words->serial;
    plan->tail_columns = tail->columns;
    plan->spells_nulls = encoder->spells_nulls;
    plan->time = time;
    const int32_t time_column = encoder->time_column;
    if (encoder->count > 64) return;
    if (time_column >= 0 && encoder->columns[time_column].level == (int32_t)row_level) return;
    plan->nulls = 0;
    plan->length = plan->word_count = plan->counter_count = 0;
    for (uint32_t c = 0; c < encoder->count; c++) {
        if (tail->columns >> c & 1) continue;
        const column *each = &encoder->columns[c];
        if (each->level == (int32_t)row_level && each->kind != COGNI_ROW_COLUMN) {
            uint32_t slot = (uint32_t)each->slot;
            if (cells[slot].kind == COGNI_ABSENT && each->other_slot >= 0) slot = (uint32_t)each->other_slot;
            const uint32_t kind = cells[slot].kind;
            if (kind == COGNI_INTEGER) {
                // Others are looked up, or written otherwise.
                if (each->place != AN_INLINE || each->kind != COGNI_INT_COLUMN || plan->counter_count == HEAD_MEMBERS) return;
                plan->slots[plan->counter_count++] = (uint16_t)slot;
                continue;
            }
            // A word among the counters.
            if (each->place == AN_INLINE && (kind > COGNI_NULL || !leaves_out(encoder, c))) return;
        }
        const uint32_t number = each->place == AN_INLINE ? 0 : numbers[each->place];
        if (each->place != AN_INLINE) {
            plan->places[plan->word_count] = (uint16_t)each->place;
            plan->numbers[plan->word_count++] = number;
        }
        if (number) plan->length += word_at(&encoder->words->lists[c], number)->length;
        else if (leaves_out(encoder, c)) plan->nulls |= 1ull << c;
        else plan->length += encoder->null_length;
    }
    plan->is_possible = 1;
}
