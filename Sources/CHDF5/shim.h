#pragma once

#include <hdf5.h>

// What the Swift importer cannot see: macros that name a global, cast, or call a function.

static const hid_t chdf5_default = H5P_DEFAULT;
static const hid_t chdf5_all = H5S_ALL;
static const hid_t chdf5_error_stack = H5E_DEFAULT;
static const unsigned chdf5_read_only = 0x0000u;
static const unsigned chdf5_exclusive = 0x0004u;

static inline hid_t chdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t chdf5_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t chdf5_dataset_create(void) { return H5P_DATASET_CREATE; }

static inline hid_t chdf5_string(void) { return H5T_C_S1; }
static inline hid_t chdf5_int8(void) { return H5T_STD_I8LE; }
static inline hid_t chdf5_uint8(void) { return H5T_STD_U8LE; }
static inline hid_t chdf5_int32(void) { return H5T_STD_I32LE; }
static inline hid_t chdf5_int64(void) { return H5T_STD_I64LE; }
static inline hid_t chdf5_uint64(void) { return H5T_STD_U64LE; }
static inline hid_t chdf5_float32(void) { return H5T_IEEE_F32LE; }
static inline hid_t chdf5_float64(void) { return H5T_IEEE_F64LE; }
