#ifndef COGNI_CURL_DOORS_H
#define COGNI_CURL_DOORS_H

#include <curl/curl.h>

// libcurl is opened when the first engine is made, not when the program starts: it brings two dozen libraries along (TLS, LDAP,
// Kerberos, SSH), whose loading would be half of the time of every command that fetches nothing. So each function has a door here that
// goes through `cogni_curl`; the compiler still checks its arguments by libcurl's own header.
#define COGNI_CURL_FUNCTIONS(each)                                                                                        \
    each(easy_cleanup) each(easy_getinfo) each(easy_init) each(easy_setopt) each(easy_strerror) each(global_init)         \
    each(multi_add_handle) each(multi_cleanup) each(multi_info_read) each(multi_init) each(multi_perform) each(multi_poll) \
    each(multi_remove_handle) each(multi_setopt) each(multi_strerror) each(multi_wakeup) each(slist_append)               \
    each(slist_free_all) each(version_info)

// libcurl's header makes macros of some, which check types and expect to be called.
#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

typedef struct {
#define COGNI_CURL_POINTER(name) __typeof__(curl_##name) *_Nonnull name;
    COGNI_CURL_FUNCTIONS(COGNI_CURL_POINTER)
#undef COGNI_CURL_POINTER
} cogni_curl_functions;

// Null where libcurl was not opened: then there is nothing to call.
extern const cogni_curl_functions *_Nullable cogni_curl;

// Opens libcurl. Call it once, before any door. Returns null, or what the loader has to say, which lives as long as the process.
const char *_Nullable cogni_curl_open(void);

static inline CURLcode cogni_curl_global_init(long flags) { return cogni_curl->global_init(flags); }
static inline CURL *_Nullable cogni_curl_easy_init(void) { return cogni_curl->easy_init(); }
static inline void cogni_curl_easy_cleanup(CURL *_Nonnull handle) { cogni_curl->easy_cleanup(handle); }
static inline const char *_Nonnull cogni_curl_easy_words(CURLcode code) { return cogni_curl->easy_strerror(code); }
static inline struct curl_slist *_Nullable cogni_curl_list_append(struct curl_slist *_Nullable list, const char *_Nonnull line) {
    return cogni_curl->slist_append(list, line);
}
static inline void cogni_curl_list_free(struct curl_slist *_Nullable list) { cogni_curl->slist_free_all(list); }
static inline CURLM *_Nullable cogni_curl_multi_init(void) { return cogni_curl->multi_init(); }
static inline CURLMcode cogni_curl_multi_cleanup(CURLM *_Nonnull multi) { return cogni_curl->multi_cleanup(multi); }
static inline CURLMcode cogni_curl_multi_wakeup(CURLM *_Nonnull multi) { return cogni_curl->multi_wakeup(multi); }
static inline CURLMcode cogni_curl_multi_perform(CURLM *_Nonnull multi, int *_Nonnull running) {
    return cogni_curl->multi_perform(multi, running);
}
static inline CURLMcode cogni_curl_multi_poll(CURLM *_Nonnull multi, int milliseconds) {
    return cogni_curl->multi_poll(multi, NULL, 0, milliseconds, NULL);
}
static inline CURLMcode cogni_curl_multi_add(CURLM *_Nonnull multi, CURL *_Nonnull handle) {
    return cogni_curl->multi_add_handle(multi, handle);
}
static inline CURLMcode cogni_curl_multi_remove(CURLM *_Nonnull multi, CURL *_Nonnull handle) {
    return cogni_curl->multi_remove_handle(multi, handle);
}
static inline CURLMsg *_Nullable cogni_curl_multi_message(CURLM *_Nonnull multi, int *_Nonnull left) {
    return cogni_curl->multi_info_read(multi, left);
}
static inline const char *_Nonnull cogni_curl_multi_words(CURLMcode code) { return cogni_curl->multi_strerror(code); }

// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt are variadic, which Swift cannot call.
// One typed door for each argument type that we use.

static inline CURLcode cogni_curl_set_long(CURL *_Nonnull handle, CURLoption option, long value) {
    return cogni_curl->easy_setopt(handle, option, value);
}
static inline CURLcode cogni_curl_set_string(CURL *_Nonnull handle, CURLoption option, const char *_Nullable value) {
    return cogni_curl->easy_setopt(handle, option, value);
}
static inline CURLcode cogni_curl_set_pointer(CURL *_Nonnull handle, CURLoption option, void *_Nullable value) {
    return cogni_curl->easy_setopt(handle, option, value);
}
static inline CURLcode cogni_curl_set_list(
    CURL *_Nonnull handle, CURLoption option, struct curl_slist *_Nullable value) {
    return cogni_curl->easy_setopt(handle, option, value);
}

// One shape for CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
typedef size_t (*cogni_curl_write)(char *_Nonnull bytes, size_t one, size_t count, void *_Nullable context);
static inline CURLcode cogni_curl_set_writer(CURL *_Nonnull handle, cogni_curl_write _Nonnull writer) {
    return cogni_curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, writer);
}
static inline CURLcode cogni_curl_set_header_writer(CURL *_Nonnull handle, cogni_curl_write _Nonnull writer) {
    return cogni_curl->easy_setopt(handle, CURLOPT_HEADERFUNCTION, writer);
}

// Called when connected and before anything is sent; a result other than CURL_PREREQFUNC_OK ends the transfer.
typedef int (*cogni_curl_before_request)(
    void *_Nullable context, char *_Nonnull remote, char *_Nonnull local, int remote_port, int local_port);
static inline CURLcode cogni_curl_set_before_request(
    CURL *_Nonnull handle, cogni_curl_before_request _Nonnull callback) {
    return cogni_curl->easy_setopt(handle, CURLOPT_PREREQFUNCTION, callback);
}

static inline CURLcode cogni_curl_get_long(CURL *_Nonnull handle, CURLINFO info, long *_Nonnull value) {
    return cogni_curl->easy_getinfo(handle, info, value);
}
static inline CURLcode cogni_curl_get_pointer(CURL *_Nonnull handle, CURLINFO info, void *_Nullable *_Nonnull value) {
    return cogni_curl->easy_getinfo(handle, info, value);
}
static inline CURLMcode cogni_curl_multi_set_long(CURLM *_Nonnull multi, CURLMoption option, long value) {
    return cogni_curl->multi_setopt(multi, option, value);
}

// CURLVERSION_NOW is a macro that Swift does not see.
static inline const curl_version_info_data *_Nonnull cogni_curl_information(void) {
    return cogni_curl->version_info(CURLVERSION_NOW);
}

// The result of a CURLMSG_DONE message, which stands in a union.
static inline CURLcode cogni_curl_message_result(const CURLMsg *_Nonnull message) {
    return message->data.result;
}

#endif
