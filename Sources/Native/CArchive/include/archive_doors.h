#ifndef COGNI_ARCHIVE_DOORS_H
#define COGNI_ARCHIVE_DOORS_H

#include <archive.h>
#include <archive_entry.h>

// libarchive is opened when the first bundle is made: it brings XML and Unicode tables along, whose loading would be a fifth of the
// time of every command that makes none. So each function has a door here that goes through `cogni_archive`; the compiler still checks
// its arguments by libarchive's own header.
#define COGNI_ARCHIVE_FUNCTIONS(each)                                                                                        \
    each(entry_free) each(entry_new) each(entry_set_filetype) each(entry_set_gid) each(entry_set_mtime)                      \
    each(entry_set_pathname) each(entry_set_perm) each(entry_set_size) each(entry_set_uid) each(errno) each(error_string)    \
    each(write_add_filter_zstd) each(write_close) each(write_data) each(write_fail) each(write_finish_entry)                 \
    each(write_free) each(write_header) each(write_new) each(write_open_fd) each(write_set_filter_option)                    \
    each(write_set_format_pax_restricted) each(write_set_format_zip) each(write_zip_set_compression_deflate)                 \
    each(write_zip_set_compression_store)

typedef struct {
#define COGNI_ARCHIVE_POINTER(name) __typeof__(archive_##name) *_Nonnull name##_;
    COGNI_ARCHIVE_FUNCTIONS(COGNI_ARCHIVE_POINTER)
#undef COGNI_ARCHIVE_POINTER
} cogni_archive_functions;

// Null where libarchive was not opened: then there is nothing to call.
extern const cogni_archive_functions *_Nullable cogni_archive;

// Opens libarchive. Call it once, before any door. Returns null, or what the loader has to say, which lives as long as the process.
const char *_Nullable cogni_archive_open(void);

static inline struct archive *_Nullable cogni_archive_new(void) { return cogni_archive->write_new_(); }
static inline int cogni_archive_write_pax(struct archive *_Nonnull to) { return cogni_archive->write_set_format_pax_restricted_(to); }
static inline int cogni_archive_write_zip(struct archive *_Nonnull to) { return cogni_archive->write_set_format_zip_(to); }
static inline int cogni_archive_add_zstd(struct archive *_Nonnull to) { return cogni_archive->write_add_filter_zstd_(to); }
static inline int cogni_archive_set_option(
    struct archive *_Nonnull to, const char *_Nonnull module, const char *_Nonnull option, const char *_Nonnull value) {
    return cogni_archive->write_set_filter_option_(to, module, option, value);
}
static inline int cogni_archive_open_descriptor(struct archive *_Nonnull to, int descriptor) {
    return cogni_archive->write_open_fd_(to, descriptor);
}
static inline int cogni_archive_store(struct archive *_Nonnull to) { return cogni_archive->write_zip_set_compression_store_(to); }
static inline int cogni_archive_deflate(struct archive *_Nonnull to) { return cogni_archive->write_zip_set_compression_deflate_(to); }
static inline int cogni_archive_header(struct archive *_Nonnull to, struct archive_entry *_Nonnull entry) {
    return cogni_archive->write_header_(to, entry);
}
static inline la_ssize_t cogni_archive_data(struct archive *_Nonnull to, const void *_Nullable bytes, size_t count) {
    return cogni_archive->write_data_(to, bytes, count);
}
static inline int cogni_archive_finish_entry(struct archive *_Nonnull to) { return cogni_archive->write_finish_entry_(to); }
static inline int cogni_archive_close(struct archive *_Nonnull to) { return cogni_archive->write_close_(to); }
static inline int cogni_archive_fail(struct archive *_Nonnull to) { return cogni_archive->write_fail_(to); }
static inline int cogni_archive_free(struct archive *_Nonnull to) { return cogni_archive->write_free_(to); }
static inline int cogni_archive_number(struct archive *_Nonnull to) { return cogni_archive->errno_(to); }
static inline const char *_Nullable cogni_archive_words(struct archive *_Nonnull to) { return cogni_archive->error_string_(to); }

// A file of `size` bytes that all may read, owner 0, with no times but 1970: that is before a zip's first year in every time zone, so
// the local time that zip stores is always the same.
static inline struct archive_entry *_Nullable cogni_archive_file(const char *_Nonnull name, int64_t size) {
    struct archive_entry *entry = cogni_archive->entry_new_();
    if (!entry) return entry;
    cogni_archive->entry_set_pathname_(entry, name);
    cogni_archive->entry_set_size_(entry, size);
    cogni_archive->entry_set_filetype_(entry, AE_IFREG);
    cogni_archive->entry_set_perm_(entry, 0644);
    cogni_archive->entry_set_mtime_(entry, 0, 0);
    cogni_archive->entry_set_uid_(entry, 0);
    cogni_archive->entry_set_gid_(entry, 0);
    return entry;
}
static inline void cogni_archive_file_free(struct archive_entry *_Nullable entry) { cogni_archive->entry_free_(entry); }

#endif
