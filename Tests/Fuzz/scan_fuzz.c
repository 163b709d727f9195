// What libFuzzer asks of the page kernel: any bytes at all, and every cell it gives must lie within the page, every
// verdict must be the same however few rows are asked for at a time, and nothing may be read past the padding.
//
// The first byte chooses the shape of the page: a list, a report with buckets, or a reply that is the row itself.
#include "fuzz.h"
#include "record_scan.h"

enum { PADDING = 64, SLOTS = 4 };

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
    if (row > 0) field(shape, 0, "paging", "next", 2), field(shape, 0, "paging", NULL, 3);
    if (kind == 1) field(shape, 1, "start_time", NULL, 0), field(shape, 1, "amount", "value", 1);
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

typedef struct {
    int64_t rows;    // -1: the page was refused
    uint64_t cells, extras;  // where they stand and what they are, mixed into one number
} verdict;

static void mix(uint64_t *into, uint64_t number) { *into = (*into ^ number) * 0x9E3779B97F4A7C15ull + (*into >> 29); }

static void mix_cell(uint64_t *into, const cogni_cell *cell) {
    mix(into, cell->kind);
    if (cell->kind != COGNI_ABSENT) mix(into, (uint64_t)cell->offset << 32 | cell->length);
}

// Scans the page in batches of `most`.
static verdict scan_with(cogni_scan *scan, const cogni_shape *shape, const uint8_t *page, size_t length, uint32_t most, int kind) {
    cogni_scan_open(scan, page, length);
    verdict found = {0, 0, 0};
    for (;;) {
        int32_t step = cogni_scan_next(scan, most);
        if (step == COGNI_SCAN_BAD) {
            cogni_scan_fault fault = cogni_scan_error(scan);
            demand(fault.reason != NULL && fault.offset <= length + PADDING, "a refusal has a reason and a place");
            return (verdict){-1, 0, 0};
        }
        if (step == COGNI_SCAN_END) break;
        uint32_t count = cogni_scan_rows(scan);
        demand(count <= most, "no more rows than were asked for");
        for (uint32_t row = 0; row < count; row++) {
            for (int slot = 0; slot < 3; slot++) {
                look(cogni_scan_row(scan, row) + slot, length, page);
                mix_cell(&found.cells, cogni_scan_row(scan, row) + slot);
            }
        }
        const cogni_extra *extras = cogni_scan_extras(scan);
        for (uint32_t index = 0; index < cogni_scan_extra_count(scan); index++) {
            demand(extras[index].row < count, "an unknown field belongs to a row of the batch");
            demand((size_t)extras[index].key_offset + extras[index].key_length <= length, "its key lies within the page");
            look(&extras[index].value, length, page);
            mix_cell(&found.extras, &extras[index].value);
            uint8_t path[256];
            cogni_shape_node_path(shape, extras[index].node, path, sizeof path);
        }
        found.rows += count;
    }
    if (kind != 2)
        for (int slot = 0; slot < SLOTS; slot++) look(cogni_scan_level(scan, 0) + slot, length, page);
    return found;
}

static verdict scan(const cogni_shape *shape, const uint8_t *page, size_t length, uint32_t most, int kind) {
    cogni_scan *scan = cogni_scan_new(shape);
    verdict found = scan_with(scan, shape, page, length, most, kind);
    cogni_scan_free(scan);
    return found;
}

static int are_same(verdict one, verdict two) { return one.rows == two.rows && one.cells == two.cells && one.extras == two.extras; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    int kind = data[0] % 3;
    size_t length = size - 1;
    // A block of exactly the page and its padding, so that the address sanitizer sees one byte too many.
    uint8_t *page = calloc(1, length + PADDING), *other = calloc(1, length + PADDING);
    if (length > 0) memcpy(page, data + 1, length), memcpy(other, data + 1, length);
    if (length > 0) other[(data[0] / 3 * 2654435761u + length) % length] ^= (uint8_t)(1 + data[0] / 3);
    cogni_shape *shape = shape_of(kind);
    verdict once = scan(shape, page, length, 4096, kind);
    verdict piecemeal = scan(shape, page, length, 1, kind);
    demand(are_same(once, piecemeal), "the verdict does not depend on the size of the batches");
    // What a scanner remembers of one page may make the next one faster, and nothing else.
    cogni_scan *used = cogni_scan_new(shape);
    scan_with(used, shape, page, length, 4096, kind);
    demand(are_same(once, scan_with(used, shape, page, length, 4096, kind)), "a page is the same the second time");
    demand(are_same(scan(shape, other, length, 4096, kind), scan_with(used, shape, other, length, 3, kind)),
           "a page is the same after one that is nearly alike");
    cogni_scan_free(used);
    cogni_shape_free(shape);
    free(page);
    free(other);
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
