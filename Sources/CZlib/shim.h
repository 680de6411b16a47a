#pragma once

// Without the system's headers: Swift would take this module for the home of their types, in every module above.
#define Z_SOLO
#include <zlib.h>

// What the Swift importer cannot see: a macro that calls a function. 32 more than the window: gzip or zlib, told by the header.
static inline int czlib_begin(z_stream *stream) { return inflateInit2(stream, 15 + 32); }
