"""`pelt run`: statistics by tag group, buckets on stdout for people and as JSON, thresholds, where
results go, and beginning in the middle of a pattern; as a server counts them."""

import json
import os
import re
import signal
import threading

import badserver
import lib
from badserver import Server
from lib import check, equal

PATTERN = "load_pattern: [{linear: {from: 100%, to: 100%, over: 1s}}]\n"


class Counting:
    """A server that answers by path and counts: /N with status N, /reset not at all."""

    def __init__(self):
        self.counts = {}
        self.lock = threading.Lock()  # Each connection has a thread.

    def __call__(self, conn):
        while True:
            request = conn.request()
            path = request.target.partition("?")[0]
            with self.lock:
                self.counts[path] = self.counts.get(path, 0) + 1
            if path == "/cut":
                conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                return  # Which closes the connection.
            status = int(path[1:4]) if path[1:4].isdigit() else 200
            conn.respond(b'{"ok": true}', status=status)


def run(text, *args, name="test.yaml", **how):
    path = lib.write_file(name, text.encode())
    report = lib.temp_path("report.json")
    done = lib.pelt("run", path, "--json", report, *args, **how)
    if os.path.exists(report):
        lib.load_report(done, report)
    return done


def lines_of(done):
    return [json.loads(line) for line in done.out.splitlines()]


def summaries(lines, kind):
    return [line for line in lines if line.get("summaryType") == kind and line["type"] == "summary"]


def by_tag(lines, tag):
    """Of the test's totals: calls by the value of a tag."""
    calls = {}
    for line in summaries(lines, "test"):
        key = line["tags"].get(tag)
        calls[key] = calls.get(key, 0) + line["callCount"]
    return calls


def statuses(line):
    return {entry["status"]: entry["count"] for entry in line["statusCounts"]}


TAGGED = """
config: {{general: {{bucket_size: {bucket}, workers: {workers}}}}}
providers: {{status: {{list: [200, 404, 503]}}}}
{pattern}
endpoints:
  - url: {url}/${{status}}
    peak_load: 300hps
    tags: {{status: "${{response.status}}", fixed: "yes", gone: "${{response.headers.a.b.c}}"}}
  - url: {url}/cut
    method: POST
    peak_load: 20hps
    tags: {{status: "${{response.status}}", url: mine}}
"""


def test_groups_are_what_the_server_counted():
    for workers in (1, 2):
        server_counts = Counting()
        with Server(server_counts) as server:
            done = run(TAGGED.format(url=server.url, pattern=PATTERN, bucket="300ms",
                                     workers=workers), "-f", "json", rc=0)
        lines = lines_of(done)
        equal(lines[0]["type"], "start")
        equal(lines[-1]["report"], done.report, "the report as the last line")
        equal(by_tag(lines, "status"), {"200": 100, "404": 100, "503": 100, "null": 20})
        equal({path: count for path, count in server_counts.counts.items()},
              {"/200": 100, "/404": 100, "/503": 100, "/cut": 20})
        for line in summaries(lines, "test"):
            if line["method"] == "POST":
                equal((line["url"], line["failures"]), ("mine", {"incomplete": 20}))
                equal([e["count"] for e in line["testErrors"]], [20])
                equal((line["statusCounts"], line["p50"]), ([], None), "of failures")
            else:
                equal(line["url"], f"http://127.0.0.1:{server.port}/*")
                equal(statuses(line), {int(line["tags"]["status"]): 100})
                equal(line["tags"]["fixed"], "yes")
                check(0 < line["min"] <= line["p50"] <= line["p99"] <= line["max"], line)
                check(line["fromDue"]["max"] >= line["max"], "due is before sent:", line)
                equal(line["bytesReceived"], 12 * 100, "bytes of bodies")


def test_buckets_add_up_and_are_aligned():
    with Server(Counting()) as server:
        done = run(TAGGED.format(url=server.url, pattern=PATTERN, bucket="200ms", workers=2),
                   "-f", "json", rc=0)
    lines = lines_of(done)
    buckets = summaries(lines, "bucket")
    calls = {}
    for line in buckets:
        check(abs(line["startTime"] * 5 - round(line["startTime"] * 5)) < 0.01, "aligned:", line)
        check(line["timestamp"] > line["startTime"], line)
        calls[line["tags"]["status"]] = calls.get(line["tags"]["status"], 0) + line["callCount"]
    equal(calls, by_tag(lines, "status"), "sums over buckets")
    check(len({line["startTime"] for line in buckets}) >= 5, "buckets:", len(buckets))
    ledgers = [line for line in lines if line.get("type") == "ledger"]
    total = ledgers[-1]
    equal(total["summaryType"], "test")
    for key in ("due", "started", "ok"):
        equal(sum(line[key] for line in ledgers[:-1]), total[key], key)
        equal(total[key], done.report["ledger"][key], key)
    for line in ledgers:
        check(0 <= line["openConnections"] <= line["maxConnections"], line)
    providers = [line for line in lines if "provider" in line]
    equal({line["provider"] for line in providers}, {"status"})
    check(all(line["limit"] >= 5 and line["len"] >= 0 for line in providers), providers)


def test_people_see_buckets_then_totals_then_the_report():
    with Server(Counting()) as server:
        text = TAGGED.format(url=server.url, pattern=PATTERN, bucket="400ms", workers=1)
        done = run(text.replace("general: {", "general: {log_provider_stats: false, "), rc=0)
    parts = re.findall(r"^=== (\w+)", done.out, re.M)
    check(len(parts) >= 3 and parts[-1] == "all" and set(parts[:-1]) == {"bucket"}, parts)
    totals = done.out[done.out.index("=== all"):]
    for words in ("calls     100: 404 x 100", "tags      status=404, fixed=yes", "20 x connection closed in the response"):
        check(words in totals, "not in the totals:", words, totals)
    check(totals.index("verdict ") < totals.index("ledger "), totals)
    check(" receivers" not in done.out, "providers, which were not wanted:", done)


def test_errors_are_counted_by_text():
    with Server(Counting()) as server:
        done = run(f"""
providers: {{found: {{response: {{}}}}}}
{PATTERN}
endpoints:
  - url: {server.url}/500
    peak_load: 30hps
    expect: {{status: 2xx}}
  - url: {server.url}/200
    peak_load: 30hps
    expect: {{where: "response.body.ok == 7"}}
  - url: {server.url}/201
    peak_load: 30hps
    provides: {{found: {{select: "response.body.ok.deep"}}}}
  - url: {server.url}/202?${{found}}
    peak_load: 1hps
""", "-f", "json")
    errors = {line["url"][-3:]: {e["error"]: e["count"] for e in line["testErrors"]}
              for line in summaries(lines_of(done), "test")}
    equal(errors["500"], {"status 500 is not expected": 30})
    equal(errors["200"], {"'where' of 'expect' is not true": 30})
    equal(errors["201"], {"indexing into json": 30})


def test_timeouts_are_a_column_of_their_own():
    with Server(badserver.silent) as server:
        done = run(f"""
config: {{client: {{request_timeout: 300ms}}}}
{PATTERN}
endpoints:
  - {{url: "{server.url}/", peak_load: 10hps, tags: {{status: "${{response.status}}"}}}}
""", "-f", "json", rc=1)
    (line,) = summaries(lines_of(done), "test")
    # One that is due at the end may be cut off by the drain, which is as long.
    equal(line["requestTimeouts"], done.report["ledger"]["failed"]["timeout"])
    check(line["requestTimeouts"] >= 5 and line["testErrors"] == [], line)
    equal(line["tags"]["status"], "null")
    check(line["min"] >= 300, "latencies of timeouts are their bound:", line)
    equal([json.loads(text)["type"] for text in done.err.splitlines()][-1], "end")


def test_thresholds_decide_the_exit_code():
    text = PATTERN + "thresholds:\n"
    for check_text, code, met in (("requests >= 50", 0, True), ("errors < 1", 0, True),
                                  ("p99.9 < 100s", 0, True), ("error_rate > 1%", 99, False),
                                  ("{check: 'p50 < 100s', tags: {status: '4*'}}", 99, False),
                                  ("{check: 'requests >= 50', tags: {status: '2*'}}", 0, True)):
        with Server(Counting()) as server:
            done = run(text + f"""  - {check_text}
endpoints:
  - url: {server.url}/200
    peak_load: 50hps
    tags: {{status: "${{response.status}}"}}
""", rc=code)
        (outcome,) = done.report["thresholds"]
        equal(outcome["met"], met, check_text)
        check(("NOT MET" in done.out) != met, "the line:", done)


def test_results_go_where_they_should():
    with Server(Counting()) as server:
        text = f"{PATTERN}endpoints: [{{url: '{server.url}/200', peak_load: 10hps}}]\n"
        here = lib.temp_path("deep/er")
        run(text, "-d", here, rc=0, name="my.test.yaml")
        (name,) = os.listdir(here)
        check(re.fullmatch(r"stats-my\.test-\d+\.json", name), name)
        run(text, "--results-directory", here, "-o", "own.json", rc=0)
        first = json.loads(lib.read_file(os.path.join(here, "own.json")).splitlines()[0])
        check("crc" in first, first)
        run(text, "-d", here, "-o", "pew.json", "-s", "json", rc=0)
        half = "config: {general: {bucket_size: 500ms}}\n" + text
        run(half, "-d", here, "-o", "half.json", "--stats-format", "pewpew", rc=1)
    check(lib.read_file(os.path.join(here, "pew.json")).startswith('{"test":'), "pewpew's form")
    blocked = lib.write_file("file", b"")
    done = run(text, "-d", os.path.join(blocked, "x"), rc=74)
    check("cannot make the directory" in done.err or "is no directory" in done.err, done)


def test_a_run_may_begin_in_the_middle():
    seen = Counting()
    with Server(seen) as server:
        done = run(f"""
config: {{general: {{workers: 2}}, client: {{max_connections: 4}}}}
load_pattern: [{{linear: {{from: 0%, to: 100%, over: 2s}}}}]
endpoints:
  - {{url: "{server.url}/200", peak_load: 100hps}}
  - {{url: "{server.url}/201", peak_load: 10hps, load_pattern: [{{linear: {{from: 100%, to: 100%, over: 1s}}}}]}}
""", "-t", "1s", rc=0)
    # 0 to 100 per second in 2 s has 100 hits, 25 of them in the first second.
    equal(seen.counts, {"/200": 75})
    check(abs(done.report["duration_s"] - 1) < 0.001, done.report["duration_s"])
    check(abs(done.report["rate"]["asked_per_s"] - 75) < 0.01, done.report["rate"])
    done = run("endpoints: [{url: 'http://127.0.0.1:9/', peak_load: 1hps}]\n" + PATTERN,
               "--start-at=1s", rc=64)
    check("is not before the end of the load pattern, 1.00 s" in done.err, done)


def test_lines_that_are_wrong_are_refused():
    path = lib.write_file("test.yaml", b"endpoints: []\n")
    for args in (["-f", "xml"], ["-t", "soon"], ["-s", "csv"], ["-o"], ["-f", "json", "--json", "-"],
                 ["-w"], ["--io", "none"]):
        equal(lib.pelt("run", path, *args).rc, 64, args)
    done = lib.pelt("run", path, "-f", "json", rc=1)
    last = json.loads(done.err.splitlines()[-1])
    equal(last["type"], "fatal")
    path = lib.write_file("test.yaml", b"loggers: {l: {to: stderr}}\nendpoints: [{url: 5}]\n")
    lines = [json.loads(line) for line in lib.pelt("run", path, "-f", "json", rc=1).err.splitlines()]
    equal({line["type"] for line in lines}, {"fatal"}, lines)
    check(lines[0]["msg"].startswith(path + ":2:"), lines)


def test_a_reader_that_goes_away_does_not_stop_a_run():
    with Server(Counting()) as server:
        path = lib.write_file("test.yaml", (f"""
config: {{general: {{bucket_size: 100ms}}}}
{PATTERN}
endpoints: [{{url: "{server.url}/200", peak_load: 50hps}}]
""").encode())
        report = lib.temp_path("report.json")
        ours, theirs = os.pipe()
        process = lib.start("run", path, "--json", report, stdout=theirs)
        os.close(theirs)
        os.read(ours, 1)
        os.close(ours)
        done = process.wait(lib.SLACK_S)
        equal(done.rc, 0)
        lib.load_report(done, report)
        equal(done.report["ledger"]["ok"], 50)


def test_stdout_that_is_full_is_told():
    with Server(Counting()) as server, open("/dev/full", "w") as full:
        path = lib.write_file("test.yaml", (PATTERN + f"""
endpoints: [{{url: "{server.url}/200", peak_load: 10hps}}]
""").encode())
        done = lib.start("run", path, stdout=full).wait(lib.SLACK_S)
    equal(done.rc, 74)
    check("No space left" in done.err, done)


def test_waits_for_values_are_counted():
    with Server(Counting()) as server:
        done = run(f"""
providers: {{found: {{response: {{}}}}}}
{PATTERN}
endpoints:
  - {{url: "{server.url}/200", peak_load: 4hps, provides: {{found: {{select: "1"}}}}}}
  - {{url: "{server.url}/201?${{found}}", peak_load: 100hps}}
  - {{url: "{server.url}/202", peak_load: 100hps}}
""", "-f", "json", rc=0)
    lines = summaries(lines_of(done), "test")
    (waiting,) = [line for line in lines if "/201?" in line["url"]]
    (free,) = [line for line in lines if "/202" in line["url"]]
    check(1 <= waiting["waitCount"] <= waiting["callCount"] <= 4, waiting)
    # From the hit that was due first: a quarter of a second each, about.
    check(waiting["waited"] >= 10 * waiting["waitCount"], waiting)
    equal(waiting["testErrors"],
          [{"error": "waited for provider `found`", "count": waiting["waitCount"]}])
    equal((free["waitCount"], free["waited"], free["testErrors"]), (0, 0, []))


def test_too_many_groups_are_counted_as_other():
    with Server(Counting()) as server:
        done = run(f"""
providers: {{n: {{range: {{}}}}}}
{PATTERN}
endpoints:
  - url: {server.url}/200
    peak_load: 1200hps
    tags: {{n: "${{n}}"}}
""", "-f", "json", rc=0)
    calls = by_tag(lines_of(done), "n")
    ok = done.report["ledger"]["ok"]
    equal((len(calls), sum(calls.values())), (1001, ok), "groups, and calls in all of them")
    equal(calls[None], ok - 1000, "calls of others")
    warnings = [json.loads(line)["msg"] for line in done.err.splitlines()]
    equal(len([text for text in warnings if "more than 1,000 groups" in text]), 1, warnings)


def wide(url, bucket, over):
    """Fifty groups whose tags are 60 KB each."""
    tags = "".join(f", w{number}: '{'x' * 1000}'" for number in range(60))
    return f"""
config: {{general: {{bucket_size: {bucket}, workers: 1}}}}
providers: {{n: {{range: {{start: 0, end: 49, repeat: true}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: {over}}}}}]
endpoints: [{{url: "{url}/200", peak_load: 500hps, tags: {{n: "${{n}}"{tags}}}}}]
"""


def test_large_buckets_are_not_lost():
    with Server(Counting()) as server:
        done = run(wide(server.url, "500ms", "1s"), "-f", "json", rc=0)
    lines = lines_of(done)
    check(len(done.out) > 4 << 20, "a bucket and the totals:", len(done.out))
    equal(sum(line["callCount"] for line in summaries(lines, "bucket")),
          sum(line["callCount"] for line in summaries(lines, "test")), "calls of buckets")


def test_buckets_that_nobody_reads_are_left_away_and_told():
    with Server(Counting()) as server:
        path = lib.write_file("test.yaml", wide(server.url, "100ms", "3s").encode())
        report, results = lib.temp_path("report.json"), lib.temp_path("results.json")
        ours, theirs = os.pipe()
        process = lib.start("run", path, "--json", report, "-o", results, "-f", "json",
                            stdout=theirs)
        os.close(theirs)
        # Each of them is 3 MB, and there is room for 16 MiB.
        lib.wait_until(lambda: os.path.exists(results) and
                       lib.read_file(results).count('"type":"bucket"') > 20, "no buckets came")
        with open(ours, "rb") as stdout:
            lines = [json.loads(line) for line in stdout]
        done = process.wait(lib.SLACK_S)
    equal(done.rc, 74)
    check(re.search(r"\d+ buckets are not on stdout", done.err), done.err)
    lib.load_report(done, report)
    equal(sum(line["callCount"] for line in summaries(lines, "test")),
          done.report["ledger"]["ok"], "totals, which are never left away")
    check(sum(line["callCount"] for line in summaries(lines, "bucket")) <
          done.report["ledger"]["ok"], "buckets")


def test_an_interrupted_run_prints_its_totals():
    """In both forms, and thresholds do not hide that it was interrupted."""
    for form in ("human", "json"):
        seen = Counting()
        with Server(seen) as server:
            path = lib.write_file("test.yaml", f"""
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 1m}}}}]
thresholds: [errors > 5]
endpoints: [{{url: "{server.url}/200", peak_load: 100hps}}]
""".encode())
            report = lib.temp_path("report.json")
            process = lib.start("run", path, "--json", report, "-f", form)
            lib.wait_until(lambda: seen.counts.get("/200", 0) > 20, "no requests came")
            process.signal(signal.SIGINT)
            done = process.wait(lib.SLACK_S)
        equal(done.rc, 130)
        lib.load_report(done, report)
        ok = done.report["ledger"]["ok"]
        check(ok > 20, done)
        if form == "json":
            equal([line["callCount"] for line in summaries(lines_of(done), "test")], [ok])
            equal(json.loads(done.err.splitlines()[-1]), {"type": "end", "msg": "interrupted"})
        else:
            check(f"calls     {ok}: 200 x {ok}" in done.out, done)
            check("errors > 5: NOT MET (0)" in done.out, done)
