#include "exact_sum.h"
#include "run.h"
#include "shape.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

// Walks finished lines once more, on their way into a file: the shape is known (our own columns in our own order), so
// that a cell is found by its prefix, and most of a line is stepped over.

typedef struct {
    const uint8_t *prefix;
    uint32_t prefix_length;
    int is_number;
    int protection;
    int set;  // index of the set that collects it, or -1
    uint64_t nulls;
    int64_t plain;  // of whole numbers, until it is added to `sum`
    uint64_t plain_values;
    exact_sum sum;
    // The cell of the line at hand, for sets.
    const uint8_t *cell;
    uint32_t cell_length;
    int is_null;
} total;

typedef struct {
    uint64_t text, hash;  // offset of the text in `bytes`
    uint32_t length;
    uint64_t rows, living;
} set_entry;

typedef struct {
    uint32_t column;
    int32_t ending;  // a row counts as living while this column is null; -1: always
    set_entry *entries;
    uint32_t count, capacity;
    uint32_t *slots, slot_count;  // index + 1, or 0
    uint8_t *bytes;
    uint64_t used, room;
    uint32_t last;  // rows are sorted: the same value mostly comes again
} value_set;

struct cogni_totals {
    int is_csv, is_strict;
    total *columns;
    uint32_t count;
    value_set *sets;
    uint32_t set_count;
    int is_protected;  // some column is
};

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
    }
    for (uint32_t s = 0; s < totals->set_count; s++) {
        free(totals->sets[s].entries);
        free(totals->sets[s].slots);
        free(totals->sets[s].bytes);
    }
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
    added->set = -1;
}

uint32_t cogni_totals_collect(cogni_totals *totals, uint32_t column, int32_t ending) {
    totals->sets = cogni_reallocate(totals->sets, (totals->set_count + 1) * sizeof(value_set));
    value_set *added = &totals->sets[totals->set_count];
    memset(added, 0, sizeof *added);
    added->column = column;
    added->ending = ending;
    totals->columns[column].set = (int)totals->set_count;
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
    for (uint32_t s = 0; s < totals->set_count; s++) {
        value_set *set = &totals->sets[s];
        set->count = 0;
        set->used = 0;
        if (set->slot_count) memset(set->slots, 0, set->slot_count * sizeof(uint32_t));
    }
}

// ---------------------------------------------------------------- sets

static uint64_t hash_text(const uint8_t *text, uint32_t length) {
    uint64_t hash = 0x9E3779B97F4A7C15u ^ length;
    while (length >= 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        hash = (hash ^ word) * 0xFF51AFD7ED558CCDu;
        hash ^= hash >> 32;
        text += 8;
        length -= 8;
    }
    uint64_t word = 0;
    memcpy(&word, text, length);
    hash = (hash ^ word) * 0xC4CEB9FE1A85EC53u;
    return hash ^ (hash >> 29);
}

static void grow_slots(value_set *set) {
    uint32_t wanted = set->slot_count ? set->slot_count * 2 : 64;
    set->slots = cogni_reallocate(set->slots, wanted * sizeof(uint32_t));
    memset(set->slots, 0, wanted * sizeof(uint32_t));
    set->slot_count = wanted;
    for (uint32_t index = 0; index < set->count; index++) {
        uint32_t slot = (uint32_t)set->entries[index].hash & (wanted - 1);
        while (set->slots[slot]) slot = (slot + 1) & (wanted - 1);
        set->slots[slot] = index + 1;
    }
}

static uint32_t add_entry(value_set *set, uint64_t hash, const uint8_t *text, uint32_t length) {
    if (set->count == set->capacity) {
        set->capacity = set->capacity ? set->capacity * 2 : 64;
        set->entries = cogni_reallocate(set->entries, set->capacity * sizeof(set_entry));
    }
    if (set->used + length > set->room) {
        set->room = (set->used + length) * 2 + 1024;
        set->bytes = cogni_reallocate(set->bytes, set->room);
    }
    memcpy(set->bytes + set->used, text, length);
    set->entries[set->count] = (set_entry){set->used, hash, length, 0, 0};
    set->used += length;
    return set->count++;
}

static void collect(value_set *set, const uint8_t *text, uint32_t length, int is_living) {
    uint32_t found = set->last;
    if (found >= set->count || set->entries[found].length != length ||
        memcmp(set->bytes + set->entries[found].text, text, length) != 0) {
        if ((set->count + 1) * 2 > set->slot_count) grow_slots(set);
        uint64_t hash = hash_text(text, length);
        uint32_t slot = (uint32_t)hash & (set->slot_count - 1);
        for (;; slot = (slot + 1) & (set->slot_count - 1)) {
            if (!set->slots[slot]) {
                found = add_entry(set, hash, text, length);
                set->slots[slot] = found + 1;
                break;
            }
            found = set->slots[slot] - 1;
            const set_entry *entry = &set->entries[found];
            if (entry->hash == hash && entry->length == length &&
                memcmp(set->bytes + entry->text, text, length) == 0)
                break;
        }
        set->last = found;
    }
    set->entries[found].rows++;
    set->entries[found].living += (uint64_t)is_living;
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

static int has_prefix(const cogni_totals *totals, const total *each, const uint8_t *at) {
    uint32_t length = each->prefix_length;
    if (totals->is_strict || length < 8) return memcmp(at, each->prefix, length) == 0;
    uint64_t wanted, found;
    memcpy(&wanted, each->prefix + length - 8, 8);
    memcpy(&found, at + length - 8, 8);
    return wanted == found;
}

static void settle(total *each) {
    if (each->plain_values == 0) return;
    exact_sum_add_whole(&each->sum, each->plain, each->plain_values);
    each->plain = 0;
    each->plain_values = 0;
}

static void add_cell(total *each, const uint8_t *cell, const uint8_t *end) {
    int is_quoted = *cell == '"' && end - cell >= 2;
    add_number(&each->sum, cell + is_quoted, end - is_quoted);
}

static void collect_line(cogni_totals *totals) {
    for (uint32_t s = 0; s < totals->set_count; s++) {
        const total *each = &totals->columns[totals->sets[s].column];
        int32_t ending = totals->sets[s].ending;
        if (!each->is_null)
            collect(&totals->sets[s], each->cell, each->cell_length, ending < 0 || totals->columns[ending].is_null);
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
                if (__builtin_add_overflow(each->plain, (int64_t)value, &each->plain)) {
                    each->plain -= (int64_t)value;
                    settle(each);
                    each->plain = (int64_t)value;
                }
                each->plain_values++;
            } else {
                at = json_end(cell, end);
                if (!at) return NULL;
                add_cell(each, cell, at);
            }
        } else {
            at = json_end(cell, end);
            if (!at) return NULL;
            if (each->is_number) add_cell(each, cell, at);
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
        else if (each->is_number) add_cell(each, each->cell, each->cell + each->cell_length);
    }
    return at + 1;
}

// The first column of the line at hand that shows what it should not, or -1.
static int64_t bare_column(const cogni_totals *totals) {
    for (uint32_t c = 0; c < totals->count; c++) {
        const total *each = &totals->columns[c];
        if (each->protection == COGNI_OPEN || each->is_null) continue;
        const uint8_t *cell = each->cell;
        uint32_t length = each->cell_length;
        if (length && *cell == '"') cell++, length--;
        if (each->protection == COGNI_SEALED && length > 5 && memcmp(cell, "ef1.", 4) == 0) continue;
        if (each->protection == COGNI_MASKED) {
            uint32_t at = 0;
            while (at + 3 <= length && memcmp(cell + at, "\xE2\x80\xA6", 3) != 0) at++;
            if (at + 3 <= length) continue;
        }
        return c;
    }
    return -1;
}

// ---------------------------------------------------------------- rows that have not been lines yet

static void add_whole(total *each, const uint8_t *text, uint32_t length) {
    if (length == 0 || length > 17 || *text == '-') return add_cell(each, text, text + length);
    uint64_t value = 0;
    for (uint32_t i = 0; i < length; i++) value = value * 10 + (uint64_t)(text[i] - '0');
    if (__builtin_add_overflow(each->plain, (int64_t)value, &each->plain)) {
        each->plain -= (int64_t)value;
        settle(each);
        each->plain = (int64_t)value;
    }
    each->plain_values++;
}

int32_t cogni_totals_take_block(cogni_totals *totals, const cogni_merge *merge) {
    uint32_t count;
    const vocabulary *words;
    const uint8_t *const *rows = cogni_merge_block_rows(merge, &count, &words);
    if (count == 0 || words->count != totals->count || totals->count > 64 || totals->set_count > 0) return 0;
    // What is protected is looked at line by line.
    for (uint32_t c = 0; c < totals->count; c++) {
        if (totals->columns[c].protection != COGNI_OPEN) return 0;
    }
    uint64_t seen[MAX_TEMPLATES] = {0};
    uint32_t inlined[64], inlined_count = 0, numbers[64], number_count = 0;
    for (uint32_t c = 0; c < words->count; c++) {
        if (words->columns[c].place == AN_INLINE) inlined[inlined_count++] = c;
        else numbers[number_count++] = c;
    }
    for (uint32_t r = 0; r < count; r++) {
        const row_header *row = row_of(rows[r]);
        const uint32_t *places = words_of(rows[r]);
        uint64_t nulls = words->templates[row->template]->nulls;
        seen[row->template]++;
        for (uint32_t n = 0; n < number_count; n++) {
            uint32_t c = numbers[n];
            total *each = &totals->columns[c];
            if (!each->is_number && row->template) continue;  // a template knows its nulls, and nothing is added up
            uint32_t number = places[words->columns[c].place];
            const word *value = number ? word_at(&words->lists[c], number) : NULL;
            if (!value) {
                each->nulls += !(nulls >> c & 1);
            } else if (each->is_number) {
                add_cell(each, value->text, value->text + value->length);
            }
        }
        const uint8_t *at = (const uint8_t *)(places + words->word_places);
        for (uint32_t i = 0; i < inlined_count; i++) {
            uint32_t c = inlined[i];
            if (nulls >> c & 1) continue;
            total *each = &totals->columns[c];
            uint8_t length = *at++;
            if (length != A_WORD) {
                if (each->is_number) add_whole(each, at, length);
                at += length;
                continue;
            }
            uint32_t number;
            memcpy(&number, at, 4);
            at += 8;
            const word *value = number ? word_at(&words->lists[c], number) : NULL;
            if (!value) each->nulls++;
            else if (each->is_number)
                add_cell(each, value->text, value->text + value->length);
        }
    }
    for (uint32_t t = 0; t < words->template_count; t++) {
        if (!seen[t]) continue;
        for (uint32_t c = 0; c < words->count; c++) {
            if (words->templates[t]->nulls >> c & 1) totals->columns[c].nulls += seen[t];
        }
    }
    return 1;
}

// ---------------------------------------------------------------- finished lines

int64_t cogni_totals_take(cogni_totals *totals, const uint8_t *bytes, size_t length) {
    const uint8_t *at = bytes, *end = bytes + length;
    if (!totals->is_csv) {
        // A line feed always ends a line here; what follows the last one waits.
        while (end > bytes && end[-1] != '\n') end--;
        while (at < end) {
            at = take_json_line(totals, at, end);
            if (!at) return -1;
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
    settle(&totals->columns[column]);
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
