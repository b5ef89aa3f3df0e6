"""What is written beside the report: the series, histogram logs, a row per request."""

import base64
import csv
import json
import os
import shutil
import signal
import struct
import subprocess
import time
import zlib

import badserver
import lib
import results
from badserver import Server
from lib import check, equal

READER = "hdr-histogram-js@3.0.1"  # Somebody else's reader of histogram logs.


def rows_of(path):
    """The rows of a file of comma-separated values, which must be as RFC 4180 has them."""
    text = lib.read_file(path, "rb").decode()
    check(text.endswith("\r\n"), "the last row is not whole:", repr(text[-200:]))
    equal(text.count("\n"), text.count("\r\n"), "line ends")
    return list(csv.DictReader(text.splitlines(), strict=True))


def number(cell):
    return float(cell) if cell else None


def decode(text):
    """The counts by bucket of a compressed V2 histogram, as {lowest value: count}."""
    packed = base64.b64decode(text, validate=True)
    cookie, length = struct.unpack_from(">II", packed)
    equal((hex(cookie), length), ("0x1c849314", len(packed) - 8), "compressed head")
    plain = zlib.decompress(packed[8:])
    head = struct.unpack_from(">IIIIQQd", plain)
    equal(head, (0x1C849313, len(plain) - 40, 0, 3, 1, 2**45 - 1, 1.0), "head")
    return results.counts_of(plain, 40)


def read_log(path):
    """The intervals of a histogram log by tag: (start, length, max, counts)."""
    lines = lib.read_file(path).splitlines()
    check("#[Histogram log format version 1.3]" in lines, "no version:", lines[:5])
    for name in ("BaseTime", "StartTime"):
        check(any(line.startswith(f"#[{name}: ") for line in lines), f"no {name}:", lines[:5])
    legend = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'
    check(legend in lines, "no legend:", lines[:6])
    tags = {}
    for line in lines:
        if line.startswith(("#", '"')):
            continue
        tag, start, length, most, text = line.split(",")
        check(tag.startswith("Tag="), "no tag:", line[:100])
        interval = (float(start), float(length), float(most), decode(text))
        tags.setdefault(tag[4:], []).append(interval)
    return tags


def percentile(counts, share):
    total, seen = sum(counts.values()), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= share * total:
            return value
    return None


def test_the_series_as_rows():
    path = lib.temp_path("run.csv")
    with Server(badserver.slow(0.002)) as server:
        args = ("-c", 4, "-R", 200, "-d", "2500ms", "--warmup", "1s", "--csv", path)
        run = lib.load(server.url + "/", *args, rc=0)
    rows, samples = rows_of(path), run.report["series"]
    equal(len(rows), len(samples), "rows")
    at = 0.0
    for row, sample in zip(rows, samples):
        check(abs(float(row["t_s"]) - sample["t_s"]) <= 1e-6, row, sample)
        check(abs(float(row["t_s"]) - float(row["length_s"]) - at) <= 2e-6, "a hole:", row)
        at = float(row["t_s"])
        equal(row["part"], sample.get("part", "span"), "part")
        for key in ("answered", "failed", "shed", "open"):
            equal(int(row[key]), sample[key], key)
        for key in ("asked_per_s", "achieved_per_s", "lateness_p99_us"):
            equal(number(row[key]), sample.get(key), key)
        for which in ("from_due", "from_sent"):
            for name in ("p50", "p99", "max"):
                wanted = sample.get(f"{which}_us", {}).get(name)
                equal(number(row[f"{which}_{name}_us"]), wanted, f"{which} {name}")
    check(rows[0]["part"] == "warmup" and rows[0]["from_due_p50_us"] == "", "warm-up:", rows[0])


def test_the_histogram_log_holds_what_the_report_does():
    path = lib.temp_path("run.hdr")
    with Server(badserver.slow(0.002)) as server:
        run = lib.load(server.url + "/", "-c", 4, "-d", "2500ms", "--hdr", path, rc=0)
    tags = read_log(path)
    equal(sorted(tags), ["from_due", "from_sent"], "tags")
    for tag, intervals in tags.items():
        latency = run.report["latency_us"][tag]
        counts, at = {}, 0.0
        for start, length, most, one in intervals:
            check(abs(start - at) <= 0.002, "a hole:", start, at)
            at = start + length
            check(not one or max(one) <= most * 1e6 <= max(one) * 1.001 + 1000, "max:", most, one)
            for value, count in one.items():
                counts[value] = counts.get(value, 0) + count
        equal(sum(counts.values()), latency["count"], f"{tag}: count")
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            got = percentile(counts, share) / 1e3
            check(abs(got - latency[name]) <= 0.001 * latency[name], tag, name, got, latency)
    check(len(tags["from_due"]) >= 3, "an interval per second:", len(tags["from_due"]))


def need_reader():
    """The directory in which node finds the reader; it is fetched once, below build/."""
    node, npm = lib.need_tool("node"), lib.need_tool("npm")
    home = os.path.join(lib.ROOT, "build", "node")
    if not os.path.exists(os.path.join(home, "node_modules", READER.partition("@")[0])):
        tried = home + f".{os.getpid()}"
        argv = [npm, "install", "--prefix", tried, "--no-audit", "--no-fund", "--silent", READER]
        os.makedirs(tried, exist_ok=True)
        try:
            done = subprocess.run(argv, check=False, capture_output=True, timeout=100)
        except subprocess.TimeoutExpired:
            done = None
        if done is None or done.returncode != 0:
            shutil.rmtree(tried, ignore_errors=True)
            raise lib.Skip(f"npm cannot install {READER} here")
        shutil.rmtree(home, ignore_errors=True)
        try:
            os.rename(tried, home)
        except OSError:  # Another run was faster.
            shutil.rmtree(tried, ignore_errors=True)
    return node, home


SCRIPT = """
const hdr = require("hdr-histogram-js");
const log = new hdr.HistogramLogReader(require("fs").readFileSync(process.argv[2], "utf8"), 64);
const intervals = [];
for (let h = log.nextIntervalHistogram(); h != null; h = log.nextIntervalHistogram()) {
    intervals.push({tag: h.tag, count: h.totalCount, max: h.maxValue, p50: h.getValueAtPercentile(50),
                    p99: h.getValueAtPercentile(99), from: h.startTimeStampMsec,
                    until: h.endTimeStampMsec});
}
console.log(JSON.stringify(intervals));
"""


@lib.seconds(150)
def test_the_histogram_log_is_read_by_others():
    node, home = need_reader()
    path = lib.temp_path("run.hdr")
    with Server(badserver.slow(0.002)) as server:
        args = ("-c", 4, "-R", 300, "-d", "2200ms", "--warmup", "1s", "--hdr", path)
        run = lib.load(server.url + "/", *args, rc=0)
    script = lib.write_file("read.js", SCRIPT)
    env = {**os.environ, "NODE_PATH": os.path.join(home, "node_modules")}
    argv = [node, script, path]
    read = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=30, env=env)
    check(read.returncode == 0, "not read:", read.stderr)
    intervals = json.loads(read.stdout)
    samples = run.report["series"]
    for tag in ("from_due", "from_sent"):
        mine = [interval for interval in intervals if interval["tag"] == tag]
        equal(len(mine), len(samples), f"{tag}: intervals")
        equal(sum(i["count"] for i in mine), run.report["latency_us"][tag]["count"], f"{tag}: count")
        equal(mine[0]["count"], 0, "of the warm-up")
        for interval, sample in zip(mine, samples):
            latency = sample.get(f"{tag}_us")
            if latency is None:
                equal(interval["count"], 0, f"{tag}: {sample}")
                continue
            for name in ("p50", "p99", "max"):
                got, wanted = interval[name] / 1e3, latency[name]
                check(abs(got - wanted) <= 0.002 * wanted, tag, name, interval, latency)
        span = (mine[-1]["until"] - mine[0]["from"]) / 1e3
        check(abs(span - samples[-1]["t_s"]) <= 0.01, "time:", span, samples[-1])


def test_what_was_written_stays_when_pelt_is_killed():
    paths = lib.temp_path("run.csv"), lib.temp_path("run.hdr")
    with Server(badserver.slow(0.002)) as server:
        argv = ("-c", 2, "-d", "60s", "--csv", paths[0], "--hdr", paths[1], server.url + "/")
        process = lib.start(*argv)

        def rows():
            return lib.read_file(paths[0]).count("\n") if os.path.exists(paths[0]) else 0

        lib.wait_until(lambda: rows() >= 3, "two rows")
        process.signal(signal.SIGKILL)
        process.wait(lib.SLACK_S)
    check(len(rows_of(paths[0])) >= 2, "rows")
    check(len(read_log(paths[1])["from_due"]) >= 1, "intervals")


def test_files_keep_what_they_hold_when_there_is_no_run():
    for option in ("--csv", "--hdr", "--requests-out", "--json"):
        path = lib.write_file("kept", "what it holds")
        lib.pelt(option, path, "-d", "1s", "http://no-such-host.invalid/", rc=1)
        equal(lib.read_file(path), "what it holds", option)


def test_a_full_disk_spoils_one_file_and_no_other():
    if not os.path.exists("/dev/full"):
        raise lib.Skip("there is no /dev/full")
    names = {"--csv": "csv", "--hdr": "hdr", "--requests-out": "requests", "--json": "json"}
    with Server(badserver.good) as server:
        for full in names:
            args, paths = [], {}
            for option, name in names.items():
                paths[option] = "/dev/full" if option == full else lib.temp_path(name)
                args += [option, paths[option]]
            run = lib.pelt("-q", "-c", 2, "-n", 321, *args, server.url + "/", rc=74)
            equal(run.err.count("\n"), 1, f"lines on stderr: {run.err}")
            check("'/dev/full'" in run.err and "No space left" in run.err, run)
            check("321" in run.out, "the report for people is lost:", run)
            if full != "--csv":
                equal(sum(int(row["answered"]) for row in rows_of(paths["--csv"])), 321, full)
            if full != "--hdr":
                log = read_log(paths["--hdr"])["from_sent"]
                equal(sum(sum(counts.values()) for *_, counts in log), 321, full)
            if full != "--requests-out":
                equal(len(rows_of(paths["--requests-out"])), 321, full)
            if full != "--json":
                equal(json.loads(lib.read_file(paths["--json"]))["ledger"]["ok"], 321, full)


def test_a_row_per_request():
    path = lib.temp_path("requests.csv")

    def respond(conn, request):
        if conn.requests == 3:
            conn.reset()
        conn.respond(body=b"x" * (10 * conn.requests), status=200 + conn.requests)

    with Server(badserver.each(respond)) as server:
        url = server.url + "/a,b"
        run = lib.load(url, "-c", 3, "-t", 2, "-n", 300, "--requests-out", path, rc=0)
        equal(server.connections, run.report["connections"]["opened"], "connections")
    rows, ledger = rows_of(path), run.report["ledger"]
    equal(run.report["requests_out"], {"rows": 300, "not_written": 0}, "in the report")
    equal(len(rows), 300, "rows")
    results = {}
    for row in rows:
        results[row["result"]] = results.get(row["result"], 0) + 1
    equal(results, {**run.report["status"], **run.failed()}, "results")
    uses = {}
    for row in rows:
        equal(row["url"], url, "url")
        due, sent, done = (float(row[key]) for key in ("due_us", "sent_us", "done_us"))
        check(0 <= due <= sent <= done, "order of time:", row)
        if row["first_byte_us"]:
            check(sent <= float(row["first_byte_us"]) <= done, "first byte:", row)
        key = (row["worker"], row["connection"])
        uses.setdefault(key, []).append(row)
        if row["result"].isdigit():
            check(row["first_byte_us"], "answered without a first byte:", row)
            equal(int(row["body_bytes"]), 10 * len(uses[key]), row)
    # Rows are in the order in which requests ended, and so are those of each connection.
    equal(sorted(rows, key=lambda row: float(row["done_us"])), rows, "order")
    equal(len(uses), run.report["connections"]["opened"], "connections")
    for key, mine in uses.items():
        wanted = ["201", "202", "reset_before_response"][: len(mine)]
        equal([row["result"] for row in mine], wanted, f"connection {key}")
    equal(sum(1 for row in rows if not row["result"].isdigit()), sum(ledger["failed"].values()))


def test_rows_of_requests_that_found_no_connection():
    path = lib.temp_path("requests.csv")
    with lib.closed_port() as port:
        args = ("-d", "300ms", "-c", 2, "--requests-out", path)
        run = lib.load(f"http://127.0.0.1:{port}/", *args, rc=1)
    rows = rows_of(path)
    equal(len(rows), run.failed()["connect_refused"], "rows")
    for row in rows:
        equal(row["result"], "connect_refused", "result")
        equal((row["sent_us"], row["first_byte_us"], row["connection"]), ("", "", ""), f"{row}")


def test_rows_beyond_the_bound_are_counted():
    path = lib.temp_path("requests.csv")
    with Server(badserver.good) as server:
        args = ("-c", 4, "-t", 2, "-n", 500, "--requests-out", path, "--requests-out-max", 101)
        run = lib.load(server.url + "/", *args, rc=0)
    equal(len(rows_of(path)), 101, "rows")
    equal(run.report["requests_out"], {"rows": 101, "not_written": 399}, "in the report")
    check("101 rows" in run.out and "399 more not written" in run.out, "not said:", run)


def test_rows_have_the_warm_up_and_the_first_byte_of_answers_in_pieces():
    path = lib.temp_path("requests.csv")

    def behave(conn):
        while True:
            conn.request()
            conn.count_answer()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
            time.sleep(0.01)
            conn.send(b"b")

    with Server(behave) as server:
        args = ("-c", 1, "-R", 40, "-d", "1s", "--warmup", "500ms", "--requests-out", path)
        run = lib.load(server.url + "/", *args, rc=0)
    rows = rows_of(path)
    equal(len(rows), run.ok(), "rows")
    gaps = [float(row["done_us"]) - float(row["first_byte_us"]) for row in rows]
    check(max(gaps) >= 5_000, "body:", gaps)  # We may see a first byte late, but not always.
    check(float(rows[0]["due_us"]) < 500_000 < float(rows[-1]["due_us"]), "due:", rows[0])
