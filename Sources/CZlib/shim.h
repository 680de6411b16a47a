#pragma once

#include <zlib.h>

// What the Swift importer cannot see: a macro that calls a function. 32 more than the window: gzip or zlib, told by the header.
static inline int czlib_begin(z_stream *stream) { return inflateInit2(stream, 15 + 32); }
