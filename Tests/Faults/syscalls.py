"""System calls on files as x86-64 Linux numbers them: which change the disk, and where their paths and descriptors stand.

`CHANGING` is the list that the methods strike at. `HARMLESS` are calls that leave every file system as it is; a call that
stands in neither list is a hole in the laboratory, and the census (census.py) fails when a run makes one.
"""

# name: (number, arguments: "p" path, "d" folder descriptor of the path that follows, "f" descriptor, "." other)
CHANGING = {
    "open": (2, "p."),
    "openat": (257, "dp."),
    "openat2": (437, "dp."),
    "creat": (85, "p."),
    "write": (1, "f.."),
    "pwrite64": (18, "f.."),
    "writev": (20, "f.."),
    "pwritev": (296, "f.."),
    "pwritev2": (328, "f.."),
    "fsync": (74, "f"),
    "fdatasync": (75, "f"),
    "sync_file_range": (277, "f"),
    "syncfs": (306, "f"),
    "sync": (162, ""),
    "msync": (26, ""),
    "rename": (82, "pp"),
    "renameat": (264, "dpdp"),
    "renameat2": (316, "dpdp"),
    "link": (86, "pp"),
    "linkat": (265, "dpdp"),
    "symlink": (88, ".p"),
    "symlinkat": (266, ".dp"),
    "unlink": (87, "p"),
    "unlinkat": (263, "dp"),
    "rmdir": (84, "p"),
    "mkdir": (83, "p"),
    "mkdirat": (258, "dp"),
    "mknod": (133, "p"),
    "mknodat": (259, "dp"),
    "ftruncate": (77, "f"),
    "truncate": (76, "p"),
    "fallocate": (285, "f"),
    "chmod": (90, "p"),
    "fchmod": (91, "f"),
    "fchmodat": (268, "dp"),
    "fchmodat2": (452, "dp"),
    "chown": (92, "p"),
    "fchown": (93, "f"),
    "lchown": (94, "p"),
    "fchownat": (260, "dp"),
    "utimensat": (280, "dp"),
    "utime": (132, "p"),
    "utimes": (235, "p"),
    "futimesat": (261, "dp"),
    "setxattr": (188, "p"),
    "lsetxattr": (189, "p"),
    "fsetxattr": (190, "f"),
    "removexattr": (197, "p"),
    "flock": (73, "f"),
    "copy_file_range": (326, "f.f"),
    "sendfile": (40, "f"),
    "splice": (275, "..f"),
    "io_uring_setup": (425, ""),
    "io_submit": (209, ""),
}
# Calls that can fail and change nothing: struck at by failures.py only.
READING = {
    "read": (0, "f"),
    "pread64": (17, "f"),
    "readv": (19, "f"),
    "preadv": (295, "f"),
    "getdents64": (217, "f"),
    "newfstatat": (262, "dp"),
    "readlink": (89, "p"),
    "readlinkat": (267, "dp"),
    "statx": (332, "dp"),
    "statfs": (137, "p"),
    "fstatfs": (138, "f"),
    "access": (21, "p"),
    "faccessat": (269, "dp"),
    "faccessat2": (439, "dp"),
    "close": (3, "f"),
}
HARMLESS = set("""
    accept accept4 access alarm arch_prctl bind brk capget clock_getres clock_gettime clock_nanosleep clone clone3 close
    close_range connect dup dup2 dup3 epoll_create1 epoll_ctl epoll_pwait epoll_wait eventfd2 execve exit exit_group
    faccessat faccessat2 fadvise64 fcntl fstat fstatfs futex getcwd getdents64 getegid geteuid getgid getpeername getpgrp
    getpid getppid getrandom getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday
    getuid getxattr inotify_add_watch inotify_init1 ioctl kill lgetxattr listen listxattr llistxattr flistxattr fgetxattr
    lseek lstat madvise membarrier memfd_create mincore mlock mlock2 mmap mprotect mremap munlock munmap nanosleep
    newfstatat pause pidfd_open pipe pipe2 poll ppoll prctl pread64 preadv prlimit64 pselect6 read readahead readlink
    readlinkat readv recvfrom recvmmsg recvmsg restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn
    rt_sigsuspend rt_sigtimedwait sched_getaffinity sched_getparam sched_getscheduler sched_setaffinity sched_yield
    select sendmmsg sendmsg sendto set_robust_list set_tid_address setpriority getpriority setrlimit setsockopt shutdown
    sigaltstack signalfd4 socket socketpair stat statfs statx sysinfo tgkill timer_create timer_settime timerfd_create
    timerfd_settime umask uname vfork fork wait4 waitid
""".split())

O_WRONLY, O_RDWR, O_CREAT, O_TRUNC = 0o1, 0o2, 0o100, 0o1000
WRITING = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC
# Where an open call has its flags.
FLAGS_AT = {"open": 1, "openat": 2}
WRITES = {"write", "pwrite64"}
# A signal handler may end these early on Linux; `close` too, but then the descriptor is gone already.
INTERRUPTIBLE = {"open", "openat", "write", "pwrite64", "fsync", "fdatasync", "flock", "ftruncate", "read", "pread64"}
