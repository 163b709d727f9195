#define _GNU_SOURCE 1
#include "run.h"

#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------- plain records

// Multikey quicksort with eight bytes of the key cached in the entry: rows of one bucket share long
// prefixes, which a plain comparison would walk again and again. Order of arrival breaks ties, so that the result does
// not depend on the algorithm.

static inline uint64_t prefix_at(const uint8_t *record, uint32_t depth) {
    uint32_t length = header_of(record)->key_length;
    const uint8_t *key = key_of(record);
    uint64_t word = 0;
    if (depth + 8 <= length) {
        memcpy(&word, key + depth, 8);
    } else if (depth < length) {
        memcpy(&word, key + depth, length - depth);
    }
    return __builtin_bswap64(word);
}

// Compares from `depth` on; then by arrival.
static inline int entry_less(const run_entry *a, const run_entry *b, uint32_t depth) {
    if (a->prefix != b->prefix) return a->prefix < b->prefix;
    uint32_t la = header_of(a->record)->key_length, lb = header_of(b->record)->key_length;
    uint32_t from = depth + 8, common = la < lb ? la : lb;
    if (from < common) {
        int order = memcmp(key_of(a->record) + from, key_of(b->record) + from, common - from);
        if (order) return order < 0;
    }
    if (la != lb) return la < lb;
    return a->order < b->order;
}

static void insertion_sort(run_entry *entries, uint64_t count, uint32_t depth) {
    for (uint64_t i = 1; i < count; i++) {
        run_entry moving = entries[i];
        uint64_t j = i;
        while (j > 0 && entry_less(&moving, &entries[j - 1], depth)) {
            entries[j] = entries[j - 1];
            j--;
        }
        entries[j] = moving;
    }
}

static int by_arrival(const void *a, const void *b) {
    uint64_t x = ((const run_entry *)a)->order, y = ((const run_entry *)b)->order;
    return x < y ? -1 : x > y;
}

// By whole keys, whatever `prefix` holds; then by arrival.
static int by_whole_key(const void *a, const void *b) {
    const run_entry *x = a, *y = b;
    const uint32_t one = header_of(x->record)->key_length, other = header_of(y->record)->key_length;
    const int order = memcmp(key_of(x->record), key_of(y->record), one < other ? one : other);
    if (order || one != other) return order ? order : one < other ? -1 : 1;
    return by_arrival(a, b);
}

// Beyond so many bytes that keys share with their neighbours, they are compared whole: each step takes some of the stack.
enum { DEEPEST = 1 << 12 };

static inline uint64_t median(uint64_t a, uint64_t b, uint64_t c) {
    if (a < b) return b < c ? b : a < c ? c : a;
    return a < c ? a : b < c ? c : b;
}

// `prefix` of all entries is loaded for `depth`.
static void sort_entries(run_entry *entries, uint64_t count, uint32_t depth) {
    while (count > 24) {
        uint64_t pivot = median(entries[count / 8].prefix, entries[count / 2].prefix, entries[count - 1 - count / 8].prefix);
        uint64_t less = 0, at = 0, more = count;
        while (at < more) {
            run_entry entry = entries[at];
            if (entry.prefix < pivot) {
                entries[at++] = entries[less];
                entries[less++] = entry;
            } else if (entry.prefix > pivot) {
                entries[at] = entries[--more];
                entries[more] = entry;
            } else {
                at++;
            }
        }
        sort_entries(entries, less, depth);
        // The middle shares these eight bytes: go on with the next eight, unless its keys end here.
        uint64_t middle = more - less;
        if (middle > 1) {
            run_entry *first = entries + less;
            int any = 0;
            for (uint64_t i = 0; i < middle; i++) any |= header_of(first[i].record)->key_length > depth + 8;
            if (any && depth >= DEEPEST) {
                qsort(first, middle, sizeof(run_entry), by_whole_key);
            } else if (any) {
                for (uint64_t i = 0; i < middle; i++) first[i].prefix = prefix_at(first[i].record, depth + 8);
                sort_entries(first, middle, depth + 8);
            } else {
                qsort(first, middle, sizeof(run_entry), by_arrival);
            }
        }
        entries += more;
        count -= more;
    }
    insertion_sort(entries, count, depth);
}

static void sort_plain(segment *run) {
    // What all keys share at their beginning need not be looked at.
    const uint8_t *first = run->entries[0].record;
    uint32_t shared = header_of(first)->key_length;
    for (uint64_t i = 1; i < run->count && shared > 0; i++) {
        const uint8_t *record = run->entries[i].record;
        uint32_t length = header_of(record)->key_length;
        if (length < shared) shared = length;
        if (memcmp(key_of(first), key_of(record), shared) == 0) continue;
        uint32_t same = 0;
        while (key_of(first)[same] == key_of(record)[same]) same++;
        shared = same;
    }
    for (uint64_t i = 0; i < run->count; i++) run->entries[i].prefix = prefix_at(run->entries[i].record, shared);
    sort_entries(run->entries, run->count, shared);
}

// ---------------------------------------------------------------- rows in words

// Every distinct word of a key column gets its rank among them, and the ranks of all key columns together are nearly always a
// number of less than 64 bits: rows are sorted as integers. Words with the same text share a rank.

typedef struct {
    const word *word;
    uint32_t number;
} ranked;

static int by_key(const void *a, const void *b) {
    const word *x = ((const ranked *)a)->word, *y = ((const ranked *)b)->word;
    int order = memcmp(x->key, y->key, x->key_length < y->key_length ? x->key_length : y->key_length);
    if (order) return order;
    return x->key_length < y->key_length ? -1 : x->key_length > y->key_length;
}

// The words of one key column: of which numbers some row has one, then each number's rank.
typedef struct {
    uint32_t place;
    uint32_t highest;  // number
    uint32_t *ranks;
} key_column;

// Rows are many, and each time they are gone through costs as much as all else here: what is asked of them, is asked for all key
// columns at once.
static void note_used(const segment *rows, key_column *columns, uint32_t count) {
    for (uint64_t i = 0; i < rows->count; i++) {
        const uint32_t *numbers = words_of(rows->entries[i].record);
        for (uint32_t k = 0; k < count; k++) {
            const uint32_t number = numbers[columns[k].place];
            if (number > columns[k].highest) columns[k].highest = number;
        }
    }
    for (uint32_t k = 0; k < count; k++) {
        const size_t size = ((size_t)columns[k].highest + 1) * sizeof(uint32_t);
        columns[k].ranks = cogni_allocate(size);
        memset(columns[k].ranks, 0, size);
    }
    for (uint64_t i = 0; i < rows->count; i++) {
        const uint32_t *numbers = words_of(rows->entries[i].record);
        for (uint32_t k = 0; k < count; k++) columns[k].ranks[numbers[columns[k].place]] = 1;
    }
}

// Ranks by word number; null is 0. Returns the largest.
static uint32_t rank_column(const vocabulary *words, const key_column *column) {
    const word_list *list = &words->lists[words->column_of[column->place]];
    uint32_t *rank = column->ranks;
    ranked *used = cogni_allocate(((size_t)column->highest + 1) * sizeof(ranked));
    uint32_t count = 0;
    int has_null = rank[0] != 0;
    rank[0] = 0;
    for (uint32_t number = 1; number <= column->highest; number++) {
        if (!rank[number]) continue;
        const word *found = word_at(list, number);
        rank[number] = 0;
        if (found->key) used[count++] = (ranked){found, number};
        else has_null = 1;
    }
    qsort(used, count, sizeof(ranked), by_key);
    uint32_t next = has_null ? 1 : 0;
    for (uint32_t u = 0; u < count; u++) {
        if (u > 0 && by_key(&used[u - 1], &used[u]) != 0) next++;
        rank[used[u].number] = next;
    }
    free(used);
    return next;
}

static uint32_t bits_of(uint32_t highest) { return highest == 0 ? 0 : 32 - (uint32_t)__builtin_clz(highest); }

// Least significant digits first, so that rows with the same number keep the order of arrival.
static void sort_by_number(segment *rows, uint32_t bits) {
    enum { DIGIT = 11 };
    uint64_t count = rows->count;
    uint64_t capacity = rows->capacity;
    run_entry *from = rows->entries, *other = cogni_entries_take(&capacity), *to = other;
    for (uint32_t shift = 0; shift < bits; shift += DIGIT) {
        uint64_t starts[1 << DIGIT] = {0}, sum = 0;
        for (uint64_t i = 0; i < count; i++) starts[from[i].prefix >> shift & ((1 << DIGIT) - 1)]++;
        for (uint32_t d = 0; d < 1 << DIGIT; d++) {
            uint64_t size = starts[d];
            starts[d] = sum;
            sum += size;
        }
        for (uint64_t i = 0; i < count; i++) to[starts[from[i].prefix >> shift & ((1 << DIGIT) - 1)]++] = from[i];
        run_entry *swapped = from;
        from = to;
        to = swapped;
    }
    rows->entries = from;
    if (from != other) return cogni_entries_give(other, capacity);
    cogni_entries_give(to, rows->capacity);
    rows->capacity = capacity;
}

typedef struct {
    const vocabulary *words;
    uint32_t from;
} key_rest;

static int by_key_rest(const void *a, const void *b, void *context) {
    const run_entry *x = a, *y = b;
    const key_rest *rest = context;
    int order = cogni_row_compare(rest->words, x->record, y->record, rest->from);
    return order ? order : by_arrival(a, b);
}

// Loads all prefixes with the ranks of the first key columns. Returns whether the rows lie in their order already.
static int load_prefixes(segment *rows, const key_column *columns, const uint32_t *bits, uint32_t count) {
    int is_ordered = 1;
    uint64_t before = 0;
    for (uint64_t i = 0; i < rows->count; i++) {
        run_entry *entry = &rows->entries[i];
        const uint32_t *numbers = words_of(entry->record);
        uint64_t prefix = 0;
        for (uint32_t k = 0; k < count; k++) {
            if (bits[k] > 0) prefix = prefix << bits[k] | columns[k].ranks[numbers[columns[k].place]];
        }
        entry->prefix = prefix;
        is_ordered &= before <= prefix;
        before = prefix;
    }
    return is_ordered;
}

static void sort_words(segment *rows) {
    const vocabulary *words = rows->words;
    const uint32_t key_count = words->key_count;
    key_column columns[64];
    uint32_t widths[64], bits = 0, taken = 0;
    for (uint32_t k = 0; k < key_count; k++) columns[k] = (key_column){.place = words->key_places[k]};
    note_used(rows, columns, key_count);
    for (; taken < key_count; taken++) {
        widths[taken] = bits_of(rank_column(words, &columns[taken]));
        if (bits + widths[taken] > 64) break;
        bits += widths[taken];
    }
    const int is_ordered = load_prefixes(rows, columns, widths, taken);
    for (uint32_t k = 0; k < key_count; k++) free(columns[k].ranks);
    rows->prefix_is_key = taken == words->key_count;
    if (!is_ordered) sort_by_number(rows, bits);
    if (rows->prefix_is_key) return;
    key_rest rest = {words, taken};
    for (uint64_t start = 0; start < rows->count;) {
        uint64_t end = start + 1;
        while (end < rows->count && rows->entries[end].prefix == rows->entries[start].prefix) end++;
        if (end - start > 1) qsort_r(&rows->entries[start], end - start, sizeof(run_entry), by_key_rest, &rest);
        start = end;
    }
}

void cogni_segment_sort(segment *sorted) {
    if (!sorted->is_sorted && sorted->count > 0) {
        if (sorted->words) sort_words(sorted);
        else sort_plain(sorted);
    }
    sorted->is_sorted = 1;
}
