"""Data files of providers that are not there, are something else, are changed while they are read,
are huge, or hold what cannot be read: each ends a test with its reason, or does it no harm."""

import os
import stat
import threading

import lib
from badserver import Server, good
from lib import check, equal

LINES = 8000
WIDTH = 1000  # Bytes of a line, its end included: more than are read ahead, together.


def line(number):
    return b"%06d" % number + b"x" * (WIDTH - 7) + b"\n"


class Ids:
    """A server that keeps the numbers that it is asked for, and calls `act` once some have come."""

    def __init__(self, after=0, act=None):
        self.lock = threading.Lock()
        self.ids = []
        self.after = after
        self.act = act

    def __call__(self, conn):
        while True:
            request = conn.request()
            with self.lock:
                self.ids.append(request.target.partition("=")[2])
                if self.act and len(self.ids) == self.after:
                    self.act()
            conn.respond()


def write(url, path, over="1s", peak="500hps", more=""):
    """A test file that sends the first six characters of every line."""
    return lib.write_file("test.yaml", f"""
providers: {{v: {{file: {{path: {path}{more}}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: {over}}}}}]
endpoints:
  - url: {url}/?id=${{substr(v, 0, 6)}}
    peak_load: {peak}
""")


def run(server, path, **how):
    report = lib.temp_path("report.json")
    done = lib.pelt("run", write(server.url, path, **how), "--json", report)
    return lib.load_report(done, report)


def test_files_that_are_none_are_refused():
    fifo, loop = lib.temp_path("fifo"), lib.temp_path("loop")
    os.mkfifo(fifo)
    os.symlink(loop, loop)
    for path, reason in (("missing.txt", "No such file"), (lib.temp_dir(), "irectory"),
                         (fifo, "a pipe"), (loop, "symbolic links"), ("/dev/null", "a device")):
        for more in ("", ", random: true"):
            done = lib.pelt("run", write("http://127.0.0.1:9", path, more=more), rc=1)
            check(reason in done.err, "reason:", done)


def test_a_file_that_may_not_be_read_is_refused():
    if os.geteuid() == 0:
        raise lib.Skip("root may read all files")
    path = lib.write_file("secret.txt", b"x\n")
    os.chmod(path, 0)
    done = lib.pelt("run", write("http://127.0.0.1:9", path), rc=1)
    check("Permission denied" in done.err and "secret.txt" in done.err, "reason:", done)


def assert_all(ids, count):
    equal(sorted(ids), [f"{number:06}" for number in range(count)], "values")


def is_read_on(act):
    """`act` is called with the file's path while it is read, and makes no difference."""
    path = lib.write_file("data.txt", b"".join(line(n) for n in range(LINES)))
    seen = Ids(3, lambda: act(path))
    with Server(seen) as server:
        done = run(server, path, over="2s")
    equal(done.rc, 0, done)
    # More than was read before; a first value may come too late for the first hits.
    check(len(seen.ids) > 600, "values:", len(seen.ids))
    assert_all(seen.ids, done.report["ledger"]["ok"])


def test_a_file_that_is_removed_is_read_on():
    is_read_on(os.unlink)


def test_a_file_that_is_replaced_is_read_on():
    other = lib.write_file("other.txt", b"wrong\n" * 1000000)
    is_read_on(lambda path: os.rename(other, path))


def test_a_file_that_is_cut_short_has_ended():
    """What was read already is still sent, and nothing twice; then there are no more values."""
    path = lib.write_file("data.txt", b"".join(line(n) for n in range(LINES)))
    seen = Ids(3, lambda: os.truncate(path, 0))
    with Server(seen) as server:
        done = run(server, path, over="30s", peak="1000hps")
    equal((done.rc, done.report["end"]), (2, "providers"), done)
    ids = sorted(word for word in seen.ids if len(word) == 6)
    check(3 <= len(ids) < LINES and len(seen.ids) - len(ids) <= 1, "values:", len(seen.ids))
    assert_all(ids, len(ids))


def test_a_file_that_grows_is_read_as_it_is():
    """What is added is sent or not, in order, once, and whole."""
    path = lib.write_file("data.txt", b"".join(line(n) for n in range(20)))

    def grow():
        with open(path, "ab") as file:
            file.write(b"".join(line(n) for n in range(20, 40)))

    seen = Ids(3, grow)
    with Server(seen) as server:
        done = run(server, path, over="30s", peak="100hps")
    equal((done.rc, done.report["end"]), (2, "providers"), done)
    check(len(seen.ids) in (20, 40), "values:", len(seen.ids))
    assert_all(seen.ids, len(seen.ids))


def test_a_byte_order_mark_is_no_part_of_the_first_record():
    mark, seen = b"\xef\xbb\xbf", Ids()
    for content, more in ((b"one\ntwo\n", ""), (b'"one" "two"', ", format: json"),
                          (b"id\none\ntwo\n", ", format: csv, csv: {headers: true}")):
        expression = "v.id" if "csv" in more else "v"
        for order in ("", ", repeat: true", ", random: true"):
            seen.ids.clear()
            path = lib.write_file("data.txt", mark + content)
            with Server(seen) as server:
                done = lib.pelt("run", lib.write_file("test.yaml", f"""
providers: {{v: {{file: {{path: {path}{more}{order}}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 400ms}}}}]
endpoints: [{{url: "{server.url}/?id=${{{expression}}}", peak_load: 10hps}}]
"""), rc=0)
            equal(sorted(seen.ids), sorted(["one", "two"] * (2 if "repeat" in order else 1)), done)
    done = lib.pelt("run", write("http://127.0.0.1:1", lib.write_file("mark.txt", mark)), rc=1)
    check("nothing was answered" in done.out, "an empty file:", done)


def test_a_last_line_needs_no_end():
    path = lib.write_file("data.txt", b"000000\r\n000001\n000002")
    seen = Ids()
    with Server(seen) as server:
        done = run(server, path, over="30s", peak="100hps")
    equal(done.rc, 2, done)
    assert_all(seen.ids, 3)


def test_two_workers_share_the_lines_of_a_file():
    """A rate that is too much for one worker, so that both send values of the same provider."""
    count = 20000 if lib.LIGHT else 45000
    path = lib.write_file("data.txt", b"".join(b"%06d\n" % n for n in range(count)))
    ids = lib.temp_path("ids")
    text = """
config: {{general: {{workers: 2}}, client: {{max_connections: 64}}}}
providers: {{v: {{file: {{path: {path}, parse: false{more}}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 10s}}}}]
endpoints: [{{url: "{url}/", peak_load: 45000hps, headers: {{X-Request-Id: "${{v}}"}}}}]
"""
    for more in ("", ", random: true"):
        with lib.target("--log-ids", ids) as server:
            file = lib.write_file("test.yaml", text.format(path=path, more=more, url=server.url))
            report = lib.temp_path("report.json")
            done = lib.pelt("run", file, "--json", report, rc=2)
            lib.load_report(done, report)
        seen = [row.split() for row in lib.read_file(ids).splitlines()]
        equal(done.report["ledger"]["ok"], count, done)
        equal({status for _, status in seen}, {"200"})
        assert_all([word for word, _ in seen], count)
        os.unlink(ids)


def make_huge(path, ends):
    """10 GiB of nothing on disk, with these many line ends, evenly."""
    size = 10 << 30
    with open(path, "wb") as file:
        file.truncate(size)
        for number in range(ends):
            start = number * (size // ends)
            os.pwrite(file.fileno(), b"%06d" % number, start)
            os.pwrite(file.fileno(), b"\n", start + size // ends - 1)
    check(os.stat(path).st_blocks * 512 < size // 10, "the file system knows no holes")


def test_a_file_of_10_gb_takes_little_memory():
    path = lib.temp_path("huge.txt")
    make_huge(path, 20480)  # Lines of 512 KiB.
    seen = Ids()
    with Server(seen) as server:
        done = run(server, path, over="2s", peak="50hps")
    os.unlink(path)
    equal(done.rc, 0, done)
    check(len(seen.ids) > 20, "values:", len(seen.ids))
    assert_all(seen.ids, done.report["ledger"]["ok"])
    check(lib.INSTRUMENTED or done.rss_kib < 256 << 10, "memory:", done.rss_kib, "KiB")


def test_a_line_of_10_gb_ends_the_test():
    path = lib.temp_path("huge.txt")
    make_huge(path, 1)
    with Server(good) as server:
        done = run(server, path, over="30s")
    os.unlink(path)
    equal((done.rc, done.report["end"]), (1, "broken"), done)
    check("huge.txt', line 1: it is larger than 16 MiB" in done.err, "reason:", done)
    check(lib.INSTRUMENTED or done.rss_kib < 256 << 10, "memory:", done.rss_kib, "KiB")


def test_bad_records_end_the_test_with_their_line():
    right = b'{"a": 1}\n' * 2
    rows = (("json", "", right + b"{\"a\": }\n", "line 3: "),
            ("json", "", right + b"[1, 2", "line 3: "),
            ("json", "", right + b'"\xff"\n', "line 3: the text is not UTF-8"),
            ("line", "", b"a\nb\n\xff\n", "line 3: it is not UTF-8"),
            ("csv", "", b"1,2\n3,4\n5\n", "line 3: it has more or fewer columns"),
            ("csv", "", b'1,2\n3,"4\n', "line 2: a quote is not closed"),
            ("csv", ", csv: {headers: true}", b"a,b,a\n1,2,3\n", "line 1: two columns"))
    for kind, more, data, reason in rows:
        path = lib.write_file("bad.txt", data)
        for order in ("", ", random: true"):
            with Server(good) as server:
                file = write(server.url, path, "30s", "100hps", f", format: {kind}{more}{order}")
                done = lib.pelt("run", file, rc=1)
            check(f"bad.txt', {reason}" in done.err, "reason:", reason, done)


def test_a_bad_record_of_a_large_file_in_random_order_has_its_line():
    record = b'"' + b"x" * (1 << (16 if lib.INSTRUMENTED else 20)) + b'"\n'
    path = lib.write_file("bad.txt", record * 40 + b'{"a": }\n' + record * 26)
    with Server(good) as server:
        file = write(server.url, path, "30s", "500hps", ", format: json, random: true")
        done = lib.pelt("run", file, rc=1)
    check("bad.txt', line 41: " in done.err, "line:", done)


def test_an_empty_file_ends_the_test_at_once():
    for more in ("", ", repeat: true", ", random: true", ", random: true, repeat: true"):
        path = lib.write_file("empty.txt", b"")
        with Server(good) as server:
            done = run(server, path, over="30s", more=more)
        # Nothing at all was answered, which is an error, whatever else it is.
        check(done.rc in (1, 2) and done.report["ledger"]["started"] == 0, more, done)
        check(stat.S_ISREG(os.stat(path).st_mode), "the file is gone")
