"""pelt under the name of wrk: its command line, and what it does at the server. Whatever is
expected here is held against wrk itself too."""

import os
import re
import threading
import time

import badserver
import lib
import wrk
from badserver import Server
from lib import check, equal

URL = "http://127.0.0.1:9/"
THREADS = "number of connections must be >= threads\n"


def lacks(option):
    return f"wrk: option requires an argument -- '{option}'\n"


# Arguments, and what is on stderr; the usage is on stdout, the status is 1, nothing is sent.
REFUSED = [
    ([], ""),
    (["--help"], ""),
    (["--help", URL], ""),
    (["-?"], ""),
    (["-r", URL], ""),
    (["-h"], "wrk: invalid option -- 'h'\n"),
    (["-h", URL], "wrk: invalid option -- 'h'\n"),
    (["-Z", URL], "wrk: invalid option -- 'Z'\n"),
    (["-R", "100", URL], "wrk: invalid option -- 'R'\n"),
    (["--nonsense", URL], "wrk: unrecognized option '--nonsense'\n"),
    (["--nonsense=1", URL], "wrk: unrecognized option '--nonsense=1'\n"),
    (["--rate", "100", URL], "wrk: unrecognized option '--rate'\n"),
    (["--h", "a: b", URL], "wrk: option '--h' is ambiguous; possibilities: '--header' '--help'\n"),
    (["--t", "1", URL],
     "wrk: option '--t' is ambiguous; possibilities: '--threads' '--timeout'\n"),
    (["--latency=3", URL], "wrk: option '--latency' doesn't allow an argument\n"),
    ([URL, "-c"], lacks("c")),
    ([URL, "-d"], lacks("d")),
    ([URL, "-t"], lacks("t")),
    ([URL, "-T"], lacks("T")),
    ([URL, "-H"], lacks("H")),
    ([URL, "-s"], lacks("s")),
    ([URL, "--connections"], "wrk: option '--connections' requires an argument\n"),
    ([URL, "--dur"], "wrk: option '--duration' requires an argument\n"),
    (["-H", URL], ""),
    (["-Ld1c1", URL], ""),
    # Numbers: digits, and a unit of one letter.
    *((["-c", text, URL], "") for text in
      ("", "x", "k", "1.5", "1x", "10s", "1kk", "1ki", "0x10", "1e3", "1,000")),
    *((["-t", text, URL], "") for text in ("", "x", "1.5", "1x", "1min", "0")),
    # Times: the same, with units of their own.
    *((["-d", text, URL], "") for text in
      ("", "x", "s", "1.5s", "1.5", "100ms", "1min", "1ss", "1mm", "1k", "1d", "1us", "0", "0s",
       "0m", "1m30s", "0x10")),
    *((["-T", text, URL], "") for text in ("", "x", "1.5", "100ms", "1k", "1ms")),
    (["-c", "x", "-c", "10", URL], ""),
    # The order of checks: a URL, and no zeros; then the URL; then connections and threads.
    (["-c", "1", "-t", "2"], ""),
    (["-d", "0", "foo"], ""),
    (["-t", "0", "-c", "0", URL], ""),
    (["-c", "1", "-t", "2", "foo"], "invalid URL: foo\n"),
    (["-c", "1", "-t", "2", URL], THREADS),
    (["-c", "1", URL], THREADS),
    (["-c", "0", "-t", "1", URL], THREADS),
    (["-c", "0", URL], THREADS),
    (["-t", "11", URL], THREADS),
    (["-c", "1k", "-t", "1001", URL], THREADS),
    (["-c", "1K", "-t", "1001", URL], THREADS),
    (["-c", "1m", "-t", "1001k", URL], THREADS),
    (["-c", "1G", "-t", "1001M", URL], THREADS),
    (["-c", "1t", "-t", "1001g", URL], THREADS),
    (["-c", "1P", "-t", "1001T", URL], THREADS),
    *(([url], f"invalid URL: {url}\n") for url in
      ("", "foo", "/foo", "127.0.0.1:80", "http:", "http:/", "http://", "http:///x",
       "http://127.0.0.1:99999/", "http://127.0.0.1:0x50/", "http://[::1/",
       "http://127.0.0.1/a b", "http://127.0.0.1#f")),
    (["--", "-v"], "invalid URL: -v\n"),
    (["foo", "-d1"], "invalid URL: foo\n"),
]

# Arguments in front of the URL, and what the first two lines say of them.
NUMBERS = [
    ([], ("10s", 2, 10)),
    (["-d1"], ("1s", 2, 10)),
    (["-d", "50"], ("50s", 2, 10)),
    (["-d", "50s"], ("50s", 2, 10)),
    (["-d", "51s"], ("1m", 2, 10)),
    (["-d", "60S"], ("1m", 2, 10)),
    (["-d", "89"], ("1m", 2, 10)),
    (["-d", "90s"], ("2m", 2, 10)),
    (["-d", "1m"], ("1m", 2, 10)),
    (["-d", "2M"], ("2m", 2, 10)),
    (["-d", "1h"], ("60m", 2, 10)),
    (["-d", "2H"], ("120m", 2, 10)),
    (["-d", "010"], ("10s", 2, 10)),
    (["-d", "99", "-d", "20"], ("20s", 2, 10)),
    (["-c", "7"], ("10s", 2, 7)),
    (["-c3", "-t3"], ("10s", 3, 3)),
    (["-T", "1"], ("10s", 2, 10)),
    (["-T", "20S"], ("10s", 2, 10)),
]

SPELLINGS = [
    (["--connections", "4", "--threads", "1", "--duration", "20s"], ("20s", 1, 4)),
    (["--connections=4", "--threads=1", "--duration=20s"], ("20s", 1, 4)),
    (["--conn", "4", "--thr=1", "--dur", "20s"], ("20s", 1, 4)),
    (["--c", "4", "--th", "1", "--d", "20s"], ("20s", 1, 4)),
    (["--timeout", "3s", "--header", "A: b"], ("10s", 2, 10)),
    (["--ti=3s", "--head=A: b"], ("10s", 2, 10)),
    (["-c4", "-t1", "-d20s", "-T3", "-HA: b"], ("20s", 1, 4)),
    (["-d20s", "--"], ("20s", 2, 10)),
]


def usages():
    """The programs, each with what it prints for --help."""
    return [(program, program.run("--help").out) for program in wrk.programs()]


@lib.seconds(120)
def test_wrong_command_lines_get_wrks_answer():
    wrong = []
    for program, usage in usages():
        check(usage.startswith("Usage: wrk <options> <url>"), usage)
        for args, said in REFUSED:
            run = program.run(*args)
            if (run.rc, run.out, run.err) != (1, usage, said):
                wrong.append(f"{args}, wanted {said!r}: {run}")
    check(not wrong, "\n" + "\n".join(wrong))


def test_the_version_is_a_line_in_front_of_what_follows():
    for args, said in ((["-v"], ""), (["--version"], ""), (["-v", "--help", URL], ""),
                       (["-v", "-c", "0", URL], THREADS), (["-v", "foo"], "invalid URL: foo\n"),
                       (["--v"], ""), (["--ver"], ""), (["--vers"], "")):
        for program, usage in usages():
            run = program.run(*args)
            found = wrk.VERSION.match(run.out)
            check(found, f"{args}: no version:", run)
            equal((run.out[found.end():], run.err, run.rc), (usage, said, 1), str(run))


def test_the_version_does_not_keep_it_from_running():
    with lib.target() as target:
        for run in wrk.load_all("-v", "-d1s", target.url + "/delay/20"):
            equal(run.shown.kinds[:2], ["version", "first"], str(run))


def check_accepted(table):
    with Server(badserver.slow(0.02)) as server:
        for program in wrk.programs():
            for args, wanted in table:
                run = wrk.glimpse(program, server, *args, server.url)
                shown = run.shown
                equal((shown.duration, shown.threads, shown.connections), wanted, str(run))
                equal(shown.url, server.url, str(run))
                check(shown.distribution is None, run)


def test_numbers_and_times_are_read_and_shown_as_by_wrk():
    check_accepted(NUMBERS)


def test_options_are_spelled_as_getopt_has_them():
    check_accepted(SPELLINGS)


def test_the_latency_distribution_is_asked_for_in_two_ways():
    with Server(badserver.slow(0.02)) as server:
        for program in wrk.programs():
            for arg in ("-L", "--latency"):
                run = wrk.glimpse(program, server, arg, "-c2", server.url)
                check("distribution" in run.shown.kinds, run)
            process = wrk.start_load(program, "--lat", "-d1", server.url)
            check(wrk.finish_load(process, True).shown.distribution, process)


def test_options_and_the_url_come_in_any_order():
    with Server(badserver.slow(0.02)) as server:
        url = server.url + "/here"
        for program in wrk.programs():
            for args, wanted in (
                ([url, "-d", "20s", "-c", "4"], ("20s", 2, 4)),
                (["-d", "20s", url, "-c", "4"], ("20s", 2, 4)),
                (["-d", "20s", url, "http://no.such.name.invalid/", "-c4", "x"], ("20s", 2, 4)),
                (["-c4", "--", url, "-d", "20s"], ("10s", 2, 4)),
            ):
                run = wrk.glimpse(program, server, *args)
                shown = run.shown
                equal((shown.duration, shown.threads, shown.connections), wanted, str(run))
                equal(shown.url, url, str(run))
    equal({request.target for request in server.seen}, {"/here"}, "asked for")


def test_a_thousand_has_a_unit():
    lib.need_files(4000)
    with lib.target() as target:
        for run in wrk.load_all("-d1s", "-c", "1k", "-t1", target.url + "/delay/50"):
            equal((run.shown.threads, run.shown.connections), (1, 1000), str(run))
            if run.report:
                equal(run.report["connections"]["asked"], 1000, str(run))


def test_each_thread_has_as_many_whole_connections():
    for args, threads, asked, made in (
        (["-c", "100", "-t", "12"], 12, 100, 96),
        (["-c", "10", "-t", "3"], 3, 10, 9),
        (["-c", "3", "-t", "2"], 2, 3, 2),
        ([], 2, 10, 10),
    ):
        for program in wrk.programs():
            with Server(badserver.slow(0.05)) as server:
                process = wrk.start_load(program, "-d", "20s", *args, server.url)
                lib.wait_until(lambda s=server, n=made: s.requests >= 2 * n, "requests")
                process.signal(lib.signal.SIGINT)
                run = wrk.finish_load(process)
                # wrk itself looks first whether the server is there, by a connection of its own.
                check(server.connections in (made, made + 1), server.connections, run)
                check(server.open_max in (made, made + 1), server.open_max, run)
            equal((run.shown.threads, run.shown.connections), (threads, asked), str(run))
            if run.report:
                equal(run.report["connections"]["alive_max"], made, str(run))


def test_scripts_are_refused_in_one_line():
    program = wrk.need_pelt()
    with Server(badserver.good) as server:
        script = lib.write_file("script.lua", 'wrk.method = "POST"\n')
        for args in (["-s", script], ["--script", script], ["--script=/no/such"], ["--sc", "x"],
                     ["-d1s", "-s/no/such"]):
            run = program.run(*args, server.url)
            equal((run.rc, run.out), (1, ""), str(run))
            equal(run.err.count("\n"), 1, f"lines on stderr\n{run}")
            check(re.match(r"wrk: .*script", run.err), run)
        equal(server.requests, 0, "requests")


def test_the_name_is_the_last_component_and_no_other():
    usage = wrk.need_pelt().run("--help").out
    for name, is_wrk in (("wrk", True), ("wrk2", False), ("xwrk", False), ("pelt", False)):
        os.makedirs(lib.temp_path("wrk/deep"), exist_ok=True)
        path = lib.temp_path(f"wrk/deep/{name}")
        os.symlink(lib.PELT, path)
        run = lib.Process([path, "--help"]).wait(lib.SLACK_S)
        equal(run.out == usage, is_wrk, str(run))
        equal(run.rc, 1 if is_wrk else 0, str(run))
    run = lib.Process([lib.temp_path("wrk/deep/wrk"), "-Z"]).wait(lib.SLACK_S)
    equal(run.err, lib.temp_path("wrk/deep/wrk") + ": invalid option -- 'Z'\n", str(run))


# The request.


class Heads:
    """A behaviour that keeps the heads of what is asked."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seen = []

    def __call__(self, conn):
        while True:
            head = conn.head()
            with self.lock:
                self.seen.append(head.split("\r\n"))
            conn.server.count_request(badserver.Request("", "", "", (), b""), 1)
            time.sleep(0.02)
            conn.respond()


def asked(program, *args, path="/", host="127.0.0.1", name=None, scheme="http"):
    """The request that comes for these arguments, always the same: its first line, and its other
    lines sorted, for wrk's threads have orders of their own. The port is PORT."""
    heads = Heads()
    with Server(heads, host=host) as server:
        host = name or (f"[{host}]" if ":" in host else host)
        url = f"{scheme}://{host}:{server.port}{path}"
        run = wrk.glimpse(program, server, "-c2", *args, url)
        equal(run.shown.url, url, "the URL as it was given")
        kinds = {(head[0], *sorted(head[1:])) for head in heads.seen}
        equal(len(kinds), 1, f"kinds of requests: {kinds}")
        first, *rest = kinds.pop()
        return first, [line.replace(str(server.port), "PORT") for line in rest]


HOST = "Host: 127.0.0.1:PORT"

HEADERS = [  # What is given by -H, and what arrives.
    ([], [HOST]),
    (["A: b"], ["A: b", HOST]),
    (["A: b", "C: d", "E: f"], ["A: b", "C: d", "E: f", HOST]),
    (["A: b: c"], ["A: b: c", HOST]),
    (["A: http://b:80/"], ["A: http://b:80/", HOST]),
    (["A:  b "], ["A:  b ", HOST]),
    (["A: "], ["A: ", HOST]),
    # Ignored: no colon, or no space behind the first one.
    (["A:b"], [HOST]),
    (["A:"], [HOST]),
    (["A"], [HOST]),
    ([""], [HOST]),
    (["A:b: c"], [HOST]),
    (["A: 1", "A:2", "A"], ["A: 1", HOST]),
    # The last of a name wins; names are as they are written.
    (["A: 1", "A: 2"], ["A: 2", HOST]),
    (["A: 1", "B: 2", "A: 3"], ["A: 3", "B: 2", HOST]),
    (["A: 1", "a: 2"], ["A: 1", HOST, "a: 2"]),
    (["Host: example.org"], ["Host: example.org"]),
    (["Host: one.test", "Host: two.test:81"], ["Host: two.test:81"]),
    (["User-Agent: x", "Accept: */*"], ["Accept: */*", HOST, "User-Agent: x"]),
    (["Connection: close"], ["Connection: close", HOST]),
    # Of a request without a body.
    (["Content-Length: 5"], [HOST]),
]

PATHS = [
    ("", "/"),
    ("/", "/"),
    ("/a/b", "/a/b"),
    ("/a/b?c=d&e", "/a/b?c=d&e"),
    ("/a?b#c", "/a?b#c"),
    ("/a#c", "/a#c"),
    ("?a=b", "/"),
    ("//a", "//a"),
    ("/a%20b", "/a%20b"),
    ("/a/../b/./c", "/a/../b/./c"),
]


def test_headers_are_taken_and_ignored_as_by_wrk():
    wrong = []
    for program in wrk.programs():
        for given, wanted in HEADERS:
            got = asked(program, *(arg for text in given for arg in ("-H", text)))
            if got != ("GET / HTTP/1.1", sorted(wanted)):
                wrong.append(f"{program.name}, -H {given}: {got}, wanted {sorted(wanted)}")
    check(not wrong, "\n" + "\n".join(wrong))


def test_a_header_that_is_none_ends_it():
    for given in (": b", "A b: c", "A : b"):
        with Server(badserver.good) as server:
            for run in wrk.run_all("-d1s", "-H", given, server.url):
                equal((run.rc, run.out), (1, ""), str(run))
                equal(run.err.count("\n"), 1, f"lines on stderr\n{run}")
            equal(server.requests, 0, f"requests with {given!r}")


def test_the_path_is_all_that_is_behind_the_host():
    for program in wrk.programs():
        for path, wanted in PATHS:
            equal(asked(program, path=path), (f"GET {wanted} HTTP/1.1", [HOST]),
                  f"{program.name} {path}")


def test_names_and_schemes_are_taken_as_by_wrk():
    for program in wrk.programs():
        equal(asked(program, name="localhost"), ("GET / HTTP/1.1", ["Host: localhost:PORT"]))
        equal(asked(program, scheme="HTTP"), ("GET / HTTP/1.1", [HOST]))
        # A scheme is no more than the name of the port, where there is none.
        equal(asked(program, scheme="foo"), ("GET / HTTP/1.1", [HOST]))


def test_ipv6_is_written_in_brackets():
    lib.need_ipv6()
    for program in wrk.programs():
        equal(asked(program, host="::1"), ("GET / HTTP/1.1", ["Host: [::1]:PORT"]))


# Servers that are not there.


def test_a_dead_port_is_named():
    with lib.closed_port() as port:
        for host, said in (("127.0.0.1", "127.0.0.1"), ("localhost", "localhost")):
            for run in wrk.run_all("-d1s", f"http://{host}:{port}/"):
                equal(run.err, f"unable to connect to {said}:{port} Connection refused\n", str(run))
                equal((run.rc, run.out), (1, ""), str(run))
        for run in wrk.run_all("-d1s", f"https://127.0.0.1:{port}/"):
            check(run.err.endswith(f"unable to connect to 127.0.0.1:{port} Connection refused\n"),
                  run)
            equal((run.rc, run.out), (1, ""), str(run))


def test_a_dead_port_of_ipv6_is_named():
    lib.need_ipv6()
    with lib.closed_port("::1") as port:
        for run in wrk.run_all("-d1s", f"http://[::1]:{port}/"):
            equal(run.err, f"unable to connect to ::1:{port} Connection refused\n", str(run))
            equal((run.rc, run.out), (1, ""), str(run))


def test_the_version_is_told_of_a_dead_port_too():
    with lib.closed_port() as port:
        for run in wrk.run_all("-v", f"http://127.0.0.1:{port}/"):
            check(wrk.VERSION.fullmatch(run.out), run)
            equal((run.rc, run.err.count("\n")), (1, 1), str(run))


def test_a_name_that_means_nothing_is_named_with_its_service():
    for url, what in (
        ("http://no.such.name.invalid/", "no.such.name.invalid:http"),
        ("http://no.such.name.invalid:81/x", "no.such.name.invalid:81"),
        ("foo://127.0.0.1/", "127.0.0.1:foo"),
    ):
        for run in wrk.run_all("-d1s", url):
            check(re.fullmatch(rf"unable to resolve {what} [A-Z].+\n", run.err), run)
            equal((run.rc, run.out), (1, ""), str(run))
    for run in wrk.run_all("-d1s", "https://no.such.name.invalid/"):
        check("unable to resolve no.such.name.invalid:https " in run.err, run)
        equal((run.rc, run.out), (1, ""), str(run))
