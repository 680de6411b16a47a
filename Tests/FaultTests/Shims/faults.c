/* LD_PRELOAD: the n-th file-system call below a folder fails, or is made and then answers an error, as over a network
   when the answer is lost. FAULT_ROOT: the folder. FAULT_CALL: which call, from 1; 0 for none. FAULT_ERRNO: the error's
   number. FAULT_DONE=1: the call is made first, if it is one that changes names. FAULT_HANG=1: the call never returns,
   as on a file server that is away. FAULT_LOG: a file for what was done that decides about durability, for the call that
   hangs, and for the number of calls. FAULT_LOG_CALLS=1: for every call, too. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int calls;
static atomic_int injected;

static int number(const char *name) {
    const char *text = getenv(name);
    return text ? atoi(text) : 0;
}

static void append(const char *kind, const char *first, const char *second) {
    static int (*real_open)(const char *, int, ...);
    static ssize_t (*real_write)(int, const void *, size_t);
    const char *log = getenv("FAULT_LOG");
    char line[2200];
    int length, kept = errno, file;
    if (!log) return;
    if (!real_open) real_open = dlsym(RTLD_NEXT, "open");
    if (!real_write) real_write = dlsym(RTLD_NEXT, "write");
    length = snprintf(line, sizeof line, "%s %s %s\n", kind, first, second);
    file = real_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file >= 0) {
        if (real_write(file, line, length) < 0) abort();
        close(file);
    }
    errno = kept;
}

/* The path of a name in an open folder, or of an open file. */
static void locate(int descriptor, const char *name, char path[1024]) {
    char link[64];
    ssize_t length = 0;
    if (name && name[0] == '/') {
        snprintf(path, 1024, "%s", name);
        return;
    }
    if (descriptor == AT_FDCWD) {
        if (!getcwd(path, 512)) path[0] = 0;
        length = strlen(path);
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        length = readlink(link, path, 512);
        if (length < 0) length = 0;
        path[length] = 0;
    }
    if (name) snprintf(path + length, 1024 - length, "/%s", name);
}

static int is_below(const char *path) {
    const char *root = getenv("FAULT_ROOT");
    size_t length = root ? strlen(root) : 0;
    return length && !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

static void append_call(const char *kind, int call, const char *name, const char *path) {
    char text[64];
    snprintf(text, sizeof text, "%d %s", call, name);
    append(kind, text, path);
}

/* 0: the call is made; 1: it fails; 2: it is made and then fails. */
static int judge(const char *name, const char *path, int changes_names) {
    int call;
    if (!is_below(path)) return 0;
    call = atomic_fetch_add(&calls, 1) + 1;
    if (number("FAULT_LOG_CALLS")) append_call(changes_names ? "change" : "call", call, name, path);
    if (call != number("FAULT_CALL")) return 0;
    if (number("FAULT_DONE") && !changes_names) return 0;
    atomic_fetch_add(&injected, 1);
    if (number("FAULT_HANG")) {
        append_call("hang", call, name, path);
        /* A signal ends pause(), but not the call. */
        for (;;) pause();
    }
    errno = number("FAULT_ERRNO");
    return number("FAULT_DONE") ? 2 : 1;
}

#define verdict(path, changes_names) judge(__func__, path, changes_names)

static int answer(int result, int verdict) {
    if (verdict != 2) return result;
    errno = number("FAULT_ERRNO");
    return -1;
}

__attribute__((destructor)) static void finish(void) {
    char count[32], faults[32];
    snprintf(count, sizeof count, "%d", atomic_load(&calls));
    snprintf(faults, sizeof faults, "%d", atomic_load(&injected));
    append("calls", count, faults);
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = dlsym(RTLD_NEXT, name)

static int opened(int (*real)(int, const char *, int, ...), int folder, const char *name, int flags, int mode) {
    char path[1024];
    int fault, file;
    locate(folder, name, path);
    fault = judge(flags & O_CREAT ? "create" : "open", path, flags & O_CREAT);
    if (fault == 1) return -1;
    file = real(folder, name, flags, mode);
    if (fault == 2 && file >= 0) close(file);
    return answer(file, fault);
}

#define MODE(flags, mode) \
    if ((flags) & O_CREAT) { va_list rest; va_start(rest, flags); mode = va_arg(rest, int); va_end(rest); }

int openat(int folder, const char *name, int flags, ...) {
    int mode = 0;
    REAL(int, "openat", int, const char *, int, ...);
    MODE(flags, mode)
    return opened(real, folder, name, flags, mode);
}

int openat64(int folder, const char *name, int flags, ...) {
    int mode = 0;
    REAL(int, "openat64", int, const char *, int, ...);
    MODE(flags, mode)
    return opened(real, folder, name, flags, mode);
}

int open(const char *name, int flags, ...) {
    int mode = 0;
    REAL(int, "openat", int, const char *, int, ...);
    MODE(flags, mode)
    return opened(real, AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...) {
    int mode = 0;
    REAL(int, "openat64", int, const char *, int, ...);
    MODE(flags, mode)
    return opened(real, AT_FDCWD, name, flags, mode);
}

int mkdirat(int folder, const char *name, mode_t mode) {
    char path[1024];
    int fault, result;
    REAL(int, "mkdirat", int, const char *, mode_t);
    locate(folder, name, path);
    fault = verdict(path, 1);
    if (fault == 1) return -1;
    result = real(folder, name, mode);
    if (!result) append("mkdir", path, "-");
    return answer(result, fault);
}

int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

int renameat(int folder, const char *name, int other, const char *new) {
    char path[1024], target[1024];
    int fault, result;
    REAL(int, "renameat", int, const char *, int, const char *);
    locate(folder, name, path);
    locate(other, new, target);
    fault = verdict(target, 1);
    if (fault == 1) return -1;
    result = real(folder, name, other, new);
    if (!result) append("rename", path, target);
    return answer(result, fault);
}

int rename(const char *name, const char *new) { return renameat(AT_FDCWD, name, AT_FDCWD, new); }

int linkat(int folder, const char *name, int other, const char *new, int flags) {
    char target[1024];
    int fault;
    REAL(int, "linkat", int, const char *, int, const char *, int);
    locate(other, new, target);
    fault = verdict(target, 1);
    return fault == 1 ? -1 : answer(real(folder, name, other, new, flags), fault);
}

int unlinkat(int folder, const char *name, int flags) {
    char path[1024];
    int fault;
    REAL(int, "unlinkat", int, const char *, int);
    locate(folder, name, path);
    fault = verdict(path, 1);
    return fault == 1 ? -1 : answer(real(folder, name, flags), fault);
}

int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

#define READER(name, type)                                  \
    struct type *name(DIR *stream) {                        \
        char path[1024];                                    \
        REAL(struct type *, #name, DIR *);                  \
        locate(dirfd(stream), NULL, path);                  \
        return verdict(path, 0) == 1 ? NULL : real(stream); \
    }

READER(readdir, dirent)
READER(readdir64, dirent64)

static int real_status(int file, struct stat *status) {
    REAL(int, "fstat", int, struct stat *);
    return real(file, status);
}

int fsync(int file) {
    char path[1024];
    int result;
    struct stat status;
    REAL(int, "fsync", int);
    locate(file, NULL, path);
    if (verdict(path, 0) == 1) {
        /* The system forgets what it could not put on the disk, and says so only this once. */
        append("unsync", path, "-");
        return -1;
    }
    result = real(file);
    if (!result && is_below(path) && !real_status(file, &status)) {
        append(S_ISDIR(status.st_mode) ? "syncdir" : "sync", path, "-");
    }
    return result;
}

#define WRITER(name, parameters, arguments) \
    ssize_t name parameters { \
        char path[1024]; \
        ssize_t result; \
        static ssize_t (*real) parameters; \
        if (!real) real = dlsym(RTLD_NEXT, #name); \
        locate(file, NULL, path); \
        if (verdict(path, 0) == 1) return -1; \
        result = real arguments; \
        if (result > 0 && is_below(path)) append("write", path, "-"); \
        return result; \
    }

WRITER(write, (int file, const void *bytes, size_t count), (file, bytes, count))
WRITER(pwrite, (int file, const void *bytes, size_t count, off_t start), (file, bytes, count, start))
WRITER(pwrite64, (int file, const void *bytes, size_t count, off64_t start), (file, bytes, count, start))

#define ON_FILE(type, name, parameters, arguments) \
    type name parameters { \
        char path[1024]; \
        static type (*real) parameters; \
        if (!real) real = dlsym(RTLD_NEXT, #name); \
        locate(file, NULL, path); \
        return verdict(path, 0) == 1 ? -1 : real arguments; \
    }

ON_FILE(ssize_t, read, (int file, void *bytes, size_t count), (file, bytes, count))
ON_FILE(ssize_t, pread, (int file, void *bytes, size_t count, off_t start), (file, bytes, count, start))
ON_FILE(ssize_t, pread64, (int file, void *bytes, size_t count, off64_t start), (file, bytes, count, start))
ON_FILE(int, fchmod, (int file, mode_t mode), (file, mode))
ON_FILE(int, fchown, (int file, uid_t owner, gid_t group), (file, owner, group))
ON_FILE(int, ftruncate, (int file, off_t length), (file, length))
ON_FILE(int, ftruncate64, (int file, off64_t length), (file, length))

int fstatat(int folder, const char *name, struct stat *status, int flags) {
    char path[1024];
    REAL(int, "fstatat", int, const char *, struct stat *, int);
    locate(folder, name, path);
    return verdict(path, 0) == 1 ? -1 : real(folder, name, status, flags);
}

#define STATUS(name)                                                 \
    int name(const char *file, struct stat *status) {                \
        char path[1024];                                             \
        REAL(int, #name, const char *, struct stat *);               \
        locate(AT_FDCWD, file, path);                                \
        return verdict(path, 0) == 1 ? -1 : real(file, status);      \
    }

STATUS(stat)
STATUS(lstat)

ON_FILE(int, fstat, (int file, struct stat *status), (file, status))
ON_FILE(int, futimens, (int file, const struct timespec times[2]), (file, times))

int utimensat(int folder, const char *name, const struct timespec times[2], int flags) {
    char path[1024];
    REAL(int, "utimensat", int, const char *, const struct timespec[2], int);
    locate(folder, name, path);
    return verdict(path, 0) == 1 ? -1 : real(folder, name, times, flags);
}
