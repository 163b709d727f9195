#include "isa.h"
#include "run.h"

#include <stdlib.h>

// Rows in words become lines and keys again.

// Copies by vectors of 32 bytes, and so reads and writes up to 31 bytes too many: both sides have room for that.
static inline uint8_t *put(uint8_t *out, const uint8_t *bytes, uint32_t length) {
    memcpy(out, bytes, 32);
    for (uint32_t at = 32; at < length; at += 32) memcpy(out + at, bytes + at, 32);
    return out + length;
}

COGNI_CLONED uint8_t *cogni_row_line(const vocabulary *words, const uint8_t *record, uint8_t *out) {
    const row_header *row = row_of(record);
    const uint32_t *numbers = words_of(record);
    const uint8_t *inlined = (const uint8_t *)(numbers + words->word_places);
    const line_template *shape = words->templates[row->template];
    for (const template_step *step = shape->steps;; step++) {
        out = put(out, step->text, step->length);
        if (step->item >= 0) {
            uint32_t number = numbers[step->item];
            if (number) {
                const word *value = word_at(&words->lists[words->column_of[step->item]], number);
                out = put(out, value->text, value->length);
            } else {
                out = put(out, words->null_text, words->null_length);
            }
        } else if (step->item == AN_INLINE) {
            uint8_t length = *inlined++;
            if (length != A_WORD) {
                out = put(out, inlined, length);
                inlined += length;
            } else {
                uint32_t number, column;
                memcpy(&number, inlined, 4);
                memcpy(&column, inlined + 4, 4);
                inlined += 8;
                if (number) {
                    const word *value = word_at(&words->lists[column], number);
                    out = put(out, value->text, value->length);
                } else {
                    out = put(out, words->null_text, words->null_length);
                }
            }
        } else {
            return out;
        }
    }
}

// Each part of a key: 1 for null, or 2, the text and 0. Keys never hold bytes below 0x20 of their own, so null comes first, a
// shorter text before a longer one, and no key is the beginning of another.

uint32_t cogni_row_key_length(const vocabulary *words, const uint8_t *record) {
    uint32_t length = 0;
    for (uint32_t k = 0; k < words->key_count; k++) {
        const word *part = key_word(words, record, k);
        length += part && part->key ? part->key_length + 2 : 1;
    }
    return length;
}

uint8_t *cogni_row_key(const vocabulary *words, const uint8_t *record, uint8_t *out) {
    for (uint32_t k = 0; k < words->key_count; k++) {
        const word *part = key_word(words, record, k);
        if (!part || !part->key) {
            *out++ = 1;
            continue;
        }
        *out++ = 2;
        memcpy(out, part->key, part->key_length);
        out += part->key_length;
        *out++ = 0;
    }
    return out;
}

int cogni_row_compare(const vocabulary *words, const uint8_t *a, const uint8_t *b, uint32_t from_key_column) {
    for (uint32_t k = from_key_column; k < words->key_count; k++) {
        uint32_t place = words->key_places[k];
        if (words_of(a)[place] == words_of(b)[place]) continue;
        const word *x = key_word(words, a, k), *y = key_word(words, b, k);
        int has_x = x && x->key, has_y = y && y->key;
        if (!has_x || !has_y) {
            if (has_x != has_y) return has_x ? 1 : -1;
            continue;
        }
        int order = memcmp(x->key, y->key, x->key_length < y->key_length ? x->key_length : y->key_length);
        if (order) return order;
        if (x->key_length != y->key_length) return x->key_length < y->key_length ? -1 : 1;
    }
    return 0;
}

int cogni_row_same_line(const vocabulary *words, const uint8_t *a, const uint8_t *b) {
    const row_header *x = row_of(a), *y = row_of(b);
    if (x->line_length != y->line_length) return 0;
    if (x->template == y->template && x->inline_length == y->inline_length &&
        memcmp(words_of(a), words_of(b), words->word_places * sizeof(uint32_t) + x->inline_length) == 0)
        return 1;
    // Other words may still have the same text: 1e2 and 100.
    uint8_t *lines = cogni_allocate((size_t)x->line_length * 2 + 128);
    uint8_t *second = lines + x->line_length + 64;
    cogni_row_line(words, a, lines);
    cogni_row_line(words, b, second);
    int is_same = memcmp(lines, second, x->line_length) == 0;
    free(lines);
    return is_same;
}
