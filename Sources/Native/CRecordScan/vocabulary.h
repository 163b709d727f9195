#ifndef COGNI_VOCABULARY_H
#define COGNI_VOCABULARY_H

#include "shape.h"
#include "text.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

// The words of one stream's lines: for each column the distinct values met, with their finished text; and what
// stands between them. A waiting row is then a few word numbers and the digits of its counters, a tenth of
// its line, and becomes a line only when its file is written.
//
// Only the encoder adds to a vocabulary. Rows keep it alive by a count of references, and whoever was handed finished
// rows reads the words and templates that these name: nothing that was added ever moves.

// One distinct value. Word 0 of every column is null.
typedef struct {
    const uint8_t *text;  // as it stands in the line
    const uint8_t *key;   // what the sort key holds; null: the value is null
    const uint8_t *raw;   // as it stood in the page
    uint32_t length, key_length, raw_length, kind;
    uint64_t hash;
    int64_t time;
} word;

#define WORDS_PER_CHUNK 256u
// A vocabulary over these bounds is left to its rows, and a new one begun: values that never repeat would only fill memory.
// Tests make them small.
#ifndef MAX_WORDS
#define MAX_WORDS (1u << 15)
#endif
#ifndef MAX_WORD_BYTES
#define MAX_WORD_BYTES ((size_t)8 << 20)
#endif
#define MAX_TEMPLATES 256u

typedef struct {
    word *chunks[MAX_WORDS / WORDS_PER_CHUNK];
    uint32_t count;
    uint32_t *slots;  // number of a word, 0 when free
    uint32_t slot_mask;
} word_list;

// Lines with the same columns null are alike but for their values: text, value, text, value, … text.
typedef struct {
    uint8_t *text;
    uint32_t length;
    int32_t item;  // the value after the text: a place among the row's word numbers, AN_INLINE, or AT_LINE_END
} template_step;

enum { AN_INLINE = -1, AT_LINE_END = -2 };

typedef struct {
    uint64_t nulls;       // bit c: column c is null
    uint32_t fixed;       // bytes of all texts
    template_step *steps;
} line_template;

typedef struct word_block {
    struct word_block *before;
} word_block;

// A column as rows see it.
typedef struct {
    uint8_t *prefix;
    uint32_t prefix_length;
    int32_t place;  // among the row's word numbers, or AN_INLINE
} line_column;

typedef struct vocabulary {
    uint64_t serial;  // no other vocabulary of the process has it
    atomic_uint references;
    uint32_t count;  // columns
    line_column *columns;
    word_list *lists;
    uint32_t word_places;         // word numbers a row has
    uint32_t *column_of;          // place → column
    uint32_t *key_places, key_count;
    uint8_t *null_text, *ending;
    uint32_t null_length, ending_length;
    line_template *templates[MAX_TEMPLATES];
    uint32_t template_count;
    word_block *blocks;
    uint8_t *free_at, *free_end;
    size_t bytes;  // memory in use
} vocabulary;

vocabulary *cogni_vocabulary_new(const line_column *columns, uint32_t count, const uint32_t *keys, uint32_t key_count,
                                 const uint8_t *null_text, uint32_t null_length, const uint8_t *ending,
                                 uint32_t ending_length);
static inline vocabulary *cogni_vocabulary_retain(vocabulary *words) {
    atomic_fetch_add_explicit(&words->references, 1, memory_order_relaxed);
    return words;
}
void cogni_vocabulary_release(vocabulary *words);

static inline int has_most_words(const vocabulary *words, uint32_t column) { return words->lists[column].count >= MAX_WORDS; }

// Adds a word; the caller has looked for it, and asked `has_most_words`. Returns its number.
uint32_t cogni_vocabulary_add(vocabulary *words, uint32_t column, uint64_t hash, const uint8_t *raw, uint32_t raw_length,
                              uint32_t kind, const uint8_t *text, uint32_t length, const uint8_t *key,
                              uint32_t key_length, int64_t time);
// The template for rows with these columns null; 0, which leaves nothing out, when there are too many.
uint32_t cogni_vocabulary_template(vocabulary *words, uint64_t nulls);

static inline const word *word_at(const word_list *list, uint32_t number) {
    return &list->chunks[number / WORDS_PER_CHUNK][number % WORDS_PER_CHUNK];
}

static inline uint64_t mixed(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_of(const uint8_t *bytes, uint32_t length, uint32_t kind) {
    uint64_t hash = 0x9E3779B97F4A7C15ull ^ ((uint64_t)length << 8 | kind);
    uint64_t last = 0;
    if (length >= 8) {
        // The last eight bytes overlap those before them.
        for (uint32_t at = 0; at + 8 < length; at += 8) {
            uint64_t one;
            memcpy(&one, bytes + at, 8);
            hash = mixed(hash ^ one, 0xD6E8FEB86659FD93ull);
        }
        memcpy(&last, bytes + length - 8, 8);
    } else {
        for (uint32_t at = 0; at < length; at++) last = last << 8 | bytes[at];
    }
    return mixed(hash ^ last, 0xA0761D6478BD642Full);
}

// The number of the word with these raw bytes, or 0. Up to 32 bytes behind them may be read.
static inline uint32_t find_word(const word_list *list, uint64_t hash, const uint8_t *raw, uint32_t length, uint32_t kind) {
    if (!list->slots) return 0;
    for (uint32_t at = (uint32_t)hash & list->slot_mask;; at = (at + 1) & list->slot_mask) {
        uint32_t number = list->slots[at];
        if (number == 0) return 0;
        const word *found = word_at(list, number);
        if (found->hash == hash && found->raw_length == length && found->kind == kind &&
            cogni_same_text(found->raw, raw, length))
            return number;
    }
}

#endif
