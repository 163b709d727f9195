#include "vocabulary.h"

#include <stdlib.h>

#define WORD_BLOCK ((size_t)64 << 10)
// Bytes after a text that may be read: short texts are copied by whole vectors.
#define READ_SLACK 32

static uint8_t *copied(const uint8_t *bytes, size_t length) {
    uint8_t *copy = cogni_allocate(length + READ_SLACK);
    if (length) memcpy(copy, bytes, length);
    memset(copy + length, 0, READ_SLACK);
    return copy;
}

vocabulary *cogni_vocabulary_new(const line_column *columns, uint32_t count, const uint32_t *keys, uint32_t key_count,
                                 const uint8_t *null_text, uint32_t null_length, const uint8_t *ending,
                                 uint32_t ending_length) {
    vocabulary *words = cogni_allocate(sizeof *words);
    memset(words, 0, sizeof *words);
    static atomic_ullong serials;
    words->serial = 1 + atomic_fetch_add_explicit(&serials, 1, memory_order_relaxed);
    atomic_init(&words->references, 1);
    words->count = count;
    words->columns = cogni_allocate(count * sizeof(line_column));
    words->lists = cogni_allocate(count * sizeof(word_list));
    memset(words->lists, 0, count * sizeof(word_list));
    words->column_of = cogni_allocate(count * sizeof(uint32_t));
    for (uint32_t c = 0; c < count; c++) {
        words->columns[c] = columns[c];
        words->columns[c].prefix = copied(columns[c].prefix, columns[c].prefix_length);
        if (columns[c].place >= 0) {
            words->column_of[columns[c].place] = c;
            words->word_places++;
        }
    }
    words->key_count = key_count;
    words->key_places = cogni_allocate(key_count * sizeof(uint32_t));
    for (uint32_t k = 0; k < key_count; k++) words->key_places[k] = (uint32_t)columns[keys[k]].place;
    words->null_text = copied(null_text, null_length);
    words->null_length = null_length;
    words->ending = copied(ending, ending_length);
    words->ending_length = ending_length;
    words->bytes = sizeof *words + count * (sizeof(word_list) + sizeof(line_column));
    cogni_vocabulary_template(words, 0);
    return words;
}

void cogni_vocabulary_release(vocabulary *words) {
    if (!words || atomic_fetch_sub_explicit(&words->references, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t c = 0; c < words->count; c++) {
        free(words->columns[c].prefix);
        for (uint32_t chunk = 0; chunk < MAX_WORDS / WORDS_PER_CHUNK; chunk++) free(words->lists[c].chunks[chunk]);
        free(words->lists[c].slots);
    }
    for (uint32_t t = 0; t < words->template_count; t++) {
        template_step *step = words->templates[t]->steps;
        do free(step->text);
        while ((step++)->item != AT_LINE_END);
        free(words->templates[t]->steps);
        free(words->templates[t]);
    }
    while (words->blocks) {
        word_block *before = words->blocks->before;
        free(words->blocks);
        words->blocks = before;
    }
    free(words->columns);
    free(words->lists);
    free(words->column_of);
    free(words->key_places);
    free(words->null_text);
    free(words->ending);
    free(words);
}

// ---------------------------------------------------------------- words

static const uint8_t *keep(vocabulary *words, const uint8_t *bytes, size_t length) {
    if ((size_t)(words->free_end - words->free_at) < length + READ_SLACK) {
        size_t room = length + READ_SLACK > WORD_BLOCK ? length + READ_SLACK : WORD_BLOCK;
        word_block *block = cogni_allocate(sizeof(word_block) + room);
        block->before = words->blocks;
        words->blocks = block;
        words->free_at = (uint8_t *)(block + 1);
        words->free_end = words->free_at + room;
        memset(words->free_end - READ_SLACK, 0, READ_SLACK);
        words->bytes += room;
    }
    uint8_t *place = words->free_at;
    if (length) memcpy(place, bytes, length);
    words->free_at += length;
    return place;
}

static void grow(word_list *list) {
    uint32_t room = list->slots ? (list->slot_mask + 1) * 2 : 64;
    list->slots = cogni_reallocate(list->slots, room * sizeof(uint32_t));
    memset(list->slots, 0, room * sizeof(uint32_t));
    list->slot_mask = room - 1;
    for (uint32_t number = 1; number < list->count; number++) {
        uint32_t at = (uint32_t)word_at(list, number)->hash & list->slot_mask;
        while (list->slots[at]) at = (at + 1) & list->slot_mask;
        list->slots[at] = number;
    }
}

static word *next_word(vocabulary *words, word_list *list) {
    uint32_t chunk = list->count / WORDS_PER_CHUNK;
    if (!list->chunks[chunk]) {
        list->chunks[chunk] = cogni_allocate(WORDS_PER_CHUNK * sizeof(word));
        words->bytes += WORDS_PER_CHUNK * sizeof(word);
    }
    return &list->chunks[chunk][list->count++ % WORDS_PER_CHUNK];
}

uint32_t cogni_vocabulary_add(vocabulary *words, uint32_t column, uint64_t hash, const uint8_t *raw, uint32_t raw_length,
                              uint32_t kind, const uint8_t *text, uint32_t length, const uint8_t *key,
                              uint32_t key_length, int64_t time) {
    word_list *list = &words->lists[column];
    if (list->count == 0) {
        word *null = next_word(words, list);
        memset(null, 0, sizeof *null);
        null->text = words->null_text;
        null->length = words->null_length;
    }
    if (!list->slots || list->count * 2 > list->slot_mask) grow(list);
    uint32_t number = list->count;
    word *added = next_word(words, list);
    added->text = keep(words, text, length);
    added->length = length;
    // Key and raw text are nearly always parts of the text.
    added->key = NULL;
    added->key_length = 0;
    if (key) {
        added->key_length = key_length;
        if (length >= key_length + 2 && memcmp(added->text + 1, key, key_length) == 0) added->key = added->text + 1;
        else if (length >= key_length && memcmp(added->text, key, key_length) == 0) added->key = added->text;
        else added->key = keep(words, key, key_length);
    }
    added->raw_length = raw_length;
    if (added->key && added->key_length == raw_length && memcmp(added->key, raw, raw_length) == 0) added->raw = added->key;
    else added->raw = keep(words, raw, raw_length);
    added->kind = kind;
    added->hash = hash;
    added->time = time;
    uint32_t at = (uint32_t)hash & list->slot_mask;
    while (list->slots[at]) at = (at + 1) & list->slot_mask;
    list->slots[at] = number;
    return number;
}

// ---------------------------------------------------------------- templates

uint32_t cogni_vocabulary_template(vocabulary *words, uint64_t nulls) {
    for (uint32_t t = 0; t < words->template_count; t++) {
        if (words->templates[t]->nulls == nulls) return t;
    }
    if (words->template_count == MAX_TEMPLATES) return 0;
    line_template *made = cogni_allocate(sizeof *made);
    made->nulls = nulls;
    made->fixed = 0;
    made->steps = cogni_allocate((words->count + 1) * sizeof(template_step));
    template_step *step = made->steps;
    size_t room = words->ending_length, used = 0;
    for (uint32_t c = 0; c < words->count; c++) room += words->columns[c].prefix_length + words->null_length;
    uint8_t *text = cogni_allocate(room);
    for (uint32_t c = 0; c <= words->count; c++) {
        int is_end = c == words->count;
        const uint8_t *part = is_end ? words->ending : words->columns[c].prefix;
        uint32_t length = is_end ? words->ending_length : words->columns[c].prefix_length;
        if (length) memcpy(text + used, part, length);
        used += length;
        if (!is_end && c < 64 && nulls >> c & 1) {
            memcpy(text + used, words->null_text, words->null_length);
            used += words->null_length;
            continue;
        }
        step->text = copied(text, used);
        step->length = (uint32_t)used;
        step->item = is_end ? AT_LINE_END : words->columns[c].place;
        made->fixed += (uint32_t)used;
        used = 0;
        step++;
    }
    free(text);
    words->bytes += sizeof *made + (words->count + 1) * sizeof(template_step) + room + words->count * READ_SLACK;
    words->templates[words->template_count] = made;
    return words->template_count++;
}
