#include "value_set.h"

#include "shape.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_text(const uint8_t *text, uint32_t length) {
    uint64_t hash = 0x9E3779B97F4A7C15u ^ length;
    while (length >= 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        hash = (hash ^ word) * 0xFF51AFD7ED558CCDu;
        hash ^= hash >> 32;
        text += 8;
        length -= 8;
    }
    uint64_t word = 0;
    memcpy(&word, text, length);
    hash = (hash ^ word) * 0xC4CEB9FE1A85EC53u;
    return hash ^ (hash >> 29);
}

static void grow_slots(value_set *set) {
    uint32_t wanted = set->slot_count ? set->slot_count * 2 : 64;
    set->slots = cogni_reallocate(set->slots, wanted * sizeof(uint32_t));
    memset(set->slots, 0, wanted * sizeof(uint32_t));
    set->slot_count = wanted;
    for (uint32_t index = 0; index < set->count; index++) {
        uint32_t slot = (uint32_t)set->entries[index].hash & (wanted - 1);
        while (set->slots[slot]) slot = (slot + 1) & (wanted - 1);
        set->slots[slot] = index + 1;
    }
}

static uint32_t add_entry(value_set *set, uint64_t hash, const uint8_t *text, uint32_t length) {
    if (set->count == set->capacity) {
        set->capacity = set->capacity ? set->capacity * 2 : 64;
        set->entries = cogni_reallocate(set->entries, set->capacity * sizeof(set_entry));
    }
    if (set->used + length > set->room) {
        set->room = (set->used + length) * 2 + 1024;
        set->bytes = cogni_reallocate(set->bytes, set->room);
    }
    memcpy(set->bytes + set->used, text, length);
    set->entries[set->count] = (set_entry){set->used, hash, length, 0, 0};
    set->used += length;
    return set->count++;
}

static inline uint32_t find(value_set *set, const uint8_t *text, uint32_t length, int may_add) {
    uint32_t found = set->last;
    if (found < set->count && set->entries[found].length == length &&
        memcmp(set->bytes + set->entries[found].text, text, length) == 0)
        return found;
    if ((set->count + 1) * 2 > set->slot_count) grow_slots(set);
    uint64_t hash = hash_text(text, length);
    uint32_t slot = (uint32_t)hash & (set->slot_count - 1);
    for (;; slot = (slot + 1) & (set->slot_count - 1)) {
        if (!set->slots[slot]) {
            if (!may_add) return NOT_IN_SET;
            found = add_entry(set, hash, text, length);
            set->slots[slot] = found + 1;
            break;
        }
        found = set->slots[slot] - 1;
        const set_entry *entry = &set->entries[found];
        if (entry->hash == hash && entry->length == length && memcmp(set->bytes + entry->text, text, length) == 0) break;
    }
    set->last = found;
    return found;
}

uint32_t cogni_set_find(value_set *set, const uint8_t *text, uint32_t length) { return find(set, text, length, 1); }
uint32_t cogni_set_look(value_set *set, const uint8_t *text, uint32_t length) { return find(set, text, length, 0); }

void cogni_set_restart(value_set *set) {
    if (set->count < set->slot_count / 16) {
        // Few values in the room of many: of small files there may be thousands after a large one.
        for (uint32_t index = 0; index < set->count; index++) {
            uint32_t slot = (uint32_t)set->entries[index].hash & (set->slot_count - 1);
            while (set->slots[slot] != index + 1) slot = (slot + 1) & (set->slot_count - 1);
            set->slots[slot] = 0;
        }
    } else if (set->slot_count) {
        memset(set->slots, 0, set->slot_count * sizeof(uint32_t));
    }
    set->count = 0;
    set->used = 0;
    forget_notes(&set->entry_of);
}

void cogni_set_free(value_set *set) {
    free(set->entries);
    free(set->slots);
    free(set->bytes);
    free(set->entry_of.notes);
}

void cogni_notes_grow(word_notes *of, uint32_t number) {
    uint32_t room = of->room ? of->room : 256;
    while (room <= number) room *= 2;
    of->notes = cogni_reallocate(of->notes, room * sizeof(uint32_t));
    memset(of->notes + of->room, 0, (room - of->room) * sizeof(uint32_t));
    of->room = room;
}
