"""What is done to a client on purpose, to see whether it says so."""

import contextlib
import os
import subprocess

import machine

_ROOTS = (("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "{quota}"),
          ("/sys/fs/cgroup", "cpu.max", "{quota} {period}"))
_PERIOD_US = 100_000


@contextlib.contextmanager
def spinner(cpu, server):
    """A program that wants all of core `cpu` while this lasts. Its CPU time is charged to
    `server`, since it is not foreign to the experiment."""
    process = subprocess.Popen(["taskset", "-c", str(cpu), "sh", "-c", "while :; do :; done"],
                               stdin=subprocess.DEVNULL)
    try:
        server.pids = [*server.pids, process.pid]
        yield []
    finally:
        server.pids = [pid for pid in server.pids if pid != process.pid]
        process.kill()
        process.wait()


def _quota_group(share):
    """Makes a control group that may use `share` of one CPU; its directory, or None."""
    for root, name, value in _ROOTS:
        path = os.path.join(root, f"pelt-truth-{os.getpid()}")
        try:
            os.mkdir(path)
        except OSError:
            continue
        try:
            with open(os.path.join(path, name), "w") as file:
                file.write(value.format(quota=int(share * _PERIOD_US), period=_PERIOD_US))
            return path
        except OSError:
            os.rmdir(path)
    return None


def quota_is_had():
    """Whether this machine lets us set a quota (as root, mostly)."""
    path = _quota_group(0.5)
    if path:
        os.rmdir(path)
    return path is not None


@contextlib.contextmanager
def quota(share):
    """Yields words to put before a command, which may then use `share` of one CPU."""
    path = _quota_group(share)
    if path is None:
        raise machine.BenchError("no control group with a CPU quota can be made here")
    try:
        yield ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', path]
    finally:
        os.rmdir(path)


def applied(how, cpu, server):
    """The context of a row's throttle: "", "spinner" or "quota"; yields words before pelt's."""
    if how == "spinner":
        return spinner(cpu, server)
    if how == "quota":
        return quota(0.5)
    return contextlib.nullcontext([])
