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
// Not 0: enough of the last block was known, and zstd did not search it.
int32_t cogni_zstd_repeats_sufficed(const cogni_zstd_repeats *repeats);
// From now on zstd does not search at all, however little of a block is known: it reads no bytes before the block's own.
void cogni_zstd_repeats_insist(cogni_zstd_repeats *repeats, int32_t insists);

// Whether this zstd compresses single blocks.
int32_t cogni_zstd_takes_blocks(void);
// Compresses the frame's next block, at most 128 KiB, from where it lies; the frame has been begun by ZSTD_compressStream2, which holds
// nothing back. Bytes before a block, as far as zstd searches, must still lie where they lay: at most the block before and what lies
// directly before that. Returns bytes written, or an error that ZSTD_isError knows.
size_t cogni_zstd_block(void *context, void *out, size_t room, const void *_Nullable bytes, size_t count, int32_t is_last);

#pragma clang assume_nonnull end

#endif
