#include "archive_doors.h"

#include <dlfcn.h>

const cogni_archive_functions *cogni_archive;

const char *cogni_archive_open(void) {
    static cogni_archive_functions found;
    void *library = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);
    if (!library) return dlerror();
#define FIND(name) \
    if (!(found.name##_ = (__typeof__(found.name##_))dlsym(library, "archive_" #name))) return dlerror();
    COGNI_ARCHIVE_FUNCTIONS(FIND)
#undef FIND
    cogni_archive = &found;
    return NULL;
}
