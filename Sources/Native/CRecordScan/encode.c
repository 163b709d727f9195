#include "dictionary.h"
#include "run.h"
#include "shape.h"
#include "times.h"

#include <stdlib.h>
#include <string.h>

// Cells become the text of a line by copying: numbers as they stand, everything that needs thought by a
// dictionary from raw bytes to finished text. The dictionary is filled from outside, value by value, so that
// unescaping, masking and sealing are done once for each distinct value and not once for each row.

typedef struct {
    const uint8_t *text;
    uint32_t length;
    const uint8_t *key;  // null: the value is null
    uint32_t key_length;
} piece;

typedef struct {
    int32_t kind, level, slot, other_slot;
    uint8_t *prefix;
    uint32_t prefix_length;
    dictionary words;
    // Constant columns, and row columns for `row`.
    uint8_t *own;
    size_t own_room;
    piece own_piece;
    uint32_t row;
    // The last time seen and its text: rows of a bucket share it.
    int64_t time;
    uint8_t time_text[24];
    int has_time;
    int is_required;
} column;

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
    piece *pieces;
    // Calendar month of the last day asked for.
    int64_t month_day, month;
};

static uint8_t *copied(const uint8_t *bytes, size_t length) {
    uint8_t *copy = cogni_allocate(length);
    memcpy(copy, bytes, length);
    return copy;
}

cogni_encoder *cogni_encoder_new(int32_t quoted_times, const uint8_t *null_text, uint32_t null_length,
                                 const uint8_t *ending, uint32_t ending_length) {
    cogni_encoder *encoder = cogni_allocate(sizeof *encoder);
    memset(encoder, 0, sizeof *encoder);
    encoder->quoted_times = quoted_times;
    encoder->null_text = copied(null_text, null_length);
    encoder->null_length = null_length;
    encoder->ending = copied(ending, ending_length);
    encoder->ending_length = ending_length;
    encoder->time_column = -1;
    encoder->month_day = INT64_MIN;
    return encoder;
}

void cogni_encoder_free(cogni_encoder *encoder) {
    for (uint32_t c = 0; c < encoder->count; c++) {
        column *each = &encoder->columns[c];
        free(each->prefix);
        free(each->own);
        free(each->words.entries);
        free(each->words.slots);
        free(each->words.bytes);
    }
    free(encoder->columns);
    free(encoder->pieces);
    free(encoder->null_text);
    free(encoder->ending);
    free(encoder);
}

void cogni_encoder_add_column(cogni_encoder *encoder, int32_t kind, int32_t level, int32_t slot, int32_t other_slot,
                              const uint8_t *prefix, uint32_t prefix_length) {
    encoder->columns = cogni_reallocate(encoder->columns, (encoder->count + 1) * sizeof(column));
    encoder->pieces = cogni_reallocate(encoder->pieces, (encoder->count + 1) * sizeof(piece));
    column *added = &encoder->columns[encoder->count++];
    memset(added, 0, sizeof *added);
    added->kind = kind;
    added->level = level;
    added->slot = slot;
    added->other_slot = other_slot;
    added->prefix = copied(prefix, prefix_length);
    added->prefix_length = prefix_length;
    added->row = UINT32_MAX;
}

void cogni_encoder_add_key(cogni_encoder *encoder, uint32_t column_index) {
    if (encoder->key_count == 64) abort();
    encoder->keys[encoder->key_count++] = column_index;
}

void cogni_encoder_set_time(cogni_encoder *encoder, uint32_t column_index, int32_t unit) {
    encoder->time_column = (int32_t)column_index;
    encoder->unit = unit;
}

static void own_text(cogni_encoder *encoder, column *to, int32_t is_null, const uint8_t *text, uint32_t length,
                     const uint8_t *key, uint32_t key_length) {
    if (is_null) {
        to->own_piece = (piece){encoder->null_text, encoder->null_length, NULL, 0};
        return;
    }
    size_t needed = (size_t)length + key_length;
    if (to->own_room < needed) {
        to->own_room = needed * 2;
        to->own = cogni_reallocate(to->own, to->own_room);
    }
    memcpy(to->own, text, length);
    memcpy(to->own + length, key, key_length);
    to->own_piece = (piece){to->own, length, to->own + length, key_length};
}

void cogni_encoder_set_constant(cogni_encoder *encoder, uint32_t column_index, int32_t is_null, const uint8_t *text,
                                uint32_t length, const uint8_t *key, uint32_t key_length) {
    own_text(encoder, &encoder->columns[column_index], is_null, text, length, key, key_length);
}

void cogni_encoder_require(cogni_encoder *encoder, uint32_t column_index) {
    encoder->columns[column_index].is_required = 1;
}

void cogni_encoder_put_row(cogni_encoder *encoder, uint32_t column_index, uint32_t row, int32_t is_null,
                           const uint8_t *text, uint32_t length) {
    own_text(encoder, &encoder->columns[column_index], is_null, text, length, text, 0);
    encoder->columns[column_index].row = row;
}

// ---------------------------------------------------------------- filling the dictionaries

void cogni_encoder_put(cogni_encoder *encoder, uint32_t column_index, uint32_t kind, const uint8_t *raw,
                       uint32_t raw_length, int32_t is_null, const uint8_t *text, uint32_t length, const uint8_t *key,
                       uint32_t key_length, int64_t time) {
    dictionary *words = &encoder->columns[column_index].words;
    if (words->count >= MAX_ENTRIES || words->used > MAX_BYTES) {
        words->count = 0;
        words->used = 0;
        if (words->room > 2 * MAX_BYTES) {
            free(words->bytes);
            words->bytes = NULL;
            words->room = 0;
        }
        memset(words->slots, 0, ((size_t)words->slot_mask + 1) * sizeof(uint32_t));
    }
    if (words->count == words->capacity) {
        words->capacity = words->capacity ? words->capacity * 2 : 32;
        words->entries = cogni_reallocate(words->entries, words->capacity * sizeof(dictionary_entry));
        words->slot_mask = words->capacity * 2 - 1;
        words->slots = cogni_reallocate(words->slots, ((size_t)words->slot_mask + 1) * sizeof(uint32_t));
        memset(words->slots, 0, ((size_t)words->slot_mask + 1) * sizeof(uint32_t));
        for (uint32_t i = 0; i < words->count; i++) index_entry(words, i);
    }
    dictionary_entry *entry = &words->entries[words->count];
    entry->hash = hash_of(raw, raw_length, kind);
    entry->raw = keep(words, raw, raw_length);
    entry->raw_length = raw_length;
    entry->kind = kind;
    entry->text = keep(words, text, length);
    entry->length = length;
    entry->key = keep(words, key, key_length);
    entry->key_length = key_length;
    entry->is_null = is_null;
    entry->time = time;
    index_entry(words, words->count++);
}

// ---------------------------------------------------------------- rows

static int64_t partition_of(cogni_encoder *encoder, int64_t seconds) {
    int64_t day = seconds >= 0 ? seconds / 86400 : -((86399 - seconds) / 86400);
    if (encoder->unit == COGNI_UNIT_DAY) return day;
    if (day != encoder->month_day) {
        int64_t year, month, day_of_month;
        civil(day, &year, &month, &day_of_month);
        encoder->month_day = day;
        encoder->month = (year - 1970) * 12 + month - 1;
    }
    return encoder->month;
}

int32_t cogni_encode(cogni_encoder *encoder, const cogni_scan *scan, uint32_t first_row, int64_t partition,
                     cogni_run *run, cogni_stop *stop) {
    uint32_t rows = cogni_scan_rows(scan), count = encoder->count;
    uint32_t extra_count = cogni_scan_extra_count(scan), extra = 0;
    const cogni_extra *extras = cogni_scan_extras(scan);
    if (first_row > 0 && extra_count > 0) {
        // Extras stand in the order of rows.
        uint32_t low = 0, high = extra_count;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (extras[middle].row < first_row) low = middle + 1;
            else high = middle;
        }
        extra = low;
    }
    const cogni_cell *levels[COGNI_MAX_LEVELS] = {0};
    const uint8_t *page = cogni_scan_bytes(scan);
    uint32_t row_level = cogni_scan_levels(scan) - 1;
    for (uint32_t l = 0; l < row_level; l++) levels[l] = cogni_scan_level(scan, l);
    static const cogni_cell absent = {0, 0, COGNI_ABSENT};
    const piece null_piece = {encoder->null_text, encoder->null_length, NULL, 0};
    static const uint8_t yes[] = "true", no[] = "false";

    for (uint32_t row = first_row; row < rows; row++) {
        levels[row_level] = cogni_scan_row(scan, row);
        while (extra < extra_count && extras[extra].row < row) extra++;
        int has_extras = extra < extra_count && extras[extra].row == row;
        int64_t time = 0;
        size_t line_length = encoder->ending_length;

        for (uint32_t c = 0; c < count; c++) {
            column *each = &encoder->columns[c];
            piece found;
            if (each->level < 0) {
                found = each->own_piece;
            } else if (each->kind == COGNI_ROW_COLUMN) {
                if (!has_extras) {
                    found = null_piece;
                } else if (each->row == row) {
                    found = each->own_piece;
                } else {
                    *stop = (cogni_stop){row, c, 0, absent};
                    return COGNI_UNKNOWN;
                }
            } else {
                cogni_cell cell = levels[each->level][each->slot];
                if (cell.kind == COGNI_ABSENT && each->other_slot >= 0) cell = levels[each->level][each->other_slot];
                const uint8_t *raw = page + cell.offset;
                int is_known = 0;
                if (cell.kind <= COGNI_NULL) {
                    found = null_piece;
                    is_known = (int32_t)c != encoder->time_column && !each->is_required;
                    cell.length = 0;  // null and absence have no text of their own in a dictionary
                } else if (each->kind == COGNI_INT_COLUMN && cell.kind == COGNI_INTEGER) {
                    found = (piece){raw, cell.length, raw, cell.length};
                    is_known = 1;
                } else if (each->kind == COGNI_BOOL_COLUMN && (cell.kind == COGNI_TRUE || cell.kind == COGNI_FALSE)) {
                    const uint8_t *word = cell.kind == COGNI_TRUE ? yes : no;
                    uint32_t length = cell.kind == COGNI_TRUE ? 4 : 5;
                    found = (piece){word, length, word, length};
                    is_known = 1;
                } else if (each->kind == COGNI_TIME_COLUMN && cell.kind == COGNI_INTEGER) {
                    int64_t seconds = seconds_of(raw, cell.length);
                    if (seconds >= 0) {
                        if (!each->has_time || each->time != seconds) {
                            time_text(seconds, each->time_text);
                            each->time = seconds;
                            each->has_time = 1;
                        }
                        found = encoder->quoted_times ? (piece){each->time_text, 22, each->time_text + 1, 20}
                                                      : (piece){each->time_text + 1, 20, each->time_text + 1, 20};
                        if ((int32_t)c == encoder->time_column) time = seconds;
                        is_known = 1;
                    }
                }
                if (!is_known) {
                    const dictionary *words = &each->words;
                    const dictionary_entry *entry =
                        find(words, hash_of(raw, cell.length, cell.kind), raw, cell.length, cell.kind);
                    if (!entry) {
                        *stop = (cogni_stop){row, c, 0, cell};
                        return COGNI_UNKNOWN;
                    }
                    found = entry->is_null ? null_piece
                                           : (piece){words->bytes + entry->text, entry->length,
                                                     words->bytes + entry->key, entry->key_length};
                    if ((int32_t)c == encoder->time_column) time = entry->time;
                }
            }
            encoder->pieces[c] = found;
            line_length += each->prefix_length + found.length;
        }

        if (encoder->unit != COGNI_UNIT_NONE) {
            int64_t place = partition_of(encoder, time);
            if (place != partition) {
                *stop = (cogni_stop){row, 0, place, absent};
                return COGNI_PARTITION;
            }
        }
        size_t key_length = 0;
        for (uint32_t k = 0; k < encoder->key_count; k++) key_length += encoder->pieces[encoder->keys[k]].key_length + 2;
        // Each part of the key: 1 for null, or 2, the text and 0. Keys never hold bytes below 0x20 of their own,
        // so null comes first, a shorter text before a longer one, and no key is the beginning of another.
        for (uint32_t k = 0; k < encoder->key_count; k++) key_length -= encoder->pieces[encoder->keys[k]].key == NULL;
        uint8_t *out = cogni_run_reserve(run, (uint32_t)key_length, (uint32_t)line_length, time);
        for (uint32_t k = 0; k < encoder->key_count; k++) {
            const piece *part = &encoder->pieces[encoder->keys[k]];
            if (!part->key) {
                *out++ = 1;
                continue;
            }
            *out++ = 2;
            memcpy(out, part->key, part->key_length);
            out += part->key_length;
            *out++ = 0;
        }
        for (uint32_t c = 0; c < count; c++) {
            const column *each = &encoder->columns[c];
            memcpy(out, each->prefix, each->prefix_length);
            out += each->prefix_length;
            memcpy(out, encoder->pieces[c].text, encoder->pieces[c].length);
            out += encoder->pieces[c].length;
        }
        memcpy(out, encoder->ending, encoder->ending_length);
    }
    // Row columns belong to rows of this batch only.
    for (uint32_t c = 0; c < count; c++) encoder->columns[c].row = UINT32_MAX;
    stop->row = rows;
    return COGNI_ENCODED;
}
