#ifndef COGNI_CCURL_SHIM_H
#define COGNI_CCURL_SHIM_H

#include <curl/curl.h>

// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt are variadic, which Swift cannot call.
// One typed door for each argument type that we use, and nothing else in here.

static inline CURLcode cogni_curl_set_long(CURL *_Nonnull handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode cogni_curl_set_string(CURL *_Nonnull handle, CURLoption option, const char *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode cogni_curl_set_pointer(CURL *_Nonnull handle, CURLoption option, void *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode cogni_curl_set_list(
    CURL *_Nonnull handle, CURLoption option, struct curl_slist *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

// One shape for CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
typedef size_t (*cogni_curl_write)(char *_Nonnull bytes, size_t one, size_t count, void *_Nullable context);
static inline CURLcode cogni_curl_set_writer(CURL *_Nonnull handle, cogni_curl_write _Nonnull writer) {
    return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, writer);
}
static inline CURLcode cogni_curl_set_header_writer(CURL *_Nonnull handle, cogni_curl_write _Nonnull writer) {
    return curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, writer);
}

// Called when connected and before anything is sent; a result other than CURL_PREREQFUNC_OK ends the transfer.
typedef int (*cogni_curl_before_request)(
    void *_Nullable context, char *_Nonnull remote, char *_Nonnull local, int remote_port, int local_port);
static inline CURLcode cogni_curl_set_before_request(
    CURL *_Nonnull handle, cogni_curl_before_request _Nonnull callback) {
    return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, callback);
}

static inline CURLcode cogni_curl_get_long(CURL *_Nonnull handle, CURLINFO info, long *_Nonnull value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLcode cogni_curl_get_pointer(CURL *_Nonnull handle, CURLINFO info, void *_Nullable *_Nonnull value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLMcode cogni_curl_multi_set_long(CURLM *_Nonnull multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// CURLVERSION_NOW is a macro that Swift does not see.
static inline const curl_version_info_data *_Nonnull cogni_curl_information(void) {
    return curl_version_info(CURLVERSION_NOW);
}

// The result of a CURLMSG_DONE message, which stands in a union.
static inline CURLcode cogni_curl_message_result(const CURLMsg *_Nonnull message) {
    return message->data.result;
}

#endif
