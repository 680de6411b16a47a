// LD_PRELOAD: a machine on which something is wrong, as long as the file that a variable names is there.
//
// FAULT_HANG: fsync of a file below runs/ does not return, as on a file server that is away; FILE.hit tells of it.
// FAULT_HIDE: no file whose path contains this text can be opened, as where a file system is not mounted.
// FAULT_AWAY: every call that opens, makes or flushes something in the folder FAULT_STORE fails with the number
// FAULT_ERRNO, as on a node whose mount is stale.
// FAULT_CLOCK: the real-time clock is off by the seconds that the file holds.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_hidden(const char *path) {
    const char *text = getenv("FAULT_HIDE");
    return text && path && strstr(path, text);
}

static int is_away(int folder, const char *name) {
    const char *flag = getenv("FAULT_AWAY"), *root = getenv("FAULT_STORE"), *number = getenv("FAULT_ERRNO");
    char link[64], path[PATH_MAX] = "";
    size_t length = 0;
    if (!flag || !root || !number || access(flag, F_OK) != 0) return 0;
    if (folder != AT_FDCWD && (!name || name[0] != '/')) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t found = readlink(link, path, sizeof path - 1);
        length = found > 0 ? found : 0;
    }
    if (name) snprintf(path + length, sizeof path - length, length ? "/%s" : "%s", name);
    length = strlen(root);
    if (strncmp(path, root, length) || (path[length] != '/' && path[length])) return 0;
    errno = atoi(number);
    return 1;
}

#define OPENAT(name)                                                      \
    int name(int folder, const char *path, int flags, ...) {              \
        va_list arguments;                                                \
        va_start(arguments, flags);                                       \
        mode_t mode = va_arg(arguments, mode_t);                          \
        va_end(arguments);                                                \
        if (is_away(folder, path)) return -1;                             \
        return REAL(name)(folder, path, flags, mode);                     \
    }
OPENAT(openat)
OPENAT(openat64)

int mkdirat(int folder, const char *path, mode_t mode) {
    return is_away(folder, path) ? -1 : REAL(mkdirat)(folder, path, mode);
}

int renameat(int folder, const char *path, int other, const char *new) {
    return is_away(other, new) ? -1 : REAL(renameat)(folder, path, other, new);
}

#define OPEN(name)                                                        \
    int name(const char *path, int flags, ...) {                          \
        va_list arguments;                                                \
        va_start(arguments, flags);                                       \
        mode_t mode = va_arg(arguments, mode_t);                          \
        va_end(arguments);                                                \
        if (is_hidden(path)) return errno = ENOENT, -1;                   \
        if (is_away(AT_FDCWD, path)) return -1;                           \
        return REAL(name)(path, flags, mode);                             \
    }
OPEN(open)
OPEN(open64)

int fsync(int descriptor) {
    const char *flag = getenv("FAULT_HANG");
    char link[64], path[PATH_MAX] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    if (flag && readlink(link, path, sizeof path - 1) > 0 && strstr(path, "/runs/") && strstr(path, ".h5")) {
        char hit[PATH_MAX];
        snprintf(hit, sizeof hit, "%s.hit", flag);
        while (access(flag, F_OK) == 0) {
            close(REAL(open)(hit, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
            usleep(20000);
        }
    }
    return is_away(descriptor, NULL) ? -1 : REAL(fsync)(descriptor);
}

static long offset(void) {
    const char *file = getenv("FAULT_CLOCK");
    char text[32] = "";
    int descriptor = file ? REAL(open)(file, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (descriptor < 0) return 0;
    if (read(descriptor, text, sizeof text - 1) < 0) text[0] = 0;
    close(descriptor);
    return atol(text);
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    int status = REAL(gettimeofday)(time, zone);
    if (status == 0) time->tv_sec += offset();
    return status;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int status = REAL(clock_gettime)(clock, time);
    if (status == 0 && clock == CLOCK_REALTIME) time->tv_sec += offset();
    return status;
}
