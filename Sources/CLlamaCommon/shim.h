#pragma once

// The C++ headers of libllama-common are included by CGrammar alone; this target carries the compiler and linker flags.
