#include "value.h"

#include <stdlib.h>

// The walk over a page, compiled once for each set of instructions, under the name COGNI_SCAN_NEXT.
//
// One pass: every byte is checked against RFC 8259, also of values nobody asked for, and the declared
// fields' places are noted. Rows of an API look alike, so the key that followed the last time is compared first;
// when it matches, as it nearly always does, neither the key is scanned nor a table searched.

// Finds the entry for the key at `*at` (its opening quote), and moves `*at` to the value. Returns the
// entry's index, -1 for a key nobody declared (its place is in `key`), or -2 after a fault.
static inline int32_t scan_key(cogni_scan *scan, uint32_t node, int32_t last, const uint8_t **at, cogni_cell *key) {
    const shape_node *place = &scan->shape->nodes[node];
    int32_t *follow = scan->follow + scan->base[node];
    int32_t guess = follow[last + 1];
    if (guess >= 0) {
        const shape_entry *entry = &place->entries[guess];
        if (scan->end - *at > (ptrdiff_t)entry->text_length && cogni_same_text(*at, entry->text, entry->text_length)) {
            *at = *at + entry->text_length;
            if (**at <= ' ') *at = skip_space(*at);
            return guess;
        }
    }
    if (**at != '"') {
        fail(scan, *at, "a key must be a string");
        return -2;
    }
    const uint8_t *start = *at + 1;
    int escapes;
    const uint8_t *stop = scan_string(scan, start, &escapes);
    if (!stop) return -2;
    const uint8_t *colon = skip_space(stop + 1);
    if (*colon != ':') {
        fail(scan, colon, "a colon is missing after a key");
        return -2;
    }
    *at = skip_space(colon + 1);
    key->offset = (uint32_t)(start - scan->bytes);
    key->length = (uint32_t)(stop - start) & 0xFFFFFFF;
    key->kind = escapes ? COGNI_ESCAPED : COGNI_PLAIN;
    const uint8_t *name = start;
    size_t length = (size_t)(stop - start);
    uint8_t *plain = NULL;
    if (escapes) {
        plain = cogni_allocate(length + 3);
        length = cogni_unescape(start, length, plain);
        name = plain;
    }
    int32_t found = -1;
    for (uint32_t e = 0; e < place->count; e++) {
        const shape_entry *entry = &place->entries[e];
        if (entry->key_length == length && memcmp(entry->text + 1, name, length) == 0) {
            found = (int32_t)e;
            follow[last + 1] = found;
            break;
        }
    }
    free(plain);
    return found;
}

static void note_extra(cogni_scan *scan, uint32_t node, cogni_cell key, cogni_cell value) {
    if (scan->extra_count == scan->extra_capacity) {
        scan->extra_capacity = scan->extra_capacity ? scan->extra_capacity * 2 : 64;
        scan->extras = cogni_reallocate(scan->extras, scan->extra_capacity * sizeof(cogni_extra));
    }
    cogni_extra *extra = &scan->extras[scan->extra_count++];
    extra->row = scan->rows;
    extra->node = node;
    extra->key_offset = key.offset;
    extra->key_length = key.length;
    extra->value = value;
}

// Where an object stands that was gone through member by member. 0: it is longer than a cell can say.
static inline int note_object(cogni_scan *scan, const uint8_t *start, const uint8_t *end, cogni_cell *cell) {
    if (end - start >= LONGEST_VALUE) return fail(scan, start, VALUE_IS_TOO_LONG);
    cell->offset = (uint32_t)(start - scan->bytes);
    cell->length = (uint32_t)(end - start) & 0xFFFFFFF;
    cell->kind = COGNI_OBJECT;
    return 1;
}

// What follows a row's tail, if it is the expected one; null if it is not.
static inline const uint8_t *repeat_tail(const cogni_scan *scan, open_tail *tail, const uint8_t *at, cogni_cell *cells) {
    const row_tails *tails = scan->tails;
    const row_tail *known = tail->expected;
    if ((size_t)(scan->end - at) < known->length || memcmp(at, tails->texts + known->text, known->length) != 0) return NULL;
    const uint32_t start = (uint32_t)(at - scan->bytes);
    for (uint32_t i = 0; i < known->count; i++) {
        cogni_cell *cell = &cells[known->slots[i]];
        *cell = known->cells[i];
        cell->offset += start;
    }
    tail->number = tails->before[tails->expected];
    return at + known->length;
}

static inline int is_same_head(const uint8_t *at, const uint8_t *text, uint32_t length) {
    for (; length > HEAD_SLACK; length -= HEAD_SLACK, at += HEAD_SLACK, text += HEAD_SLACK) {
        if (!cogni_same_text(at, text, HEAD_SLACK)) return 0;
    }
    return cogni_same_text(at, text, length);
}

// What follows a row's head, if it is the known one; null if it is not. `at` is after the row's opening brace.
static inline const uint8_t *repeat_head(const cogni_scan *scan, const row_head *head, const uint8_t *at, cogni_cell *cells) {
    const uint8_t *text = head->text;
    const head_cell *known = head->cells, *known_end = known + head->cell_count;
    for (uint32_t n = 0;; n++) {
        const uint32_t length = n < head->number_count ? head->numbers[n].length : head->length;
        if ((size_t)(scan->end - at) < length || !is_same_head(at, text, length)) return NULL;
        const uint32_t start = (uint32_t)(at - scan->bytes);
        for (; known < known_end && known->number == n; known++) {
            cells[known->slot] = known->cell;
            cells[known->slot].offset += start;
        }
        at += length;
        text += length;
        if (n == head->number_count) return at;
        const uint8_t *end = cogni_skip_digits(at);
        const size_t digits = (size_t)(end - at);
        if (digits == 0 || digits > HEAD_LONGEST_NUMBER || (*at == '0' && digits > 1)) return NULL;
        if (head->numbers[n].slot >= 0) {
            cogni_cell *cell = &cells[head->numbers[n].slot];
            cell->offset = start + length;
            cell->length = (uint32_t)digits & 0xFFFFFFF;
            cell->kind = COGNI_INTEGER;
        }
        at = end;
    }
}

static inline void begin_tail(open_tail *tail, const uint8_t *at, int32_t last) {
    tail->start = at;
    tail->after = last;
    tail->count = 0;
}

// Numbers differ from bucket to bucket; so may what is inside an object, or has no slot of its own.
static inline void go_on_with_tail(open_tail *tail, const shape_entry *entry, const cogni_cell *cell) {
    if (!entry || entry->what == ENTRY_NODE || tail->member_count >= HEAD_MEMBERS) tail->member_count = HEAD_MEMBERS + 1;
    else tail->members[tail->member_count++] = (row_member){.slot = entry->slot, .cell = *cell};
    if (!entry || entry->what == ENTRY_NODE || cell->kind == COGNI_INTEGER || cell->kind == COGNI_NUMBER || tail->count == TAIL_CELLS) {
        tail->start = NULL;
    } else if (entry->slot >= 0) {
        tail->slots[tail->count++] = (uint16_t)entry->slot;
    }
}

static const uint8_t *scan_members(cogni_scan *scan, uint32_t node, const uint8_t *at, int32_t last, cogni_cell *cells, open_tail *tail);

// One row, or an object inside it. `at` is after the opening brace. Recursion is as deep as declared paths are. `tail` is a row's
// own; null where none is looked for.
static const uint8_t *scan_object(cogni_scan *scan, uint32_t node, const uint8_t *at, cogni_cell *cells, open_tail *tail) {
    at = skip_space(at);
    return *at == '}' ? at + 1 : scan_members(scan, node, at, -1, cells, tail);
}

// The members of an object from the key at `at` on; `last` is the entry of the one before, -1 if it is the first.
static const uint8_t *scan_members(cogni_scan *scan, uint32_t node, const uint8_t *at, int32_t last, cogni_cell *cells, open_tail *tail) {
    const shape_node *place = &scan->shape->nodes[node];
    for (;;) {
        if (tail) {
            if (!tail->start) begin_tail(tail, at, last);
            if (tail->expected && tail->expected->after == last) {
                const uint8_t *end = repeat_tail(scan, tail, at, cells);
                if (end) return end;
            }
        }
        cogni_cell key = {0}, value = {0};
        int32_t found = scan_key(scan, node, last, &at, &key);
        if (found >= 0) {
            const shape_entry *entry = &place->entries[found];
            last = found;
            if (entry->what == ENTRY_NODE && *at == '{') {
                const uint8_t *start = at;
                at = scan_object(scan, entry->node, at + 1, cells, NULL);
                if (!at) return NULL;
                if (!note_object(scan, start, at, &value)) return NULL;
                if (entry->slot >= 0) cells[entry->slot] = value;
                if (tail) go_on_with_tail(tail, entry, &value);
            } else {
                cogni_cell *cell = entry->slot >= 0 ? &cells[entry->slot] : &value;
                const uint8_t *start = at;
                at = scan_value(scan, at, cell);
                if (!at) return NULL;
                // An object was declared and something else came: keep it where unknown fields go.
                if (entry->what == ENTRY_NODE && entry->slot < 0 && cell->kind != COGNI_NULL) {
                    key.offset = (uint32_t)(start - scan->bytes);
                    key.length = 0;
                    note_extra(scan, entry->node, key, value);
                }
                if (tail) go_on_with_tail(tail, entry, cell);
            }
        } else if (found == -1) {
            at = scan_value(scan, at, &value);
            if (!at) return NULL;
            note_extra(scan, node, key, value);
            if (tail) go_on_with_tail(tail, NULL, &value);
        } else {
            return NULL;
        }
        if (*at != ',' && *at != '}') at = skip_space(at);
        if (*at == ',') {
            at++;
            if (*at != '"') at = skip_space(at);
            continue;
        }
        if (*at == '}') return at + 1;
        fail(scan, at, "a comma or a closing brace is missing in an object");
        return NULL;
    }
}

// The value of a declared member of a level above the row's; its own members too, where some of them are declared. Members
// that nobody declared are of no row, and so are not noted.
static const uint8_t *scan_member(cogni_scan *scan, uint32_t level, const shape_entry *entry, const uint8_t *at) {
    cogni_cell value = {0};
    if (entry->what == ENTRY_NODE && *at == '{') {
        const uint8_t *start = at;
        uint32_t extras = scan->extra_count;
        at = scan_object(scan, entry->node, at + 1, scan->level_cells[level], NULL);
        if (!at) return NULL;
        scan->extra_count = extras;
        if (!note_object(scan, start, at, &value)) return NULL;
    } else {
        at = scan_value(scan, at, &value);
        if (!at) return NULL;
    }
    if (entry->slot >= 0) scan->level_cells[level][entry->slot] = value;
    return at;
}

static cogni_cell *next_row(cogni_scan *scan) {
    if (scan->rows == scan->row_capacity) {
        scan->row_capacity = scan->row_capacity ? scan->row_capacity * 2 : 256;
        scan->cells = cogni_reallocate(scan->cells, (size_t)scan->row_capacity * scan->row_slots * sizeof(cogni_cell) + 1);
        if (scan->tails) {
            scan->tail_numbers = cogni_reallocate(scan->tail_numbers, scan->row_capacity * sizeof(uint32_t));
            scan->head_numbers = cogni_reallocate(scan->head_numbers, scan->row_capacity * sizeof(uint32_t));
        }
    }
    cogni_cell *cells = scan->cells + (size_t)scan->rows * scan->row_slots;
    memset(cells, 0, scan->row_slots * sizeof(cogni_cell));
    return cells;
}

// A row that may end as one of the bucket before, and may begin as the last one.
static inline const uint8_t *scan_row_with_tail(cogni_scan *scan, const uint8_t *at, cogni_cell *cells) {
    const uint32_t root = scan->shape->root[scan->shape->levels - 1];
    row_head *head = &scan->head;
    const int may_repeat = head->patience > 0;
    open_tail tail;
    tail.expected = expected_tail(scan->tails);
    tail.start = NULL;
    tail.number = NO_TAIL;
    tail.count = tail.member_count = 0;
    const uint8_t *start = at, *behind = may_repeat && head->is_known ? repeat_head(scan, head, at, cells) : NULL;
    if (behind) {
        behind = skip_space(behind);
        head->repeated++;
        if (head->patience < HEAD_PATIENCE) head->patience++;
        at = scan_members(scan, root, behind, head->after, cells, &tail);
        if (!at) return NULL;
    } else {
        if (may_repeat && head->is_known) memset(cells, 0, scan->row_slots * sizeof(cogni_cell));
        at = scan_object(scan, root, at, cells, &tail);
        if (!at) return NULL;
        if (may_repeat) head->patience--;
        if (may_repeat && tail.start && tail.member_count <= HEAD_MEMBERS)
            cogni_heads_learn(head, scan->bytes, start, tail.start, tail.after, tail.members, tail.member_count);
    }
    const uint32_t number = cogni_tails_note(scan->tails, &tail, at, scan->bytes, cells);
    scan->tail_numbers[scan->rows] = number;
    scan->head_numbers[scan->rows] = behind && number != NO_TAIL && tail.start == behind ? head->number : NO_HEAD;
    return at;
}

// The next row; `at` is after its opening brace.
static const uint8_t *scan_row(cogni_scan *scan, const uint8_t *at) {
    cogni_cell *cells = next_row(scan);
    row_tails *tails = scan->tails;
    if (tails && tails->patience > 0) {
        at = scan_row_with_tail(scan, at, cells);
        if (!at) return NULL;
    } else {
        at = scan_object(scan, scan->shape->root[scan->shape->levels - 1], at, cells, NULL);
        if (!at) return NULL;
        if (tails) {
            scan->tail_numbers[scan->rows] = NO_TAIL;
            scan->head_numbers[scan->rows] = NO_HEAD;
        }
    }
    scan->rows++;
    return at;
}

static void enter_level(cogni_scan *scan, uint32_t level) {
    scan->level = level;
    scan->is_first = 1;
    scan->has_rows[level] = 0;
    scan->last_entry[level] = -1;
    memset(scan->level_cells[level], 0, scan->shape->slots[level] * sizeof(cogni_cell));
    scan->phase = AT_MEMBER;
}

// A level's own fields may stand after its rows ("results" before "end_time"), but rows are wanted with
// them. So when the array is met, the rest of the object is read first; the array then a second time.
static int read_ahead(cogni_scan *scan, const uint8_t *array) {
    uint32_t missing = 0, slots = scan->shape->slots[scan->level];
    for (uint32_t s = 0; s < slots; s++) missing += scan->level_cells[scan->level][s].kind == COGNI_ABSENT;
    if (!missing) return 1;
    uint32_t node = scan->shape->root[scan->level];
    cogni_cell ignored;
    const uint8_t *at = scan_value(scan, array, &ignored);
    int32_t last = -1;
    while (at) {
        at = skip_space(at);
        if (*at == '}') return 1;
        if (*at != ',') return fail(scan, at, "a comma or a closing brace is missing in an object");
        at = skip_space(at + 1);
        cogni_cell key = {0};
        int32_t found = scan_key(scan, node, last, &at, &key);
        if (found == -2) return 0;
        if (found >= 0) {
            last = found;
            at = scan_member(scan, scan->level, &scan->shape->nodes[node].entries[found], at);
        } else {
            at = scan_value(scan, at, &ignored);
        }
    }
    return 0;
}

// One member of a level above the row's, or the end of that object.
static int step_member(cogni_scan *scan) {
    uint32_t level = scan->level, node = scan->shape->root[level];
    const uint8_t *at = skip_space(scan->at);
    if (*at == '}') {
        if (!scan->has_rows[level]) return fail(scan, at, "the member that should hold the rows is missing");
        scan->at = at + 1;
        if (level == 0) {
            at = skip_space(scan->at);
            if (at != scan->end) return fail(scan, at, "text after the end of the page");
            scan->phase = AT_END;
            return 1;
        }
        if (level == scan->shape->levels - 2) {
            scan->bucket_done = 1;
            if (scan->tails) cogni_tails_end_bucket(scan->tails);
        }
        scan->level = level - 1;
        scan->is_first = 0;
        scan->phase = AT_ELEMENT;
        return 1;
    }
    if (!scan->is_first) {
        if (*at != ',') return fail(scan, at, "a comma or a closing brace is missing in an object");
        at = skip_space(at + 1);
    }
    scan->is_first = 0;
    cogni_cell key = {0}, value = {0};
    int32_t found = scan_key(scan, node, scan->last_entry[level], &at, &key);
    if (found == -2) return 0;
    if (found >= 0) {
        const shape_entry *entry = &scan->shape->nodes[node].entries[found];
        scan->last_entry[level] = found;
        if (entry->what == ENTRY_ROWS) {
            if (*at != '[') return fail(scan, at, "the member that should hold the rows is not an array");
            if (scan->has_rows[level]) return fail(scan, at, "the member that should hold the rows stands twice");
            scan->has_rows[level] = 1;
            if (level > 0 && !read_ahead(scan, at)) return 0;
            scan->at = at + 1;
            scan->is_first = 1;
            scan->phase = AT_ELEMENT;
            return 1;
        }
        at = scan_member(scan, level, entry, at);
    } else {
        at = scan_value(scan, at, &value);
    }
    if (!at) return 0;
    scan->at = at;
    return 1;
}

// One element of the array under the level we are in, or the end of that array.
static int step_element(cogni_scan *scan) {
    const uint8_t *at = scan->at;
    if (*at != ',' && *at != '{') at = skip_space(at);
    if (*at == ']') {
        scan->at = at + 1;
        scan->is_first = 0;
        scan->phase = AT_MEMBER;
        if (scan->level == scan->shape->levels - 2 && scan->level == 0) scan->bucket_done = 1;
        return 1;
    }
    if (!scan->is_first) {
        if (*at != ',') return fail(scan, at, "a comma or a closing bracket is missing in an array");
        at++;
        if (*at != '{') at = skip_space(at);
    }
    scan->is_first = 0;
    if (*at != '{') return fail(scan, at, "an element is not an object");
    if (scan->level == 0) scan->elements++;
    uint32_t inner = scan->level + 1;
    if (inner < scan->shape->levels - 1) {
        scan->at = at + 1;
        enter_level(scan, inner);
        return 1;
    }
    at = scan_row(scan, at + 1);
    if (!at) return 0;
    scan->at = at;
    return 1;
}

static int step_start(cogni_scan *scan) {
    const uint8_t *at = skip_space(scan->bytes);
    if (*at != '{') return fail(scan, at, "the page is not an object");
    if (scan->shape->levels > 1) {
        scan->at = at + 1;
        enter_level(scan, 0);
        return 1;
    }
    at = scan_row(scan, at + 1);
    if (!at) return 0;
    scan->elements++;
    at = skip_space(at);
    if (at != scan->end) return fail(scan, at, "text after the end of the page");
    scan->bucket_done = 1;
    scan->phase = AT_END;
    return 1;
}

int32_t COGNI_SCAN_NEXT(cogni_scan *scan, uint32_t max_rows) {
    scan->rows = scan->extra_count = 0;
    scan->bucket_done = 0;
    if (scan->tails) cogni_tails_begin_batch(scan->tails);
    for (;;) {
        int fine = 1;
        switch (scan->phase) {
        case AT_START: fine = step_start(scan); break;
        case AT_MEMBER: fine = step_member(scan); break;
        case AT_ELEMENT: fine = step_element(scan); break;
        case AT_END: return scan->rows || scan->bucket_done ? COGNI_SCAN_ROWS : COGNI_SCAN_END;
        default: return COGNI_SCAN_BAD;
        }
        if (!fine) return COGNI_SCAN_BAD;
        if (scan->bucket_done) return COGNI_SCAN_ROWS;
        if (scan->rows >= max_rows) return COGNI_SCAN_ROWS;
    }
}
