#define _GNU_SOURCE
#include "processors.h"

#include <sched.h>
#include <stdatomic.h>

enum {
    PLACES = 16,
    // With many processors the system finds a free one, and a place chosen without its knowledge may be a bad one.
    MOST_PROCESSORS = 8,
};

// Of each busy thread the processor it was last seen on, + 1; 0: nobody's.
static _Atomic int32_t places[PLACES];
static _Thread_local int32_t own = -1;

int32_t cogni_processors_enter(void) {
    if (own >= 0) return 0;
    int32_t here = sched_getcpu() + 1;
    if (here <= 0) return 0;
    for (int32_t p = 0; p < PLACES; p++) {
        int32_t nobody = 0;
        if (!atomic_compare_exchange_strong_explicit(&places[p], &nobody, here, memory_order_relaxed, memory_order_relaxed)) continue;
        own = p;
        cogni_processors_look();
        return 1;
    }
    return 0;
}

void cogni_processors_leave(void) {
    if (own < 0) return;
    atomic_store_explicit(&places[own], 0, memory_order_relaxed);
    own = -1;
}

// What may be used is read each time: an operator can change it while we run, and it must not change by this.
static int32_t move_away(void) {
    cpu_set_t allowed, free;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) > MOST_PROCESSORS) return 0;
    free = allowed;
    for (int32_t p = 0; p < PLACES; p++) {
        int32_t at = atomic_load_explicit(&places[p], memory_order_relaxed);
        if (at > 0) CPU_CLR(at - 1, &free);
    }
    if (CPU_COUNT(&free) == 0 || sched_setaffinity(0, sizeof free, &free) != 0) return 0;
    sched_setaffinity(0, sizeof allowed, &allowed);
    if (own >= 0) atomic_store_explicit(&places[own], sched_getcpu() + 1, memory_order_relaxed);
    return 1;
}

// Of a thread that keeps aside: where it might run before, and the busy processors that it keeps away from. `kept` is empty: from none.
static _Thread_local cpu_set_t before, kept;

void cogni_processors_anywhere(void) {
    if (CPU_COUNT(&kept) == 0) return;
    sched_setaffinity(0, sizeof before, &before);
    CPU_ZERO(&kept);
}

void cogni_processors_aside(void) {
    cpu_set_t busy, free;
    CPU_ZERO(&busy);
    for (int32_t p = 0; p < PLACES; p++) {
        int32_t at = atomic_load_explicit(&places[p], memory_order_relaxed);
        if (at > 0) CPU_SET(at - 1, &busy);
    }
    if (CPU_EQUAL(&busy, &kept)) return;
    cogni_processors_anywhere();
    if (sched_getaffinity(0, sizeof before, &before) != 0 || CPU_COUNT(&before) > MOST_PROCESSORS) return;
    CPU_AND(&free, &busy, &before);
    CPU_XOR(&free, &free, &before);
    if (CPU_COUNT(&free) == 0 || CPU_EQUAL(&free, &before)) return;
    if (sched_setaffinity(0, sizeof free, &free) == 0) kept = busy;
}

int32_t cogni_processors_look(void) {
    int32_t here = sched_getcpu() + 1;
    if (here <= 0) return 0;
    if (own >= 0) atomic_store_explicit(&places[own], here, memory_order_relaxed);
    for (int32_t p = 0; p < PLACES; p++) {
        if (p != own && atomic_load_explicit(&places[p], memory_order_relaxed) == here) return move_away();
    }
    return 0;
}
