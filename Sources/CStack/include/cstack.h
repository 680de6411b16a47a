#pragma once

/// The bytes of its stack that the calling thread has left; as many as there are numbers where that can't be found out.
unsigned long cstack_left(void);
