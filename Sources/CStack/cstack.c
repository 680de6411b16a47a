#define _GNU_SOURCE
#include "cstack.h"
#include <limits.h>
#include <pthread.h>
#include <stddef.h>

// Asked once a thread: for the main thread the system reads a file.
static char *lowest(void) {
#ifdef __APPLE__
    pthread_t self = pthread_self();
    return (char *)pthread_get_stackaddr_np(self) - pthread_get_stacksize_np(self);
#else
    pthread_attr_t attributes;
    void *address = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return NULL;
    if (pthread_attr_getstack(&attributes, &address, &size) != 0) address = NULL;
    pthread_attr_destroy(&attributes);
    return address;
#endif
}

unsigned long cstack_left(void) {
    static __thread char *end;
    if (end == NULL) end = lowest();
    // The address of a variable would not do: AddressSanitizer keeps variables elsewhere.
    char *here = __builtin_frame_address(0);
    return end == NULL || here < end ? ULONG_MAX : (unsigned long)(here - end);
}
