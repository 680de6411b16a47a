#pragma once

#include <assay-llama-build.h>
#include <llama.h>
