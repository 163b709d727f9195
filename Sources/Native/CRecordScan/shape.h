#ifndef COGNI_SHAPE_H
#define COGNI_SHAPE_H

#include "record_scan.h"

#define COGNI_MAX_LEVELS 6
#define COGNI_MAX_DEPTH 512

enum { ENTRY_SLOT = 0, ENTRY_IGNORED = 1, ENTRY_NODE = 2, ENTRY_ROWS = 3 };

// One declared key of one object.
typedef struct {
    uint8_t *text;         // `"key":` as a server without spaces writes it
    uint32_t text_length;
    uint32_t key_length;   // of the key alone; it begins at text + 1
    uint32_t what;
    int32_t slot;
    uint32_t node;         // for ENTRY_NODE
} shape_entry;

typedef struct {
    shape_entry *entries;
    uint32_t count;
    uint32_t parent;       // node that holds this one; itself for a level's root
    uint32_t parent_entry;
} shape_node;

struct cogni_shape {
    shape_node *nodes;
    uint32_t node_count;
    uint32_t levels;
    uint32_t root[COGNI_MAX_LEVELS];
    uint32_t slots[COGNI_MAX_LEVELS];
};

void *cogni_allocate(size_t size);
void *cogni_reallocate(void *pointer, size_t size);

#endif
