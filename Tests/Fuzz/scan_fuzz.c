// What libFuzzer asks of the page kernel: any bytes at all, and every cell it gives must lie within the page, every
// verdict must be the same however few rows are asked for at a time, and nothing may be read past the padding.
//
// The first byte chooses the shape of the page: a list, a report with buckets, or a reply that is the row itself.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record_scan.h"

enum { PADDING = 64, SLOTS = 4 };

static void demand(int holds, const char *claim) {
    if (holds) return;
    fprintf(stderr, "broken: %s\n", claim);
    abort();
}

static void field(cogni_shape *shape, uint32_t level, const char *key, const char *inner, int32_t slot) {
    uint8_t keys[64];
    uint32_t lengths[2] = {(uint32_t)strlen(key), inner ? (uint32_t)strlen(inner) : 0};
    memcpy(keys, key, lengths[0]);
    if (inner) memcpy(keys + lengths[0], inner, lengths[1]);
    cogni_shape_add_field(shape, level, keys, lengths, inner ? 2 : 1, slot);
}

static cogni_shape *shape_of(int kind) {
    cogni_shape *shape = cogni_shape_new();
    uint32_t row = 0;
    if (kind != 2) cogni_shape_add_level(shape, (const uint8_t *)"data", 4), row++;
    if (kind == 1) cogni_shape_add_level(shape, (const uint8_t *)"results", 7), row++;
    field(shape, row, "id", NULL, 0);
    field(shape, row, "amount", "value", 1);
    field(shape, row, "name", NULL, 2);
    field(shape, row, "object", NULL, -1);
    if (row > 0) field(shape, 0, "has_more", NULL, 0), field(shape, 0, "next_page", NULL, 1);
    if (kind == 1) field(shape, 1, "start_time", NULL, 0);
    return shape;
}

static void look(const cogni_cell *cell, size_t length, const uint8_t *page) {
    if (cell->kind == COGNI_ABSENT) return;
    demand((size_t)cell->offset + cell->length <= length, "a cell lies within the page");
    if (cell->kind == COGNI_ESCAPED || cell->kind == COGNI_PLAIN) {
        uint8_t *out = malloc(cell->length + 3);
        demand(cogni_unescape(page + cell->offset, cell->length, out) <= cell->length + 3u, "unescaping does not grow");
        free(out);
    }
}

// Scans the page in batches of `most`; the number of rows, or -1 when it was refused.
static int64_t scan(const cogni_shape *shape, const uint8_t *page, size_t length, uint32_t most, int kind) {
    cogni_scan *scan = cogni_scan_new(shape);
    cogni_scan_open(scan, page, length);
    int64_t rows = 0;
    for (;;) {
        int32_t step = cogni_scan_next(scan, most);
        if (step == COGNI_SCAN_BAD) {
            cogni_scan_fault fault = cogni_scan_error(scan);
            demand(fault.reason != NULL && fault.offset <= length + PADDING, "a refusal has a reason and a place");
            cogni_scan_free(scan);
            return -1;
        }
        if (step == COGNI_SCAN_END) break;
        uint32_t count = cogni_scan_rows(scan);
        demand(count <= most, "no more rows than were asked for");
        for (uint32_t row = 0; row < count; row++)
            for (int slot = 0; slot < 3; slot++) look(cogni_scan_row(scan, row) + slot, length, page);
        const cogni_extra *extras = cogni_scan_extras(scan);
        for (uint32_t index = 0; index < cogni_scan_extra_count(scan); index++) {
            demand(extras[index].row < count, "an unknown field belongs to a row of the batch");
            demand((size_t)extras[index].key_offset + extras[index].key_length <= length, "its key lies within the page");
            look(&extras[index].value, length, page);
            uint8_t path[256];
            cogni_shape_node_path(shape, extras[index].node, path, sizeof path);
        }
        rows += count;
    }
    if (kind != 2)
        for (int slot = 0; slot < 2; slot++) look(cogni_scan_level(scan, 0) + slot, length, page);
    cogni_scan_free(scan);
    return rows;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    int kind = data[0] % 3;
    size_t length = size - 1;
    // A block of exactly the page and its padding, so that the address sanitizer sees one byte too many.
    uint8_t *page = calloc(1, length + PADDING);
    if (length > 0) memcpy(page, data + 1, length);
    cogni_shape *shape = shape_of(kind);
    int64_t once = scan(shape, page, length, 4096, kind);
    int64_t piecemeal = scan(shape, page, length, 1, kind);
    demand(once == piecemeal, "the verdict does not depend on the size of the batches");
    cogni_shape_free(shape);
    free(page);
    return 0;
}

#ifdef REPLAY
// Without libFuzzer: tries each file named, and says how many.
int main(int count, char **names) {
    for (int index = 1; index < count; index++) {
        FILE *file = fopen(names[index], "rb");
        if (!file) return 2;
        static uint8_t bytes[1 << 20];
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, size);
    }
    printf("%d inputs\n", count - 1);
    return 0;
}
#endif
