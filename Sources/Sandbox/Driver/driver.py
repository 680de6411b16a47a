"""Runs one program inside the jail, as process 1 of its own PID namespace, and reports how that ended.

The arguments are the limits. Standard input is a socket that brings the program; when its other end is closed, the
run is over. Standard output takes the report. As process 1 ends, the kernel kills whatever the program has left.
"""

import sys

if sys.path and not sys.path[0]:
    del sys.path[0]

import ctypes
import io
import os
import resource
import select
import signal
import struct

EPERM = 1
# Linux's system calls that the program must do without: what reaches out of the jail (sockets of any family, as not all
# live in the network namespace), what holds memory that no limit counts, what changes or watches other processes, and
# large parts of the kernel that nothing here needs.
CALLS = {
    "x86_64": (
        0xC000003E,
        {
            "socket": 41, "shmget": 29, "semget": 64, "msgget": 68, "memfd_create": 319, "memfd_secret": 447,
            "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "pidfd_getfd": 438, "kcmp": 312,
            "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308,
            "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
            "mount_setattr": 442, "open_by_handle_at": 304, "add_key": 248, "request_key": 249, "keyctl": 250,
            "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "socket": 198, "shmget": 194, "semget": 190, "msgget": 186, "memfd_create": 279, "memfd_secret": 447,
            "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "pidfd_getfd": 438, "kcmp": 272,
            "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "unshare": 97, "setns": 268,
            "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
            "mount_setattr": 442, "open_by_handle_at": 265, "add_key": 217, "request_key": 218, "keyctl": 219,
            "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "io_uring_setup": 425,
        },
    ),
}


def close_inherited():
    """Closes what the starting process had open without close-on-exec: its files must not be in here."""
    close_range, last = 436, 0xFFFFFFFF
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(close_range, 3, last, 0):
        sys.exit(f"inherited files can't be closed (Linux 5.9 can): {os.strerror(ctypes.get_errno())}")


def forbid_calls():
    """Has the kernel refuse the calls above with EPERM, and end who calls by another processor's numbers."""
    machine = os.uname().machine
    if machine not in CALLS:
        sys.exit(f"programs can't be confined on {machine}: only on {' and '.join(CALLS)}")
    architecture, calls = CALLS[machine]
    load, equal, at_least, end = 0x20, 0x15, 0x35, 0x06
    refuse, allow, kill = 0x00050000 | EPERM, 0x7FFF0000, 0x80000000
    numbers = sorted(calls.values())
    code = [
        (load, 0, 0, 4), (equal, 1, 0, architecture), (end, 0, 0, kill), (load, 0, 0, 0),
        # The x32 numbers, which mean the same calls again.
        (at_least, len(numbers) + 1, 0, 0x40000000),
    ]
    code += [(equal, len(numbers) - index, 0, number) for index, number in enumerate(numbers)]
    code += [(end, 0, 0, allow), (end, 0, 0, refuse)]
    block = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in code))
    filter = struct.pack("@HP", len(code), ctypes.addressof(block))
    no_new_privileges, set_seccomp, filter_mode, set_dumpable = 38, 22, 2, 4
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
    if prctl(no_new_privileges, 1, None, 0, 0) or prctl(set_seccomp, filter_mode, filter, 0, 0):
        sys.exit(f"the kernel takes no seccomp filter: {os.strerror(ctypes.get_errno())}")
    # No core dumps, which the machine may have a program of its own for.
    prctl(set_dumpable, 0, None, 0, 0)


class Sink(io.StringIO):
    """Takes any text and keeps nothing, and has nothing to read."""

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"string argument expected, got '{type(text).__name__}'")
        return len(text)

    def read(self, *_, **__):
        raise OSError

    readline = readlines = read

    def readable(self):
        return False


def limit(seconds, memory, processes, file_size, descriptors):
    """Sets the limits; they count from inside the user namespace, so other processes of the user don't matter."""
    for kind, soft, hard in (
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_CPU, seconds, seconds + 1),
        # Process 1 counts as well.
        (resource.RLIMIT_NPROC, processes + 1, processes + 1),
        (resource.RLIMIT_FSIZE, file_size, file_size),
        (resource.RLIMIT_NOFILE, descriptors, descriptors),
        # Not 0, which does not keep the machine's own program from being started.
        (resource.RLIMIT_CORE, 1, 1),
        (resource.RLIMIT_MEMLOCK, 0, 0),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
    ):
        _, most = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(kind, (soft, hard))


def describe(error, length):
    """The exception with the program's lines that it came through."""
    lines = []
    # Without this file's own frame.
    trace = error.__traceback__.tb_next
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == "<string>":
            lines.append(f"line {trace.tb_lineno}, in {code.co_name}")
        trace = trace.tb_next
    try:
        message = str(error)[:length]
    except BaseException as other:
        message = f"<its text can't be had: {type(other).__name__}>"
    text = "\n".join(lines[-3:] + [f"{type(error).__name__}: {message}" if message else type(error).__name__])
    return text.encode("utf-8", "backslashreplace")[:length]


def run(source, report, length, limits):
    """The program's process; it never returns."""
    # Held here, because the program can replace them in their modules.
    write, leave, number, me = os.write, os._exit, os.getpid, os.getpid()
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    limit(*limits)
    sys.argv = [""]
    sys.stdin = sys.stdout = sys.stderr = Sink()
    try:
        exec(source.decode("utf-8"), {})
        outcome = b"passed"
    except MemoryError:
        outcome = b"out of memory"
    except BaseException as error:
        outcome = b"failed\n" + describe(error, length)
    if number() == me:
        write(report, outcome)
    leave(0)


def receive(count):
    """So many bytes of standard input; ends when its other end is closed before."""
    parts = []
    while count:
        part = os.read(0, min(count, 1 << 20))
        if not part:
            sys.exit("the program did not come")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def judge(status, usage, outcome, seconds):
    """What became of the program, from how its process ended and what it said of itself."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        used_up = usage.ru_utime + usage.ru_stime >= seconds
        if number == signal.SIGXCPU or number == signal.SIGKILL and used_up:
            return b"timed out"
        return b"killed\n%d" % number
    if outcome:
        return outcome
    return b"failed\nit ended itself with exit status %d before its last line" % os.WEXITSTATUS(status)


def main():
    close_inherited()
    milliseconds, length, *limits = map(int, sys.argv[1:])
    source = receive(int.from_bytes(receive(8), "big"))
    # Without a handler process 1 gets no signal from inside.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    forbid_calls()
    os.write(1, b"started %d.%d.%d\n" % sys.version_info[:3])
    result, report = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(result)
        try:
            run(source, report, length, limits)
        finally:
            os._exit(1)
    os.close(report)
    os.set_blocking(result, False)
    ended = os.pidfd_open(child)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(0, select.POLLIN | select.POLLRDHUP)
    events = [descriptor for descriptor, _ in poll.poll(milliseconds)]
    if 0 in events:
        os._exit(0)
    if ended in events:
        _, status, usage = os.wait4(child, 0)
        try:
            outcome = os.read(result, length + 64)
        except BlockingIOError:
            outcome = b""
        verdict = judge(status, usage, outcome, limits[0])
    else:
        verdict = b"timed out"
    os.write(1, verdict)
    # At once: the program may have left many processes, which end with this one.
    os._exit(0)


main()
