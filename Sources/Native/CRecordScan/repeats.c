#include "repeats.h"

#include "digits.h"
#include "isa.h"
#include "run.h"
#include "shape.h"

#include <stdlib.h>

cogni_repeats *cogni_repeats_new(const cogni_totals *totals) {
    const uint32_t columns = totals->count;
    if (columns > REPEAT_COLUMNS) return NULL;
    cogni_repeats *of = cogni_allocate(sizeof *of);
    memset(of, 0, sizeof *of);
    of->column_count = columns;
    of->columns = cogni_allocate(columns * sizeof(repeat_column));
    memset(of->columns, 0, columns * sizeof(repeat_column));
    for (uint32_t c = 0; c < columns; c++) of->fixed[c] = (c ? of->fixed[c - 1] : 0) + totals->columns[c].prefix_length;
    of->null_length = totals->is_csv ? 0 : 4;
    of->file = 1;
    of->rows = cogni_allocate(REPEAT_ROWS * sizeof(repeat_row));
    memset(of->rows, 0, REPEAT_ROWS * sizeof(repeat_row));
    of->cells = cogni_allocate(REPEAT_CELLS * sizeof(repeat_cell));
    return of;
}

void cogni_repeats_free(cogni_repeats *of) {
    if (!of) return;
    for (uint32_t c = 0; c < of->column_count; c++) {
        cogni_set_free(&of->columns[c].texts);
        free(of->columns[c].keys);
        free(of->columns[c].words);
    }
    free(of->columns);
    free(of->last);
    free(of->rows);
    free(of->cells);
    free(of->found);
    free(of);
}

// By number, since a small file must not pay for all the words that a large one had.
static void forget_words(cogni_repeats *of) {
    if (++of->file != 0) return;
    for (uint32_t c = 0; c < of->column_count; c++) {
        repeat_column *column = &of->columns[c];
        if (column->word_room) memset(column->words, 0, column->word_room * sizeof(repeat_word));
    }
    of->file = 1;
}

void cogni_repeats_restart(cogni_repeats *of) {
    for (uint32_t c = 0; c < of->column_count; c++) cogni_set_restart(&of->columns[c].texts);
    forget_words(of);
    of->row = of->cell = of->at = of->told = of->distance = of->found_count = of->key_count = 0;
    of->text_bytes = 0;
    of->vocabulary = 0;
}

// ---------------------------------------------------------------- what was found

// Makes room for what one line may lead to.
static void make_room(cogni_repeats *of) {
    const uint32_t wanted = of->found_count + 2 * REPEAT_COLUMNS + 4;
    if (wanted <= of->found_room) return;
    of->found_room = wanted * 2;
    of->found = cogni_reallocate(of->found, of->found_room * sizeof(cogni_repeat));
}

// From here on the bytes are those that stood so far back, unless that is too far.
static inline void begin(cogni_repeats *of, uint32_t at, uint32_t distance) {
    of->begun = at;
    of->distance = distance <= REPEAT_WINDOW ? distance : 0;
}

static inline void stop(cogni_repeats *of, uint32_t at) {
    if (of->distance && at != of->begun) {
        of->found[of->found_count++] = (cogni_repeat){of->begun - of->told, at - of->begun, of->distance};
        of->told = at;
    }
    of->distance = 0;
}

const cogni_repeat *cogni_repeats_found(cogni_repeats *of, uint32_t *count) {
    make_room(of);
    if (of->distance) {
        // It may go on in the next block.
        const uint32_t distance = of->distance;
        stop(of, of->at);
        begin(of, of->at, distance);
    }
    if (of->told != of->at) of->found[of->found_count++] = (cogni_repeat){of->at - of->told, 0, 0};
    of->told = of->at;
    *count = of->found_count;
    of->found_count = 0;
    return of->found;
}

// ---------------------------------------------------------------- keys

// The key of up to eight digits that begin with no 0 (or are one); NO_KEY: they are something else. Eight bytes may be read.
static inline uint32_t number_key(const uint8_t *text, uint32_t length) {
    if (length == 0 || length > 8) return NO_KEY;
    const uint64_t digits = eight_digits(text, length);
    if (!are_digits(digits) || (*text == '0' && length > 1)) return NO_KEY;
    return A_NUMBER | value_of_digits(digits);
}

// The next key, which no line has had.
static uint32_t new_key(cogni_repeats *of, uint32_t length) {
    const uint32_t key = ++of->key_count;
    of->text_bytes += length;
    if (key >= of->key_room) {
        of->key_room = of->key_room ? of->key_room * 2 : 256;
        of->last = cogni_reallocate(of->last, of->key_room * sizeof(repeat_place));
    }
    of->last[key] = (repeat_place){0, 0, 0};
    return key;
}

static uint32_t text_key(cogni_repeats *of, uint32_t c, const uint8_t *text, uint32_t length) {
    if (length > REPEAT_TEXT) return NO_KEY;
    repeat_column *column = &of->columns[c];
    const int is_full = of->key_count >= REPEAT_TEXTS || of->text_bytes + length > REPEAT_TEXT_BYTES;
    const uint32_t known = column->texts.count;
    const uint32_t index = is_full ? cogni_set_look(&column->texts, text, length) : cogni_set_find(&column->texts, text, length);
    if (index == NOT_IN_SET) return NO_KEY;
    if (index == known) {
        if (index >= column->key_room) {
            column->key_room = column->key_room ? column->key_room * 2 : 64;
            column->keys = cogni_reallocate(column->keys, column->key_room * sizeof(uint32_t));
        }
        column->keys[index] = new_key(of, length);
    }
    return column->keys[index];
}

// The key of a cell; eight bytes from `beginning` on, which are the text's own as far as it goes, may be read.
static inline uint32_t cell_key(cogni_repeats *of, uint32_t c, const uint8_t *beginning, const uint8_t *text, uint32_t length) {
    const uint32_t key = number_key(beginning, length);
    return key != NO_KEY ? key : text_key(of, c, text, length);
}

static inline int is_text(uint32_t key) { return key != NO_KEY && !(key & A_NUMBER); }

static void know_word(cogni_repeats *of, uint32_t c, const word *value, uint32_t number) {
    repeat_column *column = &of->columns[c];
    if (number >= column->word_room) {
        uint32_t room = column->word_room ? column->word_room : 256;
        while (room <= number) room *= 2;
        column->words = cogni_reallocate(column->words, room * sizeof(repeat_word));
        memset(column->words + column->word_room, 0, (room - column->word_room) * sizeof(repeat_word));
        column->word_room = room;
    }
    const uint32_t key = cell_key(of, c, value->text, value->text, value->length);
    column->words[number] = (repeat_word){of->file, key, value->length};
}

static inline repeat_word word_of(cogni_repeats *of, uint32_t c, const vocabulary *words, uint32_t number) {
    const repeat_column *column = &of->columns[c];
    if (number >= column->word_room || column->words[number].file != of->file) {
        const word *value = word_at(&words->lists[c], number);
        know_word(of, c, value, number);
    }
    return column->words[number];
}

// ---------------------------------------------------------------- lines

static inline repeat_row *row_at(const cogni_repeats *of, uint32_t row) { return &of->rows[row % REPEAT_ROWS]; }
static inline repeat_cell *cells_from(const cogni_repeats *of, uint32_t cell) { return &of->cells[cell % REPEAT_CELLS]; }

// Where the next line's cells go.
static inline repeat_cell *next_cells(cogni_repeats *of) {
    const uint32_t place = of->cell % REPEAT_CELLS;
    if (place + of->column_count > REPEAT_CELLS) of->cell += REPEAT_CELLS - place;
    return cells_from(of, of->cell);
}

// Whether a line is still known.
static inline int is_known(const cogni_repeats *of, uint32_t row) {
    return of->row - row < REPEAT_ROWS && of->cell + of->column_count - row_at(of, row)->first_cell <= REPEAT_CELLS;
}

// A line as it is compared: its cells are those of the columns that are not null.
typedef struct {
    const repeat_cell *cells;
    uint64_t nulls;
    uint32_t start;
} known_line;

static inline known_line line_at(const cogni_repeats *of, uint32_t row) {
    const repeat_row *found = row_at(of, row);
    return (known_line){cells_from(of, found->first_cell), found->nulls, found->start};
}

static inline uint32_t cell_of(const known_line *line, uint32_t c) {
    return (uint32_t)__builtin_popcountll(~line->nulls & ((1ull << c) - 1));
}

// Where the text of column c ends, null or not.
static uint32_t text_end(const cogni_repeats *of, const known_line *line, uint32_t c) {
    const uint64_t before = ~line->nulls & ((1ull << c) - 1);
    const uint32_t cell = (uint32_t)__builtin_popcountll(before);
    if (!(line->nulls >> c & 1)) return line->cells[cell].end;
    if (!before) return line->start + of->fixed[c] + (c + 1) * of->null_length;
    const uint32_t last = 63 - (uint32_t)__builtin_clzll(before);
    return line->cells[cell - 1].end + of->fixed[c] - of->fixed[last] + (c - last) * of->null_length;
}

// The bytes from the cell before to this one's end: lines with the same nulls have equal ones but for the cell's own text.
static inline uint32_t span_of(const known_line *line, uint32_t cell) {
    return line->cells[cell].end - (cell ? line->cells[cell - 1].end : line->start);
}

// Puts down that the line at hand has a text, and returns where it stood last. That line is on its way while this one's other
// cells are put down: these rings are too large for the nearest caches.
static inline repeat_place replace_last(cogni_repeats *of, uint32_t key, uint32_t end) {
    const repeat_place last = of->last[key];
    of->last[key] = (repeat_place){of->row + 1, end, of->cell};
    __builtin_prefetch(row_at(of, last.row - 1));
    __builtin_prefetch(cells_from(of, last.first_cell));
    __builtin_prefetch((const uint8_t *)cells_from(of, last.first_cell) + 64);
    return last;
}

// The line at hand: how its cells stand in the file, and where their texts, if they have one, stood last.
typedef struct {
    uint64_t nulls;
    uint32_t count, length;
    uint32_t starts[REPEAT_COLUMNS];
    repeat_place lasts[REPEAT_COLUMNS];
} new_line;

// A comparison of the line at hand with one before.
typedef struct {
    known_line own, other;
    int has_other;
} comparison;

// Whether a cell's text can be taken from where it stood last: the line that had it goes on as this one does, as far as one can tell.
static inline int take_from_last(cogni_repeats *of, comparison *with, const new_line *line, uint32_t cell) {
    if (!is_text(with->own.cells[cell].key)) return 0;
    const repeat_place last = line->lasts[cell];
    const uint32_t distance = with->own.cells[cell].end - last.end;
    if (!last.row || !is_known(of, last.row - 1) || distance > REPEAT_WINDOW) return 0;
    if (distance != of->distance) {
        stop(of, line->starts[cell]);
        begin(of, line->starts[cell], distance);
    }
    of->reference = last.row - 1;
    with->other = line_at(of, of->reference);
    with->has_other = 1;
    return 1;
}

// Behind a text of another length all stands at another distance, which costs bits; the line before may do better.
static inline void prefer_before(cogni_repeats *of, comparison *with, uint32_t here, uint32_t there) {
    const uint32_t row = of->row;
    if (span_of(&with->other, there) == span_of(&with->own, here) || !is_known(of, row - 1)) return;
    const known_line before = line_at(of, row - 1);
    if (before.nulls != with->own.nulls || span_of(&before, here) != span_of(&with->own, here)) return;
    of->reference = row - 1;
    with->other = before;
}

// Compares from column `c` on; `n` and `m` are the next cells here and there.
static void compare_columns(cogni_repeats *of, comparison *with, const new_line *line, uint32_t c, uint32_t n, uint32_t m) {
    const uint64_t every = ~0ull >> (64 - of->column_count);
    const uint64_t nulls = line->nulls;
    // Columns whose text is not null in both lines.
    uint64_t left = every & ~(nulls & with->other.nulls) & (~0ull << c);
    for (; left; left &= left - 1) {
        c = (uint32_t)__builtin_ctzll(left);
        const int is_null = nulls >> c & 1, is_null_there = with->other.nulls >> c & 1;
        const uint32_t here = n, there = m;
        uint32_t end;
        n += !is_null;
        m += !is_null_there;
        if (!is_null) {
            const uint32_t key = with->own.cells[here].key;
            end = with->own.cells[here].end;
            if (!is_null_there && of->distance && key == with->other.cells[there].key && key != NO_KEY) continue;
            if (take_from_last(of, with, line, here)) {
                m = cell_of(&with->other, c) + 1;
                left = every & ~(nulls & with->other.nulls) & (~0ull << c);
                continue;
            }
            stop(of, line->starts[here]);
        } else {
            end = text_end(of, &with->own, c);
            stop(of, end - of->null_length);
        }
        if (!with->has_other) continue;
        if (!is_null && nulls == with->other.nulls) prefer_before(of, with, here, there);
        begin(of, end, end - (is_null_there ? text_end(of, &with->other, c) : with->other.cells[there].end));
    }
}

// As `compare_columns` from the first one on, for lines that mostly are null in the same columns: only cells have to be looked at.
static inline void compare_cells(cogni_repeats *of, comparison *with, const new_line *line) {
    for (uint32_t n = 0; n < line->count; n++) {
        const repeat_cell *here = &with->own.cells[n];
        if (of->distance && here->key == with->other.cells[n].key && here->key != NO_KEY) continue;
        if (take_from_last(of, with, line, n)) {
            if (with->other.nulls == line->nulls) continue;
            uint64_t columns = ~line->nulls;
            for (uint32_t cell = 0; cell < n; cell++) columns &= columns - 1;
            const uint32_t c = (uint32_t)__builtin_ctzll(columns);
            // Of the next one on; the last column has none.
            if (c + 1 < of->column_count) compare_columns(of, with, line, c + 1, n + 1, cell_of(&with->other, c + 1));
            return;
        }
        stop(of, line->starts[n]);
        prefer_before(of, with, n, n);
        begin(of, here->end, here->end - with->other.cells[n].end);
    }
}

// Takes the line whose cells stand in their place already.
__attribute__((always_inline)) static inline void take_cells(cogni_repeats *of, const new_line *line) {
    const uint32_t row = of->row;
    make_room(of);
    *row_at(of, row) = (repeat_row){line->nulls, of->at, of->cell};
    comparison with = {.own = line_at(of, row), .has_other = 0};
    with.other = (known_line){with.own.cells, ~0ull, 0};
    if (row > 0) {
        of->reference = of->distance ? of->reference + 1 : row - 1;
        if (!is_known(of, of->reference)) {
            stop(of, with.own.start);
            of->reference = row - 1;
        }
        with.has_other = is_known(of, of->reference);
        if (with.has_other) with.other = line_at(of, of->reference);
        if (with.has_other && !of->distance) begin(of, with.own.start, with.own.start - with.other.start);
    }
    if (with.has_other && with.other.nulls == line->nulls) compare_cells(of, &with, line);
    else compare_columns(of, &with, line, 0, 0, 0);
    of->row = row + 1;
    of->cell += line->count;
    of->at = with.own.start + line->length;
    if (line->length > REPEAT_LINE) {
        stop(of, of->at);
        of->row += REPEAT_ROWS;
    }
}

// Puts down the next cell of the line at hand; it begins at `start`.
static inline void put_cell(cogni_repeats *of, new_line *line, repeat_cell *cells, uint32_t start, uint32_t length, uint32_t key) {
    const uint32_t n = line->count++, end = start + length;
    line->starts[n] = start;
    cells[n] = (repeat_cell){key, end};
    if (is_text(key)) line->lasts[n] = replace_last(of, key, end);
}

void cogni_repeats_take_line(cogni_repeats *of, const cogni_totals *totals, const uint8_t *text, const uint8_t *end) {
    repeat_cell *cells = next_cells(of);
    new_line line;
    line.nulls = line.count = 0;
    line.length = (uint32_t)(end - text);
    for (uint32_t c = 0; c < totals->count; c++) {
        const total *each = &totals->columns[c];
        if (each->is_null) {
            line.nulls |= 1ull << c;
            continue;
        }
        uint8_t beginning[8] = {0};
        memcpy(beginning, each->cell, each->cell_length < 8 ? each->cell_length : 8);
        const uint32_t key = cell_key(of, c, beginning, each->cell, each->cell_length);
        put_cell(of, &line, cells, of->at + (uint32_t)(each->cell - text), each->cell_length, key);
    }
    take_cells(of, &line);
}

COGNI_CLONED void cogni_repeats_take_rows(cogni_repeats *of, const vocabulary *words, const uint8_t *const *rows, uint32_t count,
                                          const uint32_t *keys) {
    if (of->vocabulary != words->serial) {
        forget_words(of);
        of->vocabulary = words->serial;
    }
    const uint64_t every = ~0ull >> (64 - words->count);
    new_line line;
    for (uint32_t r = 0; r < count; r++) {
        const row_header *row = row_of(rows[r]);
        const uint32_t *numbers = words_of(rows[r]);
        const uint8_t *inlined = (const uint8_t *)(numbers + words->word_places);
        const line_template *shape = words->templates[row->template];
        repeat_cell *cells = next_cells(of);
        line.nulls = shape->nulls;
        line.count = 0;
        line.length = row->line_length;
        uint64_t columns = every & ~shape->nulls;
        uint32_t at = of->at;
        // A template has a step for each column that it does not know to be null.
        for (const template_step *step = shape->steps; step->item != AT_LINE_END; step++, columns &= columns - 1) {
            const uint32_t c = (uint32_t)__builtin_ctzll(columns);
            uint32_t number;
            at += step->length;
            if (step->item >= 0) {
                number = numbers[step->item];
            } else if (*inlined != A_WORD) {
                const uint32_t length = *inlined++;
                uint32_t key = *keys++;
                if (key == NO_KEY) key = cell_key(of, c, inlined, inlined, length);
                inlined += length;
                put_cell(of, &line, cells, at, length, key);
                at += length;
                continue;
            } else {
                memcpy(&number, inlined + 1, 4);
                inlined += 9;
                keys++;
            }
            if (number == 0) {
                line.nulls |= 1ull << c;
                at += words->null_length;
                continue;
            }
            const repeat_word value = word_of(of, c, words, number);
            put_cell(of, &line, cells, at, value.length, value.key);
            at += value.length;
        }
        take_cells(of, &line);
    }
}
