// What libFuzzer asks of known repeats: lines of any kind, taken in pieces of any length, are what zstd gives back when it was told
// what they repeat, the file is the same however they were divided, and nothing outside of them is read.
//
// Each byte of the input makes one cell of a line, of five columns: which of a few texts stands there, a number, a text that never
// comes again, or null. The first bytes choose NDJSON or CSV, how long texts are, and how the lines are divided.
//
// With -DREPLAY a program of its own: repeats SEED ROUNDS makes inputs by chance.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "fuzz.h"
#include "record_scan.h"
#include "zstd_repeats.h"

enum { COLUMNS = 5, PIECES = 64 };

static void put_cell(text *to, uint8_t choice, uint32_t number, int is_csv, size_t longest) {
    char room[64];
    if (choice < 32) {
        if (!is_csv) put(to, "null", 4);
    } else if (choice < 48) {
        put(to, room, (size_t)snprintf(room, sizeof room, choice < 40 ? "-%u" : "%u", number * choice * choice));
    } else {
        put(to, "\"", 1);
        const size_t length = choice % 7 == 0 ? longest : choice % 24;
        for (size_t n = 0; n < length; n++) put(to, &"abcdefgh"[(choice + n / 5) % 8], 1);
        if (choice % 11 == 0) put(to, room, (size_t)snprintf(room, sizeof room, "%u", number));
        put(to, "\"", 1);
    }
}

static text lines_of(const uint8_t *data, size_t size, int is_csv, size_t longest) {
    text lines = {0};
    for (size_t at = 0; at + COLUMNS <= size; at += COLUMNS) {
        for (int c = 0; c < COLUMNS; c++) {
            char prefix[64];
            if (is_csv) put(&lines, ",", c > 0);
            else put(&lines, prefix, (size_t)snprintf(prefix, sizeof prefix, "%s\"the_name_of_a_column_as_long_as_they_are_%d\":", c ? "," : "{", c));
            put_cell(&lines, data[at + (size_t)c], (uint32_t)at + 1, is_csv, longest);
        }
        put(&lines, is_csv ? "\n" : "}\n", is_csv ? 1 : 2);
    }
    return lines;
}

static cogni_totals *totals_of(int is_csv) {
    cogni_totals *totals = cogni_totals_new(is_csv, 1);
    for (int c = 0; c < COLUMNS; c++) {
        char prefix[64];
        const int length = is_csv ? snprintf(prefix, sizeof prefix, "%s", c ? "," : "")
                                  : snprintf(prefix, sizeof prefix, "%s\"the_name_of_a_column_as_long_as_they_are_%d\":", c ? "," : "{", c);
        cogni_totals_add_column(totals, (const uint8_t *)prefix, (uint32_t)length, c == 1);
    }
    demand(cogni_totals_find_repeats(totals), "five columns are not too many");
    return totals;
}

// The lines as one zstd frame, taken and written piece by piece. Each piece has a block of its own, so that reading past it shows.
static text frame_of(cogni_totals *totals, const text *lines, const uint8_t *pieces, size_t piece_count) {
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 21);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    cogni_zstd_repeats *repeats = cogni_zstd_repeats_new(context);
    demand(repeats != NULL, "this zstd takes repeats");
    text frame = {malloc(ZSTD_compressBound(lines->length) + 1024), 0, ZSTD_compressBound(lines->length) + 1024};
    size_t at = 0, turn = 0;
    while (at < lines->length) {
        size_t end = at + 1 + (piece_count ? pieces[turn++ % piece_count] * (size_t)64 : lines->length);
        if (end > lines->length) end = lines->length;
        while (lines->bytes[end - 1] != '\n') end++;
        uint8_t *piece = malloc(end - at);
        memcpy(piece, lines->bytes + at, end - at);
        demand(cogni_totals_take(totals, piece, end - at) == (int64_t)(end - at), "whole lines are taken whole");
        uint32_t count;
        const cogni_repeat *found = cogni_totals_repeats(totals, &count);
        demand(cogni_zstd_repeats_add(repeats, (const uint32_t *)(const void *)found, count, end - at), "repeats add up to the piece");
        ZSTD_inBuffer in = {piece, end - at, 0};
        ZSTD_outBuffer out = {frame.bytes, frame.room, frame.length};
        while (in.pos < in.size) demand(!ZSTD_isError(ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue)), "zstd takes it");
        frame.length = out.pos;
        free(piece);
        at = end;
    }
    ZSTD_inBuffer nothing = {NULL, 0, 0};
    ZSTD_outBuffer out = {frame.bytes, frame.room, frame.length};
    for (size_t left = 1; left;) {
        left = ZSTD_compressStream2(context, &out, &nothing, ZSTD_e_end);
        demand(!ZSTD_isError(left), "zstd ends the frame");
    }
    frame.length = out.pos;
    demand(!cogni_zstd_repeats_failed(repeats), "what was said is true");
    ZSTD_freeCCtx(context);
    cogni_zstd_repeats_free(repeats);
    return frame;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4 + COLUMNS) return 0;
    const int is_csv = data[0] & 1;
    const size_t longest = 24 + (size_t)data[1] * 4, pieces = data[2] % 8, begin = 3 + pieces;
    if (size < begin) return 0;
    text lines = lines_of(data + begin, size - begin, is_csv, longest);
    if (lines.length) {
        cogni_totals *totals = totals_of(is_csv);
        text whole = frame_of(totals, &lines, NULL, 0);
        cogni_totals_restart(totals);
        text divided = frame_of(totals, &lines, data + 3, pieces);
        demand(whole.length == divided.length && memcmp(whole.bytes, divided.bytes, whole.length) == 0, "pieces don't show");
        uint8_t *back = malloc(lines.length + 1);
        demand(ZSTD_decompress(back, lines.length + 1, whole.bytes, whole.length) == lines.length &&
                   memcmp(back, lines.bytes, lines.length) == 0, "lines come back as they were");
        cogni_totals_free(totals);
        free(back);
        free(whole.bytes);
        free(divided.bytes);
    }
    free(lines.bytes);
    return 0;
}

#ifdef REPLAY
int main(int count, char **words) {
    uint64_t state = count > 1 ? strtoull(words[1], NULL, 10) : 1;
    const int rounds = count > 2 ? atoi(words[2]) : 100;
    for (int round = 0; round < rounds; round++) {
        // Few different bytes in most rounds, so that lines are alike; one in ten long enough for a window to pass.
        static uint8_t input[150000];
        const size_t size = round % 10 == 9 ? sizeof input : (size_t)(round * 37 % 4000) + 9;
        const uint64_t kinds = round % 3 == 0 ? 256 : round % 3 == 1 ? 12 : 4;
        for (size_t n = 0; n < size; n++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            input[n] = (uint8_t)((state >> 33) % kinds * (256 / kinds));
        }
        LLVMFuzzerTestOneInput(input, size);
    }
    printf("%d inputs, seed %s\n", rounds, count > 1 ? words[1] : "1");
}
#endif
