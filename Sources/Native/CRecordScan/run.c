#define _GNU_SOURCE 1
#include "run.h"
#include "shape.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BIG_CHUNK ((size_t)1 << 20)
#define SMALL_CHUNK ((size_t)16 << 10)

// Freed big chunks wait here for the next run: fresh memory from the system costs a page fault every 4 KiB,
// which on this data is as much as the sort.
static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static chunk *pool;
static int pool_count;
#define POOL_LIMIT 32

static chunk *take_chunk(size_t capacity) {
    chunk *taken = NULL;
    if (capacity == BIG_CHUNK) {
        pthread_mutex_lock(&pool_lock);
        if (pool) {
            taken = pool;
            pool = pool->before;
            pool_count--;
        }
        pthread_mutex_unlock(&pool_lock);
    }
    if (!taken) {
        taken = cogni_allocate(sizeof(chunk) + capacity);
        taken->capacity = capacity;
    }
    taken->used = 0;
    return taken;
}

static void give_chunk(chunk *given) {
    if (given->capacity == BIG_CHUNK) {
        pthread_mutex_lock(&pool_lock);
        if (pool_count < POOL_LIMIT) {
            given->before = pool;
            pool = given;
            pool_count++;
            given = NULL;
        }
        pthread_mutex_unlock(&pool_lock);
    }
    free(given);
}

// glibc keeps freed blocks of up to 32 MiB for itself once one was freed, in an arena for each thread: a run that
// reads pages of that size ends up with twice the memory it uses.
void cogni_return_freed_memory(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
    mallopt(M_ARENA_MAX, 2);
#endif
}

cogni_run *cogni_run_new(void) {
    cogni_run *run = cogni_allocate(sizeof *run);
    memset(run, 0, sizeof *run);
    return run;
}

void cogni_run_free(cogni_run *run) {
    while (run->chunks) {
        chunk *before = run->chunks->before;
        give_chunk(run->chunks);
        run->chunks = before;
    }
    free(run->entries);
    free(run);
}

uint8_t *cogni_run_reserve(cogni_run *run, uint32_t key_length, uint32_t line_length, int64_t time) {
    size_t size = record_size(key_length, line_length);
    if (!run->chunks || run->chunks->capacity - run->chunks->used < size) {
        size_t capacity = run->chunk_bytes < BIG_CHUNK / 2 ? SMALL_CHUNK : BIG_CHUNK;
        while (capacity < size) capacity *= 2;
        chunk *fresh = take_chunk(capacity);
        fresh->before = run->chunks;
        run->chunks = fresh;
        run->chunk_bytes += fresh->capacity;
    }
    uint8_t *record = (uint8_t *)(run->chunks + 1) + run->chunks->used;
    run->chunks->used += size;
    if (run->count == run->capacity) {
        run->capacity = run->capacity ? run->capacity * 2 : 64;
        run->entries = cogni_reallocate(run->entries, run->capacity * sizeof(run_entry));
    }
    run_entry *entry = &run->entries[run->count];
    entry->record = record;
    entry->order = run->count++;
    run->is_sorted = 0;
    record_header *header = (record_header *)(void *)record;
    header->key_length = key_length;
    header->line_length = line_length;
    header->time = time;
    return record + sizeof(record_header);
}

void cogni_run_append(cogni_run *run, const uint8_t *key, uint32_t key_length, int64_t time, const uint8_t *line,
                      uint32_t line_length) {
    uint8_t *place = cogni_run_reserve(run, key_length, line_length, time);
    memcpy(place, key, key_length);
    memcpy(place + key_length, line, line_length);
}

uint64_t cogni_run_count(const cogni_run *run) { return run->count; }
uint64_t cogni_run_bytes(const cogni_run *run) { return run->chunk_bytes + run->capacity * sizeof(run_entry); }

void cogni_run_truncate(cogni_run *run, uint64_t count) {
    if (count >= run->count) return;
    const uint8_t *first = run->entries[count].record;
    while (run->chunks) {
        const uint8_t *start = (const uint8_t *)(run->chunks + 1);
        if (first >= start && first < start + run->chunks->capacity) {
            run->chunks->used = (size_t)(first - start);
            break;
        }
        chunk *before = run->chunks->before;
        run->chunk_bytes -= run->chunks->capacity;
        give_chunk(run->chunks);
        run->chunks = before;
    }
    run->count = count;
}

// ---------------------------------------------------------------- sort

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
            if (any) {
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

void cogni_run_sort(cogni_run *run) {
    if (run->is_sorted || run->count == 0) {
        run->is_sorted = 1;
        return;
    }
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
    run->is_sorted = 1;
}

// ---------------------------------------------------------------- run files

uint64_t cogni_checksum(uint64_t state, const uint8_t *bytes, size_t length) {
    while (length >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        state = (state ^ word) * 0x9E3779B97F4A7C15ull;
        state ^= state >> 32;
        bytes += 8;
        length -= 8;
    }
    while (length--) state = (state ^ *bytes++) * 0x100000001B3ull;
    return state;
}

static int write_all(int fd, const uint8_t *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0) {
            if (errno == EINTR) continue;
            return errno;
        }
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

int64_t cogni_run_write(cogni_run *run, int fd, uint64_t *checksum) {
    cogni_run_sort(run);
    size_t capacity = BIG_CHUNK, used = 0;
    int64_t total = 0;
    int error = 0;
    uint8_t *buffer = cogni_allocate(capacity);
    for (uint64_t i = 0; i < run->count && !error; i++) {
        const record_header *header = header_of(run->entries[i].record);
        size_t size = record_size(header->key_length, header->line_length);
        size_t exact = sizeof(record_header) + (size_t)header->key_length + header->line_length;
        if (used + size > capacity) {
            *checksum = cogni_checksum(*checksum, buffer, used);
            error = write_all(fd, buffer, used);
            total += (int64_t)used;
            used = 0;
            if (size > capacity) {
                capacity = size;
                buffer = cogni_reallocate(buffer, capacity);
            }
        }
        memcpy(buffer + used, run->entries[i].record, exact);
        memset(buffer + used + exact, 0, size - exact);
        used += size;
    }
    if (!error) {
        *checksum = cogni_checksum(*checksum, buffer, used);
        error = write_all(fd, buffer, used);
        total += (int64_t)used;
    }
    free(buffer);
    return error ? -(int64_t)error : total;
}
