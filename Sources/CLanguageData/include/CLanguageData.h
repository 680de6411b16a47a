#pragma once

// Tables for telling languages and sentences apart, as UTF-8 text; see NOTICE for where they come from.

#include <stddef.h>
#include <stdint.h>

// One language a line: its name, how many n-grams of 1, 2 and 3 code points it had, and for each length the n-grams
// in one row and how much larger the count of each is than the one before it; tabs between them.
const uint8_t *clanguagedata_profiles(size_t *length);

// Vietnamese letters, marks, and for each mark the letters with it, with tabs between them; then a line for each class
// of Chinese characters that count as its first one.
const uint8_t *clanguagedata_characters(size_t *length);

// English abbreviations; collocations, each of two words with a space between them; words that begin sentences; then a
// line for each set of orthographic contexts, the words behind it; tabs between them.
const uint8_t *clanguagedata_punkt(size_t *length);
