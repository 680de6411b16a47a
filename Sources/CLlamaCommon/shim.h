#pragma once

// The C++ headers of libllama-common are included by CJinja alone; this target carries the compiler and linker flags.
