"""Loggers of `pelt run`: every line where it belongs, and accounted for where it cannot be."""

import contextlib
import json
import os
import signal
import threading

import badserver
import lib
from badserver import Server
from lib import check, equal

PATTERN = "load_pattern: [{linear: {from: 100%, to: 100%, over: 1s}}]\n"


def start(text, *args, **how):
    path = lib.write_file("test.yaml", text.encode())
    report = lib.temp_path("report.json")
    process = lib.start("run", path, "--json", report, *args, **how)
    process.report_path = report
    return process


def run(text, *args, rc=0, **how):
    """Runs a test file of this text; its report is in `report`."""
    done = lib.finish_load(start(text, *args, **how))
    equal(done.rc, rc, f"exit status of {done}")
    return done


def loggers(done):
    return {logger["name"]: logger for logger in done.report["loggers"]}


def lines_of(path):
    data = lib.read_file(path)
    check(data == "" or data.endswith("\n"), "the last line is cut:", data[-100:])
    return data.splitlines()


def test_every_answer_is_a_line_over_two_workers():
    rate, seconds = (1000, 2) if lib.LIGHT else (12500, 4)
    log = lib.temp_path("all.log")
    with lib.target() as target:
        done = run(f"""
config: {{general: {{workers: 2}}}}
loggers: {{all: {{to: {log}, select: {{n: n, at: request.url.pathname, status: response.status}}}}}}
providers: {{a: {{range: {{}}}}, b: {{range: {{}}}}}}
vars: {{n: 0}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: {seconds}s}}}}]
endpoints:
  - {{url: "{target.url}/bytes/10?n=${{a}}", peak_load: {rate}hps, logs: {{all: {{select: a}}}}}}
  - {{url: "{target.url}/?n=${{b}}", peak_load: {rate}hps, logs: {{all: {{select: b}}}}}}
""")
    ledger = done.report["ledger"]
    equal(ledger["due"], 2 * rate * seconds)
    lines = lines_of(log)
    # Each answer writes a value and an object.
    equal(len(lines), 2 * ledger["ok"], "lines")
    equal(loggers(done)["all"], {"name": "all", "to": log, "lines": 2 * ledger["ok"], "lost": 0,
                                 "dropped": 0})
    numbers = [int(line) for line in lines if line.isdigit()]
    equal(len(numbers), ledger["ok"], "values")
    # Both endpoints count from 0; what is twice in the log came from both.
    check(all(numbers.count(n) <= 2 for n in numbers[:50]), "a value came more often than sent")
    paths = [json.loads(line)["at"] for line in lines if not line.isdigit()]
    equal(len(paths), ledger["ok"])
    equal(set(paths), {"/bytes/10", "/"})


def test_what_lines_say():
    log = lib.temp_path("x.log")
    answer = badserver.each(lambda conn, request: conn.respond(
        b'{"list": [{"id": 1}, {"id": 2}, {"id": 3}], "who": "a\\"b"}'))
    with Server(answer) as server:
        run(f"""
loggers:
  text: {{to: {log}}}
  pretty: {{to: {log}, pretty: true}}
  global:
    to: {log}
    where: response.status == 200
    with: {{big: {{for_each: [response.body.list], where: "for_each[0].id > 1", select: "for_each[0].id"}}}}
    select: {{ids: big, none: response.body.nosuch.deeper, error: error}}
{PATTERN}
endpoints:
  - url: {server.url}/x
    peak_load: 1hps
    logs:
      text: {{for_each: [response.body.list], where: "for_each[0].id != 2", select: "for_each[0].id"}}
      text: {{select: "`${{request.method}} ${{response.body.who}}`"}}
      pretty: {{select: {{a: response.status, b: ["stats.rtt > 0"]}}}}
""")
    equal(lines_of(log), ['1', '3', 'GET a"b', '{', '  "a": 200,', '  "b": [', '    true', '  ]', '}',
                          '{"ids":[2,3],"none":null,"error":null}'])


def test_errors_are_told_to_global_loggers_with_their_codes():
    log = lib.temp_path("errors.log")
    own = lib.temp_path("own.log")

    def cut(conn, _):
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        conn.close_write()

    with Server(badserver.each(cut)) as cutting, Server(badserver.silent) as silent, \
            Server(badserver.good) as good, lib.closed_port() as closed:
        run(f"""
config: {{client: {{request_timeout: 2s}}}}
providers: {{fed: {{response: {{}}}}, crlf: {{list: ["`a\\r\\nb`"]}}}}
loggers:
  own: {{to: {own}}}
  errors: {{to: {log}, where: error, select: [error.code, error.msg, request.url.pathname, response.status]}}
{PATTERN}
endpoints:
  - {{url: "{cutting.url}/cut", peak_load: 1hps, logs: {{own: {{select: 1}}}}}}
  - {{url: "http://127.0.0.1:{closed}/closed", peak_load: 1hps}}
  - {{url: "{good.url}/indexing", peak_load: 1hps, provides: {{fed: {{select: response.body.a.b}}}}}}
  - {{url: "{silent.url}/silent", peak_load: 2hps}}
  - {{url: "{good.url}/build", peak_load: 1hps, headers: {{X: "${{crlf}}"}}}}
  - {{url: "{good.url}/expect", peak_load: 1hps, expect: {{status: 404}}}}
  - {{url: "{good.url}/fed?${{fed}}", peak_load: 1hpm}}
""")
    found = {}
    for line in lines_of(log):
        code, text, path, status = json.loads(line)
        found[path] = (code, text, status)
    equal(found, {
        "/cut": (1, "connection closed in the response", None),
        "/closed": (2, "connection refused", None),
        "/indexing": (3, "indexing into json", 200),
        "/silent": (4, "response not complete in time", None),
        None: (6, "a line end in a header", None),
        "/expect": (0, "answer is not what was expected", 200),
    })
    equal(lines_of(own), [], "logs of endpoints see answers only")


def test_logs_see_all_headers_and_decoded_parameters():
    log = lib.temp_path("seen.log")

    def answer(conn, _):
        conn.send(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nB: 3\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n")

    with Server(badserver.each(answer)) as server:
        run(f"""
loggers: {{seen: {{to: {log}}}}}
{PATTERN}
endpoints:
  - url: "{server.url}/?a=1&a=x%20y%2B&b+c=+&d&e=%zz%f&f=%ff&%c3%A9=%25"
    peak_load: 1hps
    headers: {{z: 1, Z: 2}}
    logs:
      seen: {{select: [request.url.searchParams, request.headers_all, response.headers_all,
                      response.headers], for_each: []}}
""")
    parameters, sent, all_of, last_of = json.loads(lines_of(log)[0])
    equal(parameters, {"a": "x y+", "b c": " ", "d": "", "e": "%zz%f", "f": "%ff", "é": "%"})
    equal(sent["z"], ["1", "2"])
    equal(all_of, {"x-a": ["1", "2"], "b": ["3"], "content-length": ["0"]})
    equal(last_of, {"x-a": "2", "b": "3", "content-length": "0"})


def test_a_limit_is_exact_over_all_workers():
    log = lib.temp_path("limited.log")
    with lib.target() as target:
        done = run(f"""
config: {{general: {{workers: 2}}}}
loggers: {{few: {{to: {log}, select: response.status, limit: 7}}}}
{PATTERN}
endpoints:
  - {{url: "{target.url}/", peak_load: 200hps}}
  - {{url: "{target.url}/bytes/1", peak_load: 200hps}}
""")
    equal(lines_of(log), ["200"] * 7)
    equal(done.report["ledger"]["ok"], 400)


def test_kill_ends_the_test_at_the_value_after_the_limit():
    for limit, lines in (("", 1), ("limit: 5, ", 5)):
        log = lib.temp_path("kill.log")
        with Server(badserver.good) as server:
            done = run(f"""
loggers: {{stop: {{to: {log}, {limit}kill: true, where: response.status == 200, select: 1}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 600s}}}}]
endpoints:
  - {{url: "{server.url}/", peak_load: 50hps}}
""", rc=3)
        equal(lines_of(log), ["1"] * lines)
        equal(done.report["end"], "killed")
        check("ended by a logger, 'stop'" in done.out, "not told:", done)


def test_stdout_and_stderr_get_their_lines_before_the_report():
    with Server(badserver.good) as server:
        done = run(f"""
loggers:
  out: {{to: stdout, select: "'to stdout'"}}
  err: {{to: stderr, select: {{to: "'stderr'"}}}}
{PATTERN}
endpoints:
  - {{url: "{server.url}/", peak_load: 5hps}}
""")
    logged, _, report = done.out.partition("\ntarget ")
    equal(logged.splitlines().count("to stdout"), 5)
    check("to stdout" not in report, "the report comes last:", done)
    equal(done.err.splitlines().count('{"to":"stderr"}'), 5)


def test_a_target_that_cannot_be_opened_is_named_before_the_run():
    for to, reason in (("/nosuch/x.log", "No such file or directory"), ("/tmp", "Is a directory")):
        path = lib.write_file("test.yaml", f"""
loggers: {{l: {{to: {to}, select: 1}}}}
{PATTERN}
endpoints: [{{url: "http://127.0.0.1:9/", peak_load: 1hps}}]
""".encode())
        done = lib.pelt("run", path, rc=74)
        check(f"logger 'l': cannot write '{to}': {reason}" in done.err, "not named:", done)
        equal(done.out, "", "nothing was run")


def test_stdout_cannot_be_the_report_and_a_log():
    path = lib.write_file("test.yaml", f"""
loggers: {{l: {{to: stdout, select: 1}}}}
{PATTERN}
endpoints: [{{url: "http://127.0.0.1:9/", peak_load: 1hps}}]
""".encode())
    done = lib.pelt("run", path, "--json", "-", rc=1)
    check("logger 'l' writes to stdout" in done.err, "not told:", done)


def test_a_full_disk_loses_lines_and_not_the_run():
    log = lib.temp_path("good.log")
    with Server(badserver.good) as server:
        done = run(f"""
loggers: {{full: {{to: /dev/full, select: 1}}, good: {{to: {log}, select: 1}}}}
{PATTERN}
endpoints:
  - {{url: "{server.url}/", peak_load: 100hps}}
""", rc=74)
    equal(done.report["ledger"]["ok"], 100)
    equal((loggers(done)["full"]["lines"], loggers(done)["full"]["lost"]), (0, 100))
    equal(loggers(done)["good"]["lines"], 100)
    equal(len(lines_of(log)), 100)
    check("logger 'full': 100 lines lost: '/dev/full': No space left on device" in done.err, done)
    check("cannot write '/dev/full'" in done.err, "not told while it ran:", done)


def test_a_reader_of_stdout_that_leaves_does_not_stop_the_run():
    reading, writing = os.pipe()
    os.close(reading)
    with Server(badserver.good) as server:
        process = start(f"""
loggers: {{out: {{to: stdout, select: 1}}}}
{PATTERN}
endpoints:
  - {{url: "{server.url}/", peak_load: 50hps}}
""", stdout=writing)
        os.close(writing)
        done = lib.finish_load(process)
    equal((done.rc, done.report["ledger"]["ok"], loggers(done)["out"]["lost"]), (0, 50, 50))


# A line is about 1 MB, so that 64 MiB are soon full.
SLOW = """
loggers: {{slow: {{to: {to}, select: "encode(response.body, 'hex')"{more}}}}}
config: {{general: {{workers: 1}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: {seconds}s}}}}]
endpoints:
  - {{url: "{url}/bytes/500000", peak_load: {peak}hps}}
"""


@contextlib.contextmanager
def fifo():
    """A FIFO, and its reading end, from which nothing is read yet."""
    with lib.socket_path() as path:
        os.mkfifo(path)
        reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(reading, True)
        try:
            yield path, reading
        finally:
            os.close(reading)


def is_waited_for(process, path):
    return f"waiting for '{path}'" in process.err()


def count_lines(reading, found):
    while data := os.read(reading, 1 << 16):
        found.append(data.count(b"\n"))


def test_a_reader_that_does_not_read_holds_requests_back_and_loses_nothing():
    found, due, seconds = [], 200, 40 if lib.LIGHT else 2  # It has to keep up.
    with lib.target() as target, fifo() as (path, reading):
        process = start(SLOW.format(to=path, url=target.url, seconds=seconds, more="",
                                    peak=due // seconds))
        # The test is over, and still nothing has been read.
        lib.wait_until(lambda: is_waited_for(process, path), "word of the reader")
        reader = threading.Thread(target=count_lines, args=(reading, found))
        reader.start()
        done = lib.finish_load(process)
        reader.join()
    ledger = done.report["ledger"]
    check(0 < ledger["ok"] < 100, "the queue holds less than 100 lines:", done)
    equal(sum(found), ledger["ok"], "lines read")
    equal((loggers(done)["slow"]["lines"], loggers(done)["slow"]["lost"]), (ledger["ok"], 0))
    equal(ledger["missed"], {"logger": due - ledger["ok"]})
    equal(done.report["verdict"]["state"], "CLIENT-LIMITED")
    check("logs were written too slowly" in done.out, "not in the verdict:", done)


def test_requests_go_on_when_the_reader_reads():
    found = []
    with lib.target() as target, fifo() as (path, reading):
        process = start(SLOW.format(to=path, url=target.url, seconds=5, more="", peak=100))
        threading.Event().wait(1.5)  # Mostly the queue is full by then; nothing hangs on it.
        reader = threading.Thread(target=count_lines, args=(reading, found))
        reader.start()
        done = lib.finish_load(process)
        reader.join()
    ledger = done.report["ledger"]
    check(ledger["ok"] > 100, "nothing more was sent:", done)
    equal(sum(found), ledger["ok"], "lines read")
    equal(ledger["ok"] + sum(ledger["missed"].values()), 500)


def test_who_interrupts_the_wait_for_a_reader_loses_lines_and_is_told():
    with lib.target() as target, fifo() as (path, _):
        process = start(SLOW.format(to=path, url=target.url, seconds=1, more="", peak=100))
        lib.wait_until(lambda: is_waited_for(process, path), "word of the reader")
        process.signal(signal.SIGINT)
        done = lib.finish_load(process)
    slow = loggers(done)["slow"]
    equal(done.rc, 74)
    check(slow["lost"] > 0, "nothing lost:", done)
    equal(slow["lines"] + slow["lost"], done.report["ledger"]["ok"])
    check(f"lines lost: '{path}': given up" in done.err, "not told:", done)


def test_a_log_that_may_drop_holds_nobody_back():
    found = []
    with lib.target() as target, fifo() as (path, reading):
        process = start(SLOW.format(to=path, url=target.url, seconds=1, peak=100,
                                    more=", on_full: drop"))
        lib.wait_until(lambda: is_waited_for(process, path), "word of the reader")
        reader = threading.Thread(target=count_lines, args=(reading, found))
        reader.start()
        done = lib.finish_load(process)
        reader.join()
    slow = loggers(done)["slow"]
    equal((done.rc, done.report["ledger"]["ok"]), (0, 100))
    check(slow["dropped"] > 0, "nothing dropped:", done)
    equal((slow["lines"] + slow["dropped"], slow["lost"], sum(found)), (100, 0, slow["lines"]))


def test_waits_for_values_are_told_counted_and_logged():
    log = lib.temp_path("waits.log")
    with Server(badserver.good) as server:
        done = run(f"""
providers: {{token: {{response: {{}}}}}}
loggers: {{waits: {{to: {log}, where: error.code == 5, select: [error.msg, request.method, response.status]}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 4s}}}}]
endpoints:
  - {{url: "{server.url}/feed", peak_load: 30hpm, provides: {{token: {{select: 1}}}}}}
  - {{url: "{server.url}/use?${{token}}", name: user, peak_load: 20hps}}
""")
    # The first value comes after two seconds, the second one at the end.
    check("pelt: user waits for 'token', " in done.err, "not told:", done)
    (wait,) = done.report["waits"]
    equal(wait["provider"], "token")
    check(wait["count"] >= 1 and wait["longest_us"] > 1e6, wait)
    check(wait["longest_us"] <= wait["total_us"], wait)
    lines = [json.loads(line) for line in lines_of(log)]
    equal(len(lines), wait["count"])
    for text, method, status in lines:
        check(text.startswith("waited for provider `token`, "), text)
        equal((method, status), ("GET", None))
    check("for 'token' past a slot: " in done.out, "not in the report:", done)


def test_waits_are_not_told_to_who_wants_errors_only():
    with Server(badserver.good) as server:
        done = run(f"""
config: {{general: {{log_level: error}}}}
providers: {{token: {{response: {{}}}}}}
{PATTERN}
endpoints:
  - {{url: "{server.url}/feed", peak_load: 2hps, provides: {{token: {{select: 1}}}}}}
  - {{url: "{server.url}/use?${{token}}", peak_load: 20hps}}
""")
    check("waits for" not in done.err and "waited for" not in done.err, done)
    check(done.report["waits"][0]["count"] >= 1, done)
