#include "record_scan.h"
#include "shape.h"
#include "scan.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// What a scan is made of, and the choice of the kernel that walks the page.

cogni_scan *cogni_scan_new(const cogni_shape *shape) {
    cogni_scan *scan = cogni_allocate(sizeof *scan);
    memset(scan, 0, sizeof *scan);
    scan->shape = shape;
    scan->base = cogni_allocate(shape->node_count * sizeof(uint32_t));
    uint32_t total = 0;
    for (uint32_t n = 0; n < shape->node_count; n++) {
        scan->base[n] = total;
        total += shape->nodes[n].count + 1;
    }
    scan->follow = cogni_allocate(total * sizeof(int32_t));
    // The first guess is the order of declaration.
    for (uint32_t n = 0; n < shape->node_count; n++) {
        uint32_t count = shape->nodes[n].count;
        for (uint32_t e = 0; e <= count; e++) scan->follow[scan->base[n] + e] = e < count ? (int32_t)e : -1;
    }
    for (uint32_t l = 0; l < shape->levels; l++) {
        scan->level_cells[l] = cogni_allocate((shape->slots[l] + 1) * sizeof(cogni_cell));
        memset(scan->level_cells[l], 0, (shape->slots[l] + 1) * sizeof(cogni_cell));
    }
    scan->row_slots = shape->slots[shape->levels - 1];
    // A list has no buckets: its rows are told apart by what they end with.
    if (shape->levels > 2) scan->tails = cogni_tails_new();
    return scan;
}

void cogni_scan_free(cogni_scan *scan) {
    for (uint32_t l = 0; l < scan->shape->levels; l++) free(scan->level_cells[l]);
    free(scan->base);
    free(scan->follow);
    free(scan->cells);
    free(scan->tail_numbers);
    free(scan->head_numbers);
    cogni_tails_free(scan->tails);
    free(scan->extras);
    free(scan);
}

void cogni_scan_open(cogni_scan *scan, const uint8_t *bytes, size_t length) {
    scan->bytes = bytes;
    scan->at = bytes;
    scan->end = bytes + length;
    scan->phase = AT_START;
    scan->rows = scan->extra_count = 0;
    scan->elements = 0;
    scan->bucket_done = 0;
    scan->fault.reason = "";
    if (scan->tails) {
        cogni_tails_open_page(scan->tails);
        cogni_heads_open_page(&scan->head);
    }
    for (uint32_t l = 0; l < scan->shape->levels; l++) {
        memset(scan->level_cells[l], 0, (scan->shape->slots[l] + 1) * sizeof(cogni_cell));
    }
    if (length >= UINT32_MAX) {
        scan->phase = AT_FAULT;
        scan->fault.reason = "the page is larger than 4 GiB";
        scan->fault.offset = 0;
    }
}

uint32_t cogni_scan_rows(const cogni_scan *scan) { return scan->rows; }
const cogni_cell *cogni_scan_row(const cogni_scan *scan, uint32_t row) {
    return scan->cells + (size_t)row * scan->row_slots;
}
uint32_t cogni_scan_extra_count(const cogni_scan *scan) { return scan->extra_count; }
const cogni_extra *cogni_scan_extras(const cogni_scan *scan) { return scan->extras; }
int32_t cogni_scan_bucket_done(const cogni_scan *scan) { return scan->bucket_done; }
uint64_t cogni_scan_elements(const cogni_scan *scan) { return scan->elements; }
uint64_t cogni_scan_repeated(const cogni_scan *scan) { return scan->tails ? scan->tails->repeated : 0; }
uint64_t cogni_scan_repeated_heads(const cogni_scan *scan) { return scan->tails ? scan->head.repeated : 0; }
const cogni_cell *cogni_scan_level(const cogni_scan *scan, uint32_t level) { return scan->level_cells[level]; }
cogni_scan_fault cogni_scan_error(const cogni_scan *scan) { return scan->fault; }

const uint8_t *cogni_scan_bytes(const cogni_scan *scan) { return scan->bytes; }
uint32_t cogni_scan_levels(const cogni_scan *scan) { return scan->shape->levels; }

// ---------------------------------------------------------------- the kernel for this machine

typedef int32_t (*scan_kernel)(cogni_scan *scan, uint32_t max_rows);

static const struct {
    const char *name;
    scan_kernel next;
} kernels[] = {
#if defined(__x86_64__)
    {"avx2", cogni_scan_next_avx2},
    {"sse2", cogni_scan_next_baseline},
#elif defined(__ARM_NEON)
    {"neon", cogni_scan_next_baseline},
#endif
    {"portable", cogni_scan_next_portable},
};
enum { KERNELS = sizeof kernels / sizeof kernels[0] };

static int is_there(uint32_t kernel) {
#if defined(__x86_64__)
    if (kernels[kernel].next == cogni_scan_next_avx2) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    }
#endif
    return kernel < KERNELS;
}

// The number of the kernel + 1; 0: not chosen yet. Whoever comes first chooses, and all would choose the same.
static atomic_uint chosen;

static uint32_t best_kernel(void) {
    uint32_t kernel = 0;
    // For tests and for measuring: what a lesser machine would do. A name that is not known leaves the choice as it is.
    const char *wanted = getenv("COGNI_ISA");
    if (wanted && strcmp(wanted, "baseline") == 0) wanted = KERNELS > 1 ? kernels[KERNELS - 2].name : "portable";
    for (uint32_t k = 0; wanted && k < KERNELS; k++) {
        if (strcmp(wanted, kernels[k].name) == 0 && is_there(k)) return k;
    }
    while (!is_there(kernel)) kernel++;
    return kernel;
}

static uint32_t kernel_now(void) {
    uint32_t kernel = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (kernel == 0) {
        kernel = best_kernel() + 1;
        atomic_store_explicit(&chosen, kernel, memory_order_relaxed);
    }
    return kernel - 1;
}

const char *cogni_scan_kernel(void) { return kernels[kernel_now()].name; }

int32_t cogni_scan_use_kernel(const char *name) {
    for (uint32_t k = 0; k < KERNELS; k++) {
        if (strcmp(name, kernels[k].name) == 0 && is_there(k)) {
            atomic_store_explicit(&chosen, k + 1, memory_order_relaxed);
            return 1;
        }
    }
    return 0;
}

int32_t cogni_scan_next(cogni_scan *scan, uint32_t max_rows) { return kernels[kernel_now()].next(scan, max_rows); }
