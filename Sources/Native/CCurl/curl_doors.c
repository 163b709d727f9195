#include "curl_doors.h"

#include <dlfcn.h>

const cogni_curl_functions *cogni_curl;

const char *cogni_curl_open(void) {
    static cogni_curl_functions found;
    // The name of every libcurl with OpenSSL since 2006: symbols have come and none has changed.
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) return dlerror();
#define FIND(name) \
    if (!(found.name = (__typeof__(found.name))dlsym(library, "curl_" #name))) return dlerror();
    COGNI_CURL_FUNCTIONS(FIND)
#undef FIND
    cogni_curl = &found;
    return NULL;
}
