#include "totals.h"

#include "repeats.h"
#include "shape.h"

#include <stdlib.h>
#include <string.h>

// Walks finished lines once more, on their way into a file: the shape is known (our own columns in our own order), so
// that a cell is found by its prefix, and most of a line is stepped over.

cogni_totals *cogni_totals_new(int32_t is_csv, int32_t is_strict) {
    cogni_totals *totals = cogni_allocate(sizeof *totals);
    memset(totals, 0, sizeof *totals);
    totals->is_csv = is_csv;
    totals->is_strict = is_strict;
    return totals;
}

void cogni_totals_free(cogni_totals *totals) {
    for (uint32_t c = 0; c < totals->count; c++) {
        free((void *)(uintptr_t)totals->columns[c].prefix);
        exact_sum_free(&totals->columns[c].sum);
        free(totals->columns[c].looked_at.notes);
    }
    for (uint32_t s = 0; s < totals->set_count; s++) cogni_set_free(&totals->sets[s]);
    cogni_repeats_free(totals->repeats);
    free(totals->templates);
    free(totals->inline_keys);
    free(totals->columns);
    free(totals->sets);
    free(totals);
}

void cogni_totals_add_column(cogni_totals *totals, const uint8_t *prefix, uint32_t length, int32_t is_number) {
    totals->columns = cogni_reallocate(totals->columns, (totals->count + 1) * sizeof(total));
    total *added = &totals->columns[totals->count++];
    memset(added, 0, sizeof *added);
    uint8_t *copy = cogni_allocate(length + 1);
    if (length) memcpy(copy, prefix, length);
    added->prefix = copy;
    added->prefix_length = length;
    added->is_number = is_number;
}

uint32_t cogni_totals_collect(cogni_totals *totals, uint32_t column, int32_t ending) {
    totals->sets = cogni_reallocate(totals->sets, (totals->set_count + 1) * sizeof(value_set));
    value_set *added = &totals->sets[totals->set_count];
    memset(added, 0, sizeof *added);
    added->column = column;
    added->ending = ending;
    return totals->set_count++;
}

void cogni_totals_protect(cogni_totals *totals, uint32_t column, int32_t protection) {
    totals->columns[column].protection = protection;
    if (protection != COGNI_OPEN) totals->is_protected = 1;
}

void cogni_totals_restart(cogni_totals *totals) {
    for (uint32_t c = 0; c < totals->count; c++) {
        totals->columns[c].nulls = 0;
        totals->columns[c].plain = 0;
        totals->columns[c].plain_values = 0;
        exact_sum_restart(&totals->columns[c].sum);
    }
    for (uint32_t s = 0; s < totals->set_count; s++) cogni_set_restart(&totals->sets[s]);
    if (totals->repeats) cogni_repeats_restart(totals->repeats);
}

int32_t cogni_totals_find_repeats(cogni_totals *totals) {
    totals->repeats = cogni_repeats_new(totals);
    return totals->repeats != NULL;
}

const cogni_repeat *cogni_totals_repeats(cogni_totals *totals, uint32_t *count) {
    *count = 0;
    return totals->repeats ? cogni_repeats_found(totals->repeats, count) : NULL;
}

// ---------------------------------------------------------------- lines

// One past the closing quote of the JSON string whose first byte after the opening quote is at `at`; NULL: not in here.
static const uint8_t *string_end(const uint8_t *at, const uint8_t *end) {
    while (at < end) {
#if defined(__SSE2__)
        while (at + 16 <= end) {
            const __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
            const __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                                              _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
            const int mask = _mm_movemask_epi8(stop);
            if (mask) {
                at += __builtin_ctz((unsigned)mask);
                break;
            }
            at += 16;
        }
        if (at >= end) return NULL;
#endif
        if (*at == '"') return at + 1;
        at += *at == '\\' ? 2 : 1;
    }
    return NULL;
}

static const uint8_t *json_end(const uint8_t *at, const uint8_t *end) {
    if (at >= end) return NULL;
    if (*at == '"') return string_end(at + 1, end);
    if (*at != '{' && *at != '[') {
        while (at < end && *at != ',' && *at != '}') at++;
        return at < end ? at : NULL;
    }
    uint32_t depth = 0;
    while (at < end) {
        uint8_t byte = *at++;
        if (byte == '"') {
            at = string_end(at, end);
            if (!at) return NULL;
        } else if (byte == '{' || byte == '[') {
            depth++;
        } else if (byte == '}' || byte == ']') {
            if (--depth == 0) return at;
        }
    }
    return NULL;
}

static const uint8_t *csv_end(const uint8_t *at, const uint8_t *end) {
    if (at < end && *at == '"') {
        for (at++; at < end; at++) {
            if (*at != '"') continue;
            if (at + 1 >= end) return NULL;  // doubled or the last one: the byte behind it says
            if (at[1] != '"') return at + 1;
            at++;
        }
        return NULL;
    }
    while (at < end && *at != ',' && *at != '\n') at++;
    return at < end ? at : NULL;
}

static int has_prefix(const cogni_totals *totals, const total *each, const uint8_t *at) {
    uint32_t length = each->prefix_length;
    if (totals->is_strict || length < 8) return memcmp(at, each->prefix, length) == 0;
    uint64_t wanted, found;
    memcpy(&wanted, each->prefix + length - 8, 8);
    memcpy(&found, at + length - 8, 8);
    return wanted == found;
}

// Adds the plain decimal at `at`, which ends where its cell does. Most have few digits; those take no second look.
static void add_number(exact_sum *sum, const uint8_t *at, const uint8_t *end) {
    const uint8_t *start = at;
    int is_negative = at < end && *at == '-';
    at += is_negative;
    int64_t value = 0;
    uint32_t digits = 0, scale = 0;
    const uint8_t *point = NULL;
    for (; at < end; at++) {
        uint8_t digit = (uint8_t)(*at - '0');
        if (digit < 10) {
            if (++digits > 18) break;
            value = value * 10 + digit;
        } else if (*at == '.' && !point && digits) {
            point = at;
        } else {
            break;
        }
    }
    if (point) scale = (uint32_t)(at - point - 1);
    if (at == end && digits && (!point || scale)) exact_sum_add_small(sum, is_negative ? -value : value, scale);
    else exact_sum_add_text(sum, start, (size_t)(end - start));
}


void cogni_total_add_cell(total *each, const uint8_t *cell, const uint8_t *end) {
    int is_quoted = *cell == '"' && end - cell >= 2;
    add_number(&each->sum, cell + is_quoted, end - is_quoted);
}

void cogni_total_settle(total *each) {
    if (each->plain_values == 0) return;
    exact_sum_add_whole(&each->sum, each->plain, each->plain_values);
    each->plain = 0;
    each->plain_values = 0;
}

int cogni_total_is_bare(const total *each, const uint8_t *cell, uint32_t length) {
    if (length && *cell == '"') cell++, length--;
    if (each->protection == COGNI_SEALED) return !(length > 5 && memcmp(cell, "ef1.", 4) == 0);
    if (each->protection == COGNI_MASKED) {
        for (uint32_t at = 0; at + 3 <= length; at++) {
            if (memcmp(cell + at, "\xE2\x80\xA6", 3) == 0) return 0;
        }
    }
    return each->protection != COGNI_OPEN;
}

static void collect_line(cogni_totals *totals) {
    for (uint32_t s = 0; s < totals->set_count; s++) {
        const total *each = &totals->columns[totals->sets[s].column];
        int32_t ending = totals->sets[s].ending;
        if (!each->is_null)
            cogni_set_count(&totals->sets[s], cogni_set_find(&totals->sets[s], each->cell, each->cell_length),
                            ending < 0 || totals->columns[ending].is_null);
    }
}

// One line of NDJSON, which ends before `end`. Returns one past its line feed; NULL: it is none of ours.
static const uint8_t *take_json_line(cogni_totals *totals, const uint8_t *at, const uint8_t *end) {
    for (uint32_t c = 0; c < totals->count; c++) {
        total *each = &totals->columns[c];
        if ((size_t)(end - at) < each->prefix_length + 3 || !has_prefix(totals, each, at)) return NULL;
        at += each->prefix_length;
        const uint8_t *cell = at;
        each->is_null = 0;
        if (*at == 'n') {
            if (end - at < 6 || memcmp(at, "null", 4) != 0) return NULL;
            at += 4;
            each->nulls++;
            each->is_null = 1;
            continue;
        }
        if (each->is_number && *at != '"') {
            // Nearly all are whole numbers of few digits.
            uint64_t value = 0, digit;
            while ((digit = (uint64_t)*at - '0') < 10 && at - cell < 17) {
                value = value * 10 + digit;
                at++;
            }
            if ((*at == ',' || *at == '}') && at > cell) {
                cogni_total_add_plain(each, value);
            } else {
                at = json_end(cell, end);
                if (!at) return NULL;
                cogni_total_add_cell(each, cell, at);
            }
        } else {
            at = json_end(cell, end);
            if (!at) return NULL;
            if (each->is_number) cogni_total_add_cell(each, cell, at);
        }
        each->cell = cell;
        each->cell_length = (uint32_t)(at - cell);
    }
    if (end - at < 2 || at[0] != '}' || at[1] != '\n') return NULL;
    return at + 2;
}

// One record of CSV. Returns one past its line feed; NULL: it is not whole, or with `is_wrong` none of ours.
static const uint8_t *take_csv_line(cogni_totals *totals, const uint8_t *at, const uint8_t *end, int *is_wrong) {
    for (uint32_t c = 0; c < totals->count; c++) {
        total *each = &totals->columns[c];
        if ((size_t)(end - at) <= each->prefix_length) return NULL;
        if (!has_prefix(totals, each, at)) {
            *is_wrong = 1;
            return NULL;
        }
        at += each->prefix_length;
        each->cell = at;
        at = csv_end(at, end);
        if (!at) return NULL;
        each->cell_length = (uint32_t)(at - each->cell);
        each->is_null = each->cell_length == 0;
    }
    if (at >= end) return NULL;
    if (*at != '\n') {
        *is_wrong = 1;
        return NULL;
    }
    for (uint32_t c = 0; c < totals->count; c++) {
        total *each = &totals->columns[c];
        if (each->is_null) each->nulls++;
        else if (each->is_number) cogni_total_add_cell(each, each->cell, each->cell + each->cell_length);
    }
    return at + 1;
}

// The first column of the line at hand that shows what it should not, or -1.
static int64_t bare_column(const cogni_totals *totals) {
    for (uint32_t c = 0; c < totals->count; c++) {
        const total *each = &totals->columns[c];
        if (each->protection == COGNI_OPEN || each->is_null) continue;
        if (cogni_total_is_bare(each, each->cell, each->cell_length)) return c;
    }
    return -1;
}


int64_t cogni_totals_take(cogni_totals *totals, const uint8_t *bytes, size_t length) {
    const uint8_t *at = bytes, *end = bytes + length;
    if (!totals->is_csv) {
        // A line feed always ends a line here; what follows the last one waits.
        while (end > bytes && end[-1] != '\n') end--;
        while (at < end) {
            const uint8_t *line = at;
            at = take_json_line(totals, at, end);
            if (!at) return -1;
            if (totals->repeats) cogni_repeats_take_line(totals->repeats, totals, line, at);
            if (totals->set_count) collect_line(totals);
            if (totals->is_protected) {
                const int64_t bare = bare_column(totals);
                if (bare >= 0) return -2 - bare;
            }
        }
        return end - bytes;
    }
    while (at < end) {
        int is_wrong = 0;
        const uint8_t *next = take_csv_line(totals, at, end, &is_wrong);
        if (is_wrong) return -1;
        if (!next) break;
        if (totals->repeats) cogni_repeats_take_line(totals->repeats, totals, at, next);
        if (totals->set_count) collect_line(totals);
        if (totals->is_protected) {
            const int64_t bare = bare_column(totals);
            if (bare >= 0) return -2 - bare;
        }
        at = next;
    }
    return at - bytes;
}

uint64_t cogni_totals_nulls(const cogni_totals *totals, uint32_t column) { return totals->columns[column].nulls; }

size_t cogni_totals_sum(cogni_totals *totals, uint32_t column, uint8_t *out, size_t capacity) {
    if (!totals->columns[column].is_number) return 0;
    cogni_total_settle(&totals->columns[column]);
    return exact_sum_text(&totals->columns[column].sum, out, capacity);
}

uint32_t cogni_totals_set_count(const cogni_totals *totals, uint32_t set) { return totals->sets[set].count; }

const uint8_t *cogni_totals_set_value(const cogni_totals *totals, uint32_t set, uint32_t index, uint32_t *length,
                                      uint64_t *rows, uint64_t *living) {
    const set_entry *entry = &totals->sets[set].entries[index];
    *length = entry->length;
    *rows = entry->rows;
    *living = entry->living;
    return totals->sets[set].bytes + entry->text;
}
