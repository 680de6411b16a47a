#include "cjinja.h"
