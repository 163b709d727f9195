#ifndef COGNI_CCURL_SHIM_H
#define COGNI_CCURL_SHIM_H

#include <curl/curl.h>

// curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call.
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
typedef size_t (*cogni_curl_write)(char *_Nonnull bytes, size_t one, size_t count, void *_Nullable context);
static inline CURLcode cogni_curl_set_writer(CURL *_Nonnull handle, cogni_curl_write _Nonnull writer) {
    return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, writer);
}
static inline CURLcode cogni_curl_response_code(CURL *_Nonnull handle, long *_Nonnull code) {
    return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, code);
}

#endif
