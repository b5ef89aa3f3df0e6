"""`pelt try`: who is called, how often, and what is printed, on a server that keeps state."""

import json
import os
import socket

import lib
from lib import check, equal
from stateserver import PASSWORD, StateServer

PATTERN = "load_pattern: [{linear: {from: 100%, to: 100%, over: 1h}}]\n"

LOGIN = """
  - name: login
    method: POST
    url: URL/login
    body: '{"user": "u", "password": "${password}"}'
    peak_load: 1hps
    provides: {token: {select: response.body.token, where: response.status == 200}}
"""

SHOP = f"""
vars: {{password: {PASSWORD}}}
config: {{general: {{secret: [password]}}}}
{PATTERN}
providers: {{token: {{response: {{}}}}, item: {{response: {{}}}}}}
endpoints:{LOGIN}
  - name: make
    method: POST
    url: URL/items
    headers: {{Authorization: "Bearer ${{token}}"}}
    body: '{{"name": "a thing"}}'
    peak_load: 1hps
    tags: {{kind: change}}
    provides: {{item: {{select: response.body}}}}
  - name: look
    url: URL/items/${{item.id}}
    headers: {{Authorization: "Bearer ${{token}}"}}
    peak_load: 1hps
"""


def attempt(server, text, *args, rc=0, **how):
    """Tries a test file of this text, whose URL is the server's."""
    path = lib.write_file("test.yaml", text.replace("URL", server.url).encode())
    return lib.pelt("try", path, *args, rc=rc, **how)


def lines(done):
    """What was printed with --format json."""
    return [json.loads(line) for line in done.out.splitlines()]


def asked(server):
    return [(d.method, d.path.rstrip("0123456789")) for d in server.log]


def test_everything_is_called_once_and_what_feeds_as_often_as_asked():
    with StateServer() as server:
        done = attempt(server, SHOP, "-f", "json")
    equal(sorted(asked(server)), [("GET", "/items/"), ("POST", "/items"), ("POST", "/login"),
                                  ("POST", "/login")])
    equal([d.status for d in server.of("/items")], [201, 200])
    equal(sorted(line["request"]["start-line"] for line in lines(done)),
          sorted([f"GET /items/{next(iter(server.items))} HTTP/1.1", "POST /items HTTP/1.1",
                  "POST /login HTTP/1.1", "POST /login HTTP/1.1"]))
    equal(done.err, "")


def test_only_what_is_chosen_is_called_and_what_feeds_it():
    with StateServer() as server:
        attempt(server, SHOP, "-i", "kind=change")
    equal(asked(server), [("POST", "/login"), ("POST", "/items")])
    with StateServer() as server:
        attempt(server, SHOP, "-i", "name=login")
    equal(asked(server), [("POST", "/login")])
    with StateServer() as server:
        attempt(server, SHOP, "-i", "kind!=*", "-i", "method=PUT")
    equal(sorted(asked(server)), [("GET", "/items/"), ("POST", "/items"), ("POST", "/login"),
                                  ("POST", "/login")])


def test_a_filter_that_nothing_passes_is_an_error():
    with StateServer() as server:
        done = attempt(server, SHOP, "-i", "name=nobody", rc=1)
    check("no endpoint" in done.err, done)
    equal(server.log, [])


def test_json_is_request_response_and_time():
    with StateServer() as server:
        done = attempt(server, SHOP, "-f", "json", "-i", "name=make")
    made = lines(done)[1]
    equal(list(made), ["request", "response", "stats"])
    equal(list(made["request"]), ["start-line", "headers", "body"])
    equal(made["request"]["start-line"], "POST /items HTTP/1.1")
    equal(made["request"]["headers"]["host"], [server.url.removeprefix("http://")])
    equal(made["request"]["headers"]["authorization"], ["***"])
    equal(made["request"]["body"], '{"name": "a thing"}')
    equal(list(made["response"]), ["start-line", "headers", "body"])
    equal(made["response"]["start-line"], "HTTP/1.1 201 Text")
    number = next(iter(server.items))
    equal(made["response"]["body"], {"id": number, "url": f"{server.url}/items/{number}"})
    check(0 < made["stats"]["RTT"] < 60000, made)


def test_people_see_both_messages():
    with StateServer() as server:
        done = attempt(server, SHOP, "-i", "name=look")
    blocks = done.out.split("Request (")
    equal(len(blocks), 5, done)
    look = [block for block in blocks if block.startswith("look)\n")][0]
    number = next(iter(server.items))
    check(f"\nGET /items/{number} HTTP/1.1\nHost: " in look, look)
    check("\nAuthorization: ***\n" in look, look)
    check("\nResponse (RTT: " in look and "\nHTTP/1.1 200 Text\n" in look, look)
    check(f'\n{{"id": {number}, "name": "a thing"}}\n' in look, look)


def test_secrets_are_masked_unless_they_are_asked_for():
    with StateServer() as server:
        for form in ("human", "json"):
            hidden = attempt(server, SHOP, "-f", form, "-i", "name=make").out
            check(PASSWORD not in hidden and "Bearer" not in hidden, hidden)
            check("session=" not in hidden, hidden)
            shown = attempt(server, SHOP, "-f", form, "-i", "name=make", "--show-secrets").out
            check(PASSWORD in shown and "Bearer token-" in shown, shown)
            check("session=token-" in shown, shown)


def test_bodies_can_be_left_out():
    with StateServer() as server:
        done = attempt(server, SHOP, "-f", "json", "-i", "name=login", "-k")
        equal([list(line["response"]) for line in lines(done)], [["start-line", "headers"]])
        check("body" in lines(done)[0]["request"], done)
        done = attempt(server, SHOP, "-f", "json", "-i", "name=login", "-K")
        check("body" not in lines(done)[0]["request"], done)
        equal(lines(done)[0]["response"]["body"]["token"][:6], "token-")


def test_a_file_in_place_of_stdout():
    out = lib.write_file("out.json", b"what was there before")
    with StateServer() as server:
        done = attempt(server, SHOP, "-f", "json", "-i", "name=login", "-o", out)
        equal(done.out, "")
        equal(len(lib.read_file(out).splitlines()), 1)
        done = attempt(server, SHOP, "-o", lib.temp_path("no/such/dir"), rc=74)
        check("cannot write" in done.err, done)
        equal(len(server.log), 1)
        if os.path.exists("/dev/full"):
            attempt(server, SHOP, "-i", "name=login", "-o", "/dev/full", rc=74)
            with open("/dev/full", "w") as full:
                attempt(server, SHOP, "-i", "name=login", stdout=full, rc=74)


def test_collect_asks_ten_times():
    with StateServer() as server:
        attempt(server, f"""
{PATTERN}
providers: {{id: {{response: {{}}}}}}
endpoints:
  - {{name: draw, url: URL/ids, peak_load: 1hps, provides: {{id: {{select: "response.body.ids[0]"}}}}}}
  - name: use
    method: POST
    url: URL/echo
    declare: {{all: "collect(id, 10)"}}
    body: ${{all}}
    peak_load: 1hps
""", "-i", "name=use")
    equal(json.loads(server.of("/echo")[0].body), list(range(1, 11)))
    equal(len(server.of("/ids")), 10)


def test_many_values_of_one_answer_are_asked_for_once():
    with StateServer() as server:
        attempt(server, f"""
{PATTERN}
providers: {{id: {{response: {{}}}}, other: {{response: {{}}}}}}
endpoints:
  - name: draw
    url: URL/ids?n=10
    peak_load: 1hps
    provides:
      id: {{select: "for_each[0]", for_each: [response.body.ids]}}
      other: {{select: 1}}
  - {{name: use, url: "URL/use?${{join(all, '-')}}", declare: {{all: "collect(id, 10)"}}, peak_load: 1hps}}
""", "-i", "name=use")
    equal([d.path for d in server.log], ["/ids", "/use"])
    equal(list(server.log[1].query), ["-".join(map(str, range(1, 11)))])


def test_a_feeder_whose_where_was_not_true_is_asked_again():
    poll = f"""
{PATTERN}
providers: {{ready: {{response: {{}}}}}}
endpoints:
  - name: poll
    url: URL/poll
    peak_load: 1hps
    on_demand: true
    provides: {{ready: {{select: response.body.looks, where: WHERE}}}}
  - {{name: use, url: "URL/use?looks=${{ready}}", peak_load: 1hps}}
"""
    with StateServer() as server:
        attempt(server, poll.replace("WHERE", "response.body.ready"), "-i", "name=use")
        equal([d.path for d in server.log], ["/poll"] * 3 + ["/use"])
        equal(server.log[3].query, {"looks": "3"})
    never = poll.replace("WHERE", "response.body.looks < 0")
    with StateServer() as server:
        done = attempt(server, never, "-i", "name=use", "-f", "json")
        check("not called: `use`: `where` was never true" in done.err, done)
        check("1,000 times" in done.err, done)
        equal(len(server.log), 1000)
        equal(len(lines(done)), 1000)
    with StateServer() as server:
        attempt(server, never, "-i", "name=use", "-o", "/dev/null", "--strict", rc=1)


def test_an_endpoint_that_feeds_itself():
    with StateServer() as server:
        attempt(server, f"""
{PATTERN}
providers: {{n: {{list: {{values: [1], repeat: false}}}}}}
endpoints:
  - name: count
    url: URL/count?n=${{n}}
    peak_load: 1hps
    provides: {{n: {{select: n + 1}}}}
""")
    equal([d.query for d in server.log], [{"n": "1"}])


def test_a_redirect_is_followed_by_hand():
    text = f"""
{PATTERN}
providers: {{location: {{response: {{}}}}}}
endpoints:
  - name: old
    url: URL/old
    peak_load: 1hps
    provides: {{location: {{select: response.headers.location, where: response.status == 302}}}}
  - {{name: new, url: "${{location}}", peak_load: 1hps}}
"""
    with StateServer() as server:
        done = attempt(server, text, "-f", "json", "-i", "name=new")
    equal([(d.path, d.status) for d in server.log], [("/old", 302), ("/new/1", 200)])
    equal(lines(done)[1]["request"]["start-line"], "GET /new/1 HTTP/1.1")


def test_requests_that_fail():
    with StateServer() as server:
        done = attempt(server, SHOP.replace("URL/items/", "URL/status/404?i="), "-f", "json")
        check("404" in done.out, "a status is no failure of itself:", done)
    with StateServer() as server:
        done = attempt(server, SHOP.replace("URL/login", "URL/reset"), "-f", "json", rc=1)
        equal([line["response"] for line in lines(done)], [None])
        equal(lines(done)[0]["stats"], {"RTT": None})
        equal(lines(done)[0]["error"], "reset_before_response")
        check("pelt: failed: `login`: connection reset before the response\n" in done.err, done)
        check("not called: `make`: `token` of `login` never came: that failed" in done.err, done)
        check("not called: `look`: `item` of `make` never came: that was not called" in done.err,
              done)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    path = lib.write_file("test.yaml", SHOP.replace("URL", f"http://127.0.0.1:{port}").encode())
    done = lib.pelt("try", path, "-i", "name=make", rc=1)
    check("(none: connection refused)" in done.out, done)
    check("POST /login HTTP/1.1\n" in done.out, "what would have been sent:", done)


def test_what_was_not_expected_is_a_failure():
    text = f"""
{PATTERN}
endpoints:
  - {{name: a, url: URL/status/200, peak_load: 1hps, expect: {{status: 2xx}}}}
  - {{name: b, url: URL/status/500, peak_load: 1hps, expect: {{status: 2xx}}}}
"""
    with StateServer() as server:
        attempt(server, text, "-i", "name=a")
        done = attempt(server, text, rc=1)
    check("pelt: failed: `b`: answer is not what was expected\n" in done.err and "`a`" not in done.err, done)
    check("(failed: answer is not what was expected)" in done.out, done)


def test_expressions_that_fail_are_told():
    text = f"""
{PATTERN}
providers: {{t: {{response: {{}}}}}}
endpoints:
  - {{name: a, url: URL/a, peak_load: 1hps, provides: {{t: {{select: response.body.path.deeper}}}}}}
  - {{name: b, url: "URL/b?${{t}}", peak_load: 1hps}}
"""
    with StateServer() as server:
        done = attempt(server, text, "-i", "name=b", "-o", "/dev/null")
    check("`a`: what it provides could not be made: indexing into json" in done.err, done)
    check("not called: `b`: there was no value (`t` of `a`" in done.err, done)


def test_bodies_are_printed_without_their_codings():
    text = f"{PATTERN}endpoints:\n  - {{url: URL/gzip, peak_load: 1hps}}\n"
    with StateServer() as server:
        done = attempt(server, text, "-f", "json")
        equal(lines(done)[0]["response"]["body"], {"plain": "text " * 100})
        check('{"plain": "text text ' in attempt(server, text).out, "for people")
        done = attempt(server, text.replace("gzip", "gzip?bytes=20"), "-f", "json")
        equal(lines(done)[0]["response"]["body"], "<<binary data>>")
        text = text.replace("endpoints:", "config: {client: {max_response_body: 100}}\nendpoints:")
        done = attempt(server, text, "-f", "json")
        equal(lines(done)[0]["response"]["body"], "<<binary data>>")


def test_what_can_never_be_called_is_refused_before_anything_is_sent():
    text = f"""
{PATTERN}
providers: {{x: {{response: {{}}}}, y: {{response: {{}}}}, z: {{response: {{}}}}}}
endpoints:
  - {{name: fine, url: URL/fine, peak_load: 1hps}}
  - {{name: a, url: "URL/a?${{x}}", peak_load: 1hps, provides: {{y: {{select: 1}}}}}}
  - {{name: b, url: "URL/b?${{y}}", peak_load: 1hps, provides: {{x: {{select: 1}}}}}}
  - {{name: c, url: "URL/c?${{z}}", peak_load: 1hps}}
"""
    with StateServer() as server:
        done = attempt(server, text, rc=1)
        equal(server.log, [])
        check("can never be called: `a` needs `x` of `b`, which needs `y` of `a`: a circle"
              in done.err, done)
        check("can never be called: `c` needs `z`, which nobody provides" in done.err, done)
        attempt(server, text, "-i", "name=fine")
        equal(len(server.log), 1)


def test_the_plan_sends_nothing():
    with StateServer() as server:
        done = attempt(server, SHOP, "--plan", "-i", "name=make")
        check("      1  chosen    `make`\n" in done.out, done)
        check("      0  added     `login`\n" in done.out, done)
        check("      2  left out  `look`\n" in done.out, done)
        done = attempt(server, SHOP, "--plan", "-f", "json", "-i", "name=look")
        plan = json.loads(done.out)
        equal([(e["name"], e["score"], e["role"]) for e in plan["endpoints"]],
              [("login", 0, "added"), ("make", 1, "added"), ("look", 2, "chosen")])
        equal(server.log, [])


def test_all_feeders():
    text = f"""
{PATTERN}
providers: {{t: {{response: {{}}}}}}
endpoints:
  - {{name: one, url: URL/one, peak_load: 1hps, provides: {{t: {{select: 1}}}}}}
  - {{name: two, url: URL/two, peak_load: 1hps, provides: {{t: {{select: 2}}}}}}
  - {{name: use, url: "URL/use?${{t}}&b=${{join(more, '-')}}", declare: {{more: "collect(t, 3)"}}, peak_load: 1hps}}
"""
    with StateServer() as server:
        attempt(server, text, "-i", "name=use")
        equal({d.path for d in server.log}, {"/one", "/use"})
    with StateServer() as server:
        attempt(server, text, "-i", "name=use", "--all-feeders")
        equal({d.path for d in server.log}, {"/one", "/two", "/use"})


def test_data_files_feed_requests_too():
    lib.write_file("names.csv", b"name\nann\nbob\n")
    text = f"""
{PATTERN}
providers:
  names: {{file: {{path: FILE, format: csv, csv: {{headers: true}}}}}}
endpoints:
  - {{name: use, url: "URL/use?n=${{names.name}}", peak_load: 1hps}}
"""
    with StateServer() as server:
        attempt(server, text.replace("FILE", "names.csv"))
        equal(server.log[0].query, {"n": "ann"})
        lib.write_file("none.csv", b"name\n")
        done = attempt(server, text.replace("FILE", "none.csv"))
        check("not called: `use`: `names` has no values" in done.err, done)
        lib.write_file("bad.csv", b'name\n"open')
        done = attempt(server, text.replace("FILE", "bad.csv"), rc=1)
        check("bad.csv" in done.err, done)


LOGS = f"""
{PATTERN}
providers: {{t: {{response: {{}}}}}}
loggers:
  every: {{to: every.log, select: request.method + 0}}
  own: {{to: own.log, limit: LIMIT, kill: KILL}}
endpoints:
  - {{name: a, url: URL/a, peak_load: 1hps, provides: {{t: {{select: 5}}}}, logs: {{own: {{select: response.status}}}}}}
  - {{name: b, url: "URL/b", peak_load: 1hps, logs: {{own: {{select: t}}}}}}
""".replace("request.method + 0", "response.body.path")


def test_loggers_write_when_they_are_told():
    text = LOGS.replace("LIMIT", "10").replace("KILL", "false")
    directory = lib.temp_path("logs/deep")
    with StateServer() as server:
        attempt(server, text, "-d", directory)
        check(not os.path.exists(directory), "something was logged")
        attempt(server, text, "-l", "-d", directory, "-f", "json")
        equal(sorted(lib.read_file(directory + "/every.log").split()), ["/a", "/b"])
        equal(sorted(lib.read_file(directory + "/own.log").split()), ["200", "5"])
        equal([d.path for d in server.log], ["/a", "/b"] * 2, "what a log names is needed too")


def test_a_logger_may_end_it():
    text = LOGS.replace("LIMIT", "1").replace("KILL", "true")
    with StateServer() as server:
        done = attempt(server, text, "-l", "-d", lib.temp_path("logs"), rc=3)
    check("ended by the logger 'own'" in done.err, done)
    check("not called" not in done.err, done)


def test_lines_that_are_lost_are_told():
    if not os.path.exists("/dev/full"):
        raise lib.Skip("no /dev/full")
    text = LOGS.replace("LIMIT", "10").replace("KILL", "false").replace("own.log", "/dev/full")
    with StateServer() as server:
        done = attempt(server, text, "-l", "-d", lib.temp_path("logs"), rc=74)
        check("logger 'own': 2 lines are not in '/dev/full'" in done.err, done)
        blocked = lib.write_file("blocked", b"")
        done = attempt(server, text, "-l", "-d", blocked + "/logs", rc=74)
        check("cannot make the directory" in done.err, done)


def test_the_time_is_over():
    text = f"""
{PATTERN}
providers: {{t: {{response: {{}}}}}}
endpoints:
  - {{name: slow, url: "URL/slow?s=60", peak_load: 1hps, provides: {{t: {{select: 1}}}}}}
  - {{name: use, url: "URL/use?${{t}}", peak_load: 1hps}}
"""
    limit = "10s" if lib.LIGHT else "2s"  # Enough for the request to be sent, on a busy machine too.
    with StateServer() as server:
        done = attempt(server, text, "--timeout", limit, "-f", "json", rc=1)
    equal([line["response"] for line in lines(done)], [None])
    check("failed: `slow`: no answer before the time was over" in done.err, done)
    check("not called: `use`: `t` of `slow` never came: that has not answered in time" in done.err,
          done)
    check(done.seconds < 50, "it did not end:", done)


def test_an_interrupt_ends_it():
    text = f"{PATTERN}endpoints:\n  - {{name: slow, url: 'URL/slow?s=60', peak_load: 1hps}}\n"
    with StateServer() as server:
        path = lib.write_file("test.yaml", text.replace("URL", server.url).encode())
        process = lib.start("try", path)
        lib.wait_until(lambda: server.requests > 0, "the request")
        process.signal(2)
        done = process.wait(20)
    equal(done.rc, 130, done)


def test_a_chain_of_six():
    steps = "\n".join(f"""
  - name: step {n}
    url: URL/step/{n}{"?key=${k%d}" % (n - 1) if n > 1 else ""}
    peak_load: 1hps
    provides: {{k{n}: {{select: response.body.key}}}}""" for n in range(1, 7))
    names = ", ".join(f"k{n}: {{response: {{}}}}" for n in range(1, 7))
    with StateServer() as server:
        attempt(server, f"{PATTERN}providers: {{{names}}}\nendpoints:{steps}\n",
                "-i", "name=step 6")
    equal([(d.path, d.status) for d in server.log], [(f"/step/{n}", 200) for n in range(1, 7)])


def test_the_command_line_is_checked():
    equal(lib.pelt("try", rc=64).out, "")
    check("--include" in lib.pelt("try", "--help", rc=0).out, "no help")
    done = lib.pelt("try", "x.yaml", "-f", "xml", rc=64)
    check("human or json" in done.err, done)
    done = lib.pelt("try", lib.temp_path("none.yaml"), rc=1)
    check("none.yaml" in done.err, done)
