// What libFuzzer asks of rows on their way from the page to the file: whatever a report says, bucket after bucket, comes out as the
// lines that were spelled out by hand, in the order of their keys, with the sums and nulls that they have; it does so however few
// words and bytes a vocabulary holds, and every row is done after being asked for each of its values twice at most.
//
// Each byte of the input makes one value of a row: which of a few texts stands there, a number, one that never comes again, a long
// text, or null. The first bytes choose how long texts are, how many rows a bucket has, how many buckets a page has, how many rows
// are taken at a time, and whether buckets name things in the same order.
//
// Compile it with -DMAX_WORDS=512 -DMAX_WORD_BYTES=4096 too: vocabularies are begun anew every few rows then; and with
// -DTAILS_MOST=32, so that what is known of rows' ends is, while the words stay.
// With -DREPLAY a program of its own: rows SEED ROUNDS makes inputs by chance.
#include "fuzz.h"
#include "record_scan.h"

enum { PADDING = 64, VALUES = 6, MOST_ROWS = 4096, DAYS = 28 };

static void put_text(text *to, const char *zero_ended) { put(to, zero_ended, strlen(zero_ended)); }

// ---------------------------------------------------------------- rows by hand

typedef struct {
    char value[VALUES][32];   // as it stands in page and line; empty: null. A text has its quotes
    char *long_text;          // in the place of value[1], when it is not null
    uint32_t bucket, number;
} row;

// What stands where: two counters, a text of many, a flag, a text of few, and a counter at the end that most rows have not.
static const char *const names[VALUES] = {"input", "project", "user", "flag", "tier", "late"};
static const int is_counter[VALUES] = {1, 0, 0, 0, 0, 1};

static void make_value(row *to, int at, uint8_t choice, size_t longest) {
    char *out = to->value[at];
    if (choice < 24) {
        out[0] = 0;
    } else if (is_counter[at]) {
        snprintf(out, 32, choice < 32 ? "-%u" : "%u", choice * choice * (to->number % 5 + 1u));
        if (at == 5 && choice < 200) out[0] = 0;
    } else if (at == 3) {
        strcpy(out, choice % 2 ? "true" : "false");
    } else if (choice > 250) {
        snprintf(out, 32, "\"once %u\"", to->number);
    } else {
        snprintf(out, 32, "\"%s_%u_of_them\"", at == 4 ? "tier" : names[at], choice % (at == 4 ? 3u : 40u));
    }
    if (at == 1 && choice == 250) {
        to->long_text = malloc(longest + 3);
        memset(to->long_text, 'a' + to->number % 26, longest + 2);
        to->long_text[0] = to->long_text[longest + 1] = '"';
        to->long_text[longest + 2] = 0;
    }
}

static const char *value_of(const row *of, int at) { return at == 1 && of->long_text ? of->long_text : of->value[at]; }

static int by_key(const void *a, const void *b) {
    const row *x = a, *y = b;
    if (x->bucket != y->bucket) return x->bucket < y->bucket ? -1 : 1;
    const char *one = value_of(x, 1), *other = value_of(y, 1);
    if (!*one || !*other) {
        if (*one || *other) return *one ? 1 : -1;
    } else {
        // Without their quotes.
        const size_t length = strlen(one) - 2, rest = strlen(other) - 2;
        int order = memcmp(one + 1, other + 1, length < rest ? length : rest);
        if (order || length != rest) return order ? order : length < rest ? -1 : 1;
    }
    char number[2][16];
    snprintf(number[0], 16, "%u", x->number);
    snprintf(number[1], 16, "%u", y->number);
    return strcmp(number[0], number[1]);
}

static void put_line(text *to, const row *of) {
    char start[96];
    snprintf(start, sizeof start, "{\"start\":\"2025-11-%02uT00:00:00Z\",\"id\":%u", of->bucket + 1, of->number);
    put_text(to, start);
    for (int at = 0; at < VALUES; at++) {
        put_text(to, ",\"");
        put_text(to, names[at]);
        put_text(to, "\":");
        put_text(to, *value_of(of, at) ? value_of(of, at) : "null");
    }
    put_text(to, "}\n");
}

static void put_page_row(text *to, const row *of) {
    char id[32];
    snprintf(id, sizeof id, "{\"id\":%u", of->number);
    put_text(to, id);
    for (int at = 0; at < VALUES; at++) {
        if (!*value_of(of, at) && of->number % 3) continue;  // absent is null
        put_text(to, ",\"");
        put_text(to, names[at]);
        put_text(to, "\":");
        put_text(to, *value_of(of, at) ? value_of(of, at) : "null");
    }
    put_text(to, "}");
}

// ---------------------------------------------------------------- the same through the kernel

static void field(cogni_shape *shape, uint32_t level, const char *key, int32_t slot) {
    const uint32_t length = (uint32_t)strlen(key);
    cogni_shape_add_field(shape, level, (const uint8_t *)key, &length, 1, slot);
}

static void column(cogni_encoder *encoder, cogni_totals *totals, int32_t kind, int32_t level, int32_t slot, const char *name) {
    char prefix[32];
    const int length = snprintf(prefix, sizeof prefix, "%c\"%s\":", level == 1 ? '{' : ',', name);
    cogni_encoder_add_column(encoder, kind, level, slot, -1, (const uint8_t *)prefix, (uint32_t)length);
    cogni_totals_add_column(totals, (const uint8_t *)prefix, (uint32_t)length, kind == COGNI_INT_COLUMN);
}

// Takes a batch; each row may ask for every column twice: once more after its vocabulary was begun anew.
static void encode(cogni_encoder *encoder, const cogni_scan *scan, cogni_run *run) {
    uint32_t first = 0, asked = 0;
    for (;;) {
        cogni_stop stop;
        const int32_t outcome = cogni_encode(encoder, scan, first, 0, run, &stop);
        if (outcome == COGNI_ENCODED) return;
        demand(outcome == COGNI_UNKNOWN, "rows are asked for values only");
        asked = stop.row == first ? asked + 1 : 1;
        demand(asked <= 2 * (VALUES + 2), "a row comes to an end");
        first = stop.row;
        const uint8_t *raw = cogni_scan_bytes(scan) + stop.cell.offset;
        demand(stop.cell.kind == COGNI_PLAIN, "only texts are asked for");
        cogni_encoder_put(encoder, stop.column, stop.cell.kind, raw, stop.cell.length, 0, raw - 1, stop.cell.length + 2, raw,
                          stop.cell.length, 0);
    }
}

static text read_back(cogni_run *run, cogni_totals *totals, size_t capacity) {
    text lines = {0};
    uint8_t *block = malloc(capacity);
    cogni_run_sort(run);
    cogni_merge *merge = cogni_merge_new(1);
    cogni_merge_add_run(merge, run, 0);
    for (;;) {
        size_t needed = 0;
        const int64_t got = cogni_merge_block(merge, block, capacity, &needed);
        if (got == 0) break;
        if (got < 0) {
            demand(needed > capacity, "a line that does not fit says how long it is");
            capacity = needed;
            block = realloc(block, capacity);
            continue;
        }
        put(&lines, (const char *)block, (size_t)got);
        const int32_t taken = cogni_totals_take_block(totals, merge);
        demand(taken >= 0, "no row shows what it should not");
        if (taken == 0) demand(cogni_totals_take(totals, block, (size_t)got) == got, "the lines are of their own shape");
    }
    cogni_merge_free(merge);
    free(block);
    return lines;
}

static void check_totals(cogni_totals *totals, const row *rows, uint32_t count) {
    for (int at = 0; at < VALUES; at++) {
        int64_t sum = 0;
        uint64_t nulls = 0;
        for (uint32_t r = 0; r < count; r++) {
            if (!*value_of(&rows[r], at)) nulls++;
            else if (is_counter[at]) sum += atoll(rows[r].value[at]);
        }
        const uint32_t column = (uint32_t)at + 2;
        demand(cogni_totals_nulls(totals, column) == nulls, "nulls are counted");
        if (!is_counter[at] || nulls == count) continue;
        uint8_t out[64] = {0};
        char expected[64];
        snprintf(expected, sizeof expected, "%lld", (long long)sum);
        const size_t length = cogni_totals_sum(totals, column, out, sizeof out - 1);
        demand(length == strlen(expected) && memcmp(out, expected, length) == 0, "numbers are added up");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) return 0;
    const size_t longest = (size_t)data[0] * 40 + 40, capacity = 64u << data[3] % 9;
    const uint32_t in_bucket = data[1] % 60 + 1u, most = data[2] % 70 + 1u;
    uint32_t count = (uint32_t)((size - 4) / VALUES);
    if (count > MOST_ROWS) count = MOST_ROWS;
    if (count > in_bucket * DAYS) count = in_bucket * DAYS;  // of a month
    const uint32_t in_page = data[3] / 9 % 4 ? data[3] / 9 % 4 : DAYS;
    const int is_shuffled = data[2] > 127;
    row *rows = calloc(count + 1, sizeof(row));
    text pages[DAYS + 1] = {0};
    uint32_t page_count = 0;
    for (uint32_t r = 0; r < count; r++) {
        rows[r].number = r;
        rows[r].bucket = r / in_bucket;
        // Most rows say what the same place of the bucket before said, but for its counters.
        const int repeats = r >= in_bucket && data[4 + r * VALUES] % 8 != 0;
        for (int at = 0; at < VALUES; at++) {
            const uint32_t place = is_shuffled ? r % in_bucket * (2 * rows[r].bucket + 7) % in_bucket : r % in_bucket;
            const uint32_t from = repeats && !is_counter[at] ? place : r;
            make_value(&rows[r], at, data[4 + from * VALUES + (uint32_t)at], longest);
        }
        if (r % in_bucket == 0) {
            const int is_first = rows[r].bucket % in_page == 0;
            if (is_first && r) put_text(&pages[page_count - 1], "]}]}");
            if (is_first) put_text(&pages[page_count++], "{\"data\":[");
            char start[64];
            snprintf(start, sizeof start, "%s{\"start\":%u,\"rows\":[", is_first ? "" : "]},", 1761955200u + rows[r].bucket * 86400u);
            put_text(&pages[page_count - 1], start);
        } else {
            put_text(&pages[page_count - 1], ",");
        }
        put_page_row(&pages[page_count - 1], &rows[r]);
    }
    if (count) put_text(&pages[page_count - 1], "]}]}");
    else put_text(&pages[page_count++], "{\"data\":[]}");

    cogni_shape *shape = cogni_shape_new();
    cogni_shape_add_level(shape, (const uint8_t *)"data", 4);
    cogni_shape_add_level(shape, (const uint8_t *)"rows", 4);
    field(shape, 1, "start", 0);
    field(shape, 2, "id", 0);
    for (int at = 0; at < VALUES; at++) field(shape, 2, names[at], at + 1);
    cogni_encoder *encoder = cogni_encoder_new(1, (const uint8_t *)"null", 4, (const uint8_t *)"}\n", 2);
    cogni_totals *totals = cogni_totals_new(0, 1);
    column(encoder, totals, COGNI_TIME_COLUMN, 1, 0, "start");
    column(encoder, totals, COGNI_INT_COLUMN, 2, 0, "id");
    for (int at = 0; at < VALUES; at++) {
        column(encoder, totals, is_counter[at] ? COGNI_INT_COLUMN : at == 3 ? COGNI_BOOL_COLUMN : COGNI_TEXT_COLUMN, 2, at + 1, names[at]);
    }
    demand(cogni_totals_find_repeats(totals), "so few columns are looked at for repeats");
    cogni_encoder_add_key(encoder, 0);
    cogni_encoder_add_key(encoder, 3);  // project
    cogni_encoder_add_key(encoder, 1);
    cogni_run *run = cogni_run_new();
    cogni_scan *scan = cogni_scan_new(shape);
    uint32_t seen = 0;
    for (uint32_t p = 0; p < page_count; p++) {
        uint8_t *bytes = calloc(1, pages[p].length + PADDING);
        memcpy(bytes, pages[p].bytes, pages[p].length);
        cogni_scan_open(scan, bytes, pages[p].length);
        for (;;) {
            const int32_t step = cogni_scan_next(scan, most);
            if (step == COGNI_SCAN_END) break;
            demand(step == COGNI_SCAN_ROWS, "the page is whole");
            encode(encoder, scan, run);
            seen += cogni_scan_rows(scan);
        }
        free(bytes);
        free(pages[p].bytes);
    }
    demand(seen == count && cogni_run_count(run) == count, "every row was taken");

    qsort(rows, count, sizeof(row), by_key);
    text expected = {0};
    for (uint32_t r = 0; r < count; r++) put_line(&expected, &rows[r]);
    text lines = read_back(run, totals, capacity);
    demand(lines.length == expected.length && (lines.length == 0 || memcmp(lines.bytes, expected.bytes, lines.length) == 0),
           "the lines are those spelled out by hand");
    check_totals(totals, rows, count);

    cogni_scan_free(scan);
    cogni_run_free(run);
    cogni_encoder_free(encoder);
    cogni_totals_free(totals);
    cogni_shape_free(shape);
    for (uint32_t r = 0; r < count; r++) free(rows[r].long_text);
    free(rows);
    free(lines.bytes);
    free(expected.bytes);
    return 0;
}

#ifdef REPLAY
int main(int count, char **words) {
    if (count != 3) return 2;
    const uint64_t seed = strtoull(words[1], NULL, 10), rounds = strtoull(words[2], NULL, 10);
    uint64_t state = seed;
    static uint8_t input[4 + VALUES * 1500];
    for (uint64_t round = 0; round < rounds; round++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const size_t length = 4 + (state >> 33) % (sizeof input - 4);
        for (size_t i = 0; i < length; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            input[i] = (uint8_t)(state >> 56);
        }
        LLVMFuzzerTestOneInput(input, length);
    }
    printf("%llu made-up reports, seed %llu\n", (unsigned long long)rounds, (unsigned long long)seed);
    return 0;
}
#endif
