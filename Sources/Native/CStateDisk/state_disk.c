#include "state_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// A file of SQLite's own door stands right behind ours, in the same piece of memory.
typedef struct {
    sqlite3_file ours;
    const char *path;
} door_file;

static sqlite3_vfs *inner;
static sqlite3_vfs door;
// Each thread's own: SQLite works on its caller's thread, and another database's failure must not be taken for this one's.
static _Thread_local struct {
    int number;
    const char *call;
    char path[4096];
} failure;

static sqlite3_file *behind(sqlite3_file *file) { return (sqlite3_file *)((door_file *)file + 1); }

static void note(const char *call, const char *path, int number) {
    failure.number = number;
    failure.call = call;
    snprintf(failure.path, sizeof failure.path, "%s", path ? path : "a temporary file");
}

int cogni_state_disk_failure(const char **call, char *path, int room) {
    int number = failure.number;
    *call = failure.call;
    snprintf(path, (size_t)room, "%s", failure.path);
    failure.number = 0;
    return number;
}

// SQLite keeps the number with the file; a full disk is its own code and has none.
static int last_number(sqlite3_file *file, int code) {
    int number = 0;
    behind(file)->pMethods->xFileControl(behind(file), SQLITE_FCNTL_LAST_ERRNO, &number);
    return number ? number : (code & 0xFF) == SQLITE_FULL ? ENOSPC : EIO;
}

static int told(sqlite3_file *file, const char *call, int code) {
    if (code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ) return code;
    note(call, ((door_file *)file)->path, last_number(file, code));
    return code;
}

static int door_close(sqlite3_file *file) { return behind(file)->pMethods->xClose(behind(file)); }

static int door_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    return told(file, "read", behind(file)->pMethods->xRead(behind(file), bytes, count, offset));
}

static int door_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    return told(file, "write", behind(file)->pMethods->xWrite(behind(file), bytes, count, offset));
}

static int door_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return told(file, "ftruncate", behind(file)->pMethods->xTruncate(behind(file), size));
}

static int door_sync(sqlite3_file *file, int flags) {
    while (1) {
        int code = behind(file)->pMethods->xSync(behind(file), flags);
        // Only a signal came between: nothing was dropped, and the call has to be made again. Any other failure is final.
        if (code == SQLITE_IOERR_FSYNC && last_number(file, code) == EINTR) continue;
        return told(file, "fsync", code);
    }
}

static int door_size(sqlite3_file *file, sqlite3_int64 *size) {
    return told(file, "fstat", behind(file)->pMethods->xFileSize(behind(file), size));
}

static int door_lock(sqlite3_file *file, int level) {
    int code = behind(file)->pMethods->xLock(behind(file), level);
    return code == SQLITE_BUSY ? code : told(file, "fcntl", code);
}

static int door_unlock(sqlite3_file *file, int level) { return behind(file)->pMethods->xUnlock(behind(file), level); }

static int door_reserved(sqlite3_file *file, int *is_held) {
    return behind(file)->pMethods->xCheckReservedLock(behind(file), is_held);
}

static int door_control(sqlite3_file *file, int request, void *argument) {
    errno = 0;
    int code = behind(file)->pMethods->xFileControl(behind(file), request, argument);
    int number = errno;
    // "Moved" is also what SQLite says of a file that it could not look at.
    if (request == SQLITE_FCNTL_HAS_MOVED && code == SQLITE_OK && *(int *)argument && number && number != ENOENT)
        note("stat", ((door_file *)file)->path, number);
    return code;
}

static int door_sector(sqlite3_file *file) { return behind(file)->pMethods->xSectorSize(behind(file)); }

static int door_characteristics(sqlite3_file *file) {
    return behind(file)->pMethods->xDeviceCharacteristics(behind(file));
}

// Without shared memory and mapped pages: the state has a rollback journal.
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = door_close,
    .xRead = door_read,
    .xWrite = door_write,
    .xTruncate = door_truncate,
    .xSync = door_sync,
    .xFileSize = door_size,
    .xLock = door_lock,
    .xUnlock = door_unlock,
    .xCheckReservedLock = door_reserved,
    .xFileControl = door_control,
    .xSectorSize = door_sector,
    .xDeviceCharacteristics = door_characteristics,
};

// Makes the names in the folder of `path` durable, and says whether they are.
static int sync_folder(const char *path) {
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (!slash) snprintf(folder, sizeof folder, ".");
    else if (slash == folder) slash[1] = 0;
    else *slash = 0;
    int descriptor;
    do descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) {
        note("open", folder, errno);
        return SQLITE_IOERR_DIR_FSYNC;
    }
    int status;
    do status = fsync(descriptor);
    while (status != 0 && errno == EINTR);
    int number = errno;
    close(descriptor);
    if (status == 0) return SQLITE_OK;
    note("fsync", folder, number);
    return SQLITE_IOERR_DIR_FSYNC;
}

// SQLite would try to read a journal that it could not make, and tell that it isn't there; and it would make its name
// durable without asking whether it is. So its file is made here, before SQLite opens it.
static int make_journal(const char *path) {
    int descriptor;
    do descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) {
        note("open", path, errno);
        return SQLITE_CANTOPEN;
    }
    close(descriptor);
    return sync_folder(path);
}

static int door_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *given) {
    (void)vfs;
    file->pMethods = NULL;
    ((door_file *)file)->path = path;
    behind(file)->pMethods = NULL;
    if (path && (flags & SQLITE_OPEN_MAIN_JOURNAL) && (flags & SQLITE_OPEN_CREATE)) {
        int code = make_journal(path);
        if (code != SQLITE_OK) return code;
        flags &= ~SQLITE_OPEN_CREATE;
    }
    errno = 0;
    int got = 0;
    int code = inner->xOpen(inner, path, behind(file), flags, &got);
    int number = errno ? errno : EIO;
    if (given) *given = got;
    if (code != SQLITE_OK) {
        note("open", path, number);
        return code;
    }
    file->pMethods = &methods;
    if (!(flags & SQLITE_OPEN_READWRITE) || !(got & SQLITE_OPEN_READONLY)) return SQLITE_OK;
    // Not to be written, so SQLite opened it to read. Well for a state on a disk that is only to be read, if whoever
    // opens it wants no more; never for a journal.
    note("open", path, number);
    if (!(flags & SQLITE_OPEN_MAIN_JOURNAL)) return SQLITE_OK;
    door_close(file);
    file->pMethods = NULL;
    return SQLITE_CANTOPEN;
}

static int door_delete(sqlite3_vfs *vfs, const char *path, int sync) {
    (void)vfs;
    errno = 0;
    int code = inner->xDelete(inner, path, 0);
    if (code != SQLITE_OK) {
        if (code != SQLITE_IOERR_DELETE_NOENT) note("unlink", path, errno ? errno : EIO);
        return code;
    }
    return sync ? sync_folder(path) : SQLITE_OK;
}

static int door_access(sqlite3_vfs *vfs, const char *path, int question, int *answer) {
    (void)vfs;
    errno = 0;
    int code = inner->xAccess(inner, path, question, answer);
    int number = errno;
    // A journal that can't be looked at may be one that has to be rolled back.
    if (code == SQLITE_OK && question == SQLITE_ACCESS_EXISTS && !*answer && number && number != ENOENT && number != ENOTDIR) {
        note("stat", path, number);
        return SQLITE_IOERR_ACCESS;
    }
    return code;
}

// SQLite looks at every folder on the way to the file, for links, and keeps the number of a failed look to itself.
static int door_full_path(sqlite3_vfs *vfs, const char *path, int room, char *full) {
    (void)vfs;
    errno = 0;
    int code = inner->xFullPathname(inner, path, room, full);
    int number = errno;
    if (code != SQLITE_OK && code != SQLITE_OK_SYMLINK) note("lstat", path, number ? number : EIO);
    return code;
}

static void build(void) {
    inner = sqlite3_vfs_find(NULL);
    if (!inner) return;
    door = *inner;
    door.zName = "cogni";
    door.pNext = NULL;
    door.szOsFile = (int)sizeof(door_file) + inner->szOsFile;
    door.xOpen = door_open;
    door.xDelete = door_delete;
    door.xAccess = door_access;
    door.xFullPathname = door_full_path;
    sqlite3_vfs_register(&door, 1);
}

int cogni_state_disk_install(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build);
    return inner ? SQLITE_OK : SQLITE_ERROR;
}
