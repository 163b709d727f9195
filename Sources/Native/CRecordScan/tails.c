#include "tails.h"

#include "shape.h"
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE = TAILS_MOST * 2 };
// Bytes behind a text that may be read when it is compared.
#define READ_SLACK 32

row_tails *cogni_tails_new(void) {
    row_tails *tails = cogni_allocate(sizeof *tails);
    memset(tails, 0, sizeof *tails);
    tails->count = 1;
    tails->serial = 1;
    return tails;
}

void cogni_tails_free(row_tails *tails) {
    if (!tails) return;
    free(tails->items);
    free(tails->texts);
    free(tails->numbers);
    free(tails->before);
    free(tails->now);
    free(tails);
}

static void forget(row_tails *tails) {
    tails->count = 1;
    tails->text_bytes = 0;
    tails->before_count = tails->now_count = 0;
    tails->serial++;
    if (tails->numbers) memset(tails->numbers, 0, TABLE * sizeof(uint32_t));
}

void cogni_tails_begin_batch(row_tails *tails) {
    if (tails->is_to_forget) forget(tails);
    tails->is_to_forget = 0;
}

void cogni_tails_open_page(row_tails *tails) {
    tails->now_count = tails->expected = tails->hits = 0;
    tails->repeated = 0;
    tails->patience = TAIL_PATIENCE;
}

static int has_no_room(const row_tails *tails) {
    return tails->count == TAILS_MOST || tails->text_bytes + TAIL_LONGEST > TAIL_TEXT_MOST;
}

void cogni_tails_end_bucket(row_tails *tails) {
    // Of an hour in which nothing happened there is nothing to expect.
    if (tails->now_count == 0) return;
    if (has_no_room(tails) && tails->before_count > 0 && tails->hits < tails->now_count / 2) {
        // Not yet: the bucket's last rows are still to be encoded, and bear numbers of these tails.
        tails->is_to_forget = 1;
    } else {
        for (uint32_t i = 0; i < tails->before_count; i++) tails->items[tails->before[i]].place = 0;
        for (uint32_t i = 0; i < tails->now_count; i++) tails->items[tails->now[i]].place = i + 1;
        uint32_t *before = tails->before, room = tails->before_room;
        tails->before = tails->now;
        tails->before_count = tails->now_count;
        tails->before_room = tails->now_room;
        tails->now = before;
        tails->now_room = room;
    }
    tails->now_count = tails->expected = tails->hits = 0;
}

static void remember(row_tails *tails, uint32_t number) {
    if (tails->now_count == tails->now_room) {
        tails->now_room = tails->now_room ? tails->now_room * 2 : 256;
        tails->now = cogni_reallocate(tails->now, tails->now_room * sizeof(uint32_t));
    }
    tails->now[tails->now_count++] = number;
}

static uint32_t add(row_tails *tails, const open_tail *open, uint32_t length, const uint8_t *page, const cogni_cell *cells) {
    if (tails->count == tails->room || !tails->items) {
        tails->room = tails->room ? tails->room * 2 : 256;
        tails->items = cogni_reallocate(tails->items, tails->room * sizeof(row_tail));
    }
    if (tails->text_bytes + length + READ_SLACK > tails->text_room) {
        tails->text_room = tails->text_room ? tails->text_room * 2 : 64 << 10;
        tails->texts = cogni_reallocate(tails->texts, tails->text_room);
        memset(tails->texts + tails->text_bytes, 0, tails->text_room - tails->text_bytes);
    }
    row_tail *added = &tails->items[tails->count];
    added->text = (uint32_t)tails->text_bytes;
    added->length = length;
    added->after = open->after;
    added->place = 0;
    added->count = open->count;
    const uint32_t start = (uint32_t)(open->start - page);
    for (uint32_t i = 0; i < open->count; i++) {
        added->slots[i] = open->slots[i];
        added->cells[i] = cells[open->slots[i]];
        added->cells[i].offset -= start;
    }
    memcpy(tails->texts + tails->text_bytes, open->start, length);
    tails->text_bytes += length;
    return tails->count++;
}

// The number of the tail with this text behind this member; a new one if there is room.
static uint32_t number_of(row_tails *tails, const open_tail *open, uint32_t length, const uint8_t *page, const cogni_cell *cells) {
    if (!tails->numbers) {
        tails->numbers = cogni_allocate(TABLE * sizeof(uint32_t));
        memset(tails->numbers, 0, TABLE * sizeof(uint32_t));
    }
    for (uint32_t at = (uint32_t)hash_of(open->start, length, 0) % TABLE;; at = (at + 1) % TABLE) {
        const uint32_t number = tails->numbers[at];
        if (number == 0) return has_no_room(tails) ? NO_TAIL : (tails->numbers[at] = add(tails, open, length, page, cells));
        const row_tail *known = &tails->items[number];
        if (known->length == length && known->after == open->after && memcmp(tails->texts + known->text, open->start, length) == 0)
            return number;
    }
}

uint32_t cogni_tails_note(row_tails *tails, const open_tail *open, const uint8_t *end, const uint8_t *page, const cogni_cell *cells) {
    uint32_t number = open->number;
    if (number) {
        tails->expected++;
        tails->hits++;
        tails->repeated++;
        if (tails->patience < TAIL_PATIENCE) tails->patience++;
    } else {
        if (tails->before_count > 0) tails->patience--;
        if (!open->start || open->count == 0) return NO_TAIL;
        const size_t length = (size_t)(end - open->start);
        if (length < TAIL_SHORTEST || length > TAIL_LONGEST) return NO_TAIL;
        number = number_of(tails, open, (uint32_t)length, page, cells);
        if (!number) return NO_TAIL;
        // One that was not in the bucket before, or that comes twice in this one, changes nothing of what is expected next.
        if (tails->items[number].place) tails->expected = tails->items[number].place;
    }
    remember(tails, number);
    return number;
}
