// HDF5 tests
