"""Where io_uring is forbidden, missing or short of memory: the run goes on, on epoll or a smaller
ring, and says the true cause; --io uring makes it an error."""

import os
import shutil
import stat

import lib
from lib import check, equal

NOBODY = 65534
STRACE = ["-f", "-qq", "-o", os.devnull, "-e", "trace=io_uring_setup", "-e"]


def noring(*options):
    """Runs pelt under a seccomp filter that refuses io_uring."""
    tool = os.path.join(lib.TOOLS, "noring")
    check(os.access(tool, os.X_OK), "not built:", tool)
    return [tool, *options]


def injected(error):
    """Runs pelt under strace, which refuses io_uring; that cannot be told from the kernel."""
    return [lib.need_strace(), *STRACE, f"inject=io_uring_setup:error={error}"]


def load(url, *args, **how):
    run = lib.load(url, "-c", 20, "-n", 400, *args, **how)
    if run.rc == 77:
        raise lib.Skip(run.err)
    return run


def lines_on(run, word):
    return [line for line in run.err.splitlines() if word in line]


def falls_back(under, cause):
    """auto runs on epoll and says why, once, in one line, in both reports and to people."""
    if lib.ENGINE:
        raise lib.Skip("the engine is given, not chosen")
    with lib.target() as server:
        run = load(server.url + "/", under=under, rc=0)
    equal(run.ok(), 400, f"answers\n{run}")
    equal(run.report["engine"], "epoll", f"engine\n{run}")
    check(cause in run.report["fallback"], f"'{cause}' is not the cause in the report:", run)
    check("epoll" in run.out and cause.split()[0] in run.out, "not in the text report:", run)
    lines = lines_on(run, "epoll")
    check(len(lines) == 1 and cause in lines[0], f"not one line with '{cause}' on stderr:", run)


def is_fatal(under, cause):
    """--io uring ends at once, with one line that names the cause."""
    run = lib.pelt("--io", "uring", "-n", 10, "http://127.0.0.1:9/", under=under)
    if run.rc == 77:
        raise lib.Skip(run.err)
    equal(run.rc, 1, f"exit code\n{run}")
    equal(len(run.err.splitlines()), 1, f"lines on stderr\n{run}")
    check(cause in run.err, f"'{cause}' is not named:", run)
    equal(run.out, "", f"stdout\n{run}")


def test_a_seccomp_filter_is_gone_around_and_named():
    falls_back(noring(), "seccomp filter (EPERM)")


def test_a_seccomp_filter_that_hides_io_uring_is_gone_around_and_named():
    falls_back(noring("--enosys"), "seccomp filter (ENOSYS)")


def test_with_io_uring_asked_for_a_filter_is_fatal():
    is_fatal(noring(), "seccomp filter (EPERM)")
    is_fatal(noring("--enosys"), "seccomp filter (ENOSYS)")


def test_with_epoll_asked_for_a_filter_is_nobodys_business():
    with lib.target() as server:
        run = load(server.url + "/", "--io", "epoll", under=noring(), rc=0)
    equal(run.report["engine"], "epoll", f"engine\n{run}")
    equal(run.report["fallback"], "", f"fallback\n{run}")
    equal(lines_on(run, "io_uring"), [], f"lines on stderr\n{run}")


def test_quiet_says_nothing_of_it():
    with lib.target() as server:
        run = load(server.url + "/", "--quiet", under=noring(), rc=0)
    equal(run.err, "", f"stderr\n{run}")


def test_an_old_kernel_is_gone_around_and_named():
    # What the kernel refuses by itself: no filter, no sysctl.
    falls_back(injected("ENOSYS"), "CONFIG_IO_URING")
    falls_back(injected("EPERM"), "io_uring_disabled" if sysctl() else "security module")


def sysctl():
    try:
        return int(lib.read_file("/proc/sys/kernel/io_uring_disabled"))
    except OSError:
        return 0


def test_no_memory_at_all_for_a_ring_is_gone_around_and_named():
    falls_back(injected("ENOMEM"), "KiB")


def test_the_target_falls_back_as_well():
    with lib.target(under=noring()) as server:
        run = load(server.url + "/", rc=0)
    equal(run.ok(), 400, f"answers\n{run}")


class Nobody:
    """An ordinary user whose memlock limit is `kib`: `under` for lib, and a pelt it may run."""

    def __init__(self, kib):
        self.under = ["sh", "-c", 'ulimit -l "$0" && exec "$@"', str(kib)]
        if os.geteuid() != 0:
            return
        setpriv = lib.need_tool("setpriv")
        self.under += [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        self.copy()

    def copy(self):
        """Puts a pelt where everybody may run it, if there is such a place below build/."""
        directory = lib.temp_dir()
        os.chmod(directory, 0o755)
        path = shutil.copy(lib.PELT, os.path.join(directory, "pelt"))
        os.chmod(path, 0o755)
        part = path
        while part != "/":
            if not os.stat(part).st_mode & stat.S_IXOTH:
                raise lib.Skip(f"{part} is closed to ordinary users")
            part = os.path.dirname(part)
        self.under += ["sh", "-c", 'shift; exec "$0" "$@"', path]


def memlocked(kib, *args):
    """A run of 2,000 connections under such a limit."""
    if lib.INSTRUMENTED:
        raise lib.Skip("an instrumented build")
    if lib.ENGINE:
        raise lib.Skip("the engine is given, not chosen")
    lib.need_files(4500)
    with lib.target() as server:
        return lib.pelt("--json", "-", "-t", 2, "-c", 2000, "-n", 8000, *args, server.url + "/",
                        under=Nobody(kib).under)


def test_little_memlock_is_a_smaller_ring_or_epoll_and_named():
    run = memlocked(64)
    equal(run.rc, 0, f"{run}")
    report = lib.json.loads(run.out)
    lib.assert_ledger_closes(report)
    equal(report["ledger"]["ok"], 8000, "answers")
    told = report["fallback"] + report.get("shrunk", "")
    if not told:
        equal(report["engine"], "io_uring", f"{run}")
        raise lib.Skip("this kernel does not charge rings to memlock")
    check("memlock is 64 KiB" in told, "the limit is not named:", told)
    check("ulimit -l" in told, "nor what mends it:", told)
    lines = lines_on(run, "memlock")
    equal(len(lines), 1, f"lines on stderr that name it\n{run}")


def test_no_memlock_at_all_is_epoll():
    run = memlocked(0)
    equal(run.rc, 0, f"{run}")
    report = lib.json.loads(run.out)
    equal(report["ledger"]["ok"], 8000, "answers")
    if report["engine"] == "io_uring":
        raise lib.Skip("this kernel does not charge rings to memlock")
    check("memlock is 0 KiB" in report["fallback"], "the limit is not named:", run)
    run = memlocked(0, "--io", "uring")
    equal(run.rc, 1, f"exit code\n{run}")
    check("memlock is 0 KiB" in run.err, "the limit is not named:", run)
