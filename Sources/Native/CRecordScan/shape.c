#include "shape.h"

#include <stdlib.h>
#include <string.h>

// Out of memory is not a state this kernel can report on or recover from; the process ends, and the
// run is resumed from its last checkpoint.
void *cogni_allocate(size_t size) {
    void *pointer = malloc(size ? size : 1);
    if (!pointer) abort();
    return pointer;
}

void *cogni_reallocate(void *pointer, size_t size) {
    void *bigger = realloc(pointer, size ? size : 1);
    if (!bigger) abort();
    return bigger;
}

static uint32_t add_node(cogni_shape *shape) {
    shape->nodes = cogni_reallocate(shape->nodes, (shape->node_count + 1) * sizeof(shape_node));
    memset(&shape->nodes[shape->node_count], 0, sizeof(shape_node));
    shape->nodes[shape->node_count].parent = shape->node_count;
    return shape->node_count++;
}

cogni_shape *cogni_shape_new(void) {
    cogni_shape *shape = cogni_allocate(sizeof *shape);
    memset(shape, 0, sizeof *shape);
    shape->root[0] = add_node(shape);
    shape->levels = 1;
    return shape;
}

void cogni_shape_free(cogni_shape *shape) {
    for (uint32_t n = 0; n < shape->node_count; n++) {
        for (uint32_t e = 0; e < shape->nodes[n].count; e++) free(shape->nodes[n].entries[e].text);
        free(shape->nodes[n].entries);
    }
    free(shape->nodes);
    free(shape);
}

static uint32_t entry_of(cogni_shape *shape, uint32_t node, const uint8_t *key, uint32_t length, uint32_t what) {
    shape_node *place = &shape->nodes[node];
    for (uint32_t e = 0; e < place->count; e++) {
        shape_entry *entry = &place->entries[e];
        if (entry->key_length == length && memcmp(entry->text + 1, key, length) == 0) return e;
    }
    place->entries = cogni_reallocate(place->entries, (place->count + 1) * sizeof(shape_entry));
    shape_entry *entry = &place->entries[place->count];
    memset(entry, 0, sizeof *entry);
    entry->text = cogni_allocate(length + 3 + 32);  // read by whole vectors
    entry->text[0] = '"';
    memcpy(entry->text + 1, key, length);
    entry->text[length + 1] = '"';
    entry->text[length + 2] = ':';
    entry->text_length = length + 3;
    entry->key_length = length;
    entry->what = what;
    entry->slot = -1;
    return place->count++;
}

void cogni_shape_add_level(cogni_shape *shape, const uint8_t *member, uint32_t length) {
    if (shape->levels == COGNI_MAX_LEVELS) abort();
    uint32_t above = shape->root[shape->levels - 1];
    entry_of(shape, above, member, length, ENTRY_ROWS);
    shape->root[shape->levels] = add_node(shape);
    shape->levels++;
}

void cogni_shape_add_field(cogni_shape *shape, uint32_t level, const uint8_t *keys, const uint32_t *lengths,
                           uint32_t count, int32_t slot) {
    uint32_t node = shape->root[level];
    for (uint32_t k = 0; k + 1 < count; k++) {
        uint32_t e = entry_of(shape, node, keys, lengths[k], ENTRY_NODE);
        if (shape->nodes[node].entries[e].node == 0) {
            uint32_t inner = add_node(shape);  // may move `nodes`
            shape->nodes[node].entries[e].what = ENTRY_NODE;
            shape->nodes[node].entries[e].node = inner;
            shape->nodes[inner].parent = node;
            shape->nodes[inner].parent_entry = e;
        }
        node = shape->nodes[node].entries[e].node;
        keys += lengths[k];
    }
    uint32_t e = entry_of(shape, node, keys, lengths[count - 1], slot < 0 ? ENTRY_IGNORED : ENTRY_SLOT);
    if (slot >= 0) {
        shape_entry *entry = &shape->nodes[node].entries[e];
        // A key can be both a value and an object with declared members (a union): the slot gets the whole value.
        entry->slot = slot;
        if (entry->what != ENTRY_NODE) entry->what = ENTRY_SLOT;
        if ((uint32_t)slot >= shape->slots[level]) shape->slots[level] = (uint32_t)slot + 1;
    }
}

uint32_t cogni_shape_node_path(const cogni_shape *shape, uint32_t node, uint8_t *out, uint32_t capacity) {
    uint32_t chain[64], depth = 0;
    while (shape->nodes[node].parent != node && depth < 64) {
        chain[depth++] = node;
        node = shape->nodes[node].parent;
    }
    uint32_t written = 0;
    while (depth > 0) {
        const shape_node *inner = &shape->nodes[chain[--depth]];
        const shape_entry *entry = &shape->nodes[inner->parent].entries[inner->parent_entry];
        if (written + entry->key_length + 1 > capacity) break;
        memcpy(out + written, entry->text + 1, entry->key_length);
        written += entry->key_length;
        out[written++] = 0;
    }
    return written;
}
