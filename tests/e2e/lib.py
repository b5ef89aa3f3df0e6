"""What every end-to-end test needs: running pelt, servers to run it on, and the promises that
hold in every run. Standard library only.

Nothing here may fail because the machine was busy: the only bounds on time are those of "it
ends", and they are generous.
"""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import schema

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PELT = os.path.abspath(os.environ.get("PELT") or os.path.join(ROOT, "build", "pelt"))
LIGHT = bool(os.environ.get("PELT_E2E_LIGHT"))  # Sanitizers, coverage: fewer requests.
ENGINE = os.environ.get("PELT_E2E_IO")  # "uring" or "epoll"; pelt's own choice without it.
INSTRUMENTED = any(word in PELT for word in ("address", "thread", "undefined", "-cov"))

TOOLS = os.path.join(os.path.dirname(os.path.realpath(PELT)), "tests", "tools")  # Of tests/tools/.

# A bound on what a run may take beyond its own time: start, report, a machine that is busy.
SLACK_S = 120.0 if LIGHT else 30.0

FAILED_CLASSES = (
    "connect_refused connect_timeout unreachable ports descriptors proxy_refused reset_before_response "
    "reset_in_request body_unreadable reset_in_head reset_in_body closed_before_response incomplete bad_head head_too_large "
    "bad_framing unsolicited first_byte_timeout timeout not_processed tls_timeout tls_reset "
    "build body_too_large bad_coding unexpected resolve"
).split()
with open(os.path.join(ROOT, "tls", "tls_err.h")) as header:  # "X(NOT_TLS, not_tls, ..."
    FAILED_CLASSES += [f"tls_{name}" for name in re.findall(r"X\([A-Z0-9_]+, (\w+),", header.read())]


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


class Failed(AssertionError):
    pass


def check(condition, *what):
    if not condition:
        raise Failed(" ".join(str(part) for part in what) or "a promise does not hold")


def equal(got, wanted, what=""):
    check(got == wanted, f"{what}: got {got!r}, wanted {wanted!r}")


_dir = None


def temp_dir():
    """This test's own directory below build/; removed by the runner when the test has passed."""
    global _dir
    if _dir is None:
        _dir = os.environ.get("PELT_E2E_DIR")
        if not _dir:
            os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
            _dir = tempfile.mkdtemp(prefix="e2e.", dir=os.path.join(ROOT, "build"))
    return _dir


def temp_path(name):
    return os.path.join(temp_dir(), name)


@contextlib.contextmanager
def socket_path():
    """A path for a unix socket: short, for 107 bytes are all that its address has room for, and
    the directory of a test may lie deeper than that."""
    with tempfile.TemporaryDirectory(prefix="pelt") as directory:
        yield os.path.join(directory, "sock")


def read_file(path, mode="r"):
    with open(path, mode) as file:
        return file.read()


def write_file(name, data):
    path = temp_path(name)
    with open(path, "wb" if isinstance(data, bytes) else "w") as file:
        file.write(data)
    return path


class Process:
    """A started pelt, its output going to files, so that nothing can block on a full pipe."""

    count = 0

    def __init__(self, argv, stdin=None, stdout=None, stderr=None, files=None, env=None, under=(),
                 cwd=None):
        Process.count += 1
        argv = [*under, *argv]  # A program that runs it.
        if os.path.basename(argv[0]) == "strace":  # The leak sanitizer cannot run under it.
            env = {"ASAN_OPTIONS": "detect_leaks=0", **(env or {})}
        if files:  # Its bound on open files, soft and hard.
            argv = ["sh", "-c", 'ulimit -n "$0" && exec "$@"', str(files), *argv]
        self.argv = argv
        self.out_path = temp_path(f"out.{Process.count}")
        self.err_path = temp_path(f"err.{Process.count}")
        self.started = time.monotonic()
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.child = subprocess.Popen(
                argv,
                stdin=stdin or subprocess.DEVNULL,
                stdout=out if stdout is None else stdout,
                stderr=err if stderr is None else stderr,
                env={**os.environ, **(env or {})},
                cwd=cwd,
            )

    def signal(self, number):
        self.child.send_signal(number)

    def running(self):
        return self.child.poll() is None

    def wait(self, timeout):
        """Waits for the end and returns a Run; kills the process and fails after `timeout`."""
        end = time.monotonic() + timeout
        pid, status, usage = 0, 0, None
        while not pid:
            pid, status, usage = os.wait4(self.child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                self.child.kill()
                self.child.wait()
                raise Failed(f"did not end within {timeout:.0f} s: {self}")
            time.sleep(0.005)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        return Run(self, usage)

    def out(self):
        return read_file(self.out_path, "rb").decode("utf-8", "replace")

    def err(self):
        return read_file(self.err_path, "rb").decode("utf-8", "replace")

    def __str__(self):
        return (
            f"{' '.join(self.argv)}\n  stdout: {self.out()[-1500:]!r}\n"
            f"  stderr: {self.err()[-1500:]!r}"
        )


class Run:
    """A finished pelt: rc, out, err, seconds, cpu_s, and report (its JSON, if asked for)."""

    def __init__(self, process, usage):
        self.argv = process.argv
        self.rc = process.child.returncode
        self.out = process.out()
        self.err = process.err()
        self.seconds = time.monotonic() - process.started
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.rss_kib = usage.ru_maxrss
        self.report = None

    def failed(self):
        """The classes of failed requests with their counts, those at 0 left out."""
        return {name: n for name, n in self.report["ledger"]["failed"].items() if n}

    def ok(self):
        return self.report["ledger"]["ok"]

    def started(self):
        return self.report["ledger"]["started"]

    def __str__(self):
        ledger = json.dumps(self.report["ledger"]) if self.report else "(no report)"
        return (
            f"{' '.join(self.argv)} -> {self.rc} after {self.seconds:.1f} s\n"
            f"  ledger: {ledger}\n  stdout: {self.out[-1500:]!r}\n  stderr: {self.err[-1500:]!r}"
        )


def assert_ledger_closes(report):
    """due = started + shed + missed; started = ok + failed + cut_off; and nothing else is odd."""
    ledger = report["ledger"]
    shed = sum(ledger["shed"].values())
    missed = sum(ledger["missed"].values())
    failed = sum(ledger["failed"].values())
    unknown = set(ledger["failed"]) - set(FAILED_CLASSES)
    check(not unknown, "unknown classes of failure:", unknown)
    equal(ledger["due"], ledger["started"] + shed + missed, "due = started + shed + missed")
    equal(ledger["started"], ledger["ok"] + failed + ledger["cut_off"], "started = ok + failed + cut")
    check(ledger["closes"] is True, "the report itself says that its ledger does not close")
    equal(sum(report["status"].values()), ledger["ok"], "answers by status add up to ok")
    for number in (*ledger["failed"].values(), *report["status"].values(), ledger["cut_off"]):
        check(isinstance(number, int) and number >= 0, "a count that is none:", number)


def numbers(value, path=""):
    """Every number in a report with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from numbers(inner, f"{path}[{index}]")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


def assert_numbers_are_possible(run):
    """No number is negative, infinite or a wrapped 64-bit one; no time exceeds the run's own."""
    for path, value in numbers(run.report):
        check(0 <= value < 2.0**60, f"{path}: {value}")
        if path.endswith("_s") and not path.endswith("per_s"):
            # CPU time runs on every processor at once.
            most = run.seconds * (os.cpu_count() if path.endswith("cpu_s") else 1)
            check(value <= most + 1, f"{path}: {value}, the run took {run.seconds:.1f}")


def assert_series_adds_up(report):
    """Nothing is lost between samples, and figures that are not known are not there."""
    ledger, end = report["ledger"], 0
    for sample in report["series"]:
        check(sample["t_s"] >= end, "samples in order:", report["series"])
        end = sample["t_s"]
        part = sample.get("part", "span")
        check(part in ("warmup", "span", "drain"), "part:", sample)
        check(part != "drain" or "achieved_per_s" not in sample, "a rate of the drain:", sample)
        check(all(sample[key] >= 0 for key in ("answered", "failed", "shed", "open")), sample)
        for which in ("from_due_us", "from_sent_us"):
            if which in sample:
                latency = sample[which]
                check(0 < latency["p50"] <= latency["p99"] <= latency["max"], which, sample)

    def total(key):
        return sum(sample[key] for sample in report["series"])

    equal(total("answered"), ledger["ok"], "the series' answers")
    equal(total("failed"), sum(ledger["failed"].values()), "the series' failures")
    equal(total("shed"), sum(ledger["shed"].values()), "the series' shed requests")


def start(*args, **how):
    """Starts pelt with these arguments and returns the Process."""
    args = [str(arg) for arg in args]
    if ENGINE and args[:1] != ["check"]:
        at = 1 if args[:1] in (["serve"], ["run"], ["try"]) else 0
        args[at:at] = ["--io", ENGINE]
    if args[:1] == ["run"]:  # What it leaves in the current directory goes with the test.
        how.setdefault("cwd", temp_dir())
    return Process([PELT, *args], **how)


def pelt(*args, timeout=SLACK_S + 10, rc=None, **how):
    """Runs pelt to its end as it is given; checks the exit code if `rc` is given."""
    run = start(*args, **how).wait(timeout)
    check(run.rc >= 0, "killed by signal", -run.rc, run)
    if rc is not None:
        check(run.rc == rc, f"exit code {run.rc}, wanted {rc}:", run)
    return run


def assert_as_the_schema_says(report):
    root = json.loads(read_file(os.path.join(ROOT, "docs", "report.schema.json")))
    found = list(schema.errors(report, root, root))
    check(not found, "\n".join(found[:5]))


def load_report(run, path):
    """Reads the JSON report at `path` into the run, whose ledger must close."""
    check(os.path.exists(path) and os.path.getsize(path), "no JSON report:", run)
    run.report = json.loads(read_file(path))
    try:
        assert_as_the_schema_says(run.report)
        assert_ledger_closes(run.report)
        assert_series_adds_up(run.report)
        assert_numbers_are_possible(run)
    except (Failed, KeyError, TypeError) as error:
        raise Failed(f"{error!r}\n{run}") from error
    check(run.rc != 70, "exit 70: the ledger does not close", run)
    return run


def load(url, *args, timeout=SLACK_S + 10, rc=None, **how):
    """Runs pelt on `url` with a JSON report and returns the run, its ledger checked."""
    Process.count += 1
    path = temp_path(f"report.{Process.count}.json")
    run = pelt("--json", path, *args, url, timeout=timeout, **how)
    load_report(run, path)
    if rc is not None:
        check(run.rc == rc, f"exit code {run.rc}, wanted {rc}:", run)
    return run


def start_load(url, *args, **how):
    """Starts pelt on `url` with a JSON report; finish_load() ends it."""
    Process.count += 1
    path = temp_path(f"report.{Process.count}.json")
    process = start("--json", path, *args, url, **how)
    process.report_path = path
    return process


def finish_load(process, timeout=SLACK_S + 10):
    run = process.wait(timeout)
    check(run.rc >= 0, "killed by signal", -run.rc, run)
    return load_report(run, process.report_path)


def wait_until(condition, what, timeout=SLACK_S):
    end = time.monotonic() + timeout
    while not condition():
        check(time.monotonic() < end, "waited in vain:", what)
        time.sleep(0.01)


@contextlib.contextmanager
def target(*args, files=None, under=()):
    """The built-in target on a free port of 127.0.0.1. Yields an object with `port`, `url`
    (without a path) and `process`; `stop()` ends it before its time."""
    Process.count += 1
    port_file = temp_path(f"port.{Process.count}")
    process = start("serve", "--port", "0", "--port-file", port_file, *args, files=files, under=under)

    def written():
        check(process.running(), "the built-in target did not start:", process)
        return os.path.exists(port_file) and read_file(port_file).endswith("\n")

    def stop():
        if process.running():
            process.signal(signal.SIGTERM)
            process.wait(SLACK_S)

    try:
        wait_until(written, "the built-in target's port file")
        process.port = int(read_file(port_file))
        process.url = f"http://127.0.0.1:{process.port}"
        process.stop = stop
        yield process
    finally:
        stop()


def free_port():
    """A port of 127.0.0.1 that nobody has at this moment, for a server that is about to start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def closed_port(host="127.0.0.1"):
    """A port on which connections are refused for as long as this lasts: bound, not listening."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.bind((host, 0))
        yield sock.getsockname()[1]


@contextlib.contextmanager
def deaf_port():
    """A port that answers no SYN: listening, its queue of connections full."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.socket())
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        for _ in range(8):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(sock.getsockname())
        time.sleep(0.2)
        yield sock.getsockname()[1]


def need_files(count):
    """Skips the test unless a process may have so many files open; raises this one's bound."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < count:
        raise Skip(f"ulimit -Hn is {hard}, {count} needed")
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


def need_tool(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Skip(f"there is no {name}")
    return path


def need_strace():
    """The path of strace, if it may trace here."""
    path = need_tool("strace")
    tried = subprocess.run([path, "-f", "-qq", "-o", os.devnull, "true"], capture_output=True,
                           check=False, text=True)
    if tried.returncode != 0:
        raise Skip(f"strace may not trace here: {tried.stderr.strip()}")
    return path


def need_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError as error:
        raise Skip(f"no IPv6 on the loopback: {error}") from error


# Decorators; the runner looks at what they set.


def seconds(bound):
    """The test may take so long; 60 seconds otherwise. Instrumented builds get four times that."""

    def mark(test):
        test.seconds = bound
        return test

    return mark


def alone(test):
    """The test wants the machine's cores: no other test runs beside it."""
    test.alone = True
    return test


def own_network(hosts=""):
    """The test runs in a network namespace of its own, where it may change what it likes, and
    where /etc/hosts says `hosts`, if given."""

    def mark(test):
        test.own_network = hosts
        return test

    return mark
