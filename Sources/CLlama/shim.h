#pragma once

#include <assay-llama-build.h>
#include <llama.h>
#include <string.h>

extern char **environ;

/// A variable of this process's environment as "NAME=value"; null after the last one.
static inline const char *assay_environment_entry(long index) { return environ ? environ[index] : NULL; }

/// The features that a device's code of this build uses, as a list ended by a null name; null if it does not say.
static inline const struct ggml_backend_feature *assay_features(ggml_backend_dev_t device) {
    ggml_backend_reg_t registry = device ? ggml_backend_dev_backend_reg(device) : NULL;
    void *address = registry ? ggml_backend_reg_get_proc_address(registry, "ggml_backend_get_features") : NULL;
    return address ? ((ggml_backend_get_features_t)address)(registry) : NULL;
}

static inline const struct ggml_backend_feature *assay_cpu_features(void) {
    return assay_features(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU));
}

static inline const struct ggml_backend_feature *assay_device_features(const char *name) {
    return assay_features(ggml_backend_dev_by_name(name));
}
