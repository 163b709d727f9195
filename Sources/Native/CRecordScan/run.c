#define _GNU_SOURCE 1
#include "run.h"
#include "shape.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BIG_CHUNK ((size_t)1 << 20)
#define SMALL_CHUNK ((size_t)16 << 10)
// Bytes behind a chunk that may be read: rows become lines by whole vectors.
#define CHUNK_SLACK 64

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
        taken = cogni_allocate(sizeof(chunk) + capacity + CHUNK_SLACK);
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

// MADV_POPULATE_WRITE, which C libraries before 2.35 do not name; from Linux 5.14 on, and elsewhere nothing is lost.
#define POPULATE_WRITE 23

void cogni_stock_rows(size_t bytes) {
    size_t count = bytes / BIG_CHUNK;
    if (count > POOL_LIMIT / 2) count = POOL_LIMIT / 2;
    pthread_mutex_lock(&pool_lock);
    count = count > (size_t)pool_count ? count - (size_t)pool_count : 0;
    pthread_mutex_unlock(&pool_lock);
    while (count--) {
        chunk *fresh = cogni_allocate(sizeof(chunk) + BIG_CHUNK + CHUNK_SLACK);
        fresh->capacity = BIG_CHUNK;
        const uintptr_t start = ((uintptr_t)fresh + 4095) & ~(uintptr_t)4095;
        (void)madvise((void *)start, BIG_CHUNK & ~(size_t)4095, POPULATE_WRITE);
        give_chunk(fresh);
    }
}

// The same for large arrays of entries, of which sorting needs a second one.
#define BIG_ENTRIES (((uint64_t)1 << 20) / sizeof(run_entry))
enum { SPARE_LIMIT = 2 };
static struct {
    run_entry *entries;
    uint64_t capacity;
} spare[SPARE_LIMIT];

run_entry *cogni_entries_take(uint64_t *capacity) {
    run_entry *taken = NULL;
    if (*capacity >= BIG_ENTRIES) {
        pthread_mutex_lock(&pool_lock);
        for (int s = 0; s < SPARE_LIMIT && !taken; s++) {
            if (!spare[s].entries || spare[s].capacity < *capacity || spare[s].capacity / 4 > *capacity) continue;
            taken = spare[s].entries;
            *capacity = spare[s].capacity;
            spare[s].entries = NULL;
        }
        pthread_mutex_unlock(&pool_lock);
    }
    return taken ? taken : cogni_allocate(*capacity * sizeof(run_entry));
}

void cogni_entries_give(run_entry *entries, uint64_t capacity) {
    if (capacity >= BIG_ENTRIES) {
        pthread_mutex_lock(&pool_lock);
        for (int s = 0; s < SPARE_LIMIT && entries; s++) {
            if (spare[s].entries) continue;
            spare[s].entries = entries;
            spare[s].capacity = capacity;
            entries = NULL;
        }
        pthread_mutex_unlock(&pool_lock);
    }
    free(entries);
}

void cogni_drop_spare_memory(void) {
    pthread_mutex_lock(&pool_lock);
    for (int s = 0; s < SPARE_LIMIT; s++) {
        free(spare[s].entries);
        spare[s].entries = NULL;
    }
    chunk *dropped = pool;
    pool = NULL;
    pool_count = 0;
    pthread_mutex_unlock(&pool_lock);
    while (dropped) {
        chunk *before = dropped->before;
        free(dropped);
        dropped = before;
    }
#ifdef __GLIBC__
    malloc_trim(0);
#endif
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

static void drop_chunks(segment *from) {
    while (from->chunks) {
        chunk *before = from->chunks->before;
        give_chunk(from->chunks);
        from->chunks = before;
    }
}

static void drop_last_segment(cogni_run *run) {
    segment *last = &run->segments[--run->segment_count];
    drop_chunks(last);
    cogni_entries_give(last->entries, last->capacity);
    cogni_vocabulary_release(last->words);
}

void cogni_run_free(cogni_run *run) {
    while (run->segment_count > 0) drop_last_segment(run);
    free(run->segments);
    free(run);
}

segment *cogni_run_segment(cogni_run *run, vocabulary *words) {
    if (run->segment_count > 0) {
        segment *last = &run->segments[run->segment_count - 1];
        if (last->words == words) return last;
    }
    run->segments = cogni_reallocate(run->segments, (run->segment_count + 1) * sizeof(segment));
    segment *added = &run->segments[run->segment_count++];
    memset(added, 0, sizeof *added);
    added->words = words ? cogni_vocabulary_retain(words) : NULL;
    return added;
}

uint8_t *cogni_segment_reserve(segment *to, size_t size) {
    size = (size + 7) & ~(size_t)7;  // as it is rounded when it is committed
    if (!to->chunks || to->chunks->capacity - to->chunks->used < size) {
        size_t capacity = to->chunk_bytes < BIG_CHUNK / 2 ? SMALL_CHUNK : BIG_CHUNK;
        while (capacity < size) capacity *= 2;
        chunk *fresh = take_chunk(capacity);
        fresh->before = to->chunks;
        to->chunks = fresh;
        to->chunk_bytes += fresh->capacity;
    }
    return (uint8_t *)(to->chunks + 1) + to->chunks->used;
}

void cogni_segment_commit(segment *to, const uint8_t *record, size_t size) {
    to->chunks->used += (size + 7) & ~(size_t)7;
    if (to->count == to->capacity) {
        uint64_t capacity = to->capacity ? to->capacity * 2 : 64;
        run_entry *entries = cogni_entries_take(&capacity);
        if (to->count) memcpy(entries, to->entries, to->count * sizeof(run_entry));
        cogni_entries_give(to->entries, to->capacity);
        to->entries = entries;
        to->capacity = capacity;
    }
    run_entry *entry = &to->entries[to->count];
    entry->record = record;
    entry->order = to->count++;
    to->is_sorted = 0;
}

void cogni_run_append(cogni_run *run, const uint8_t *key, uint32_t key_length, int64_t time, const uint8_t *line,
                      uint32_t line_length) {
    segment *to = cogni_run_segment(run, NULL);
    size_t size = record_size(key_length, line_length);
    uint8_t *record = cogni_segment_reserve(to, size);
    record_header *header = (record_header *)(void *)record;
    header->key_length = key_length;
    header->line_length = line_length;
    header->time = time;
    memcpy(record + sizeof(record_header), key, key_length);
    memcpy(record + sizeof(record_header) + key_length, line, line_length);
    cogni_segment_commit(to, record, size);
    run->count++;
}

uint64_t cogni_run_count(const cogni_run *run) { return run->count; }

uint64_t cogni_run_bytes(const cogni_run *run) {
    uint64_t bytes = run->word_bytes;
    for (uint32_t s = 0; s < run->segment_count; s++) {
        bytes += run->segments[s].chunk_bytes + run->segments[s].capacity * sizeof(run_entry);
    }
    return bytes;
}

void cogni_run_truncate(cogni_run *run, uint64_t count) {
    while (run->count > count) {
        segment *last = &run->segments[run->segment_count - 1];
        if (run->count - last->count >= count) {
            run->count -= last->count;
            drop_last_segment(run);
            continue;
        }
        last->count -= run->count - count;
        run->count = count;
        const uint8_t *first = last->entries[last->count].record;
        for (;;) {
            const uint8_t *start = (const uint8_t *)(last->chunks + 1);
            if (first >= start && first < start + last->chunks->capacity) {
                last->chunks->used = (size_t)(first - start);
                break;
            }
            chunk *before = last->chunks->before;
            last->chunk_bytes -= last->chunks->capacity;
            give_chunk(last->chunks);
            last->chunks = before;
        }
    }
}

void cogni_run_sort(cogni_run *run) {
    for (uint32_t s = 0; s < run->segment_count; s++) cogni_segment_sort(&run->segments[s]);
}

// ---------------------------------------------------------------- run files: see merge.c for the writing of them

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

