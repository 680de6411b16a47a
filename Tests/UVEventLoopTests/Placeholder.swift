// UVEventLoop
