#ifndef COGNI_ZSTD_REPEATS_H
#define COGNI_ZSTD_REPEATS_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// Repeats that are known already, handed to zstd in place of its own search for them, which is more than half of its work.
//
// The library takes them by a function that it calls for each block (its "block-level sequence producer", since 1.5.4); how they are
// written, and what they may be, stays its affair. It does not offer that function to everyone who links it dynamically, so without
// it, or where a block repeats little of what was said, the library searches as ever.

typedef struct cogni_zstd_repeats cogni_zstd_repeats;

// `context` is a ZSTD_CCtx with a window of at least 2 MiB. Null: this zstd takes no repeats.
cogni_zstd_repeats *_Nullable cogni_zstd_repeats_new(void *context);
// After the context's.
void cogni_zstd_repeats_free(cogni_zstd_repeats *_Nullable repeats);
// For a new frame.
void cogni_zstd_repeats_restart(cogni_zstd_repeats *repeats);
// Says what the frame's next bytes repeat, before the context is given them: `count` times three numbers, literals, length,
// distance. They must be `bytes` in all: 0 if they are not, and nothing is taken.
int32_t cogni_zstd_repeats_add(cogni_zstd_repeats *repeats, const uint32_t *items, size_t count, size_t bytes);
// Not 0: what was said was not true of the bytes, so that the frame may be wrong.
int32_t cogni_zstd_repeats_failed(const cogni_zstd_repeats *repeats);

#pragma clang assume_nonnull end

#endif
