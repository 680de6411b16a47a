-- Functions name each other: bodies are checked when they run, not in the order of files.
SET LOCAL check_function_bodies = off
