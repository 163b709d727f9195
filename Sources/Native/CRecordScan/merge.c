#define _GNU_SOURCE 1
#include "run.h"
#include "shape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Sorted sources become one sorted sequence with one row a key. Sources are few (runs of one partition), so the
// next one is found by a binary heap of source numbers; equal keys come out in order of source, then arrival.

typedef struct {
    const cogni_run *run;  // in memory, or:
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
    add_source(merge, is_old)->run = run;
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

// Moves a source to its next record; `record` becomes null at the end.
static int advance(source *from) {
    if (from->run) {
        from->record = from->next < from->run->count ? from->run->entries[from->next++].record : NULL;
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
    if (merge->heap_count == 1 && top->run) {
        const uint8_t *record = top->record;
        const uint8_t *after = top->next < top->run->count ? top->run->entries[top->next].record : NULL;
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

static void count_row(cogni_merge *merge, const uint8_t *record, int is_old) {
    int64_t time = header_of(record)->time;
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
    count_row(merge, found, is_old);
    const record_header *header = header_of(found);
    record->key = key_of(found);
    record->key_length = header->key_length;
    record->line = key_of(found) + header->key_length;
    record->line_length = header->line_length;
    record->time = header->time;
    record->is_old = is_old;
    return 1;
}

int64_t cogni_merge_block(cogni_merge *merge, uint8_t *out, size_t capacity, size_t *needed) {
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
        count_row(merge, record, merge->held_is_old);
        memcpy(out + used, key_of(record) + header->key_length, header->line_length);
        used += header->line_length;
    }
}

cogni_merge_stats cogni_merge_counts(const cogni_merge *merge) { return merge->counts; }

void cogni_merge_restart_file(cogni_merge *merge) {
    merge->counts.rows = 0;
    merge->counts.min_time = merge->counts.max_time = 0;
}
