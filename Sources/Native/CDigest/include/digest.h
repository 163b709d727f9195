#ifndef COGNI_DIGEST_H
#define COGNI_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// SHA-256 of two contents at once. A round of SHA-256 waits for the one before; with the processor's SHA instructions half of
// the time is such waiting, and another content's rounds fit into it. OpenSSL offers one content at a time only.

typedef struct {
    uint32_t hash[8];
    uint64_t length;
    uint8_t tail[64];  // of the content, what does not fill a block yet
} cogni_digest;

// 1: the processor has the instructions, and COGNI_ISA does not hide them. Without them nothing below may be called.
int32_t cogni_digest_is_there(void);

void cogni_digest_start(cogni_digest *digest);
// Takes the next bytes, but for the whole blocks among them: returns how many they are, and in `blocks` where they stand. These must
// be hashed before the digest is used again.
size_t cogni_digest_take(cogni_digest *digest, const uint8_t *bytes, size_t length, const uint8_t *_Nonnull *_Nonnull blocks);
void cogni_digest_blocks(cogni_digest *digest, const uint8_t *blocks, size_t count);
void cogni_digest_two(cogni_digest *a, const uint8_t *a_blocks, size_t a_count, cogni_digest *b, const uint8_t *b_blocks, size_t b_count);
void cogni_digest_finish(cogni_digest *digest, uint8_t *out);  // 32 bytes

#pragma clang assume_nonnull end

#endif
