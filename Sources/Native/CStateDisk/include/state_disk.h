#ifndef COGNI_STATE_DISK_H
#define COGNI_STATE_DISK_H

// The door between SQLite and the disk. SQLite's own one hides what our promises need: it gives up where a signal
// came between a sync, takes a file that can't be looked at for one that is not there, syncs folders without asking
// whether that went well, and keeps the number of a failed call to itself.

/// Makes this door the one through which SQLite opens every database from now on. More than once does nothing.
/// Returns 0, or SQLite's code when there is no door to build on.
int cogni_state_disk_install(void);

/// The last failed call since this was last asked: its errno, 0 when none failed. `call` becomes a name that stays,
/// `path` is filled with at most `room` bytes and ends with 0.
int cogni_state_disk_failure(const char *_Nullable *_Nonnull call, char *_Nonnull path, int room);

#endif
