"""What the wrk tests share: pelt under the name of wrk, wrk itself beside it where it is
installed, and a reader of their reports that lets nothing pass that wrk would not have printed.

What a test expects is written down in it and held against both programs, so that it is true of
wrk where there is one, and pelt is tested where there is none. PELT_WRK_REAL=1: wrk only.
"""

import os
import re
import shutil
import signal
import subprocess

import lib
from lib import check, equal

ONLY_WRK = bool(os.environ.get("PELT_WRK_REAL"))

VERSION_LINE = r"wrk \S+ \[epoll\] Copyright \(C\) 2012 Will Glozer"
VERSION = re.compile(VERSION_LINE + "\n")


class Program:
    """pelt or wrk, to be started as "wrk": what getopt says begins with argv[0]. There is no
    option --io for it: pelt runs on what it chooses."""

    def __init__(self, name, directory):
        self.name = name
        self.directory = directory
        self.is_pelt = name == "pelt"

    def start(self, *args, **how):
        path = f"{self.directory}:{os.environ.get('PATH', '')}"
        env = {**how.pop("env", {}), "PATH": path}
        process = lib.Process(["wrk", *(str(arg) for arg in args)], env=env, **how)
        process.program = self
        return process

    def finish(self, process, timeout=lib.SLACK_S + 10):
        """Waits for the end and returns the Run, its `program` set."""
        run = process.wait(timeout)
        run.program = self
        run.argv = [f"({self.name})", *run.argv]
        check(run.rc >= 0, "killed by signal", -run.rc, run)
        return run

    def run(self, *args, **how):
        return self.finish(self.start(*args, **how))


def pelt():
    """pelt under the name of wrk."""
    directory = lib.temp_path("bin")
    if not os.path.exists(directory):
        os.makedirs(directory)
        os.symlink(lib.PELT, os.path.join(directory, "wrk"))
    return Program("pelt", directory)


def need_pelt():
    if ONLY_WRK:
        raise lib.Skip("of pelt only")
    return pelt()


def real():
    """wrk, or None; wrk2, of the same name, is none."""
    path = shutil.which("wrk")
    if path and os.path.basename(os.path.realpath(path)) == "wrk":
        said = subprocess.run([path, "-v"], capture_output=True, check=False, text=True).stdout
        if re.match(r"wrk \S*4\.[12]\.\S* \[epoll\]", said):
            return Program("wrk", os.path.dirname(path))
    return None


def programs():
    """Those to be tested here."""
    found = real()
    if ONLY_WRK:
        if not found:
            raise lib.Skip("there is no wrk")
        return [found]
    return [pelt()] + ([found] if found else [])


def run_all(*args, **how):
    """Every program with these arguments, all at once; returns their Runs."""
    processes = [program.start(*args, **how) for program in programs()]
    return [process.program.finish(process) for process in processes]


def load_all(*args, latency=False, **how):
    """The same for a run that succeeds: status 0, what is on stderr in order, the report read
    (run.shown), and that of pelt in JSON (run.report), its ledger checked."""
    return [finish_load(process, latency) for process in [start_load(program, *args, **how)
                                                          for program in programs()]]


def start_load(program, *args, **how):
    more = []
    if program.is_pelt:
        lib.Process.count += 1
        more = ["--json", lib.temp_path(f"report.{lib.Process.count}.json")]
    process = program.start(*more, *args, **how)
    process.json = more[-1] if more else None
    return process


def finish_load(process, latency=False):
    run = process.program.finish(process)
    equal(run.rc, 0, f"status\n{run}")
    check_stderr(run)
    run.shown = Report(run, latency)
    check(run.shown.url in run.argv, "not the URL that was given:", run)
    if process.json:
        lib.load_report(run, process.json)
    return run


def load(program, *args, latency=False, **how):
    return finish_load(start_load(program, *args, **how), latency)


def notes(run):
    """The lines on stderr, without what pelt says of itself (it was the limit, which depends on
    the machine) and of the first failure."""
    said = re.compile(r"pelt: (CLIENT-LIMITED|requests fail): ")
    return [line for line in run.err.splitlines() if not said.match(line)]


def check_stderr(run):
    """wrk says nothing; pelt one line on certificates and one on figures, where they matter."""
    lines = notes(run) if run.program.is_pelt else run.err.splitlines()
    if run.program.is_pelt:
        https = any(word.startswith("https") for word in run.argv)
        about = [line for line in lines if "certificate" in line]
        equal(len(about), int(https), f"lines about certificates\n{run}")
        check(all("verif" in line for line in about), run)
        figures = [line for line in lines if "--wrk-stats" in line]
        equal(len(figures), int("--wrk-stats" not in run.argv), f"lines about figures\n{run}")
        lines = [line for line in lines if line not in about + figures]
    if not run.program.is_pelt or "--verbose" not in run.argv:
        equal(lines, [], f"stderr\n{run}")


def catches_sigint(process):
    with open(f"/proc/{process.child.pid}/status") as status:
        masks = dict(line.split(":") for line in status if line.startswith("Sig"))
    bit = 1 << (signal.SIGINT - 1)
    return any(int(masks[name], 16) & bit for name in ("SigCgt", "SigBlk"))


def glimpse(program, server, *args, **how):
    """The beginning of a run: ended by SIGINT after its first request at `server`, a
    badserver.Server that counts requests."""
    before = server.requests
    process = start_load(program, *args, **how)

    def ready():
        check(process.running(), "ended before its time:", process)
        return server.requests > before and catches_sigint(process)

    lib.wait_until(ready, f"a first request of {process}")
    process.signal(signal.SIGINT)
    return finish_load(process, any(arg in ("-L", "--latency") for arg in args))


# The report.

INFINITE = float("inf")
UNITS = {  # Unit: its scale, and the amounts that are printed in it.
    "time": {"us": (1, 0, 850), "ms": (1e3, 0.85, 1000), "s": (1e6, 1, 51),
             "m": (60e6, 0.85, INFINITE)},
    "metric": {"": (1, 0, 850), "k": (1e3, 0.85, 850), "M": (1e6, 0.85, 850),
               "G": (1e9, 0.85, 850), "T": (1e12, 0.85, INFINITE)},
    "binary": {"": (1, 0, 870.4), "K": (2**10, 0.85, 870.4), "M": (2**20, 0.85, 870.4),
               "G": (2**30, 0.85, 870.4), "T": (2**40, 0.85, INFINITE)},
}


def text_of(kind, amount):
    """An amount as wrk prints it."""
    if kind == "time" and amount >= 1e6:
        amount, units = amount / 1e6, [("s", 51), ("m", INFINITE)]
        scale = 60
    elif kind == "time":
        units, scale = [("us", 850), ("ms", INFINITE)], 1e3
    else:
        scale = 1024 if kind == "binary" else 1000
        units = [(unit, high) for unit, (_, _, high) in UNITS[kind].items()]
    for unit, high in units:
        if amount < high:
            return f"{amount:.2f}{unit}"
        amount /= scale
    raise AssertionError(amount)


class Amount:
    """A value that was printed: text, value, and by how much it may be rounded."""

    def __init__(self, kind, text):
        found = re.fullmatch(r"(\d+\.\d\d)([A-Za-z]*)", text)
        check(found and found[2] in UNITS[kind], f"no {kind}: {text!r}")
        scale, low, high = UNITS[kind][found[2]]
        check(low <= float(found[1]) <= high, f"not the unit that wrk takes: {text!r}")
        self.text = text
        self.value = float(found[1]) * scale
        self.half = 0.00501 * scale


def field(text, width):
    """A value in a field: to the right, but two places are for letters of a unit."""
    pad = 2 - sum(char.isalpha() for char in text[-2:])
    return text.rjust(width - pad)[: width - pad] + " " * pad


class Report:
    """What is on stdout, taken apart line by line. Whatever is not laid out as wrk does is a
    failure; `kinds` are the lines that were there."""

    def __init__(self, run, latency=False):
        self.run = run
        self.kinds = []
        self.lines = run.out.split("\n")
        equal(self.lines.pop(), "", f"behind the last line feed\n{run}")
        self.version = "-v" in run.argv and self.take("version", VERSION_LINE)
        self.duration, self.url = self.take("first", r"Running (\d+[sm]) test @ (.*)").groups()
        found = self.take("second", r"  (\d+) threads and (\d+) connections")
        self.threads, self.connections = int(found[1]), int(found[2])
        self.take("head", r"  Thread Stats   Avg      Stdev     Max   \+/- Stdev")
        self.latency = self.row("Latency", "time")
        self.rate = self.row("Req/Sec", "metric")
        self.distribution = self.take_distribution() if latency else None
        self.take_totals()
        equal(self.lines, [], f"lines behind the report\n{run}")

    def take(self, kind, pattern):
        check(self.lines, f"no line {kind!r}:", self.run)
        found = re.fullmatch(pattern, self.lines[0])
        check(found, f"{self.lines[0]!r} is no line {kind!r}:", self.run)
        self.kinds.append(kind)
        self.lines.pop(0)
        return found

    def row(self, name, kind):
        """A row of the table: average, deviation, maximum, share within a deviation (or None)."""
        line = self.take(name, f"    {name} +.*%")[0]
        words = line.split()[1:]
        equal(len(words), 4, f"columns of {line!r}")
        share = words.pop()[:-1]
        laid_out = f"    {name:<10}" + "".join(map(field, words, (8, 10, 9))) + f"{share:>8}%"
        equal(line, laid_out, f"layout\n{self.run}")
        check(share == "-nan" or re.fullmatch(r"\d+\.\d\d", share), "share:", line)
        amounts = [Amount(kind, word) for word in words]
        return amounts + [None if share == "-nan" else float(share)]

    def take_distribution(self):
        self.take("distribution", "  Latency Distribution")
        amounts = []
        for percent in (50, 75, 90, 99):
            line = self.take("percentile", f" +{percent}% .*")[0]
            word = line.split("%")[1].strip()
            equal(line, f"{percent:>7}%{field(word, 10)}", f"layout\n{self.run}")
            amounts.append(Amount("time", word))
        return amounts

    def take_totals(self):
        found = self.take("totals", r"  (\d+) requests in (\S+), (\S+)B read")
        self.requests = int(found[1])
        self.took, self.read = Amount("time", found[2]), Amount("binary", found[3])
        self.errors = {"connect": 0, "read": 0, "write": 0, "timeout": 0}
        if self.lines and self.lines[0].startswith("  Socket"):
            pattern = "  Socket errors: " + ", ".join(rf"{name} (\d+)" for name in self.errors)
            counts = map(int, self.take("errors", pattern).groups())
            self.errors = dict(zip(self.errors, counts))
            check(any(self.errors.values()), "a line of errors without one:", self.run)
        self.bad = 0
        if self.lines and self.lines[0].startswith("  Non"):
            self.bad = int(self.take("bad", r"  Non-2xx or 3xx responses: (\d+)")[1])
            check(self.bad, "a line of bad statuses without one:", self.run)
        line = self.take("rate", r"Requests/sec: +(\d+\.\d\d)")
        equal(line[0], f"Requests/sec: {line[1]:>9}", f"layout\n{self.run}")
        self.per_s = float(line[1])
        line = self.take("transfer", r"Transfer/sec: +(\S+)B")
        equal(line[0], f"Transfer/sec: {line[1]:>10}B", f"layout\n{self.run}")
        self.transfer = Amount("binary", line[1])

    def failed(self):
        """The kinds of errors that occurred."""
        return {name for name, count in self.errors.items() if count}

    def check_sums(self):
        """What holds between the figures of any report."""
        low, high = [(self.took.value + sign * self.took.half) / 1e6 for sign in (-1, 1)]
        check(self.requests / high - 0.01 <= self.per_s <= self.requests / low + 0.01,
              "Requests/sec:", self.run)
        check((self.read.value - self.read.half) / high - self.transfer.half
              <= self.transfer.value
              <= (self.read.value + self.read.half) / low + self.transfer.half,
              "Transfer/sec:", self.run)
        for row in (self.latency, self.rate):
            average, _, most, share = row
            check(average.value - average.half <= most.value + most.half, "avg > max", self.run)
            check(share is None or 0 <= share <= 100, "share:", self.run)
        values = [0] + [amount.value for amount in self.distribution or ()]
        equal(values, sorted(values), f"percentiles\n{self.run}")
        check(values[-1] <= self.latency[2].value + self.latency[2].half, "99% > max", self.run)
        check(self.bad <= self.requests, "more bad statuses than requests:", self.run)
