#include "heads.h"

#include <string.h>

void cogni_heads_open_page(row_head *head) {
    head->patience = HEAD_PATIENCE;
    head->repeated = 0;
}

static int is_same_in_every_row(const cogni_cell *cell) {
    return cell->kind == COGNI_PLAIN || cell->kind == COGNI_NULL || cell->kind == COGNI_TRUE || cell->kind == COGNI_FALSE;
}

void cogni_heads_learn(row_head *head, const uint8_t *page, const uint8_t *start, const uint8_t *end, int32_t after,
                       const row_member *members, uint32_t count) {
    head->is_known = 0;
    if (end - start > HEAD_TEXT) return;
    uint32_t numbers = 0, cells = 0;
    uint8_t *text = head->text;
    const uint8_t *from = start;
    for (uint32_t m = 0; m < count && page + members[m].cell.offset < end; m++) {
        const cogni_cell *cell = &members[m].cell;
        const uint8_t *value = page + cell->offset;
        if (cell->kind == COGNI_INTEGER) {
            if (*value == '-') return;
            const size_t length = (size_t)(value - from);
            memcpy(text, from, length);
            text += length;
            head->numbers[numbers++] = (head_number){.length = (uint32_t)length, .slot = members[m].slot};
            from = value + cell->length;
        } else if (!is_same_in_every_row(cell)) {
            return;
        } else if (members[m].slot >= 0) {
            head_cell *known = &head->cells[cells++];
            *known = (head_cell){.slot = (uint32_t)members[m].slot, .number = numbers, .cell = *cell};
            known->cell.offset -= (uint32_t)(from - page);
        }
    }
    if (numbers == 0) return;
    head->length = (uint32_t)(end - from);
    memcpy(text, from, head->length);
    head->number_count = numbers;
    head->cell_count = cells;
    head->after = after;
    head->is_known = 1;
    if (++head->number == NO_HEAD) head->number++;
}
