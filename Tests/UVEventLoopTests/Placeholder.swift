// UVEventLoop tests
