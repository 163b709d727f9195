#include "digits.h"
#include "isa.h"
#include "repeats.h"
#include "run.h"
#include "shape.h"
#include "totals.h"

// Adds up rows that are still words: what stands in their lines is known without reading them, and what can be said of a
// word is found out once for each, not for each of its rows.

// What up to eight digits say; eight bytes from `text` on may be read.
static inline uint64_t number_of(const uint8_t *text, uint32_t length) { return value_of_digits(eight_digits(text, length)); }

// Returns the number's key (see repeats.h), or NO_KEY: it has more digits.
static inline uint32_t add_whole(total *each, const uint8_t *text, uint32_t length) {
    if (length == 0 || length > 16 || *text == '-') {
        cogni_total_add_cell(each, text, text + length);
        return NO_KEY;
    }
    if (length <= 8) {
        const uint64_t value = number_of(text, length);
        cogni_total_add_plain(each, value);
        return A_NUMBER | (uint32_t)value;
    }
    cogni_total_add_plain(each, number_of(text, length - 8) * 100000000 + number_of(text + length - 8, 8));
    return NO_KEY;
}

// What a row's values lead to, column by column.
typedef struct {
    const vocabulary *words;
    uint64_t counted;       // bit c: numbers of column c are added up
    uint64_t guarded;       // bit c: the column is protected
    uint64_t gathered;      // bit c: some set collects it
    uint64_t nulls;         // of the row at hand
    uint32_t index_of[64];  // of the row at hand: where its value stands in the column's set
    value_set *set_of[64];
} row_look;

static const word *word_of(const row_look *look, uint32_t c, uint32_t number) {
    return number ? word_at(&look->words->lists[c], number) : NULL;
}

static int is_bare_word(total *each, const word *value, uint32_t number) {
    uint32_t *note = note_of(&each->looked_at, number);
    if (!*note) *note = cogni_total_is_bare(each, value->text, value->length) ? A_BARE : A_HIDDEN;
    return *note == A_BARE;
}

static uint32_t index_of_word(value_set *set, const word *value, uint32_t number) {
    uint32_t *note = note_of(&set->entry_of, number);
    if (!*note) *note = cogni_set_find(set, value->text, value->length) + 1;
    return *note - 1;
}

// A value that is a word. 0: it shows what it should not.
static inline int take_word(cogni_totals *totals, row_look *look, uint32_t c, uint32_t number) {
    total *each = &totals->columns[c];
    uint64_t bit = 1ull << c;
    const word *value = word_of(look, c, number);
    if (!value) {
        // A template knows its own nulls; these are written out.
        if (!(look->nulls & bit)) each->nulls++;
        look->nulls |= bit;
        return 1;
    }
    if (look->counted & bit) cogni_total_add_cell(each, value->text, value->text + value->length);
    if (look->gathered & bit) look->index_of[c] = index_of_word(look->set_of[c], value, number);
    return !(look->guarded & bit) || !is_bare_word(each, value, number);
}

// A value that stands in the row itself. 0: it shows what it should not. `key` becomes its key, if it is known.
__attribute__((always_inline)) static inline int take_inline(cogni_totals *totals, row_look *look, uint32_t c, const uint8_t *text,
                                                             uint32_t length, uint32_t *key) {
    total *each = &totals->columns[c];
    uint64_t bit = 1ull << c;
    if (look->counted & bit) *key = add_whole(each, text, length);
    if (look->gathered & bit) look->index_of[c] = cogni_set_find(look->set_of[c], text, length);
    return !(look->guarded & bit) || !cogni_total_is_bare(each, text, length);
}

static void know_words(cogni_totals *totals, const vocabulary *words) {
    if (totals->words == words->serial) return;
    totals->words = words->serial;
    for (uint32_t c = 0; c < totals->count; c++) forget_notes(&totals->columns[c].looked_at);
    for (uint32_t s = 0; s < totals->set_count; s++) forget_notes(&totals->sets[s].entry_of);
}

static void note_inlined(template_look *shape, const vocabulary *words, uint64_t nulls) {
    shape->count = 0;
    for (uint32_t c = 0; c < words->count; c++) {
        if (words->columns[c].place == AN_INLINE && !(nulls >> c & 1)) shape->columns[shape->count++] = (uint8_t)c;
    }
}

// Room for the keys of all values that stand in the block's rows themselves.
static uint32_t *room_for_keys(cogni_totals *totals, uint32_t rows, uint32_t columns) {
    const size_t wanted = (size_t)rows * columns;
    if (wanted > totals->inline_room) {
        totals->inline_room = wanted;
        totals->inline_keys = cogni_reallocate(totals->inline_keys, wanted * sizeof(uint32_t));
    }
    return totals->inline_keys;
}

static void forget_rows(template_look *templates, const uint8_t *met, uint32_t count) {
    for (uint32_t m = 0; m < count; m++) templates[met[m]].rows = 0;
}

static int32_t refused(template_look *templates, const uint8_t *met, uint32_t count, uint32_t column) {
    forget_rows(templates, met, count);
    return -2 - (int32_t)column;
}

COGNI_CLONED int32_t cogni_totals_take_block(cogni_totals *totals, const cogni_merge *merge) {
    uint32_t count;
    const vocabulary *words;
    const uint8_t *const *rows = cogni_merge_block_rows(merge, &count, &words);
    if (count == 0 || words->count != totals->count || totals->count > 64) return 0;
    know_words(totals, words);
    if (!totals->templates) {
        totals->templates = cogni_allocate(MAX_TEMPLATES * sizeof(template_look));
        memset(totals->templates, 0, MAX_TEMPLATES * sizeof(template_look));
    }
    row_look look = {.words = words};
    for (uint32_t c = 0; c < totals->count; c++) {
        look.counted |= (uint64_t)(totals->columns[c].is_number != 0) << c;
        look.guarded |= (uint64_t)(totals->columns[c].protection != COGNI_OPEN) << c;
    }
    uint64_t needed = 0;  // columns whose values or nulls are asked for row by row
    for (uint32_t s = 0; s < totals->set_count; s++) {
        look.gathered |= 1ull << totals->sets[s].column;
        look.set_of[totals->sets[s].column] = &totals->sets[s];
        if (totals->sets[s].ending >= 0) needed |= 1ull << totals->sets[s].ending;
    }
    needed |= look.counted | look.guarded | look.gathered;

    uint32_t numbers[64], number_count = 0, few[64], few_count = 0;
    for (uint32_t c = 0; c < words->count; c++) {
        if (words->columns[c].place == AN_INLINE) continue;
        numbers[number_count++] = c;
        if (needed >> c & 1) few[few_count++] = c;
    }
    template_look *templates = totals->templates;
    uint8_t met[MAX_TEMPLATES];
    uint32_t met_count = 0;
    uint32_t *key = room_for_keys(totals, count, words->count - number_count);
    for (uint32_t r = 0; r < count; r++) {
        const row_header *row = row_of(rows[r]);
        const uint32_t *places = words_of(rows[r]);
        look.nulls = words->templates[row->template]->nulls;
        template_look *shape = &templates[row->template];
        if (shape->rows++ == 0) {
            met[met_count++] = (uint8_t)row->template;
            note_inlined(shape, words, look.nulls);
        }
        // In rows of template 0 any word may be null; another template knows its nulls.
        const uint32_t *wanted = row->template ? few : numbers, wanted_count = row->template ? few_count : number_count;
        for (uint32_t n = 0; n < wanted_count; n++) {
            uint32_t c = wanted[n];
            if (!take_word(totals, &look, c, places[words->columns[c].place])) return refused(templates, met, met_count, c);
        }
        const uint8_t *at = (const uint8_t *)(places + words->word_places);
        for (uint32_t i = 0; i < shape->count; i++) {
            uint32_t c = shape->columns[i];
            uint8_t length = *at++;
            int is_fine;
            *key = NO_KEY;
            if (length == A_WORD) {
                uint32_t number;
                memcpy(&number, at, 4);
                at += 8;
                is_fine = take_word(totals, &look, c, number);
            } else {
                is_fine = take_inline(totals, &look, c, at, length, key);
                at += length;
            }
            key++;
            if (!is_fine) return refused(templates, met, met_count, c);
        }
        for (uint32_t s = 0; s < totals->set_count; s++) {
            value_set *set = &totals->sets[s];
            if (look.nulls >> set->column & 1) continue;
            cogni_set_count(set, look.index_of[set->column], set->ending < 0 || look.nulls >> set->ending & 1);
        }
    }
    for (uint32_t m = 0; m < met_count; m++) {
        for (uint64_t nulls = words->templates[met[m]]->nulls; nulls; nulls &= nulls - 1)
            totals->columns[__builtin_ctzll(nulls)].nulls += templates[met[m]].rows;
    }
    forget_rows(templates, met, met_count);
    if (totals->repeats) cogni_repeats_take_rows(totals->repeats, words, rows, count, totals->inline_keys);
    return 1;
}
