#include "encoder.h"
#include "isa.h"
#include "row_plan.h"
#include "times.h"

#include <stdlib.h>

// Cells become words: numbers that stand for a column's finished texts. A vocabulary is filled from outside, value by value, so
// that unescaping, masking and sealing are done once for each distinct value and not once for each row. Digits of counters
// and times of logs, which seldom repeat, are copied into the row as they stand.

enum { CONSTANT_KIND = 14, ROW_KIND = 15 };  // of words that come from no cell

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
        free(encoder->columns[c].prefix);
        free(encoder->columns[c].own);
    }
    cogni_vocabulary_release(encoder->words);
    free(encoder->columns);
    free(encoder->tails);
    free(encoder->null_text);
    free(encoder->ending);
    free(encoder);
}

void cogni_encoder_add_column(cogni_encoder *encoder, int32_t kind, int32_t level, int32_t slot, int32_t other_slot,
                              const uint8_t *prefix, uint32_t prefix_length) {
    encoder->columns = cogni_reallocate(encoder->columns, (encoder->count + 1) * sizeof(column));
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

// ---------------------------------------------------------------- filling the vocabulary

static int is_key(const cogni_encoder *encoder, uint32_t index) {
    for (uint32_t k = 0; k < encoder->key_count; k++) {
        if (encoder->keys[k] == index) return 1;
    }
    return 0;
}

// Whether values are copied into the row: counters and times of the row's own level that rows are not told apart by.
static int is_inline(const cogni_encoder *encoder, uint32_t index, uint32_t row_level) {
    const column *each = &encoder->columns[index];
    return (each->kind == COGNI_INT_COLUMN || each->kind == COGNI_TIME_COLUMN) && each->level == (int32_t)row_level &&
           !is_key(encoder, index);
}

// Starts a vocabulary; rows keep the one before.
static void renew(cogni_encoder *encoder) {
    line_column *columns = cogni_allocate(encoder->count * sizeof(line_column));
    for (uint32_t c = 0; c < encoder->count; c++) {
        column *each = &encoder->columns[c];
        each->own_word = each->is_own_known = each->yes_word = each->no_word = each->last_word = 0;
        if (each->kind == COGNI_ROW_COLUMN) each->row = UINT32_MAX;
        columns[c] = (line_column){each->prefix, each->prefix_length, each->place};
    }
    cogni_vocabulary_release(encoder->words);
    encoder->words = cogni_vocabulary_new(columns, encoder->count, encoder->keys, encoder->key_count, encoder->null_text,
                                          encoder->null_length, encoder->ending, encoder->ending_length);
    encoder->counted_bytes = 0;
    encoder->last_nulls = 0;
    encoder->last_template = 0;
    encoder->spells_nulls = 0;
    encoder->is_begun_in_row = 1;
    free(columns);
}

// Whether the next word goes to a new vocabulary. A row whose own texts are too many bytes would otherwise never end: each of them
// would put out those before it. So a vocabulary that was begun in a row takes what that row needs.
static int is_full(const cogni_encoder *encoder, uint32_t column_index) {
    return has_most_words(encoder->words, column_index) ||
           (encoder->words->bytes > MAX_WORD_BYTES && !encoder->is_begun_in_row);
}

static uint32_t add_word(cogni_encoder *encoder, uint32_t c, uint64_t hash, const uint8_t *raw, uint32_t raw_length,
                         uint32_t kind, const uint8_t *text, uint32_t length, const uint8_t *key, uint32_t key_length,
                         int64_t time) {
    return cogni_vocabulary_add(encoder->words, c, hash, raw, raw_length, kind, text, length, key, key_length, time);
}

void cogni_encoder_require(cogni_encoder *encoder, uint32_t column_index) {
    encoder->columns[column_index].is_required = 1;
}

void cogni_encoder_forget(cogni_encoder *encoder) {
    for (uint32_t c = 0; c < encoder->count; c++) encoder->columns[c].told = 0;
    if (encoder->words) renew(encoder);
}

void cogni_encoder_put(cogni_encoder *encoder, uint32_t column_index, uint32_t kind, const uint8_t *raw,
                       uint32_t raw_length, int32_t is_null, const uint8_t *text, uint32_t length, const uint8_t *key,
                       uint32_t key_length, int64_t time) {
    column *to = &encoder->columns[column_index];
    if (kind <= COGNI_NULL && to->is_required && (int32_t)column_index != encoder->time_column) {
        to->told |= 1u << kind;
        return;
    }
    if (is_full(encoder, column_index)) renew(encoder);
    if (is_null) {
        text = encoder->null_text;
        length = encoder->null_length;
        key = NULL;
    }
    add_word(encoder, column_index, hash_of(raw, raw_length, kind), raw, raw_length, kind, text, length, key, key_length, time);
}

static void own_text(column *to, int32_t is_null, const uint8_t *text, uint32_t length, const uint8_t *key,
                     uint32_t key_length) {
    size_t needed = (size_t)length + key_length;
    if (to->own_room < needed) {
        to->own_room = needed * 2;
        to->own = cogni_reallocate(to->own, to->own_room + 32);
    }
    if (length) memcpy(to->own, text, length);
    if (key_length) memcpy(to->own + length, key, key_length);
    to->own_is_null = is_null;
    to->own_length = length;
    to->own_key_length = key_length;
    to->is_own_known = 0;
}

void cogni_encoder_set_constant(cogni_encoder *encoder, uint32_t column_index, int32_t is_null, const uint8_t *text,
                                uint32_t length, const uint8_t *key, uint32_t key_length) {
    own_text(&encoder->columns[column_index], is_null, text, length, key, key_length);
}

void cogni_encoder_put_row(cogni_encoder *encoder, uint32_t column_index, uint32_t row, int32_t is_null,
                           const uint8_t *text, uint32_t length) {
    own_text(&encoder->columns[column_index], is_null, text, length, text, 0);
    encoder->columns[column_index].row = row;
}

// The word of a column's own text. 0 is null; UINT32_MAX: the vocabulary had to be renewed, begin the row again.
static uint32_t own_word(cogni_encoder *encoder, uint32_t c, uint32_t kind) {
    column *each = &encoder->columns[c];
    if (each->is_own_known) return each->own_word;
    each->own_word = 0;
    if (!each->own_is_null) {
        uint64_t hash = hash_of(each->own, each->own_length, kind);
        uint32_t number = find_word(&encoder->words->lists[c], hash, each->own, each->own_length, kind);
        if (!number && is_full(encoder, c)) {
            uint32_t row = each->row;
            renew(encoder);
            each->row = row;
            return UINT32_MAX;
        }
        each->own_word = number ? number
                                : add_word(encoder, c, hash, each->own, each->own_length, kind, each->own, each->own_length,
                                           each->own + each->own_length, each->own_key_length, 0);
    }
    each->is_own_known = 1;
    return each->own_word;
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

// Finds the word for a cell that is not null. Numbers, booleans and times of word columns are added here; other values that
// are not known are asked for (0). UINT32_MAX: the vocabulary is full, renew it and begin the row again.
__attribute__((always_inline)) static inline uint32_t cell_word(cogni_encoder *encoder, uint32_t c, cogni_cell cell, const uint8_t *raw) {
    column *each = &encoder->columns[c];
    vocabulary *words = encoder->words;
    const word_list *list = &words->lists[c];
    if (each->last_word) {
        const word *last = word_at(list, each->last_word);
        if (last->raw_length == cell.length && last->kind == cell.kind && cogni_same_text(last->raw, raw, cell.length))
            return each->last_word;
    }
    uint32_t *known = cell.kind == COGNI_TRUE ? &each->yes_word : &each->no_word;
    int is_boolean = each->kind == COGNI_BOOL_COLUMN && (cell.kind == COGNI_TRUE || cell.kind == COGNI_FALSE);
    if (is_boolean && *known) return *known;
    uint64_t hash = hash_of(raw, cell.length, cell.kind);
    uint32_t number = find_word(list, hash, raw, cell.length, cell.kind);
    if (number) return number;
    int64_t seconds = each->kind == COGNI_TIME_COLUMN && cell.kind == COGNI_INTEGER ? seconds_of(raw, cell.length) : -1;
    int is_number = each->kind == COGNI_INT_COLUMN && cell.kind == COGNI_INTEGER;
    if (!is_boolean && !is_number && seconds < 0) return 0;
    if (is_full(encoder, c)) return UINT32_MAX;
    if (seconds >= 0) {
        uint8_t text[24];
        time_text(seconds, text);
        const uint8_t *start = encoder->quoted_times ? text : text + 1;
        return add_word(encoder, c, hash, raw, cell.length, cell.kind, start, encoder->quoted_times ? 22 : 20, text + 1, 20,
                        seconds);
    }
    number = add_word(encoder, c, hash, raw, cell.length, cell.kind, raw, cell.length, raw, cell.length, 0);
    if (is_boolean) *known = number;
    return number;
}

// ---------------------------------------------------------------- rows that end alike

// What the row's tail becomes, if that is known; else where to put it, or null.
static inline encoded_tail *tail_of(cogni_encoder *encoder, const cogni_scan *scan, uint32_t row) {
    const uint32_t number = cogni_scan_tail_number(scan, row);
    if (number == NO_TAIL) return NULL;
    if (encoder->tail_serial != scan->tails->serial || encoder->tail_words != encoder->words->serial ||
        encoder->tail_nulls_are_spelled != encoder->spells_nulls) {
        if (encoder->tail_room) memset(encoder->tails, 0, encoder->tail_room * sizeof(encoded_tail));
        encoder->tail_serial = scan->tails->serial;
        encoder->tail_words = encoder->words->serial;
        encoder->tail_nulls_are_spelled = encoder->spells_nulls;
    }
    if (number >= encoder->tail_room) {
        const uint32_t room = scan->tails->room;
        encoder->tails = cogni_reallocate(encoder->tails, room * sizeof(encoded_tail));
        memset(encoder->tails + encoder->tail_room, 0, (room - encoder->tail_room) * sizeof(encoded_tail));
        encoder->tail_room = room;
    }
    return &encoder->tails[number];
}

// Keeps what the columns of a row's tail have become. A column that is told of when it is null, that places the row in time, or
// that is copied into the row stays with those that are looked at row by row.
static void keep_tail(const cogni_encoder *encoder, encoded_tail *kept, const row_tail *tail, uint32_t row_level, const cogni_cell *cells,
                      const uint32_t *numbers) {
    kept->is_known = 1;
    kept->is_whole = encoder->count <= 64;
    for (uint32_t c = 0; c < encoder->count && c < 64 && kept->count < TAIL_CELLS; c++) {
        const column *each = &encoder->columns[c];
        if (each->level != (int32_t)row_level || each->kind == COGNI_ROW_COLUMN) continue;
        int is_inside = 0, is_other_inside = 0;
        for (uint32_t i = 0; i < tail->count; i++) {
            is_inside |= tail->slots[i] == each->slot;
            is_other_inside |= tail->slots[i] == each->other_slot;
        }
        if (!is_inside && !is_other_inside) continue;
        if (!is_inside || each->place < 0 || (int32_t)c == encoder->time_column ||
            (cells[each->slot].kind <= COGNI_NULL && each->is_required)) {
            kept->is_whole = 0;
            continue;
        }
        const uint32_t number = numbers[each->place];
        kept->columns |= 1ull << c;
        kept->numbers[kept->count] = number;
        kept->places[kept->count++] = (uint16_t)each->place;
        if (number) kept->length += word_at(&encoder->words->lists[c], number)->length;
        else if (leaves_out(encoder, c)) kept->nulls |= 1ull << c;
        else kept->length += encoder->null_length;
    }
    // Where the places are used up, there may be more.
    if (kept->count == TAIL_CELLS) kept->is_whole = 0;
}

COGNI_CLONED int32_t cogni_encode(cogni_encoder *encoder, const cogni_scan *scan, uint32_t first_row, int64_t partition,
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
    row_plan plan = {.head = NO_HEAD};
    if (!encoder->words) {
        int32_t places = 0;
        for (uint32_t c = 0; c < count; c++) {
            encoder->columns[c].place = is_inline(encoder, c, row_level) ? AN_INLINE : places++;
        }
        renew(encoder);
    }
    segment *to = cogni_run_segment(run, encoder->words);
    size_t room = sizeof(row_header) + count * (size_t)(4 + 1 + MAX_INLINE);
    int32_t outcome = COGNI_ENCODED;

    for (uint32_t row = first_row; row < rows; row++) {
        levels[row_level] = cogni_scan_row(scan, row);
        if (!encoder->has_stopped || encoder->stopped_row != row) encoder->is_begun_in_row = 0;
        encoder->has_stopped = 0;
        while (extra < extra_count && extras[extra].row < row) extra++;
        int has_extras = extra < extra_count && extras[extra].row == row;
        int64_t time = 0;
        int is_again = 0;
    again:
        if (is_again) {
            run->word_bytes += encoder->words->bytes - encoder->counted_bytes;
            renew(encoder);
            to = cogni_run_segment(run, encoder->words);
        }
        is_again = 1;
        uint8_t *record = cogni_segment_reserve(to, room);
        uint32_t *numbers = (uint32_t *)(void *)(record + sizeof(row_header));
        uint8_t *start = (uint8_t *)(numbers + encoder->words->word_places), *inlined = start;
        uint32_t length = 0;
        uint64_t nulls = 0, done = 0;
        encoded_tail *tail = tail_of(encoder, scan, row);
        const uint32_t head = has_extras ? NO_HEAD : cogni_scan_head_number(scan, row);
        if (head != NO_HEAD && fits(&plan, encoder, head, tail)) {
            const size_t size = write_by_plan(&plan, encoder, tail, page, levels[row_level], record);
            if (size > 0) {
                cogni_segment_commit(to, record, size);
                run->count++;
                continue;
            }
        }
        if (tail && tail->is_known) {
            done = tail->columns;
            nulls = tail->nulls;
            length = tail->length;
            for (uint32_t i = 0; i < tail->count; i++) numbers[tail->places[i]] = tail->numbers[i];
        }

        for (uint32_t c = 0; c < count; c++) {
            if (c < 64 && (done >> c & 1)) continue;
            column *each = &encoder->columns[c];
            uint32_t number = 0;
            if (each->level < 0) {
                number = own_word(encoder, c, CONSTANT_KIND);
                if (number == UINT32_MAX) goto renewed;
            } else if (each->kind == COGNI_ROW_COLUMN) {
                if (has_extras) {
                    if (each->row != row) {
                        *stop = (cogni_stop){row, c, 0, absent};
                        outcome = COGNI_UNKNOWN;
                        goto out;
                    }
                    number = own_word(encoder, c, ROW_KIND);
                    if (number == UINT32_MAX) goto renewed;
                }
            } else {
                cogni_cell cell = levels[each->level][each->slot];
                if (cell.kind == COGNI_ABSENT && each->other_slot >= 0) cell = levels[each->level][each->other_slot];
                const uint8_t *raw = page + cell.offset;
                int is_null = cell.kind <= COGNI_NULL && (int32_t)c != encoder->time_column;
                if (is_null && each->is_required && !(each->told >> cell.kind & 1)) {
                    cell.length = 0;  // neither has a text of its own
                    *stop = (cogni_stop){row, c, 0, cell};
                    outcome = COGNI_UNKNOWN;
                    goto out;
                }
                if (each->place == AN_INLINE) {
                    if (!is_null) {
                        if (cell.kind == COGNI_INTEGER && each->kind == COGNI_INT_COLUMN && cell.length <= MAX_INLINE) {
                            *inlined = (uint8_t)cell.length;
                            memcpy(inlined + 1, raw, 32);  // behind the page there is room to read, behind the row to write
                            inlined += 1 + cell.length;
                            length += cell.length;
                            continue;
                        }
                        int64_t seconds = cell.kind == COGNI_INTEGER && each->kind == COGNI_TIME_COLUMN
                                              ? seconds_of(raw, cell.length) : -1;
                        if (seconds >= 0) {
                            uint8_t text[24];
                            time_text(seconds, text);
                            *inlined = encoder->quoted_times ? 22 : 20;
                            memcpy(inlined + 1, encoder->quoted_times ? text : text + 1, *inlined);
                            length += *inlined;
                            inlined += 1 + *inlined;
                            if ((int32_t)c == encoder->time_column) time = seconds;
                            continue;
                        }
                        number = cell_word(encoder, c, cell, raw);
                        if (number == UINT32_MAX) goto again;
                        if (!number) {
                            *stop = (cogni_stop){row, c, 0, cell};
                            outcome = COGNI_UNKNOWN;
                            goto out;
                        }
                        if (!word_at(&encoder->words->lists[c], number)->key) number = 0;  // masked away
                    }
                    if (!number && leaves_out(encoder, c)) {
                        nulls |= 1ull << c;
                        continue;
                    }
                    const word *value = number ? word_at(&encoder->words->lists[c], number) : NULL;
                    *inlined = A_WORD;
                    memcpy(inlined + 1, &number, 4);
                    memcpy(inlined + 5, &c, 4);
                    inlined += 9;
                    length += value ? value->length : encoder->null_length;
                    if (value && (int32_t)c == encoder->time_column) time = value->time;
                    continue;
                }
                if (!is_null) {
                    number = cell_word(encoder, c, cell, raw);
                    if (number == UINT32_MAX) goto again;
                    if (!number) {
                        *stop = (cogni_stop){row, c, 0, cell};
                        outcome = COGNI_UNKNOWN;
                        goto out;
                    }
                    if (each->level < (int32_t)row_level) each->last_word = number;
                    if (!word_at(&encoder->words->lists[c], number)->key) number = 0;  // masked away
                }
            }
            numbers[each->place] = number;
            if (number) {
                const word *value = word_at(&encoder->words->lists[c], number);
                length += value->length;
                if ((int32_t)c == encoder->time_column) time = value->time;
            } else if (leaves_out(encoder, c)) {
                nulls |= 1ull << c;
            } else {
                length += encoder->null_length;
            }
        }

        if (encoder->unit != COGNI_UNIT_NONE) {
            int64_t place = partition_of(encoder, time);
            if (place != partition) {
                *stop = (cogni_stop){row, 0, place, absent};
                outcome = COGNI_PARTITION;
                goto out;
            }
        }
        if (nulls != encoder->last_nulls) {
            uint32_t found = cogni_vocabulary_template(encoder->words, nulls);
            if (found == 0 && nulls != 0) {
                // Too many kinds of rows: from here on nulls are written out like values.
                encoder->spells_nulls = 1;
                is_again = 0;
                goto again;
            }
            encoder->last_nulls = nulls;
            encoder->last_template = found;
        }
        row_header *header = (row_header *)(void *)record;
        header->time = time;
        header->line_length = encoder->words->templates[encoder->last_template]->fixed + length;
        header->template = (uint16_t)encoder->last_template;
        header->inline_length = (uint16_t)(inlined - start);
        if (tail && !tail->is_known) {
            keep_tail(encoder, tail, cogni_scan_tail(scan, cogni_scan_tail_number(scan, row)), row_level, levels[row_level], numbers);
        }
        if (head != NO_HEAD && tail->is_whole && !is_planned(&plan, encoder, head)) {
            cogni_plan_rows(&plan, encoder, tail, head, row_level, levels[row_level], numbers, header->time);
        }
        cogni_segment_commit(to, record, (size_t)(inlined - record));
        run->count++;
        continue;

    renewed:
        // own_word has renewed the vocabulary already.
        to = cogni_run_segment(run, encoder->words);
        is_again = 0;
        goto again;
    }
    // Row columns belong to rows of this batch only.
    for (uint32_t c = 0; c < count; c++) encoder->columns[c].row = UINT32_MAX;
    stop->row = rows;
out:
    run->word_bytes += encoder->words->bytes - encoder->counted_bytes;
    encoder->counted_bytes = encoder->words->bytes;
    encoder->has_stopped = outcome != COGNI_ENCODED;
    encoder->stopped_row = stop->row;
    return outcome;
}
