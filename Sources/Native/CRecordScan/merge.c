#define _GNU_SOURCE 1
#include "run.h"
#include "shape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRITE_BLOCK ((size_t)1 << 20)

// Sorted sources become one sorted sequence with one row a key. Sources are few (runs of one partition), so the
// next one is found by a binary heap of source numbers; equal keys come out in order of source, then arrival.

typedef struct {
    const segment *rows;  // in memory, or:
    uint64_t next;
    int fd;
    int64_t offset, left;
    uint8_t *buffer;
    size_t capacity, from, filled;
    const uint8_t *record;  // the current one
    int is_old;
} source;

struct cogni_merge {
    source *sources;
    uint32_t source_count;
    uint32_t *heap, heap_count;
    int is_started, keep_latest;
    // The row held back until its last repeat has been seen.
    uint8_t *held;
    size_t held_capacity;
    int held_is_old;
    const uint8_t *ready;  // given out by cogni_merge_next, waiting in cogni_merge_block for room
    // Rows in words: those of the last block, for adding up their values without reading the lines again.
    const uint8_t **block;
    uint32_t block_rows, block_capacity;
    cogni_merge_stats counts;
};

cogni_merge *cogni_merge_new(int32_t keep_latest) {
    cogni_merge *merge = cogni_allocate(sizeof *merge);
    memset(merge, 0, sizeof *merge);
    merge->keep_latest = keep_latest;
    return merge;
}

void cogni_merge_free(cogni_merge *merge) {
    for (uint32_t s = 0; s < merge->source_count; s++) free(merge->sources[s].buffer);
    free(merge->sources);
    free(merge->heap);
    free(merge->held);
    free(merge->block);
    free(merge);
}

static source *add_source(cogni_merge *merge, int32_t is_old) {
    merge->sources = cogni_reallocate(merge->sources, (merge->source_count + 1) * sizeof(source));
    source *added = &merge->sources[merge->source_count++];
    memset(added, 0, sizeof *added);
    added->is_old = is_old;
    added->fd = -1;
    return added;
}

void cogni_merge_add_run(cogni_merge *merge, const cogni_run *run, int32_t is_old) {
    for (uint32_t s = 0; s < run->segment_count; s++) {
        if (run->segments[s].count > 0) add_source(merge, is_old)->rows = &run->segments[s];
    }
}

void cogni_merge_add_file(cogni_merge *merge, int fd, int64_t offset, int64_t length, int32_t is_old) {
    source *added = add_source(merge, is_old);
    added->fd = fd;
    added->offset = offset;
    added->left = length;
}

// Makes `wanted` bytes available at `from`. Returns 1, 0 at a clean end, or -errno.
static int fill(source *from, size_t wanted) {
    if (from->filled - from->from >= wanted) return 1;
    memmove(from->buffer, from->buffer + from->from, from->filled - from->from);
    from->filled -= from->from;
    from->from = 0;
    if (from->capacity < wanted) {
        from->capacity = wanted < (256u << 10) ? (256u << 10) : wanted;
        from->buffer = cogni_reallocate(from->buffer, from->capacity);
    }
    while (from->filled < wanted && from->left > 0) {
        size_t room = from->capacity - from->filled;
        if ((int64_t)room > from->left) room = (size_t)from->left;
        ssize_t got = pread(from->fd, from->buffer + from->filled, room, from->offset);
        if (got < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        if (got == 0) return -EBADMSG;
        from->filled += (size_t)got;
        from->offset += got;
        from->left -= got;
    }
    if (from->filled >= wanted) return 1;
    return from->filled == 0 ? 0 : -EBADMSG;
}

// The plain record of a row in words, in the source's buffer.
static const uint8_t *spelled_out(source *from, const uint8_t *record) {
    const vocabulary *words = from->rows->words;
    uint32_t key_length = cogni_row_key_length(words, record), line_length = row_of(record)->line_length;
    size_t size = record_size(key_length, line_length) + 64;
    if (from->capacity < size) {
        from->capacity = size * 2;
        from->buffer = cogni_reallocate(from->buffer, from->capacity);
    }
    record_header *header = (record_header *)(void *)from->buffer;
    header->key_length = key_length;
    header->line_length = line_length;
    header->time = row_of(record)->time;
    cogni_row_line(words, record, cogni_row_key(words, record, from->buffer + sizeof(record_header)));
    return from->buffer;
}

// Moves a source to its next record; `record` becomes null at the end.
static int advance(source *from) {
    if (from->rows) {
        const uint8_t *record = from->next < from->rows->count ? from->rows->entries[from->next++].record : NULL;
        from->record = record && from->rows->words ? spelled_out(from, record) : record;
        return 1;
    }
    if (from->record) {
        const record_header *header = header_of(from->record);
        from->from += record_size(header->key_length, header->line_length);
    }
    from->record = NULL;
    int state = fill(from, sizeof(record_header));
    if (state <= 0) return state == 0 ? 1 : state;
    const record_header *header = header_of(from->buffer + from->from);
    if (header->key_length > (1u << 28) || header->line_length > (1u << 30)) return -EBADMSG;
    size_t size = record_size(header->key_length, header->line_length);
    state = fill(from, size);
    if (state <= 0) return state == 0 ? -EBADMSG : state;
    from->record = from->buffer + from->from;
    return 1;
}

static int compare_keys(const uint8_t *a, const uint8_t *b) {
    uint32_t la = header_of(a)->key_length, lb = header_of(b)->key_length;
    int order = memcmp(key_of(a), key_of(b), la < lb ? la : lb);
    if (order) return order;
    return la < lb ? -1 : la > lb;
}

static int source_less(const cogni_merge *merge, uint32_t a, uint32_t b) {
    int order = compare_keys(merge->sources[a].record, merge->sources[b].record);
    return order ? order < 0 : a < b;
}

static void sift_down(cogni_merge *merge, uint32_t at) {
    for (;;) {
        uint32_t child = at * 2 + 1;
        if (child >= merge->heap_count) return;
        if (child + 1 < merge->heap_count && source_less(merge, merge->heap[child + 1], merge->heap[child])) child++;
        if (!source_less(merge, merge->heap[child], merge->heap[at])) return;
        uint32_t swapped = merge->heap[at];
        merge->heap[at] = merge->heap[child];
        merge->heap[child] = swapped;
        at = child;
    }
}

static int start(cogni_merge *merge) {
    merge->is_started = 1;
    merge->heap = cogni_allocate(merge->source_count * sizeof(uint32_t));
    for (uint32_t s = 0; s < merge->source_count; s++) {
        int state = advance(&merge->sources[s]);
        if (state < 0) return state;
        if (merge->sources[s].record) merge->heap[merge->heap_count++] = s;
    }
    for (uint32_t at = merge->heap_count / 2; at-- > 0;) sift_down(merge, at);
    return 1;
}

// Drops the smallest record. Returns 1 or -errno.
static int pop(cogni_merge *merge) {
    uint32_t smallest = merge->heap[0];
    int state = advance(&merge->sources[smallest]);
    if (state < 0) return state;
    if (!merge->sources[smallest].record) merge->heap[0] = merge->heap[--merge->heap_count];
    if (merge->heap_count > 1) sift_down(merge, 0);
    return 1;
}

static void hold(cogni_merge *merge, const uint8_t *record, int is_old) {
    const record_header *header = header_of(record);
    size_t size = record_size(header->key_length, header->line_length);
    if (merge->held_capacity < size) {
        merge->held_capacity = size * 2;
        merge->held = cogni_reallocate(merge->held, merge->held_capacity);
    }
    memcpy(merge->held, record, sizeof(record_header) + header->key_length + header->line_length);
    merge->held_is_old = is_old;
}

static int same_line(const uint8_t *a, const uint8_t *b) {
    const record_header *x = header_of(a), *y = header_of(b);
    return x->line_length == y->line_length &&
           memcmp(key_of(a) + x->key_length, key_of(b) + y->key_length, x->line_length) == 0;
}

// The next record after dedupe: in place when it has no repeats in other sources, else a copy.
static int next_unique(cogni_merge *merge, const uint8_t **out, int *is_old) {
    if (!merge->is_started) {
        int state = start(merge);
        if (state < 0) return state;
    }
    if (merge->heap_count == 0) return 0;
    source *top = &merge->sources[merge->heap[0]];
    // Fast way: one source in memory, and the next key differs.
    if (merge->heap_count == 1 && top->rows && !top->rows->words) {
        const uint8_t *record = top->record;
        const uint8_t *after = top->next < top->rows->count ? top->rows->entries[top->next].record : NULL;
        if (!after || compare_keys(record, after) != 0) {
            *out = record;
            *is_old = top->is_old;
            return pop(merge) < 0 ? -EIO : 1;
        }
    }
    hold(merge, top->record, top->is_old);
    int state = pop(merge);
    if (state < 0) return state;
    while (merge->heap_count > 0) {
        top = &merge->sources[merge->heap[0]];
        if (compare_keys(merge->held, top->record) != 0) break;
        int same = same_line(merge->held, top->record);
        if (merge->held_is_old != top->is_old) {
            // A re-read row takes the place of its earlier version, whatever the rule for repeats says.
            merge->counts.replaced++;
            merge->counts.changed += !same;
            if (merge->held_is_old) hold(merge, top->record, top->is_old);
        } else {
            if (!merge->held_is_old) {
                if (same) merge->counts.identical++;
                else merge->counts.conflicts++;
            }
            if (merge->keep_latest && !same) hold(merge, top->record, top->is_old);
        }
        state = pop(merge);
        if (state < 0) return state;
    }
    *out = merge->held;
    *is_old = merge->held_is_old;
    return 1;
}

static void count_row(cogni_merge *merge, int64_t time, int is_old) {
    if (merge->counts.rows == 0) {
        merge->counts.min_time = merge->counts.max_time = time;
    } else {
        if (time < merge->counts.min_time) merge->counts.min_time = time;
        if (time > merge->counts.max_time) merge->counts.max_time = time;
    }
    merge->counts.rows++;
    merge->counts.fresh += !is_old;
}

int32_t cogni_merge_next(cogni_merge *merge, cogni_record *record) {
    const uint8_t *found;
    int is_old;
    int state = next_unique(merge, &found, &is_old);
    if (state <= 0) return state;
    count_row(merge, header_of(found)->time, is_old);
    const record_header *header = header_of(found);
    record->key = key_of(found);
    record->key_length = header->key_length;
    record->line = key_of(found) + header->key_length;
    record->line_length = header->line_length;
    record->time = header->time;
    record->is_old = is_old;
    return 1;
}

// The usual case: one bag of rows in words, whose repeats are neighbours with the same number, and whose lines are spelled
// out where they are wanted.
static int64_t words_block(cogni_merge *merge, uint8_t *out, size_t capacity, size_t *needed) {
    source *from = &merge->sources[0];
    const segment *rows = from->rows;
    const vocabulary *words = rows->words;
    size_t used = 0;
    for (;;) {
        const uint8_t *record = merge->ready;
        if (!record) {
            if (from->next >= rows->count) return (int64_t)used;
            const run_entry *entry = &rows->entries[from->next++];
            record = entry->record;
            // Rows lie in the order of arrival; the next ones are on their way while this one is written.
            if (from->next + 6 < rows->count) {
                __builtin_prefetch(rows->entries[from->next + 6].record);
                __builtin_prefetch(rows->entries[from->next + 6].record + 64);
            }
            while (from->next < rows->count) {
                const run_entry *after = &rows->entries[from->next];
                if (after->prefix != entry->prefix ||
                    (!rows->prefix_is_key && cogni_row_compare(words, entry->record, after->record, 0) != 0))
                    break;
                int is_same = cogni_row_same_line(words, record, after->record);
                if (!from->is_old) {
                    if (is_same) merge->counts.identical++;
                    else merge->counts.conflicts++;
                }
                if (merge->keep_latest && !is_same) record = after->record;
                from->next++;
            }
        }
        uint32_t length = row_of(record)->line_length;
        if (used + length > capacity) {
            merge->ready = record;
            *needed = length;
            return used ? (int64_t)used : -ENOBUFS;
        }
        merge->ready = NULL;
        count_row(merge, row_of(record)->time, from->is_old);
        if (merge->block_rows == merge->block_capacity) {
            merge->block_capacity = merge->block_capacity ? merge->block_capacity * 2 : 256;
            merge->block = cogni_reallocate(merge->block, merge->block_capacity * sizeof(uint8_t *));
        }
        merge->block[merge->block_rows++] = record;
        if (used + length + 32 <= capacity) {
            cogni_row_line(words, record, out + used);
        } else {
            memcpy(out + used, key_of(spelled_out(from, record)) + cogni_row_key_length(words, record), length);
        }
        used += length;
    }
}

const uint8_t *const *cogni_merge_block_rows(const cogni_merge *merge, uint32_t *count, const vocabulary **words) {
    *count = merge->block_rows;
    *words = merge->block_rows ? merge->sources[0].rows->words : NULL;
    return merge->block;
}

int64_t cogni_merge_block(cogni_merge *merge, uint8_t *out, size_t capacity, size_t *needed) {
    merge->block_rows = 0;
    if (!merge->is_started && merge->source_count == 1 && merge->sources[0].rows && merge->sources[0].rows->words) {
        return words_block(merge, out, capacity, needed);
    }
    size_t used = 0;
    for (;;) {
        const uint8_t *record = merge->ready;
        if (!record) {
            int is_old;
            int state = next_unique(merge, &record, &is_old);
            if (state < 0) return state;
            if (state == 0) return (int64_t)used;
            merge->held_is_old = is_old;
        }
        const record_header *header = header_of(record);
        if (used + header->line_length > capacity) {
            merge->ready = record;
            *needed = header->line_length;
            return used ? (int64_t)used : -ENOBUFS;
        }
        merge->ready = NULL;
        count_row(merge, header_of(record)->time, merge->held_is_old);
        memcpy(out + used, key_of(record) + header->key_length, header->line_length);
        used += header->line_length;
    }
}

cogni_merge_stats cogni_merge_counts(const cogni_merge *merge) { return merge->counts; }

void cogni_merge_restart_file(cogni_merge *merge) {
    merge->counts.rows = 0;
    merge->counts.min_time = merge->counts.max_time = 0;
}

// ---------------------------------------------------------------- writing a run file

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

// The records of all segments in order, repeats and all.
int64_t cogni_run_write(cogni_run *run, int fd, uint64_t *checksum) {
    cogni_run_sort(run);
    cogni_merge *merge = cogni_merge_new(0);
    cogni_merge_add_run(merge, run, 0);
    size_t capacity = WRITE_BLOCK, used = 0;
    int64_t total = 0;
    uint8_t *buffer = cogni_allocate(capacity);
    int error = start(merge) < 0 ? EIO : 0;  // sources in memory do not fail
    while (merge->heap_count > 0 && !error) {
        const uint8_t *record = merge->sources[merge->heap[0]].record;
        const record_header *header = header_of(record);
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
        memcpy(buffer + used, record, exact);
        memset(buffer + used + exact, 0, size - exact);
        used += size;
        if (pop(merge) < 0) error = EIO;
    }
    if (!error) {
        *checksum = cogni_checksum(*checksum, buffer, used);
        error = write_all(fd, buffer, used);
        total += (int64_t)used;
    }
    free(buffer);
    cogni_merge_free(merge);
    return error ? -(int64_t)error : total;
}

int32_t cogni_run_file_checksum(int fd, int64_t offset, int64_t length, uint64_t *checksum) {
    uint8_t *buffer = cogni_allocate(WRITE_BLOCK);
    size_t filled = 0;
    int32_t error = 0;
    while (length > 0 && !error) {
        const size_t room = WRITE_BLOCK - filled;
        const ssize_t got = pread(fd, buffer + filled, (int64_t)room < length ? room : (size_t)length, offset);
        if (got < 0) {
            if (errno != EINTR) error = -errno;
            continue;
        }
        if (got == 0) error = -EBADMSG;
        filled += (size_t)got;
        offset += got;
        length -= got;
        // By whole words, as it was made.
        if (filled == WRITE_BLOCK) {
            *checksum = cogni_checksum(*checksum, buffer, filled);
            filled = 0;
        }
    }
    if (!error) *checksum = cogni_checksum(*checksum, buffer, filled);
    free(buffer);
    return error;
}
