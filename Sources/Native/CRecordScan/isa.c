#include "isa.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static int best(void) {
#if defined(__x86_64__)
    const char *wanted = getenv("COGNI_ISA");
    const int most = !wanted ? AVX512_VECTORS : strcmp(wanted, "avx2") == 0 ? AVX2_VECTORS : BASELINE_VECTORS;
    if (most >= AVX512_VECTORS && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi")) return AVX512_VECTORS;
    if (most >= AVX2_VECTORS && __builtin_cpu_supports("avx2")) return AVX2_VECTORS;
#endif
    return BASELINE_VECTORS;
}

int cogni_vectors(void) {
    static atomic_int known;  // + 1; whoever comes first asks, and all would find the same
    int found = atomic_load_explicit(&known, memory_order_relaxed);
    if (found == 0) {
        found = best() + 1;
        atomic_store_explicit(&known, found, memory_order_relaxed);
    }
    return found - 1;
}
