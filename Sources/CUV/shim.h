#pragma once

#include <sys/prctl.h>
#include <uv.h>

// Closures in Swift can't reach a union's members by position; these two name what libuv means.
static inline uv_stdio_container_t cuv_stdio_descriptor(int descriptor) {
    uv_stdio_container_t container;
    container.flags = UV_INHERIT_FD;
    container.data.fd = descriptor;
    return container;
}

static inline uv_stdio_container_t cuv_stdio_pipe(uv_pipe_t *pipe) {
    uv_stdio_container_t container;
    container.flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
    container.data.stream = (uv_stream_t *)pipe;
    return container;
}

static inline uv_stdio_container_t cuv_stdio_null(void) {
    uv_stdio_container_t container;
    container.flags = UV_IGNORE;
    container.data.fd = -1;
    return container;
}

// prctl is variadic, so Swift can't call it.
static inline void cuv_name_this_thread(const char *name) { prctl(PR_SET_NAME, (unsigned long)name, 0, 0, 0); }

static inline int cuv_die_with_parent(int signal) {
    return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0, 0, 0);
}
