#ifndef COGNI_RECORD_SCAN_H
#define COGNI_RECORD_SCAN_H

#include <stddef.h>
#include <stdint.h>

// The page kernel: finds rows in a page of JSON, turns them into archive lines, sorts and merges them.
//
// Plain C: pointers with lengths in, offsets and counts out; no callbacks, and no ownership crosses
// the wall except of the opaque objects that have a `_new` and a `_free`. Every function is
// single-threaded per object. The Swift face is the room RecordScan, nothing else may call this.

#pragma clang assume_nonnull begin

// ---------------------------------------------------------------- shape: what a page looks like

// Levels are the objects on the way to a row: 0 is the reply, the last is the row, those between are
// elements of arrays (a report's buckets). A shape with one level says that the reply itself is the row.
typedef struct cogni_shape cogni_shape;

cogni_shape *cogni_shape_new(void);
void cogni_shape_free(cogni_shape *shape);

// Adds a level: the elements of the array that stands under `member` of the level before.
void cogni_shape_add_level(cogni_shape *shape, const uint8_t *member, uint32_t length);

// Declares a field of a level: its path from the level's object inwards, `count` keys laid one behind the
// other in `keys` with their `lengths`. `slot` is where its cell goes; -1 says "known, but not wanted".
void cogni_shape_add_field(cogni_shape *shape, uint32_t level, const uint8_t *keys, const uint32_t *lengths,
                           uint32_t count, int32_t slot);

// ---------------------------------------------------------------- scan: cells of rows

enum {
    COGNI_ABSENT = 0,  // the key is not there
    COGNI_NULL = 1,
    COGNI_TRUE = 2,
    COGNI_FALSE = 3,
    COGNI_INTEGER = 4,  // a number without point and exponent
    COGNI_NUMBER = 5,   // any other number
    COGNI_PLAIN = 6,    // a string without escapes; offset and length are of what is between the quotes
    COGNI_ESCAPED = 7,  // a string with escapes
    COGNI_OBJECT = 8,   // offset and length are of the whole text
    COGNI_ARRAY = 9,
};

// Where one value stands in the page.
typedef struct {
    uint32_t offset;
    uint32_t length : 28;
    uint32_t kind : 4;
} cogni_cell;

// A member of a row that no field was declared for.
typedef struct {
    uint32_t row;         // index in the batch
    uint32_t node;        // which object of the row holds it: see cogni_shape_node_path
    uint32_t key_offset;  // between the quotes
    uint32_t key_length;
    cogni_cell value;
} cogni_extra;

// The path of an object inside the row, as keys laid one behind the other, each followed by a zero byte.
// Returns the length; at most `capacity` bytes are written.
uint32_t cogni_shape_node_path(const cogni_shape *shape, uint32_t node, uint8_t *out, uint32_t capacity);

enum {
    COGNI_SCAN_ROWS = 1,  // a batch of rows is ready
    COGNI_SCAN_END = 2,   // the page is well-formed to its end, and there are no more rows
    COGNI_SCAN_BAD = 3,   // not JSON, or not this shape: see cogni_scan_error
};

typedef struct cogni_scan cogni_scan;

cogni_scan *cogni_scan_new(const cogni_shape *shape);
void cogni_scan_free(cogni_scan *scan);

// Starts a page. 64 bytes past the end must be readable and zero. The bytes must outlive the scan of the page.
void cogni_scan_open(cogni_scan *scan, const uint8_t *bytes, size_t length);

// Scans on to the end of the current bucket, or until `max_rows` rows are ready, whichever comes first.
int32_t cogni_scan_next(cogni_scan *scan, uint32_t max_rows);

// The batch of the last cogni_scan_next.
uint32_t cogni_scan_rows(const cogni_scan *scan);
const cogni_cell *cogni_scan_row(const cogni_scan *scan, uint32_t row);
uint32_t cogni_scan_extra_count(const cogni_scan *scan);
const cogni_extra *cogni_scan_extras(const cogni_scan *scan);
// 1 when the batch ends its bucket; the bucket's cells are complete then and during all its batches.
int32_t cogni_scan_bucket_done(const cogni_scan *scan);
// Elements of the outermost array seen so far in this page, rows or not.
uint64_t cogni_scan_elements(const cogni_scan *scan);
// Rows of this page so far that ended as one of the bucket before, and were not scanned to their end.
uint64_t cogni_scan_repeated(const cogni_scan *scan);
// Likewise, that began as the row before.
uint64_t cogni_scan_repeated_heads(const cogni_scan *scan);
// Cells of a level above the row's; of level 0 they are complete at COGNI_SCAN_END.
const cogni_cell *cogni_scan_level(const cogni_scan *scan, uint32_t level);

// The page, and how many levels it has.
const uint8_t *cogni_scan_bytes(const cogni_scan *scan);
uint32_t cogni_scan_levels(const cogni_scan *scan);

typedef struct {
    const char *reason;  // static text
    size_t offset;
} cogni_scan_fault;
cogni_scan_fault cogni_scan_error(const cogni_scan *scan);

// Which set of instructions the kernel uses: "avx2", "sse2", "neon" or "portable". The best that the processor has, unless the
// environment's COGNI_ISA names a lesser one ("baseline": what every machine of the architecture has).
const char *cogni_scan_kernel(void);
// Chooses another for all scans from here on. 0: there is none of that name, or the processor can't run it.
int32_t cogni_scan_use_kernel(const char *name);

// Turns what stands between the quotes of a JSON string into UTF-8. U+0000 and lone surrogates become
// U+FFFD. `out` must hold `length` + 3 bytes. Returns the number of bytes.
size_t cogni_unescape(const uint8_t *text, size_t length, uint8_t *out);

// Makes large blocks go back to the system when they are freed. Once, before the first thread.
void cogni_return_freed_memory(void);
// Has the system give memory for rows of about so many bytes before they come; more than some megabytes are not taken ahead.
void cogni_stock_rows(size_t bytes);
// Gives back what is kept for the next run and what the allocator has spare.
void cogni_drop_spare_memory(void);

// ---------------------------------------------------------------- runs: lines waiting to be sorted

// A run is a bag of rows (key, time, line) of one partition. Keys sort as bytes. Rows of an encoder wait in a short form and
// become lines when they are written.
typedef struct cogni_run cogni_run;

cogni_run *cogni_run_new(void);
void cogni_run_free(cogni_run *run);
void cogni_run_append(cogni_run *run, const uint8_t *key, uint32_t key_length, int64_t time, const uint8_t *line,
                      uint32_t line_length);
uint64_t cogni_run_count(const cogni_run *run);
uint64_t cogni_run_bytes(const cogni_run *run);  // memory in use
// Forgets the records after the first `count`: what a page that turned out broken had added. Only before sorting.
void cogni_run_truncate(cogni_run *run, uint64_t count);
void cogni_run_sort(cogni_run *run);
// Writes the sorted records to a file. Returns bytes written, or -errno. `checksum` is updated.
int64_t cogni_run_write(cogni_run *run, int fd, uint64_t *checksum);
// The checksum of what was written there. Returns 0 or -errno; -EBADMSG: the file ends before.
int32_t cogni_run_file_checksum(int fd, int64_t offset, int64_t length, uint64_t *checksum);

// ---------------------------------------------------------------- encode: rows to lines

enum { COGNI_INT_COLUMN = 0, COGNI_BOOL_COLUMN = 1, COGNI_TIME_COLUMN = 2, COGNI_TEXT_COLUMN = 3, COGNI_ROW_COLUMN = 4 };
enum { COGNI_UNIT_NONE = 0, COGNI_UNIT_DAY = 1, COGNI_UNIT_MONTH = 2 };

// One archive format of one stream. Columns are added in the order of the line.
typedef struct cogni_encoder cogni_encoder;

// `quoted_times`: 1 for NDJSON, 0 for CSV. `null_text` stands for null; `ending` closes the line.
cogni_encoder *cogni_encoder_new(int32_t quoted_times, const uint8_t *null_text, uint32_t null_length,
                                 const uint8_t *ending, uint32_t ending_length);
void cogni_encoder_free(cogni_encoder *encoder);

// `level` and `slot` say where the cell stands; `other_slot` (or -1) is looked at when it is absent. `prefix` is
// written before the value.
// A COGNI_ROW_COLUMN has no cell: when the row has members that no field was declared for, the caller
// gives its text row by row (cogni_encoder_put_row), otherwise it is null.
// A column with level -1 is constant: see cogni_encoder_set_constant.
void cogni_encoder_add_column(cogni_encoder *encoder, int32_t kind, int32_t level, int32_t slot, int32_t other_slot,
                              const uint8_t *prefix, uint32_t prefix_length);
// Sets the text of a constant column (`key` is what the sort key holds for it); `is_null` makes it null.
void cogni_encoder_set_constant(cogni_encoder *encoder, uint32_t column, int32_t is_null, const uint8_t *text,
                                uint32_t length, const uint8_t *key, uint32_t key_length);
// A column that should have a value: null and absent go through its dictionary too, so that the first one is told.
void cogni_encoder_require(cogni_encoder *encoder, uint32_t column);
// Asks for every value again from here on, and tells of nulls as if for the first time: what was asked for before was taken back.
void cogni_encoder_forget(cogni_encoder *encoder);
// The sort key's columns, in order of rank.
void cogni_encoder_add_key(cogni_encoder *encoder, uint32_t column);
// The column that decides the partition.
void cogni_encoder_set_time(cogni_encoder *encoder, uint32_t column, int32_t unit);

enum {
    COGNI_ENCODED = 0,     // all rows of the batch are in the run
    COGNI_UNKNOWN = 1,     // `column` of `row` holds a value that is not in the vocabulary: resolve it and call again
    COGNI_PARTITION = 2,   // `row` belongs to `partition`: call again with that partition's run
};
typedef struct {
    uint32_t row;
    uint32_t column;
    int64_t partition;  // days since 1970-01-01, or months since 1970-01
    cogni_cell cell;    // for COGNI_UNKNOWN: where the value stands
} cogni_stop;

// Encodes the batch's rows from `first_row` on into `run`, as long as they belong to `partition`.
int32_t cogni_encode(cogni_encoder *encoder, const cogni_scan *scan, uint32_t first_row, int64_t partition,
                     cogni_run *run, cogni_stop *stop);

// Adds a value to a column's vocabulary: `raw` of kind `kind` is written as `text`, sorted as `key`.
// `time` is used when the column decides the partition. `is_null` says the value counts as null.
void cogni_encoder_put(cogni_encoder *encoder, uint32_t column, uint32_t kind, const uint8_t *raw, uint32_t raw_length,
                       int32_t is_null, const uint8_t *text, uint32_t length, const uint8_t *key, uint32_t key_length,
                       int64_t time);
// The text of a COGNI_ROW_COLUMN for one row of the batch.
void cogni_encoder_put_row(cogni_encoder *encoder, uint32_t column, uint32_t row, int32_t is_null, const uint8_t *text,
                           uint32_t length);

// ---------------------------------------------------------------- merge: sorted runs to one sequence of lines

typedef struct cogni_merge cogni_merge;

typedef struct {
    uint64_t rows;       // given out
    uint64_t fresh;      // of these, rows of new sources
    uint64_t identical;  // repeats of a key with the same line, left out (new sources)
    uint64_t conflicts;  // repeats of a key with another line, left out (new sources)
    uint64_t replaced;   // rows of old sources left out because a new source has the key
    uint64_t changed;    // of these, those whose line differs
    int64_t min_time;    // of the rows given out; meaningless when rows is 0
    int64_t max_time;
} cogni_merge_stats;

// `keep_latest`: of rows with one key the last in order of sources and arrival stays, otherwise the first.
cogni_merge *cogni_merge_new(int32_t keep_latest);
void cogni_merge_free(cogni_merge *merge);
// The run must be sorted and must outlive the merge. `is_old`: rows of an earlier generation.
void cogni_merge_add_run(cogni_merge *merge, const cogni_run *run, int32_t is_old);
// A file that cogni_run_write wrote. The descriptor stays the caller's.
void cogni_merge_add_file(cogni_merge *merge, int fd, int64_t offset, int64_t length, int32_t is_old);

typedef struct {
    const uint8_t *_Nullable key;
    const uint8_t *_Nullable line;
    uint32_t key_length;
    uint32_t line_length;
    int64_t time;
    int32_t is_old;
} cogni_record;

// The next row after dedupe. Returns 1, 0 at the end, or -errno (EBADMSG: a run file is damaged). Pointers
// are valid until the next call.
int32_t cogni_merge_next(cogni_merge *merge, cogni_record *record);
// Fills `out` with whole lines, at most `capacity` bytes. Returns bytes; 0 at the end; -errno on failure, or
// -ENOBUFS when the next line alone is longer: its length is then in `needed`.
int64_t cogni_merge_block(cogni_merge *merge, uint8_t *out, size_t capacity, size_t *needed);
// Counts since the merge began; `reset_times` starts min_time, max_time and rows anew for the next file.
cogni_merge_stats cogni_merge_counts(const cogni_merge *merge);
void cogni_merge_restart_file(cogni_merge *merge);

// ---------------------------------------------------------------- totals: what a file's lines add up to

// Null counts, exact sums and distinct values of finished lines. Columns are added in the order of the line.
typedef struct cogni_totals cogni_totals;

// `is_strict`: compares every byte between the cells, for files that someone else may have written.
cogni_totals *cogni_totals_new(int32_t is_csv, int32_t is_strict);
void cogni_totals_free(cogni_totals *totals);
// `prefix` stands before the cell. `is_number`: plain decimals, quoted or not, are summed up.
void cogni_totals_add_column(cogni_totals *totals, const uint8_t *prefix, uint32_t length, int32_t is_number);
// Also collects the column's distinct values, null aside. A row counts as living while column `ending` is null; -1:
// always. Returns the set's index.
uint32_t cogni_totals_collect(cogni_totals *totals, uint32_t column, int32_t ending);
// Takes whole lines. Returns how many bytes they were; what is left is the beginning of a line. -1: a line is not of
// this shape.
int64_t cogni_totals_take(cogni_totals *totals, const uint8_t *bytes, size_t length);
// From now on a line is refused when this column holds anything but null and, with COGNI_SEALED, a token, with
// COGNI_MASKED, text that is masked. `take` then returns -2 - column.
enum { COGNI_OPEN = 0, COGNI_SEALED = 1, COGNI_MASKED = 2, COGNI_DROPPED = 3 };
void cogni_totals_protect(cogni_totals *totals, uint32_t column, int32_t protection);
// The same for the lines of the merge's last block, from the rows that they were made of. 0: they were not kept, take the
// lines; -2 - column: as `take`.
int32_t cogni_totals_take_block(cogni_totals *totals, const cogni_merge *merge);
void cogni_totals_restart(cogni_totals *totals);  // for the next file

uint64_t cogni_totals_nulls(const cogni_totals *totals, uint32_t column);
// Plain notation, no zeros at the end of a fraction. Returns the length, of which at most `capacity` bytes are written;
// 0: no sum, since all are null or one is no plain decimal.
size_t cogni_totals_sum(cogni_totals *totals, uint32_t column, uint8_t *out, size_t capacity);
uint32_t cogni_totals_set_count(const cogni_totals *totals, uint32_t set);
// The text of the cell as it stands in the line. Valid until the next take or restart.
const uint8_t *cogni_totals_set_value(const cogni_totals *totals, uint32_t set, uint32_t index, uint32_t *length,
                                      uint64_t *rows, uint64_t *living);

// ---------------------------------------------------------------- repeats: what stood in earlier lines already

// So many bytes as they are, then so many that repeat those which stood `distance` bytes before. The last ones may have no repeat.
typedef struct {
    uint32_t literals, length, distance;
} cogni_repeat;

// From now on repeats among the lines that are taken are found, back to the last restart. Call it when all columns have been added. 0:
// there are too many columns for that.
int32_t cogni_totals_find_repeats(cogni_totals *totals);
// What was taken since the last call, from its first byte to its last. Depends on the lines alone, and where this divides a repeat
// it goes on with no literals and the same distance. Valid until the next take.
const cogni_repeat *_Nullable cogni_totals_repeats(cogni_totals *totals, uint32_t *count);

// ---------------------------------------------------------------- triggers: where a secret may begin

typedef struct cogni_triggers cogni_triggers;

// `beginnings`: `count` times three bytes, sorted. More than 64 are told apart by groups of neighbours only.
cogni_triggers *cogni_triggers_new(const uint8_t *beginnings, uint32_t count);
void cogni_triggers_free(cogni_triggers *triggers);
// The first place from `from` on where three bytes stand of which some group has each at its place; `length`: none. With `other` also
// where that one finds something, for little more work.
size_t cogni_triggers_next(const cogni_triggers *triggers, const cogni_triggers *_Nullable other, const uint8_t *bytes, size_t length,
                           size_t from);

#pragma clang assume_nonnull end

#endif
