"""`pelt run`: a test file's requests as the server sees them, its values once each, its errors."""

import json
import os
import urllib.parse

import badserver
import lib
from badserver import Server
from lib import check, equal


class Seen:
    """A server that keeps what it is asked for."""

    def __init__(self):
        self.requests = []

    def __call__(self, conn):
        while True:
            request = conn.request()
            self.requests.append(request)
            conn.respond(b'{"items": [{"id": 7}], "ok": true}')

    def numbers(self, path, key):
        """The values of a query parameter in the order in which they came."""
        return [int(urllib.parse.parse_qs(request.target.partition("?")[2])[key][0])
                for request in self.requests if request.target.startswith(path)]


def run(text, *args, **how):
    """Runs a test file of this text; its report is in `report`."""
    path = lib.write_file("test.yaml", text.encode())
    json = lib.temp_path("report.json")
    done = lib.pelt("run", path, "--json", json, *args, **how)
    lib.load_report(done, json)
    return done


PATTERN = "load_pattern: [{linear: {from: 100%, to: 100%, over: 1s}}]\n"


def test_a_range_arrives_once_and_in_order():
    seen = Seen()
    with Server(seen) as server:
        done = run(f"""
providers: {{ids: {{range: {{start: 1, end: 1000}}}}}}
{PATTERN}
endpoints:
  - url: {server.url}/a?id=${{ids}}
    peak_load: 200hps
    headers: {{X-Next: "n${{ids + 1}}"}}
""", rc=0)
    equal(done.report["ledger"]["due"], 200)
    equal(done.report["ledger"]["ok"], 200)
    equal(sorted(seen.numbers("/a", "id")), list(range(1, 201)))
    headers = [dict(request.headers) for request in seen.requests]
    equal({h["X-Next"] for h in headers}, {f"n{i}" for i in range(2, 202)})


def test_a_run_that_begins_in_the_middle_begins_with_the_first_values():
    seen = Seen()
    with Server(seen) as server:
        run(f"""
providers: {{ids: {{range: {{start: 1}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 2s}}}}]
endpoints: [{{url: "{server.url}/a?id=${{ids}}", peak_load: 50hps}}]
""", "-t", "1s", rc=0)
    equal(sorted(seen.numbers("/a", "id")), list(range(1, 51)))


def test_values_of_a_csv_file_arrive_once_and_the_test_ends_with_them():
    rows = "".join(f'{i},"name ""{i}"""\n' for i in range(50))
    data = lib.write_file("users.csv", ("id,name\n" + rows).encode())
    seen = Seen()
    with Server(seen) as server:
        done = run(f"""
providers:
  users: {{file: {{path: {data}, format: csv, csv: {{headers: true}}}}}}
{PATTERN}
endpoints:
  - method: POST
    url: {server.url}/users?id=${{users.id}}
    body: '{{"name": "${{users.name}}"}}'
    peak_load: 100hps
""")
    equal(sorted(seen.numbers("/users", "id")), list(range(50)))
    equal(done.rc, 0, "a test as short as this one ends at its end")
    bodies = {request.body for request in seen.requests}
    equal(bodies, {b'{"name": "name "%d""}' % i for i in range(50)})
    ledger = done.report["ledger"]
    # A busy machine may see that two requests are due at once when there is one value left.
    missed = ledger["missed"].get("provider", 0)
    equal((ledger["due"], ledger["ok"]), (50 + missed, 50))


def test_a_test_whose_values_run_out_ends_early_and_says_so():
    with Server(badserver.good) as server:
        done = run(f"""
providers: {{ids: {{range: {{start: 1, end: 20}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 60s}}}}]
endpoints:
  - url: {server.url}/?id=${{ids}}
    peak_load: 100hps
""", rc=2)
    equal(done.report["end"], "providers")
    check("ran dry: '" in done.out and done.report["ran_dry"], done)
    ledger = done.report["ledger"]
    missed = ledger["missed"].get("provider", 0)
    equal((ledger["due"], ledger["ok"]), (20 + missed, 20))


def test_one_worker_keeps_the_order_and_two_share_it():
    for workers, peak in ((1, "300hps"), (2, "300hps")):
        seen = Seen()
        with Server(seen) as server:
            run(f"""
config: {{general: {{workers: {workers}}}, client: {{max_connections: 2}}}}
providers: {{ids: {{range: {{}}}}}}
{PATTERN}
endpoints:
  - url: {server.url}/a?id=${{ids}}
    peak_load: {peak}
  - url: {server.url}/b?id=${{ids}}
    peak_load: {peak}
""", rc=0)
        both = seen.numbers("/", "id")
        equal(sorted(both), list(range(600)), f"values over {workers} workers")


def test_values_of_answers_feed_a_provider():
    seen = Seen()
    with Server(seen) as server:
        done = run(f"""
providers: {{found: {{response: {{buffer: 1000}}}}}}
{PATTERN}
endpoints:
  - url: {server.url}/list
    peak_load: 100hps
    provides: {{found: {{select: "response.body.items[0].id"}}}}
  - url: {server.url}/item?id=${{found}}
    peak_load: 50hps
""", rc=0)
    items = seen.numbers("/item", "id")
    check(len(items) >= 45, "few items were asked for:", len(items), done)
    equal(set(items), {7})


def test_an_answer_that_is_not_expected_is_a_failure():
    with Server(badserver.good) as server:
        done = run(f"""
{PATTERN}
endpoints:
  - url: {server.url}/
    peak_load: 50hps
    expect: {{status: 404}}
""", rc=1)
    equal(done.report["ledger"]["failed"], {"unexpected": 50})


def test_urls_are_encoded_as_browsers_do():
    seen = Seen()
    with Server(seen) as server:
        run(f"""
vars: {{text: "a b\\"<é"}}
providers: {{words: {{list: ["x y", "#"]}}}}
{PATTERN}
endpoints:
  - url: {server.url}/p ${{text}}?q=${{words}}'
    peak_load: 2hps
""", rc=0)
    equal({request.target for request in seen.requests},
          {"/p%20a%20b%22%3C%C3%A9?q=x%20y%27", "/p%20a%20b%22%3C%C3%A9?q="})


def test_urls_are_resolved_as_browsers_do():
    paths = {"/a/../b": "/b", "/a/./b/.": "/a/b/", "/../..": "/", "/a/%2E%2e/b/..": "/",
             "/a//..": "/a/", "/.a/..b/...": "/.a/..b/...", "/?a/../b": "/?a/../b", "/%2e/x%2e": "/x%2e",
             "/a/..?x/..": "/?x/..", "\\a\\..\\c": "/c"}
    seen = Seen()
    with Server(seen) as server:
        base = server.url.replace("http://127.0.0.1", "HTTP://LocalHost")
        run(f"""
providers: {{path: {{list: {json.dumps(list(paths))}}}}}
{PATTERN}
endpoints:
  - {{url: "{base}/v/w/../..${{path}}", peak_load: {len(paths)}hps}}
""" + "".join(f"  - {{url: '{base}{path}', peak_load: 1hps}}\n" for path in paths), rc=0)
    equal(sorted(request.target for request in seen.requests), sorted(2 * list(paths.values())))
    equal({dict(request.headers)["Host"] for request in seen.requests},
          {base.split("/")[-1].lower()})


def multipart(pieces, headers="{}"):
    """The request that a multipart body becomes, and its content type."""
    seen = Seen()
    with Server(seen) as server:
        run(f"""
{PATTERN}
endpoints:
  - method: POST
    url: {server.url}/
    peak_load: 1hps
    headers: {headers}
    body: {{multipart: {pieces}}}
""", rc=0)
    return seen.requests[0], dict(seen.requests[0].headers)["Content-Type"]


def test_multipart_bodies_are_forms():
    data = lib.write_file("data.txt", b"file's content")
    request, kind = multipart(f"{{a: {{body: one}}, b: {{body: {{file: {data}}}}}}}")
    check(kind.startswith("multipart/form-data; boundary="), "content type", kind)
    mark = b"--" + kind.partition("boundary=")[2].encode()
    parts = request.body.split(mark)
    equal(len(parts), 4, "parts")
    check(b'name="a"' in parts[1] and parts[1].endswith(b"\r\n\r\none\r\n"), parts[1])
    check(b'filename="data.txt"' in parts[2], parts[2])
    check(parts[2].endswith(b"\r\n\r\nfile's content\r\n"), parts[2])
    equal(parts[3], b"--\r\n")


def test_a_multipart_body_has_one_boundary():
    request, kind = multipart(
        "{a: {body: one}}",
        """{Content-Type: 'multipart/mixed; a="x; boundary=y";Boundary="mine"; b=z'}""")
    head, _, mark = kind.partition("; boundary=pelt-")
    equal(head, 'multipart/mixed; a="x; boundary=y"; b=z')
    check(request.body.startswith(b"--pelt-" + mark.encode()), request.body)


def test_what_stdout_does_not_take_is_told_once():
    if not os.path.exists("/dev/full"):
        raise lib.Skip("there is no /dev/full")
    with Server(badserver.good) as server, open("/dev/full", "wb") as full:
        done = run(f"{PATTERN}\nendpoints: [{{url: {server.url}/, peak_load: 10hps}}]", rc=74,
                   stdout=full)
    for what in ("buckets to stdout", "the report"):
        equal(done.err.count(f"cannot write {what}: No space left"), 1, done.err)


def test_a_bad_record_ends_the_test_with_file_and_line():
    data = lib.write_file("data.json", b'{"a": 1}\n{"a": 2}\n{"a" 3}\n')
    with Server(badserver.good) as server:
        done = run(f"""
providers: {{d: {{file: {{path: {data}, format: json}}}}}}
{PATTERN}
endpoints:
  - url: {server.url}/${{d.a}}
    peak_load: 100hps
""", rc=1)
    check("data.json', line 3: " in done.err, "file and line are not named:", done)
    equal(done.report["end"], "broken")


def test_every_attempt_to_connect_that_fails_fails_a_request():
    with lib.closed_port() as port:
        done = run(f"""
{PATTERN}
endpoints:
  - {{url: "http://127.0.0.1:{port}/", peak_load: 100hps}}
""", rc=1)
    equal(done.report["ledger"]["failed"], {"connect_refused": 100})
    attempts = done.report["connections"]["refused"]
    check(attempts <= 150, "attempts for 100 requests:", attempts, done)


def test_a_file_that_is_wrong_is_told_as_check_does():
    path = lib.write_file("test.yaml", b"endpoints:\n  - url: http://x/\n    peak_laod: 5hps\n")
    done = lib.pelt("run", path, rc=1)
    check("test.yaml:3:5: error: " in done.err, "place:", done)
    check("did you mean 'peak_load'" in done.err, "suggestion:", done)
    for args, code in ((["run"], 64), (["run", "--nosuch", path], 64), (["run", "/nosuch"], 1)):
        equal(lib.pelt(*args).rc, code, args)
