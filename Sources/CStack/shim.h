#pragma once

// Where the stack stands. The address of a variable of Swift's does not tell: AddressSanitizer keeps variables elsewhere.
static inline void *cstack_position(void) { return __builtin_frame_address(0); }
