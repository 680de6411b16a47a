#include "CLanguageData.h"

// #embed is C23; Clang has it since version 19 in every mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t profiles[] = {
#embed "data/langdetect-profiles.txt"
};

static const uint8_t characters[] = {
#embed "data/langdetect-characters.txt"
};

static const uint8_t punkt[] = {
#embed "data/punkt-english.txt"
};

const uint8_t *clanguagedata_profiles(size_t *length) {
    *length = sizeof profiles;
    return profiles;
}

const uint8_t *clanguagedata_characters(size_t *length) {
    *length = sizeof characters;
    return characters;
}

const uint8_t *clanguagedata_punkt(size_t *length) {
    *length = sizeof punkt;
    return punkt;
}
