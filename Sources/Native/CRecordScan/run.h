#ifndef COGNI_RUN_H
#define COGNI_RUN_H

#include "record_scan.h"
#include "vocabulary.h"

// A plain record, as it lies in a chunk and in a run file: this header, the key, the line.
typedef struct {
    uint32_t key_length;
    uint32_t line_length;
    int64_t time;
} record_header;

// A row in words, as it lies in a chunk: this header, the word numbers, then for each inline value a byte with its length
// and its text, or A_WORD and a word number. Which values are there, the template says.
typedef struct {
    int64_t time;
    uint32_t line_length;
    uint16_t template;
    uint16_t inline_length;
} row_header;

enum { A_WORD = 0xFE, MAX_INLINE = 31 };

typedef struct {
    uint64_t prefix;   // plain: eight bytes of the key at the depth being sorted, big-endian; words: the ranks of the key's words
    const uint8_t *record;
    uint64_t order;    // of arrival
} run_entry;

typedef struct chunk {
    struct chunk *before;
    size_t capacity, used;
} chunk;

// Records that lie together: plain ones, or rows in the words of one vocabulary.
typedef struct {
    vocabulary *words;   // null: plain records
    chunk *chunks;       // the newest first
    run_entry *entries;
    uint64_t count, capacity, chunk_bytes;
    int is_sorted;
    int prefix_is_key;   // once sorted: equal prefixes mean equal keys
} segment;

struct cogni_run {
    segment *segments;   // in the order of arrival
    uint32_t segment_count;
    uint64_t count;
    size_t word_bytes;   // of vocabularies, what this run made them grow
};

// The segment that rows in these words go to.
segment *cogni_run_segment(cogni_run *run, vocabulary *words);
// Room for a record of at most `size` bytes. Nothing is added before `cogni_segment_commit` says how many it took.
uint8_t *cogni_segment_reserve(segment *to, size_t size);
void cogni_segment_commit(segment *to, const uint8_t *record, size_t size);
void cogni_segment_sort(segment *sorted);
// An array for at least so many entries; `capacity` says how many it has.
run_entry *cogni_entries_take(uint64_t *capacity);
void cogni_entries_give(run_entry *entries, uint64_t capacity);

uint64_t cogni_checksum(uint64_t state, const uint8_t *bytes, size_t length);

static inline const record_header *header_of(const uint8_t *record) { return (const record_header *)(const void *)record; }
static inline const uint8_t *key_of(const uint8_t *record) { return record + sizeof(record_header); }
static inline size_t record_size(uint32_t key_length, uint32_t line_length) {
    return (sizeof(record_header) + (size_t)key_length + line_length + 7) & ~(size_t)7;
}

static inline const row_header *row_of(const uint8_t *record) { return (const row_header *)(const void *)record; }
static inline const uint32_t *words_of(const uint8_t *record) {
    return (const uint32_t *)(const void *)(record + sizeof(row_header));
}
// The word at a place of the key.
static inline const word *key_word(const vocabulary *words, const uint8_t *record, uint32_t k) {
    uint32_t place = words->key_places[k], number = words_of(record)[place];
    return number ? word_at(&words->lists[words->column_of[place]], number) : NULL;
}

// Writes a row's line, and up to 31 bytes behind it. Returns its end.
uint8_t *cogni_row_line(const vocabulary *words, const uint8_t *record, uint8_t *out);
// A row's key, as plain records have it.
uint32_t cogni_row_key_length(const vocabulary *words, const uint8_t *record);
uint8_t *cogni_row_key(const vocabulary *words, const uint8_t *record, uint8_t *out);
// As memcmp on the keys.
int cogni_row_compare(const vocabulary *words, const uint8_t *a, const uint8_t *b, uint32_t from_key_column);
// The rows of a merge's last block, when it took them as words; none otherwise.
const uint8_t *const *cogni_merge_block_rows(const cogni_merge *merge, uint32_t *count, const vocabulary **words);
int cogni_row_same_line(const vocabulary *words, const uint8_t *a, const uint8_t *b);

#endif
