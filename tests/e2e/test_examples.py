"""docs/examples: load, requests, bodies and sources of values, as the server sees them. The examples
in which answers feed requests, or are looked at, stand in test_examples_answers.py."""

import base64
import email
import hashlib
import hmac
import json
import os
import re
import time
from collections import Counter

import examples
import lib
from examples import Target, second
from lib import check, equal


def test_anchors():
    with Target() as server:
        examples.run("anchors", server.port, changes=second("2s", "3s"))
    equal(Counter(server.bodies()), {b"{}": 15, b'{"a": 1}': 15})
    for request in server.of("/echo", "POST"):
        equal(request.fields["content-type"], "application/json")
        check("accept-language" not in request.fields, request)
    plain = [request for request in server.came if request.path == "/"]
    equal(len(plain), 15)
    for request in plain:
        equal((request.method, request.fields["accept-language"]), ("GET", "de"))
        equal(request.fields["accept"], "application/json")


def test_body_file():
    one, two = (lib.read_file(os.path.join(examples.DIRECTORY, "data", f"part-{n}.txt"), "rb")
                for n in (1, 2))
    with Target() as server:
        examples.run("body-file", server.port, changes=second("10s"))
    equal(Counter(server.bodies("/echo", "PUT")), {one: 10, one + one: 3, one + two: 2})


def test_body_json():
    with Target() as server:
        examples.run("body-json", server.port, changes=second("10s"))
    orders = sorted(server.values(), key=lambda order: order["order"])
    equal(len(orders), 20)
    for number, order in enumerate(orders, 1000):
        product = ("apple", "pear", "plum")[(number - 1000) % 3]
        equal(order, {"order": number, "items": [{"product": product, "count": 3}],
                      "comment": f'number {number}, "urgent"', "express": False, "coupon": None})
        equal(list(order), ["order", "items", "comment", "express", "coupon"], "order of keys")
    equal({request.fields["content-type"] for request in server.came}, {"application/json"})


def test_body_text():
    before = time.time()
    with Target() as server:
        examples.run("body-text", server.port, changes=second("10s"))
    values = server.values()
    equal(sorted(value["id"] for value in values), list(range(1, 21)))
    for value in values:
        check(before - 1 < value["sent"] / 1000 < time.time() + 1, "no time of this run:", value)


def test_constant_rate():
    with Target() as server:
        done = examples.run("constant-rate", server.port, changes=second("1m"))
    equal(len(server.of("/", "GET")), 50)
    equal(done.report["ledger"]["due"], 50)


def test_environment():
    with Target() as server:
        env = {"TARGET": server.url, "PEAK": "10", "USER": "the tests"}
        examples.run("environment", server.port, changes=second("10s"), env=env)
    equal(Counter(request.path for request in server.came), {"/": 10, "/bytes/100": 5})
    equal({request.fields["user-agent"] for request in server.came}, {"load test by the tests"})
    path = examples.copy("environment", server.port)
    done = lib.pelt("run", path, rc=1, env={"TARGET": server.url, "USER": "x"})
    check("'PEAK'" in done.err, "the variable that is missing is not named:", done)


def test_functions():
    with Target() as server:
        examples.run("functions", server.port, changes=second("5s"))
    names = Counter()
    for request in server.came:
        found = re.fullmatch(rb"\d{10}\.(ada lovelace|alan turing)", request.body)
        check(found, "body:", request.body)
        names[found[1]] += 1
        signature = hmac.new(b"s3cret", request.body, hashlib.sha256).hexdigest()
        equal(request.fields["x-signature"], signature, "X-Signature")
        tags = "math,poetry" if found[1] == b"ada lovelace" else "math,running"
        equal(request.fields["x-tags"], tags)
    equal(names, {b"ada lovelace": 5, b"alan turing": 5})
    numbers = {request.fields["x-number"] for request in server.came}
    equal(len(numbers), 10, "another number for each request")
    check(all(re.fullmatch(r"0000\d\d", number) for number in numbers), "numbers:", numbers)


def test_gather():
    with Target() as server:
        examples.run("gather", server.port, changes=second("5s"))
    taken, tens, lines = [], 0, 0
    for body in server.bodies():
        if body.startswith(b"{"):
            ids = json.loads(body)["ids"]
            equal(len(ids), 10)
            tens += 1
        else:
            first, _, rest = body.decode().partition(": ")
            ids = [int(word) for word in rest.split(",")]
            check(2 <= len(ids) <= 5, "two to five:", body)
            ids.append(int(first))
            lines += 1
        taken += ids
    equal((tens, lines), (5, 5))
    equal(len(set(taken)), len(taken), "every id once")


def test_headers():
    with Target() as server:
        examples.run("headers", server.port, changes=second("10s"))
    kinds = Counter()
    for request in server.came:
        accepts = [value for name, value in request.headers if name.lower() == "accept"]
        cookies = [value for name, value in request.headers if name == "Cookie"]
        kinds[(tuple(accepts), tuple(cookies))] += 1
        equal(request.fields["user-agent"], "example/1.0")
    equal(kinds, {(("application/json",), ()): 10, ((), ()): 10,
                  (("text/html",), ("a=1", "b=2")): 10})
    traces = {request.fields["x-trace"] for request in server.came}
    equal(len(traces), 30, "a trace for each request")
    check(all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", t) for t in traces), traces)


def test_limits():
    with Target() as server:
        examples.run("limits", server.port, changes=second("10s"))
    named, delayed = server.of("/", "GET"), server.of("/delay")
    named = [request for request in named if request.path == "/"]
    equal(len(named), 100)
    equal({request.fields["host"] for request in named}, {f"api.example.test:{server.port}"})
    check(0 < len(delayed) <= 50, "delayed:", len(delayed))
    check(server.busy_max["delay"] <= 10, "in parallel:", server.busy_max)
    equal(set(server.peers), {"127.0.0.1"})


def test_many_hosts():
    with Target() as server:
        examples.run("many-hosts", server.port, changes=second("5s"))
    kinds = Counter((request.fields["host"].split(":")[0], request.path) for request in server.came)
    equal(kinds, {("127.0.0.1", "/"): 150, ("localhost", "/status/201"): 75,
                  ("127.0.0.1", "/bytes/50000"): 30})
    check(server.open_max <= 40, "connections:", server.open_max)


def test_multipart():
    with Target() as server:
        examples.run("multipart", server.port, changes=second("10s"))
    titles = Counter()
    for request in server.came:
        head = b"Content-Type: " + request.fields["content-type"].encode() + b"\r\n\r\n"
        form = email.message_from_bytes(head + request.body)
        equal(form.get_content_type(), "multipart/form-data")
        title, upload = form.get_payload()
        equal(title.get_param("name", header="content-disposition"), "title")
        equal(upload.get_param("name", header="content-disposition"), "upload")
        equal((upload.get_filename(), upload.get_content_type()), ("part-1.txt", "text/plain"))
        equal(upload.get_payload(decode=True), b"The first part.\n")
        titles[title.get_payload()] += 1
    equal(titles, {"first": 3, "second": 2})


def test_own_patterns():
    changes = second("30s", "20s") + [("over: 1m}", "over: 2s}"), ("over: 5s}", "over: 500ms}"),
                                      ("10hpm", "600hpm")]
    with Target() as server:
        done = examples.run("own-patterns", server.port, changes=changes)
    equal(Counter(request.path for request in server.came),
          {"/": 200, "/delay/50": 10, "/bytes/100": 250})
    equal(done.report["ledger"]["due"], 460)


def test_provider_csv():
    with Target() as server:
        examples.run("provider-csv", server.port)
    users = {}
    for request in server.came:
        kind, _, word = request.fields["authorization"].partition(" ")
        equal(kind, "Basic")
        users[base64.b64decode(word, validate=True)] = json.loads(request.body)
    equal(users, {b"ada:s3cret": {"user": "ada", "age": 36},
                  b"Turing, Alan:enigma": {"user": "Turing, Alan", "age": 41},
                  b"grace:cobol": {"user": "grace", "age": 85},
                  b"linus:kernel": {"user": "linus", "age": 21}})
    equal(len(server.came), 4)


def test_provider_csv_ends_early():
    """The same with more to do than there are users: it ends when they are used up."""
    with Target() as server:
        done = examples.run("provider-csv", server.port, changes=[("over: 2s", "over: 30s")], rc=2)
    equal(len(server.came), 4)
    equal(done.report["end"], "providers")


def test_provider_json():
    with Target() as server:
        examples.run("provider-json", server.port, changes=second("5s"))
    equal(Counter(server.bodies()), {b'{"title":"first","words":120}': 4,
                                     b'{"title":"second","words":7}': 3,
                                     b'{"title":"third","words":0}': 3})
    for request in server.came:
        equal(request.fields["x-title"], json.loads(request.body)["title"])


def test_provider_lines():
    with Target() as server:
        examples.run("provider-lines", server.port, changes=second("10s"))
    equal(len(server.came), 50)
    queries = {request.query for request in server.came}
    words = {"q=apple", "q=pear", "q=blue%20whale", "q=007", "q=r&d"}
    check(queries <= words and len(queries) > 1, "queries:", queries)


def test_provider_list():
    with Target() as server:
        examples.run("provider-list", server.port, changes=second("5s"))
    paths = Counter(request.path for request in server.came)
    equal({path: paths.pop(path) for path in ("/", "/bytes/10", "/status/204")},
          {"/": 10, "/bytes/10": 10, "/status/204": 10})
    check(set(paths) <= {"/delay/1", "/delay/5", "/delay/10"}, "delays:", paths)
    equal(sum(paths.values()), 10)


def test_provider_range():
    changes = second("4s") + [("peak_load: 5hps", "peak_load: 20hps")]
    with Target() as server:
        examples.run("provider-range", server.port, changes=changes)
    equal(Counter(request.query for request in server.came),
          {f"page={page}": 2 for page in range(1, 11)})


def test_ramp_up_and_down():
    changes = [("over: 2m}", "over: 500ms}"), ("over: 10m}", "over: 500ms}"),
               ("over: 1m}", "over: 400ms}"), ("over: 30s}", "over: 400ms}")]
    with Target() as server:
        examples.run("ramp-up-and-down", server.port, changes=changes)
    equal(len(server.of("/bytes/1024")), 50 + 100 + 100 + 60)
