"""The live line: on a terminal, out of the way of everything else, and nowhere else."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import badserver
import lib
from badserver import Server
from lib import check, equal

DRAWN = re.compile(r"\r([^\r\n]+)\x1b\[K\r")
ERASE = "\r\x1b[K"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """A pelt whose stdout and stderr are one terminal of so many columns."""

    def __init__(self, *args, columns=80, env=None):
        self.text = ""
        self.fd, slave = pty.openpty()
        self.resize(columns)
        env = {**os.environ, "TERM": "xterm", "NO_COLOR": None, **(env or {})}
        self.child = subprocess.Popen(
            [lib.PELT, *map(str, args)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={key: value for key, value in env.items() if value is not None},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def resize(self, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read(self, timeout):
        """Takes what has been written; False at the end."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: nobody has the terminal open any more.
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def wait_for(self, pattern, what):
        end = time.monotonic() + lib.SLACK_S
        while not re.search(pattern, self.text):
            check(time.monotonic() < end, "waited in vain for", what, repr(self.text))
            check(self.read(0.1), "ended without", what, repr(self.text))

    def finish(self):
        end = time.monotonic() + lib.SLACK_S + 10
        while self.read(0.1):
            if time.monotonic() > end:
                self.child.kill()
                raise lib.Failed(f"did not end: {self.text!r}")
        os.close(self.fd)
        return self.child.wait(lib.SLACK_S)

    def lines(self):
        """The live lines that were drawn, without colours."""
        return [COLOUR.sub("", line) for line in DRAWN.findall(self.text)]

    def screen(self):
        """What stands on the terminal, row by row, if no row is wider than it."""
        rows, column = [""], 0
        for part in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|[^\x1b]", self.text):
            if part == "\n":
                rows.append("")
            elif part == "\r":
                column = 0
            elif part == "\x1b[K":
                rows[-1] = rows[-1][:column]
            elif part[0] != "\x1b":
                rows[-1] = rows[-1][:column].ljust(column) + part + rows[-1][column + 1 :]
                column += 1
        return [row.rstrip() for row in rows]


def test_the_line_has_all_figures_and_is_gone_before_the_report():
    path = lib.temp_path("report.json")
    with Server(badserver.slow(0.01)) as server:
        terminal = Terminal("--json", path, "-c", 3, "-d", "60s", server.url + "/")
        terminal.wait_for(
            r"\r0:\d\d/1:00  \S+/s  p99 \d\S* \w?s  errors 0  open 3\x1b\[K\r",
            "a line with all its figures",
        )
        terminal.child.send_signal(signal.SIGINT)
        equal(terminal.finish(), 130, f"exit code\n{terminal.text!r}")
    lib.assert_series_adds_up(json.loads(lib.read_file(path)))
    screen = terminal.screen()
    check(re.match(r"pelt: .* 3 connections", screen[0]), screen)
    check(screen[1].startswith("pelt: stopping"), screen)
    check(screen[2].startswith("target "), "the report does not follow:", screen)
    check(not any("open 3" in row for row in screen), "the live line is still there:", screen)
    check(not COLOUR.search(terminal.text), "colours without an error:", repr(terminal.text))


def test_the_line_is_gone_at_the_end_of_a_whole_run():
    with Server(badserver.slow(0.01)) as server:
        terminal = Terminal("-c", 3, "-d", "1500ms", server.url + "/")
        equal(terminal.finish(), 0, f"exit code\n{terminal.text!r}")
    screen = terminal.screen()
    check(re.match(r"pelt: .* 3 connections", screen[0]), screen)
    check(screen[1].startswith("target "), "the report does not follow:", screen)
    check(not any("open 3" in row for row in screen), "the live line is still there:", screen)


def refused(env=None):
    """A terminal on which a run has counted errors, and has ended."""
    with lib.closed_port() as port:
        terminal = Terminal("-c", 2, "-d", "60s", f"http://127.0.0.1:{port}/", env=env)
        terminal.wait_for(r"errors [1-9]", "errors in the live line")
        terminal.child.send_signal(signal.SIGINT)
        equal(terminal.finish(), 130, f"exit code\n{terminal.text!r}")
    return terminal


def test_lines_in_between_do_not_mix_with_the_live_line():
    terminal = refused()
    screen = terminal.screen()
    check("pelt: requests fail: connection refused" in screen, screen)
    check(screen[3].startswith("target "), "the report does not follow three lines:", screen)
    check("\x1b[31merrors" in terminal.text, "errors are not red:", repr(terminal.text))


def test_no_color_means_no_colour():
    for value, coloured in (("1", False), ("", True)):
        terminal = refused(env={"NO_COLOR": value})
        equal(bool(COLOUR.search(terminal.text)), coloured, f"colours with NO_COLOR={value!r}")


def test_there_is_none_with_quiet_on_dumb_terminals_and_in_files():
    with Server(badserver.good) as server:
        args = ("-c", 2, "-d", "1500ms", server.url + "/")
        for more, env in ((["--quiet"], {}), ([], {"TERM": "dumb"}), ([], {"TERM": None})):
            terminal = Terminal(*more, *args, env=env)
            equal(terminal.finish(), 0, f"exit code\n{terminal.text!r}")
            check("\x1b" not in terminal.text, "an escape:", more, env, repr(terminal.text))
            check("open 2" not in terminal.text, "a live line:", more, env, repr(terminal.text))
        run = lib.pelt(*args, rc=0, env={"TERM": "xterm"})
    check("\x1b" not in run.err + run.out and "\r" not in run.err + run.out, run)
    equal(len(run.err.splitlines()), 1, f"lines on stderr\n{run}")


def test_the_line_keeps_to_the_width_of_the_terminal():
    with Server(badserver.good) as server:
        terminal = Terminal("-c", 2, "-d", "60s", server.url + "/", columns=40)
        terminal.wait_for(r"0:0[2-9]", "the third second")
        check(all(len(line) < 40 for line in terminal.lines()), terminal.lines())
        drawn = len(terminal.text)
        terminal.resize(12)
        terminal.wait_for(r"0:0[4-9]/1:00\x1b|0:[1-5]\d/1:00\x1b", "a line cut to 12 columns")
        terminal.resize(200)
        narrow = len(terminal.text)
        terminal.wait_for(r"(?s)^.{%d}.*errors 0  open 2\x1b" % narrow, "the whole line again")
        terminal.child.send_signal(signal.SIGINT)
        equal(terminal.finish(), 130, f"exit code\n{terminal.text!r}")
    check(drawn < narrow, "nothing drawn after the terminal became narrow")


def test_ctrl_c_at_the_terminal_leaves_a_clean_report():
    with Server(badserver.silent) as server:
        terminal = Terminal("-c", 4, "-d", "60s", "-T", "100s", server.url + "/")
        terminal.wait_for(r"open 4", "the live line")
        os.write(terminal.fd, b"\x03")  # As typed: the terminal makes it a signal.
        terminal.wait_for(r"waiting for 4 answers", "the drain")
        os.write(terminal.fd, b"\x03")
        equal(terminal.finish(), 130, f"exit code\n{terminal.text!r}")
    screen = terminal.screen()
    check(any(row.startswith("pelt: stopping") for row in screen), screen)
    check("pelt: ending now" in screen, screen)
    at = screen.index("pelt: ending now")
    check(screen[at + 1].startswith("target "), "something before the report:", screen)


def test_a_stopped_terminal_does_not_stop_the_run():
    path = lib.temp_path("report.json")
    with Server(badserver.slow(0.01)) as server:
        terminal = Terminal("--json", path, "-c", 2, "-d", "3s", server.url + "/")
        terminal.wait_for(r"open 2", "the live line")
        os.write(terminal.fd, b"\x13")  # ctrl-S
        before = server.requests
        while terminal.read(0.5) and select.select([terminal.fd], [], [], 0.5)[0]:
            pass
        lib.wait_until(lambda: server.requests > before, "requests while it is stopped")
        time.sleep(3)  # The run ends; its report waits for the terminal.
        os.write(terminal.fd, b"\x11")  # ctrl-Q
        equal(terminal.finish(), 0, f"exit code\n{terminal.text!r}")
    lib.assert_ledger_closes(json.loads(lib.read_file(path)))
    check("requests/s" in terminal.text, "no report:", repr(terminal.text))


def test_in_the_background_the_terminal_is_left_alone():
    with Server(badserver.good) as server:
        code = (
            "import os, sys\n"
            "if os.fork() == 0:\n"
            "    os.setpgid(0, 0)\n"
            "    os.execv(sys.argv[1], sys.argv[1:])\n"
            "os.wait()\n"
        )
        fd, slave = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-c", code, lib.PELT, "-c", "2", "-d", "1500ms", server.url + "/"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        terminal = Terminal.__new__(Terminal)
        terminal.text, terminal.fd, terminal.child = "", fd, child
        equal(terminal.finish(), 0, f"exit code\n{terminal.text!r}")
    check("requests/s" in terminal.text, "no report:", repr(terminal.text))
    check("\x1b" not in terminal.text, "drawn from the background:", repr(terminal.text))


def test_buckets_of_a_test_file_do_not_mix_with_the_live_line():
    with Server(badserver.slow(0.01)) as server:
        path = lib.write_file("test.yaml", f"""
config: {{general: {{bucket_size: 500ms}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 2s}}}}]
endpoints: [{{url: "{server.url}/", peak_load: 50hps}}]
""".encode())
        terminal = Terminal("run", path, "-d", lib.temp_dir())
        equal(terminal.finish(), 0, f"exit code\n{terminal.text!r}")
    check(any("/0:02  " in line and "of 50" in line for line in terminal.lines()), terminal.lines())
    screen = terminal.screen()
    check(len([row for row in screen if re.fullmatch(r"=== bucket of .* of the run", row)]) >= 3, screen)
    check(not any("/0:02  " in row for row in screen), "a live line is left:", screen)
    check(not any("open" in row and "errors" in row for row in screen), "mixed:", screen)


def test_series_has_every_second_of_the_run_and_the_drain():
    with Server(badserver.slow(0.05)) as server:
        run = lib.load(server.url + "/", "-c", 8, "-t", 2, "-d", "2500ms", rc=0)
    series = run.report["series"]
    span = [sample for sample in series if "part" not in sample]
    check(1 <= len(span) <= 3, "samples of a span of 2.5 s:", series)
    check(span[-1]["t_s"] >= 2.5, "where the span ends:", series)
    check(any("from_due_us" in sample for sample in span), "no latencies:", series)
    for sample in span:
        equal(sample["achieved_per_s"] > 0, sample["answered"] > 0, "a rate where answers were")
    check(all(sample["part"] == "drain" for sample in series[len(span) :]), series)
    end = run.report["duration_s"] + run.report["drained_s"]
    check(series[-1]["t_s"] >= end * (1 - 1e-9), "ends before the run does:", series)


def test_series_of_silence_has_samples_without_latencies():
    with Server(badserver.silent) as server:
        run = lib.load(server.url + "/", "-c", 2, "-d", "1500ms", "-T", "500ms", rc=1)
    check(sum(sample["failed"] for sample in run.report["series"]) > 0, run.report["series"])
    with Server(badserver.silent) as server:
        run = lib.load(server.url + "/", "-c", 2, "-d", "2s", "-T", "9s", "--drain", "0s", rc=1)
    for sample in run.report["series"]:
        check("from_due_us" not in sample and "from_sent_us" not in sample, sample)
        equal((sample["answered"], sample["failed"]), (0, 0), "counts")
    check(run.report["series"][0].get("achieved_per_s") == 0, run.report["series"])


def test_series_of_an_open_loop_has_the_schedule_the_warmup_and_the_lateness():
    with Server(badserver.good) as server:
        run = lib.load(
            server.url + "/", "-c", 4, "--stages", "0:2s:200", "--warmup", "500ms", rc=0
        )
    series = run.report["series"]
    equal(series[0].get("part"), "warmup", "the first sample's part")
    check(any("lateness_p99_us" in sample for sample in series), "no lateness:", series)
    begin, asked = 0.0, 0.0
    for sample in series:
        asked += sample.get("asked_per_s", 0) * (sample["t_s"] - begin)
        begin = sample["t_s"]
    check(abs(asked - 200) < 0.1, "the schedule has 200 requests, the series", asked, series)
