#ifndef COGNI_REPEATS_H
#define COGNI_REPEATS_H

#include "record_scan.h"
#include "totals.h"
#include "value_set.h"
#include "vocabulary.h"

// Which parts of a file's lines stood in earlier lines already, found by comparing cells and not bytes.
//
// A compressor looks for repeats by hashing the bytes at one place after the other. We know where cells begin, and for rows in
// words whether two of them are equal, so a line costs a comparison of numbers for each of its cells. What is found depends on the
// lines alone, never on how they were made: a text has one number in a file, whatever words it came from.

enum {
    // No repeat lies further back: the compressor's window.
    REPEAT_WINDOW = 1 << 21,
    REPEAT_COLUMNS = 64,
    // Lines and cells that can be repeated; older ones are forgotten.
    REPEAT_ROWS = 1 << 12,
    REPEAT_CELLS = 1 << 15,
    // A longer line hides all before it: so many lines of at most this length are less than 4 GiB, and positions are told apart.
    REPEAT_LINE = 1 << 18,
    // Longer texts, and more of them in one file, are not known again.
    REPEAT_TEXT = 256,
    REPEAT_TEXTS = 1 << 14,
    REPEAT_TEXT_BYTES = 1 << 20,
};

typedef struct cogni_repeats cogni_repeats;

// Equal keys mean equal texts of one column. Positions count from the file's beginning, modulo 2^32.
typedef struct {
    uint32_t key, end;
} repeat_cell;

#define NO_KEY 0u            // the text is not known again
#define A_NUMBER (1u << 31)  // the rest is what up to eight digits say

typedef struct {
    uint64_t nulls;  // bit c: column c is null
    uint32_t start, first_cell;
} repeat_row;

// Where a text stood last: the line's number + 1 (0: nowhere yet), the end of the cell, and the line's first cell.
typedef struct {
    uint32_t row, end, first_cell;
} repeat_place;

// What is known of a word of the present vocabulary, in the file whose number stands here.
typedef struct {
    uint32_t file, key, length;
} repeat_word;

// The texts of a column that have a key: `keys` by their index in the set. `words` by number.
typedef struct {
    value_set texts;
    uint32_t *keys, key_room;
    repeat_word *words;
    uint32_t word_room;
} repeat_column;

struct cogni_repeats {
    uint32_t column_count;
    repeat_column *columns;
    // Bytes between the texts of a line's columns, up to the text of column c: they are alike in all lines.
    uint32_t fixed[REPEAT_COLUMNS], null_length;
    repeat_place *last;  // by key
    uint32_t key_room, key_count;
    uint64_t text_bytes;
    uint64_t vocabulary;  // serial number of the one that words are of
    uint32_t file;        // number of the present one, and one more for each vocabulary in it
    repeat_row *rows;
    repeat_cell *cells;  // those of one line lie side by side
    uint32_t row, cell;  // numbers of the next ones; their places are these modulo the rings' sizes
    uint32_t at, told;   // ends of what was taken, and of what `found` says
    // The repeat at hand: it began there, its bytes stood so far back, and goes on in that line. 0: none.
    uint32_t begun, distance, reference;
    cogni_repeat *found;
    uint32_t found_count, found_room;
};

// Null: too many columns.
cogni_repeats *cogni_repeats_new(const cogni_totals *totals);
void cogni_repeats_free(cogni_repeats *of);
void cogni_repeats_restart(cogni_repeats *of);
const cogni_repeat *cogni_repeats_found(cogni_repeats *of, uint32_t *count);
// Takes the line at [line, end), whose cells are those that `totals` has just looked at.
void cogni_repeats_take_line(cogni_repeats *of, const cogni_totals *totals, const uint8_t *line, const uint8_t *end);
// `keys` are those of the values that stand in the rows themselves, NO_KEY where they are not known yet.
void cogni_repeats_take_rows(cogni_repeats *of, const vocabulary *words, const uint8_t *const *rows, uint32_t count, const uint32_t *keys);

#endif
