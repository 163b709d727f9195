#ifndef COGNI_VALUE_SET_H
#define COGNI_VALUE_SET_H

#include "text.h"

#include <stdint.h>
#include <string.h>

// The distinct values of a column in one file, with how many rows hold each.

typedef struct {
    uint64_t text, hash;  // offset of the text in `bytes`
    uint32_t length;
    uint64_t rows, living;
} set_entry;

// What is known of a vocabulary's words, by their number; 0: nothing yet.
typedef struct {
    uint32_t *notes, room;
} word_notes;

typedef struct {
    uint32_t column;
    int32_t ending;  // a row counts as living while this column is null; -1: always
    set_entry *entries;
    uint32_t count, capacity;
    uint32_t *slots, slot_count;  // index + 1, or 0
    uint8_t *bytes;
    uint64_t used, room;
    uint32_t last;       // rows are sorted: the same value mostly comes again
    word_notes entry_of; // index + 1
} value_set;

void cogni_set_free(value_set *set);
void cogni_set_restart(value_set *set);
// The index of a value, which is added when it is new.
uint32_t cogni_set_find(value_set *set, const uint8_t *text, uint32_t length);
// The same, but nothing is added: a new one is NOT_IN_SET.
#define NOT_IN_SET UINT32_MAX
uint32_t cogni_set_look(value_set *set, const uint8_t *text, uint32_t length);

void cogni_notes_grow(word_notes *of, uint32_t number);
static inline uint32_t *note_of(word_notes *of, uint32_t number) {
    if (number >= of->room) cogni_notes_grow(of, number);
    return &of->notes[number];
}
static inline void forget_notes(word_notes *of) {
    if (of->room) memset(of->notes, 0, of->room * sizeof(uint32_t));
}

static inline void cogni_set_count(value_set *set, uint32_t index, int is_living) {
    set->entries[index].rows++;
    set->entries[index].living += (uint64_t)is_living;
}

#endif
