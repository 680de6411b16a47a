"""Passes where a sandbox holds: run once on each machine, with the default limits."""

import hashlib
import math
import os
import socket


def fails(action, kind):
    try:
        action()
    except kind:
        return True
    return False


def fork_many():
    for _ in range(64):
        if os.fork() == 0:
            while True:
                os.read(end, 1)


end, _ = os.pipe()
assert math.isqrt(49) == 7 and hashlib.sha256(b"").hexdigest().startswith("e3b0c442")
assert fails(lambda: bytearray(8 << 30), MemoryError), "memory is not limited"
assert fails(lambda: socket.socket(), PermissionError), "there is a network"
assert fails(lambda: open("/usr/lib/assay", "w"), OSError), "files can be written"
assert not os.path.exists("/proc/self") and not os.path.exists("/etc/passwd"), "files of the machine can be seen"
assert fails(fork_many, BlockingIOError), "the number of processes is not limited"
