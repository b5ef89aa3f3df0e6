"""docs/examples: requests that answers feed, and what is made of answers: logs, groups, conditions."""

import json
import os
import re
import shutil
from collections import Counter

import examples
import lib
import tls
from examples import Target, second
from lib import check, equal


def hits(done, sent, due):
    """Of the hits of a rate that needs values, those for which there was none are missed; on a busy
    machine these may be many, but not most of them."""
    missed = sum(done.report["ledger"]["missed"].values())
    equal(sent + missed, due, f"sent and missed\n{done}")
    check(sent * 4 >= due, "few were sent:", sent, done)


def ids(requests, key):
    """The values of a query parameter."""
    return [request.query.removeprefix(f"{key}=") for request in requests]


def test_as_fast_as_needed():
    with Target() as server:
        done = examples.run("as-fast-as-needed", server.port, changes=second("10s"))
    made = Counter(value["session"] for value in server.values())
    used = Counter(int(request.fields["cookie"].removeprefix("session="))
                   for request in server.of("/", "GET"))
    check(not used - made, "used, but never made:", used - made)
    hits(done, sum(used.values()), 100)
    # What is made is used, waits in the queue, or is on its way.
    check(sum(made.values()) <= sum(used.values()) + 20 + 5 + 5, "made:", sum(made.values()))
    check(server.busy_max["echo"] <= 5, "in parallel:", server.busy_max)


def test_chain():
    with Target() as server:
        done = examples.run("chain", server.port, changes=second("5s"))
    steps = [[int(request.body) for request in server.came if request.query == f"step={step}"]
             for step in ("one", "two", "three", "four", "five")]
    equal(sorted(steps[0]), list(range(len(steps[0]))))
    for before, step in zip(steps, steps[1:]):
        equal(len(set(step)), len(step), "each once")
        check(set(step) <= {number + 1 for number in before}, "what nobody made:", before, step)
    hits(done, len(steps[4]), 20)


def test_create_and_delete():
    with Target() as server:
        examples.run("create-and-delete", server.port, changes=second("5s"))
    created = [value["id"] for value in server.values()]
    deleted = ids(server.of("/", "DELETE"), "id")
    equal(sorted(created), sorted(f"item-{n}" for n in range(20)))
    equal(len(set(deleted)), len(deleted), "each once")
    check(set(deleted) <= set(created), "deleted:", deleted)
    check(len(deleted) >= 5, "few were deleted:", deleted)
    check(server.busy_max[""] <= 4, "in parallel:", server.busy_max)


def test_expect():
    with Target() as server:
        done = examples.run("expect", server.port, changes=second("10s"))
    equal(Counter(request.path for request in server.came),
          {"/status/204": 10, "/echo": 10, "/bytes/2000000": 1})
    equal((done.report["ledger"]["ok"], done.report["ledger"]["failed"]), (21, {}))


def test_expect_is_not_met():
    def answer(conn, request, parts):
        conn.respond(b'{"ok": true, "items": [1, 2]}', 200 if parts[0] == "bytes" else 201)

    with Target() as server:
        server.answer = answer
        done = examples.run("expect", server.port, changes=second("10s"))
    equal(done.report["ledger"]["failed"], {"unexpected": 20})


def test_grid():
    with Target() as server:
        examples.run("grid", server.port, changes=[("over: 5s}", "over: 2s}")])
    cells = Counter(ids(server.of("/", "GET"), "cell"))
    wanted = {column + row for column in "ab" for row in "123"}
    asked = len(server.of("/echo"))
    equal(asked, 4)
    check(set(cells) <= wanted, "cells:", cells)
    check(max(cells.values()) <= asked, "a cell more often than it came:", cells)
    check(max(cells.values()) - min(cells[cell] for cell in wanted) <= 1, "cells:", cells)


def test_include():
    with Target() as server:
        done = examples.run("include", server.port, changes=second("5s"))
    made = {value["token"] for value in server.values()}
    used = [request.fields["authorization"] for request in server.of("/", "GET")]
    hits(done, len(used), 10)
    check(all(word.startswith("Bearer ") and word[7:] in made for word in used), used, made)


def test_log_csv():
    with Target() as server:
        done = examples.run("log-csv", server.port, "-d", lib.temp_path("results"),
                            changes=second("10s"))
    rows = [line.split(",") for line in
            lib.read_file(os.path.join(lib.temp_path("results"), "times.csv")).splitlines()]
    equal(sorted(int(row[0]) for row in rows), list(range(20)))
    for row in rows:
        equal((len(row), row[1]), (3, "200"), done)
        check(0 < float(row[2]) < 60000, "milliseconds:", row)


def test_log_errors():
    with Target() as server:
        examples.run("log-errors", server.port, "-d", lib.temp_path("results"),
                     changes=second("10s"))
    lines = lib.read_file(os.path.join(lib.temp_path("results"), "failures.log")).splitlines()
    rows = [json.loads(line) for line in lines]
    equal(Counter(row["url"].rpartition(":")[2].partition("/")[2] for row in rows),
          {"status/500": 5, "fault/reset-before": 1})
    for row in rows:
        check(list(row) == ["time", "url", "status", "error"], "keys:", row)
        check((row["status"] == 500) == (row["error"] is None), "status or error:", row)


def test_log_kill():
    changes = [("peak_load: 10hpm", "peak_load: 600hpm")]
    with Target() as server:
        done = examples.run("log-kill", server.port, changes=changes, rc=3)
    check(f"{server.url}/status/503 answered 503\n" in done.err, "the line:", done)
    check(len(server.came) < 3000, "it went on:", len(server.came))


def bearers(requests):
    return [request.fields["authorization"].removeprefix("Bearer ") for request in requests]


def test_login_block():
    with Target() as server:
        done = examples.run("login-block", server.port, changes=second("5s"))
    made = [value["token"] for value in server.values()]
    used = bearers(server.of("/", "GET")) + bearers(server.of("/", "PUT"))
    equal(len(set(used)), len(used), "a token for each request")
    hits(done, len(used), 30)
    check(set(used) <= set(made), "used, but never made:", set(used) - set(made))
    # What is made is used, waits in the queue, or is on its way: to it, or to a request.
    check(len(made) <= len(used) + 3 + 2 + 2 + 2, "made:", len(made), "used:", len(used))
    check(server.busy_max["echo"] <= 2, "in parallel:", server.busy_max)


def test_login_force():
    with Target() as server:
        done = examples.run("login-force", server.port, changes=second("5s"))
    made = [value["token"] for value in server.values()]
    used = bearers(server.of("/", "GET"))
    equal(len(made), 30)
    equal(len(set(used)), len(used), "each once")
    check(set(used) <= set(made), "used, but never made:", set(used) - set(made))
    hits(done, len(used), 20)


def test_loop():
    with Target() as server:
        examples.run("loop", server.port, changes=[("over: 5s}", "over: 2s}")])
    values = server.values()
    started = [value["id"] for value in values if "looks" not in value]
    equal(sorted(started), list(range(10)))
    looks = {}
    for value in values:
        if "looks" in value:
            looks.setdefault(value["id"], []).append(value["looks"])
    check(set(looks) <= set(started) and len(looks) >= 5, "looked at:", looks)
    for number, seen in looks.items():
        equal(sorted(seen), list(range(1, len(seen) + 1)), f"job {number}")
        check(len(seen) <= 5, "too often:", looks)


def test_nested_select():
    with Target() as server:
        done = examples.run("nested-select", server.port, changes=second("5s"))
    values = server.values()
    equal(sum("orders" in value for value in values), 5)
    summaries = [value for value in values if "orders" not in value]
    hits(done, len(summaries), 5)
    check(all(value == {"ids": [2, 3], "of": 3} for value in summaries), summaries)


def test_on_demand():
    with Target() as server:
        done = examples.run("on-demand", server.port, changes=second("5s"))
    drawn = server.values()
    used = ids(server.of("/", "GET"), "ticket")
    equal(len(set(used)), len(used), "each once")
    check(set(used) <= set(drawn), "used:", used, drawn)
    hits(done, len(used), 10)
    check(len(drawn) <= len(used) + 1, "drawn without need:", len(drawn), len(used))


def test_provider_unique():
    with Target() as server:
        examples.run("provider-unique", server.port, changes=second("5s"))
    made = Counter(value["id"] for value in server.values())
    used = Counter(int(request.path.removeprefix("/bytes/")) for request in server.of("/bytes/"))
    equal(sum(made.values()), 20)
    check(set(made) <= set(range(1, 10)), "random(1, 10):", made)
    check(0 < sum(used.values()) <= 5 and not used - made, "used:", used, made)


def test_redirect():
    with Target() as server:
        done = examples.run("redirect", server.port, changes=second("5s"))
    equal(len(server.of("/echo")), 10)
    hits(done, len(server.of("/status/200")), 10)


def test_spread():
    with Target() as server:
        done = examples.run("spread", server.port, changes=second("5s"))
    items = Counter(request.path for request in server.of("/bytes/"))
    check(set(items) == {"/bytes/1", "/bytes/3"}, "items:", items)
    check(abs(items["/bytes/1"] - items["/bytes/3"]) <= 1, "items:", items)
    check(sum(items.values()) <= 2 * len(server.of("/echo")), "more than came:", items)
    hits(done, sum(items.values()), 30)


def test_tags():
    with Target() as server:
        examples.run("tags", server.port, changes=second("10s"))
    equal(Counter(request.path for request in server.came),
          {"/status/200": 15, "/status/404": 5, "/": 20})


def test_thresholds():
    """Bounds that any machine keeps; then one that none does."""
    kept = second("10s") + [("250ms", "25s"), ("50ms", "5s"), ("30ms", "3s"), (">= 100hps", ">= 1hps")]
    with Target() as server:
        examples.run("thresholds", server.port, changes=kept)
        done = examples.run("thresholds", server.port, changes=kept + [("p99 < 25s", "p99 < 1us")],
                            rc=99)
    check("p99 < 1us" in done.out + done.err, "the condition is not named:", done)
    equal(Counter(request.path for request in server.came), {"/": 200, "/delay/20": 40})


def test_tls():
    ca = tls.cert("ca")
    with lib.target("--tls", "--cert", tls.cert("good"), "--key", tls.key("good")) as server:
        path = examples.copy("tls", server.port, second("10s"))
        shutil.copy(ca, os.path.join(os.path.dirname(path), "data", "ca.pem"))
        report = lib.temp_path("report.json")
        done = lib.pelt("run", path, "--json", report)
        equal(done.rc, 0, done)
        lib.load_report(done, report)
        equal((done.report["ledger"]["ok"], done.report["ledger"]["failed"]), (50, {}))
        # Its own certificate's authority is no other's.
        other = lib.pelt("run", examples.copy("tls", server.port, second("10s")), rc=1)
        check("tls" in other.err + other.out, "the reason is not named:", other)


def test_token():
    with Target() as server:
        done = examples.run("token", server.port, changes=second("10s"))
    made = {value["token"] for value in server.values()}
    used = [request.fields["authorization"].removeprefix("Bearer ")
            for request in server.of("/", "GET")]
    check(set(used) <= made, "tokens:", used, made)
    hits(done, len(used), 50)
    check(len(made) < len(used), "tokens were not handed back:", len(made), len(used))


def test_examples_run_on_the_built_in_target():
    """All of them as they stand, but for a port and shorter: they name nothing that it does not
    have."""

    names = sorted(name[:-5] for name in os.listdir(examples.DIRECTORY) if name.endswith(".yaml"))
    names.remove("tls")

    def start(name):
        path = examples.copy(name, server.port)
        text = re.sub(r"over: \w+}", "over: 300ms}", lib.read_file(path))
        with open(path, "w") as file:
            file.write(text)
        directory = os.path.dirname(path)
        env = {"TARGET": server.url, "PEAK": "20", "USER": "the tests"}
        return name, directory, lib.start("run", path, "--json", f"{directory}/report.json",
                                          "-d", directory, env=env)

    at_once = 2 if lib.INSTRUMENTED else 6  # They take gigabytes when instrumented.
    with lib.target() as server:
        for at in range(0, len(names), at_once):
            for name, directory, process in [start(name) for name in names[at:at + at_once]]:
                done = process.wait(lib.SLACK_S)
                # 99: what thresholds ask is not for a machine that does other things.
                check(done.rc in (0, 1, 2, 99), name, done)
                report = json.loads(lib.read_file(f"{directory}/report.json"))
                check(report["ledger"]["closes"], name, done)
                check(name == "tags" or "404" not in report["status"], "no such path:", name, done)


def test_every_example_is_run():
    """Each file of docs/examples has a test of its name, here or in test_examples.py."""
    names = {name[:-5] for name in os.listdir(examples.DIRECTORY) if name.endswith(".yaml")}
    tests = set()
    for file in ("test_examples.py", "test_examples_answers.py"):
        text = lib.read_file(os.path.join(lib.ROOT, "tests", "e2e", file))
        tests |= set(re.findall(r"^def test_(\w+)", text, re.MULTILINE))
    missing = {name for name in names if name.replace("-", "_") not in tests}
    equal(missing, set(), "examples without a test")
