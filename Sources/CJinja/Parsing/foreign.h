#pragma once

// llama.cpp's headers. Their assertions must not end the process: what a template can cause is an error.
#pragma clang system_header

#ifndef NDEBUG
#define NDEBUG
#endif

#include <typeinfo>

#include <jinja/lexer.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>
#include <jinja/value.h>
#include <json.h>
