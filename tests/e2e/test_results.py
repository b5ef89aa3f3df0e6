"""The results file of `pelt run`: its figures are the server's, and what was closed is readable
after a crash, a cut at any byte, and a disk that was full. The reader follows docs/results.md."""

import json
import os
import random
import signal
import subprocess
import time

import badserver
import lib
import results
import schema
from badserver import Server
from lib import check, equal
from test_recording import need_reader

KILLS = int(os.environ.get("PELT_KILLS") or (3 if lib.LIGHT else 12))  # `make kills` has 200.
KILLS_AT_ONCE = 4
FAILING_AT_ONCE = 3 if lib.INSTRUMENTED else 7  # They take gigabytes when instrumented.


class Paths:
    """A server that answers by path, /404 with that status, and counts."""

    def __init__(self):
        self.counts = {}

    def __call__(self, conn):
        while True:
            request = conn.request()
            status = request.target.partition("?")[0].strip("/") or "200"
            self.counts[status] = self.counts.get(status, 0) + 1
            conn.respond(b"hello", status=f"{status} X")


def write_test(url, over="2500ms", size="1s", more="", peak="100hps"):
    """The path of a test file with two endpoints, the second one at a fifth of the rate."""
    text = f"""
config: {{general: {{bucket_size: {size}}}}}
providers: {{ids: {{range: {{}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: {over}}}}}]
endpoints:
  - url: {url}/200?id=${{ids}}
    peak_load: {peak}
    tags: {{status: "${{response.status}}", odd: "${{ids % 2}}"}}
  - url: {url}/404
    peak_load: 20hps
{more}"""
    return lib.write_file("test.yaml", text.encode())


def is_complete(read):
    """Every line is right, and between header and end stand all buckets."""
    equal((read.torn, read.damaged), (0, []), "torn and damaged lines")
    check(read.header and read.end, "no header or no end:", read.lines[:1], read.lines[-1:])
    equal(read.lines[0], read.header, "the first line")
    equal(read.lines[-1], read.end, "the last line")
    equal((len(read.buckets), len(read.groups)), (read.end["buckets"], read.end["groups"]))


def assert_buckets_follow(read):
    """Buckets cover the run without gaps, on the grid, and the ledger closes over each."""
    size, before = read.header["bucket_size"], {"until": 0, "ledger": {"pending": 0, "in_flight": 0}}
    for bucket in read.buckets:
        equal(bucket["from"], before["until"], "a gap before a bucket")
        equal(bucket["time"] % size, 0, "a bucket off the grid")
        old, new = before["ledger"], bucket["ledger"]
        equal(new["due"] + old["pending"],
              new["started"] + sum(new["shed"].values()) + sum(new["missed"].values())
              + new["pending"], "due")
        equal(new["started"] + old["in_flight"],
              new["ok"] + sum(new["failed"].values()) + new["cut_off"] + new["in_flight"], "started")
        before = bucket
    times = [bucket["time"] for bucket in read.buckets]
    equal(times, sorted(set(times)), "times of buckets")


def assert_schema(read):
    root = json.loads(lib.read_file(os.path.join(lib.ROOT, "docs", "results.schema.json")))
    for line in read.lines:
        found = list(schema.errors(line, root["$defs"][line["type"]], root))
        check(not found, f"a line {line['type']}:", *found)


def test_the_schema_has_every_member_that_is_documented_and_no_other():
    root = json.loads(lib.read_file(os.path.join(lib.ROOT, "docs", "results.schema.json")))
    text = lib.read_file(os.path.join(lib.ROOT, "docs", "results.md"))
    for name in root["$defs"]:
        for key in schema.keys(root["$defs"][name], root):
            key = key.rpartition(".")[2]
            if name not in ("ledger", "end", "bucket"):  # Of the ledger docs/report.md has them.
                check(f"`{key}`" in text, f"{name}.{key} is not in docs/results.md")
    golden = lib.read_file(os.path.join(lib.ROOT, "tests", "golden", "results_pelt.json"), "rb")
    read = results.Results(golden)
    is_complete(read)
    assert_schema(read)


def latencies(figures, key):
    return sum(results.decode(figures[key]["hdr"]).values()) if key in figures else 0


def test_the_figures_of_all_buckets_are_those_of_the_server():
    paths, report, out = Paths(), lib.temp_path("report.json"), lib.temp_path("out.json")
    with Server(paths) as server:
        lib.pelt("run", write_test(server.url), "-o", out, "--json", report, rc=0)
    read, report = results.read(out), json.loads(lib.read_file(report))
    is_complete(read)
    assert_schema(read)
    assert_buckets_follow(read)
    equal(read.end["reason"], "duration")
    equal(read.header["test"], "test")
    equal(read.counts("status"), paths.counts, "by status")
    for key in ("due", "ok", "cut_off"):
        equal(sum(b["ledger"][key] for b in read.buckets), report["ledger"][key], key)
    for key in ("due", "started", "ok", "failed"):
        equal(read.end["ledger"][key], report["ledger"][key], f"{key} at the end")
    for tags, figures in read.figures():
        equal(figures["calls"], figures["ok"], "all did well")
        equal(figures["status"], {"404" if "404" in tags["url"] else "200": figures["calls"]})
        for key in ("from_due", "from_sent"):
            equal(latencies(figures, key), figures["calls"], key)
            equal(figures[key]["count"], figures["calls"], key)
    odd = {tags.get("odd") for tags in read.groups.values()}
    equal(odd, {"0", "1", None}, "tags that vary")
    check(all(b["providers"][0]["name"] == "ids" for b in read.buckets), "providers", read.buckets)


def test_failures_are_groups_of_their_own():
    out = lib.temp_path("out.json")
    with Server(badserver.says_and_closes(b"HTTP/1.1 200 OK\r\nContent-Le")) as server:
        lib.pelt("run", write_test(server.url, over="1s"), "-o", out, rc=1)
    read = results.read(out)
    is_complete(read)
    equal(set(read.counts("failed")), {"incomplete"}, "classes")
    equal(read.total("calls"), read.end["ledger"]["failed"]["incomplete"], "calls")
    statuses = {tags["status"] for tags in read.groups.values() if "status" in tags}
    equal(statuses, {"null"}, "status of no answer")


SCRIPT = """
const hdr = require("hdr-histogram-js");
const texts = JSON.parse(require("fs").readFileSync(process.argv[2], "utf8"));
const facts = (h) => ({count: h.totalCount, max: h.maxValue, p50: h.getValueAtPercentile(50)});
console.log(JSON.stringify({
    pelt: texts.pelt.map((text) => facts(hdr.decodeFromCompressedBase64(text))),
    pewpew: texts.pewpew.map((text) => {
        const packed = require("zlib").deflateSync(Buffer.from(text, "base64"));
        const head = Buffer.alloc(8);
        head.writeUInt32BE(0x1c849314, 0);
        head.writeUInt32BE(packed.length, 4);
        return facts(hdr.decodeFromCompressedBase64(
            Buffer.concat([head, packed]).toString("base64")));
    }),
}));
"""


@lib.seconds(150)
def test_histograms_of_both_forms_are_read_by_others():
    node, home = need_reader()
    ours, theirs = lib.temp_path("ours.json"), lib.temp_path("theirs.json")
    with Server(badserver.slow(0.002)) as server:
        lib.pelt("run", write_test(server.url), "-o", ours, rc=0)
        lib.pelt("run", write_test(server.url), "-o", theirs, "--stats-format", "pewpew", rc=0)
    mine = [figures["from_sent"] for _, figures in results.read(ours).figures()]
    others = [entry for one in results.objects(lib.read_file(theirs)) if "entries" in one
              for entry in one["entries"].values()]
    texts = {"pelt": [one["hdr"] for one in mine], "pewpew": [e["rttHistogram"] for e in others]}
    argv = [node, lib.write_file("read.js", SCRIPT), lib.write_file("texts", json.dumps(texts))]
    env = {**os.environ, "NODE_PATH": os.path.join(home, "node_modules")}
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=30, env=env)
    check(done.returncode == 0, "not read:", done.stderr)
    read = json.loads(done.stdout)
    for one, facts in zip(mine, read["pelt"], strict=True):
        equal(facts["count"], one["count"], "count")
        check(abs(facts["max"] - one["max_ns"]) <= one["max_ns"] / 500, "max:", facts, one)
    for entry, facts in zip(others, read["pewpew"], strict=True):
        equal(facts["count"], sum(entry["statusCounts"].values()), "count")
        check(2000 <= facts["p50"] <= 30_000_000, "no microseconds:", facts)


def test_the_form_of_pewpew_is_as_documented():
    paths, out = Paths(), lib.temp_path("out.json")
    with Server(paths) as server:
        lib.pelt("run", write_test(server.url), "-o", out, "-s", "json", rc=0)
    text = lib.read_file(out)
    check("\n" not in text and "crc" not in text, "line ends, or a crc:", text[:300])
    all_objects = list(results.objects(text))
    equal({**all_objects[0], "bin": ""}, {"test": "test", "bin": "", "bucketSize": 1}, "header")
    known, sums = {}, {}
    for one in all_objects[1:]:
        if "tags" in one:
            equal(set(one), {"index", "tags"})
            known[str(one["index"])] = one["tags"]
            continue
        equal(set(one), {"time", "entries"})
        for index, entry in one["entries"].items():
            check(index in known, "a group before its tags:", index)
            equal(set(entry), {"rttHistogram", "statusCounts"}, "what is empty is left out")
            count = sum(results.decode(entry["rttHistogram"]).values())
            equal(count, sum(entry["statusCounts"].values()), "histogram")
            for status, count in entry["statusCounts"].items():
                sums[status] = sums.get(status, 0) + count
    equal(sums, paths.counts, "by status")


def test_a_file_cut_at_any_byte_has_all_lines_before_the_cut():
    out = lib.temp_path("out.json")
    with Server(badserver.good) as server:
        lib.pelt("run", write_test(server.url, over="1s"), "-o", out, rc=0)
    data = lib.read_file(out, "rb")
    whole = results.Results(data)
    is_complete(whole)
    ends, at = [], 0
    for line in data.split(b"\n")[:-1]:
        ends.append(at + len(line))  # Without its line feed it is whole already.
        at += len(line) + 1
    for cut in range(len(data)):
        read = results.Results(data[:cut])
        count = sum(end <= cut for end in ends)
        equal(read.damaged, [], f"cut at {cut}")
        check(read.lines == whole.lines[:count], f"cut at {cut}:", len(read.lines), count)


def test_a_byte_that_is_wrong_costs_its_line_alone():
    out = lib.temp_path("out.json")
    with Server(badserver.good) as server:
        lib.pelt("run", write_test(server.url, over="1s"), "-o", out, rc=0)
    data = lib.read_file(out, "rb")
    count = len(results.Results(data).lines)
    for at in range(0, len(data) - 1, 7):
        if data[at] == ord("\n"):
            continue
        read = results.Results(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        check(len(read.lines) == count - 1, f"byte {at} was changed:", len(read.lines), count)


def read_if_there(path):
    return results.read(path) if os.path.exists(path) else results.Results(b"")


def kill(process, out, what):
    """Kills a run; what was in its file just before must be there after. How many buckets it has."""
    before = read_if_there(out)
    process.signal(signal.SIGKILL)
    process.child.wait(lib.SLACK_S)
    after = read_if_there(out)
    equal(after.damaged, [], what)
    equal(after.lines[: len(before.lines)], before.lines, what)
    equal(after.end, None, f"{what}: an end")
    if after.buckets:
        assert_buckets_follow(after)
    return len(after.buckets)


@lib.seconds(900)
def test_what_was_closed_before_a_kill_is_readable():
    buckets, dice = 0, random.Random()
    with Server(badserver.good) as server:
        path = write_test(server.url, over="60s", peak="20hps")
        for first in range(0, KILLS, KILLS_AT_ONCE):
            runs = []
            for number in range(first, min(first + KILLS_AT_ONCE, KILLS)):
                out, delay_s = lib.temp_path(f"killed.{number}.json"), dice.uniform(0, 3.5)
                process = lib.start("run", path, "-o", out)
                runs.append((time.monotonic() + delay_s, process, out, f"kill after {delay_s} s"))
            for at, *run in sorted(runs, key=lambda run: run[0]):
                time.sleep(max(0.0, at - time.monotonic()))
                buckets += kill(*run)
    print(f"{KILLS} kills, {buckets} buckets read")


def test_a_run_that_is_interrupted_says_so_in_its_last_line():
    out = lib.temp_path("out.json")
    with Server(badserver.good) as server:
        process = lib.start("run", write_test(server.url, over="60s"), "-o", out)
        lib.wait_until(lambda: os.path.exists(out) and results.read(out).buckets, "a bucket")
        process.signal(signal.SIGINT)
        equal(process.wait(lib.SLACK_S).rc, 130)
    read = results.read(out)
    is_complete(read)
    equal(read.end["reason"], "interrupted")


def test_a_test_that_breaks_says_why_in_its_last_line():
    data, out = lib.write_file("data.json", b'{"a": 1}\n{"a" 3}\n'), lib.temp_path("out.json")
    with Server(badserver.good) as server:
        path = lib.write_file("test.yaml", f"""
providers: {{d: {{file: {{path: {data}, format: json}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 2s}}}}]
endpoints: [{{url: "{server.url}/${{d.a}}", peak_load: 50hps}}]
""".encode())
        lib.pelt("run", path, "-o", out, rc=1)
    end = results.read(out).end
    equal(end["reason"], "broken")
    check("line 2" in end["error"], "why:", end)


class SmallDisk:
    """A file system of 64 KiB of which `free` bytes are free until room() is called."""

    def __init__(self, free):
        self.path = lib.temp_path("disk")
        os.mkdir(self.path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", self.path],
                              check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise lib.Skip(f"no tmpfs here: {done.stderr.strip()}")
        self.filler = os.path.join(self.path, "filler")
        with open(self.filler, "wb") as file:
            file.write(bytes(65536 - free))

    def room(self):
        os.unlink(self.filler)

    def end(self):
        subprocess.run(["umount", self.path], check=True)


def said(process, text):
    return lambda: text in lib.read_file(process.err_path)


@lib.own_network()
def test_a_disk_that_is_full_for_a_while_costs_nothing():
    disk, out = SmallDisk(free=12288), "disk/out.json"
    with Server(badserver.good) as server:
        process = lib.start("run", write_test(server.url, over="60s"), "-o", out)
        lib.wait_until(said(process, f"cannot write '{out}': No space left on device"), "a warning")
        disk.room()
        lib.wait_until(said(process, "complete again"), "an end of it")
        process.signal(signal.SIGINT)
        equal(process.wait(lib.SLACK_S).rc, 130)
    read = results.read(lib.temp_path(out))
    is_complete(read)
    assert_buckets_follow(read)
    disk.end()


@lib.own_network()
def test_on_a_disk_that_stays_full_the_end_is_written_and_the_exit_says_so():
    disk, out = SmallDisk(free=12288), "disk/out.json"
    with Server(badserver.good) as server:
        done = lib.pelt("run", write_test(server.url, over="4s"), "-o", out, rc=74)
    check(f"cannot write all results to '{out}': No space left on device" in done.err, done)
    check("answered" in done.out or "200" in done.out, "no report:", done)
    read = results.read(lib.temp_path(out))
    equal((read.torn, read.damaged), (0, []))
    check(read.end, "no end:", done)
    check(len(read.buckets) < read.end["buckets"], "all buckets, on a full disk?", read.end)
    disk.end()


def test_after_an_error_of_the_disk_the_rest_is_in_a_second_part():
    under = [lib.need_strace(), "-f", "-qq", "-o", os.devnull, "-e", "trace=fsync",
             "-e", "inject=fsync:error=EIO:when=2"]  # Of each thread: its second one.
    out = lib.temp_path("out.json")
    with Server(badserver.good) as server:
        path = write_test(server.url, peak="20hps")
        done = lib.pelt("run", path, "-o", "out.json", under=under, rc=74)
    check("its results go on in 'out.json.2'" in done.err, "not told:", done)
    first, second = results.read(out), results.read(out + ".2")
    equal((first.torn, first.damaged, second.torn, second.damaged), (0, [], 0, []))
    equal(first.header, second.header, "headers")
    check(second.end and not first.end, "the end:", first.end, second.end)
    equal(second.groups, {**first.groups, **second.groups}, "groups")
    buckets = {bucket["time"]: bucket for bucket in first.buckets}
    for bucket in second.buckets:
        equal(buckets.setdefault(bucket["time"], bucket), bucket, "a bucket in both")
    equal(len(buckets), second.end["buckets"], "buckets")


def test_errors_of_calls_are_survived():
    """One call on the file fails in each of these runs; all of its buckets are there after it. The
    late ones stand still before it, until all that there is waits to be written with the end."""
    strace = lib.need_strace()
    rows = (  # The call, its error and which one it is; the exit code, how many files there are.
        ("fallocate", "EOPNOTSUPP", "1+", 0, 1),
        ("fallocate", "ENOSPC", "2", 0, 1),
        ("pwrite64", "EINTR", "2", 0, 1),
        ("pwrite64", "ENOSPC", "3", 0, 1),
        ("pwrite64", "EDQUOT", "2", 0, 1),
        ("pwrite64", "EIO", "3", 74, 2),
        ("fsync", "EINTR", "2", 0, 1),
        ("fsync", "ENOSPC", "2", 0, 1),
        ("fsync", "EIO", "1", 74, 2),
        ("ftruncate", "EIO", "1", 74, 2),
        ("fallocate", "ENOSPC", "2", 0, 1, "fsync"),  # The call before it that takes its time.
        ("pwrite64", "ENOSPC", "3", 0, 1, "fsync"),
        ("pwrite64", "EIO", "3", 74, 2, "fsync"),
        ("fsync", "ENOSPC", "3", 0, 1, "pwrite64"),
    )
    with Server(badserver.good) as server:
        path = write_test(server.url, peak="20hps")
        for at in range(0, len(rows), FAILING_AT_ONCE):
            batch = rows[at:at + FAILING_AT_ONCE]
            runs = [start_failing(strace, path, row, f"{at + i}") for i, row in enumerate(batch)]
            for process, row in zip(runs, batch, strict=True):
                survived(process, row)


def start_failing(strace, path, row, directory):
    call, error, when, _, _, *late = row
    out = lib.temp_path(f"{directory}/out.json")
    os.mkdir(os.path.dirname(out))
    under = [strace, "-f", "-qq", "-o", os.devnull, "-P", out, "-e", f"trace={call}",
             "-e", f"inject={call}:error={error}:when={when}"]
    for slow in late:
        under += ["-e", f"trace={call},{slow}", "-e", f"inject={slow}:delay_enter=4000000:when=1"]
    process = lib.start("run", path, "-o", out, under=under)
    process.results_path = out
    return process


def survived(process, row):
    what, rc, files = " ".join(map(str, row)), *row[3:5]
    done, out = process.wait(lib.SLACK_S), process.results_path
    equal(done.rc, rc, f"{what}: {done}")
    equal(len(os.listdir(os.path.dirname(out))), files, f"{what}: files")
    last = results.read(out if files == 1 else out + ".2")
    equal((last.torn, last.damaged), (0, []), what)
    check(last.header and last.end, f"{what}: header and end")
    buckets = {b["time"]: b for b in results.read(out).buckets + last.buckets}
    equal(len(buckets), last.end["buckets"], f"{what}: buckets")
    if files == 1:
        is_complete(last)


def test_a_file_that_may_not_grow_does_not_end_the_run():
    out = lib.temp_path("out.json")
    with Server(badserver.good) as server:
        path = write_test(server.url, over="3s")
        under = ["sh", "-c", 'ulimit -f 10 && exec "$@"', "sh"]  # 5 KiB.
        done = lib.pelt("run", path, "-o", "out.json", "-q", under=under, rc=74)
    check("cannot write all results to 'out.json': File too large" in done.err, done)
    equal(results.read(out).damaged, [])


def test_where_results_go():
    here = lib.temp_dir()
    with Server(badserver.good) as server:
        path = write_test(server.url, over="1s")
        lib.pelt("run", path, rc=0)
        lib.pelt("run", path, "-d", lib.temp_path("a/b/c"), rc=0)
        lib.pelt("run", path, "--results-dir=a", "--stats-file", "mine.json", rc=0)
        lib.pelt("run", path, "-d", "a", "-o", "mine.json", rc=0)
    for directory in (here, os.path.join(here, "a/b/c")):
        names = [name for name in os.listdir(directory) if name.startswith("stats-test-")]
        equal(len(names), 1, f"files in {directory}")
        read = results.read(os.path.join(directory, names[0]))
        is_complete(read)
        equal(names[0].rpartition("-")[2].isdigit(), False)
    is_complete(results.read(os.path.join(here, "a", "mine.json")))  # The second one alone.


def test_results_that_cannot_be_written_cost_no_run():
    path = write_test("http://127.0.0.1:9", size="1500ms")
    lib.write_file("blocked", b"")
    for args, rc, text in (
        (["-d", "blocked"], 74, "cannot make the directory 'blocked': Not a directory"),
        (["-d", "blocked/a"], 74, "cannot make the directory 'blocked/a': Not a directory"),
        (["-o", "nosuch/out.json"], 74, "cannot write 'nosuch/out.json': No such file"),
        (["-o", "."], 74, "Is a directory"),
        (["-s", "xml"], 64, "'--stats-format' wants pelt or pewpew, not 'xml'"),
        (["-o", ""], 64, "'--stats-file' wants a file, not ''"),
        (["-s", "pewpew"], 1, "whole seconds only"),
    ):
        done = lib.pelt("run", path, *args, rc=rc)
        check(text in done.err, "not told:", args, done)
        check("stats-test" not in " ".join(os.listdir(lib.temp_dir())), "a file:", args)
