"""How values flow in `pelt run`: declares, providers that block, endpoints without a rate, ends."""

import collections
import json
import threading

import lib
from badserver import Server
from lib import check, equal
from stateserver import StateServer
from test_run import PATTERN, Seen, run


class Counting:
    """A server that numbers its answers and keeps what it is asked for, with its own delay."""

    def __init__(self):
        self.requests = []
        self.lock = threading.Lock()
        self.busy = collections.Counter()
        self.busiest = collections.Counter()

    def path_of(self, request):
        return request.target.partition("?")[0]

    def __call__(self, conn):
        while True:
            request = conn.request()
            path = self.path_of(request)
            with self.lock:
                self.requests.append(request)
                number = len(self.requests)
                self.busy[path] += 1
                self.busiest[path] = max(self.busiest[path], self.busy[path])
            if path.startswith("/slow"):
                threading.Event().wait(0.05)
            with self.lock:
                self.busy[path] -= 1
            conn.respond(json.dumps({"n": number, "list": [number * 10 + i for i in range(3)]})
                         .encode())

    def targets(self, path):
        return [r.target for r in self.requests if self.path_of(r) == path]


def values_of(targets):
    return [target.partition("=")[2] for target in targets]


def test_declares_pop_on_their_own_once_per_mention():
    server = Counting()
    with Server(server) as at:
        done = run(f"""
providers: {{ids: {{range: {{start: 1, end: 600}}}}}}
{PATTERN}
endpoints:
  - url: {at.url}/a?v=${{ids}}-${{pair[0]}}-${{pair[1]}}-${{next}}
    peak_load: 20hps
    declare:
      next: "pair[1] + 1000"
      pair: "collect(ids, 2)"
  - url: {at.url}/b?v=${{both}}
    peak_load: 20hps
    declare: {{both: "`${{ids}}-${{ids}}`"}}
""", rc=0)
    a = [[int(x) for x in v.split("-")] for v in values_of(server.targets("/a"))]
    b = [[int(x) for x in v.split("-")] for v in values_of(server.targets("/b"))]
    equal((len(a), len(b)), (20, 20))
    for own, first, second, more in a:
        equal(more, second + 1000)
        equal(second > first, True)
    popped = [n for v in a for n in v[:3]] + [n for v in b for n in v]
    equal(len(popped), len(set(popped)), "a value came twice")
    equal(sorted(popped), list(range(1, 101)), done.err)


def test_a_declare_pops_only_in_the_branch_that_is_taken():
    server = Counting()
    with Server(server) as at:
        run(f"""
providers:
  turns: {{range: {{}}}}
  odd: {{range: {{start: 1000, end: 1999}}}}
  even: {{range: {{start: 2000, end: 2999}}}}
{PATTERN}
endpoints:
  - url: {at.url}/a?v=${{id}}
    peak_load: 20hps
    declare: {{id: "if(turns % 2 == 1, odd, even)"}}
""", rc=0)
    values = sorted(int(v) for v in values_of(server.targets("/a")))
    equal(values, [*range(1000, 1010), *range(2000, 2010)])


def test_its_own_name_in_a_declare_is_the_provider():
    server = Counting()
    with Server(server) as at:
        run(f"""
providers: {{id: {{range: {{start: 1, end: 60}}}}}}
{PATTERN}
endpoints:
  - url: {at.url}/a?v=${{join(id, "+")}}
    peak_load: 20hps
    declare: {{id: "collect(id, 3)"}}
""", rc=0)
    values = [[int(x) for x in v.split("+")] for v in values_of(server.targets("/a"))]
    equal(sorted(values), [[n, n + 1, n + 2] for n in range(1, 61, 3)])


def test_what_declares_popped_is_returned_too():
    server = Counting()
    with Server(server) as at:
        done = run(f"""
providers: {{token: {{list: {{values: [1, 2, 3], repeat: false}}, }}}}
{PATTERN}
endpoints:
  - url: {at.url}/a?v=${{pair[0]}}-${{pair[1]}}
    peak_load: 40hps
    declare: {{pair: "collect(token, 2)"}}
""")
        equal(done.report["ledger"]["ok"], 1, "without auto_return")
        data = lib.write_file("tokens.txt", b"1\n2\n3\n")
        done = run(f"""
providers: {{token: {{file: {{path: {data}, auto_return: force}}}}}}
{PATTERN}
endpoints:
  - url: {at.url}/b?v=${{pair[0]}}-${{pair[1]}}
    peak_load: 40hps
    declare: {{pair: "collect(token, 2)"}}
""", rc=0)
    check(done.report["ledger"]["ok"] >= 30, "few:", done.report["ledger"])


def test_a_chain_on_demand_asks_once_per_pop():
    server = Counting()
    with Server(server) as at:
        done = run(f"""
providers: {{token: {{response: {{}}}}, item: {{response: {{}}}}}}
{PATTERN}
endpoints:
  - url: {at.url}/login
    on_demand: true
    provides: {{token: {{select: response.body.n, send: block}}}}
  - url: {at.url}/list?v=${{token}}
    on_demand: true
    provides: {{item: {{select: response.body.n, send: block}}}}
  - url: {at.url}/item?v=${{item}}
    peak_load: 30hps
""", rc=0)
    items, lists, logins = (len(server.targets(p)) for p in ("/item", "/list", "/login"))
    # A chain that takes longer than the time between two hits, on a busy machine, misses some.
    missed = sum(done.report["ledger"]["missed"].values())
    check(0 < items <= 30 <= items + missed, "items", items, done.report["ledger"])
    check(items <= lists <= items + 1, "lists", lists)
    check(lists <= logins <= lists + 1, "logins", logins)
    values = values_of(server.targets("/list")) + values_of(server.targets("/item"))
    equal(len(values), len(set(values)), "a value came twice")


def test_block_feeds_as_fast_as_its_readers_read():
    server = Counting()
    with Server(server) as at:
        done = run(f"""
providers: {{ids: {{response: {{buffer: 3}}}}}}
{PATTERN}
endpoints:
  - url: {at.url}/make
    provides: {{ids: {{select: "for_each[0]", for_each: [response.body.list], send: block}}}}
  - url: {at.url}/use?v=${{ids}}
    peak_load: 60hps
""", rc=0)
    made, used = len(server.targets("/make")), values_of(server.targets("/use"))
    check(len(used) >= 55, "few were used:", len(used), done.report["ledger"])
    equal(len(used), len(set(used)), "a value came twice")
    # Three values each, room for three, and at most ten times that under way.
    check(20 <= made <= 20 + 31, "made", made)


def test_max_parallel_requests_bounds_what_is_under_way():
    server = Counting()
    with Server(server) as at:
        run(f"""
providers: {{ids: {{response: {{buffer: 100}}}}}}
{PATTERN}
endpoints:
  - url: {at.url}/slow/make
    max_parallel_requests: 3
    provides: {{ids: {{select: response.body.n, send: block}}}}
  - url: {at.url}/slow/rate
    max_parallel_requests: 2
    peak_load: 100hps
  - url: {at.url}/use?v=${{ids}}
    peak_load: 1000hps
""")
    equal(server.busiest["/slow/make"], 3)
    equal(server.busiest["/slow/rate"], 2)


def test_a_loop_that_feeds_itself_counts():
    server = Counting()
    with Server(server) as at:
        run(f"""
providers: {{n: {{list: {{values: [0], repeat: false}}}}}}
{PATTERN}
endpoints:
  - url: {at.url}/a?v=${{n}}
    peak_load: 50hps
    provides: {{n: {{select: n + 1, where: n < 9, send: force}}}}
""")
    equal(values_of(server.targets("/a")), [str(n) for n in range(10)])


def test_endpoints_that_wait_for_each_other_are_named():
    server = Counting()
    with Server(server) as at:
        done = run(f"""
providers: {{a: {{response: {{}}}}, b: {{response: {{}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 60s}}}}]
endpoints:
  - {{name: first, url: "{at.url}/${{a}}", peak_load: 5hps, provides: {{b: {{select: "1"}}}}}}
  - {{name: second, url: "{at.url}/${{b}}", peak_load: 5hps, provides: {{a: {{select: "1"}}}}}}
""", rc=2)
    equal(done.report["end"], "deadlock")
    check("'first' waits for 'a', fed by 'second', which waits for 'b', fed by 'first'" in done.err,
          "not named:", done)


def test_a_deadlock_of_all_workers_of_a_split_component_is_named():
    server = Counting()
    with Server(server) as at:
        done = run(f"""
config: {{general: {{workers: 2}}}}
providers: {{a: {{list: {{values: [1, 2], repeat: false}}}}, b: {{response: {{}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 60s}}}}]
endpoints:
  - {{name: first, url: "{at.url}/first?v=${{a}}", peak_load: 50000hps,
      provides: {{b: {{select: "1"}}}}}}
  - {{name: second, url: "{at.url}/second?v=${{b}}", peak_load: 50000hps,
      provides: {{a: {{select: "1", where: "false"}}}}}}
""", rc=2)
    equal(done.report["end"], "deadlock")
    equal(len(done.report["per_worker"]), 2)
    equal((len(server.targets("/first")), len(server.targets("/second"))), (2, 2))
    check("'first' waits for 'a', fed by 'second', which waits for 'b', fed by 'first'" in done.err,
          "not named:", done)


def test_workers_that_hold_what_each_other_waits_for_are_no_deadlock():
    server = Counting()
    with Server(server) as at:
        done = run(f"""
config: {{general: {{workers: 2}}}}
providers:
  s: {{range: {{end: 3}}}}
  t: {{range: {{end: 3}}}}
  p: {{response: {{}}}}
  q: {{response: {{}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 60s}}}}]
endpoints:
  - url: {at.url}/p?v=${{s}}
    provides: {{p: {{select: s, where: worker() == 0, send: block}}}}
  - url: {at.url}/q?v=${{t}}
    provides: {{q: {{select: t, where: worker() == 1, send: block}}}}
  - url: {at.url}/slow/use?v=${{p}}-${{q}}
""", rc=2)
    equal(done.report["end"], "providers")
    used = values_of(server.targets("/slow/use"))
    equal(sorted(v.partition("-")[0] for v in used), ["0", "2"], "values of the first worker")
    equal(sorted(v.partition("-")[2] for v in used), ["1", "3"], "values of the second worker")


def test_values_that_nobody_reads_any_more_hold_nobody_up():
    server = Counting()
    with Server(server) as at:
        done = run(f"""
providers: {{ids: {{response: {{buffer: 2}}}}, few: {{range: {{end: 4}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 60s}}}}]
endpoints:
  - url: {at.url}/make
    provides: {{ids: {{select: response.body.n, send: block}}}}
  - {{url: "{at.url}/use?v=${{ids}}-${{few}}", peak_load: 100hps}}
""", rc=2)
    equal(done.report["end"], "providers")
    equal(len(server.targets("/use")), 5)


def test_values_of_a_split_component_go_to_a_worker_that_starves_and_it_ends():
    server = Counting()
    with Server(server) as at:
        done = run(f"""
config: {{general: {{workers: 2}}}}
providers: {{seed: {{range: {{start: 1, end: 1}}}}, ids: {{response: {{buffer: 60}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 60s}}}}]
endpoints:
  - url: {at.url}/make?s=${{seed}}
    provides: {{ids: {{select: counter("id"), for_each: ["repeat(20)"], send: block}}}}
  - url: {at.url}/slow/use?v=${{ids}}
    max_parallel_requests: 2
""", rc=2)
    equal(done.report["end"], "providers")
    equal(len(server.targets("/make")), 1)
    used = values_of(server.targets("/slow/use"))
    equal((len(used), len(set(used))), (20, 20))
    equal(server.busiest["/slow/use"], 2, "both workers sent")


def test_a_split_chain_without_rates_uses_each_value_once():
    server = Counting()
    with Server(server) as at:
        run(f"""
config: {{general: {{workers: 2}}, client: {{max_connections: 8}}}}
providers: {{ids: {{response: {{buffer: 4}}}}, tokens: {{response: {{buffer: 4}}}}}}
{PATTERN}
endpoints:
  - {{url: "{at.url}/login", provides: {{tokens: {{select: response.body.n, send: block}}}}}}
  - {{url: "{at.url}/list?v=${{tokens}}", provides: {{ids: {{select: response.body.n, send: block}}}}}}
  - url: {at.url}/item?v=${{ids}}
""", rc=0)
    for path in ("/list", "/item"):
        values = values_of(server.targets(path))
        equal(len(values), len(set(values)), "a value came twice")
        check(len(values) > 50, "few:", len(values))


def test_values_that_come_to_nothing_are_told():
    server = Counting()
    with Server(server) as at:
        done = run(f"""
providers:
  few: {{response: {{buffer: 1}}}}
  kinds: {{response: {{buffer: 100, unique: true}}}}
  nobodys: {{response: {{}}}}
  fine: {{response: {{}}}}
  gate: {{response: {{}}}}
{PATTERN}
endpoints:
  - url: {at.url}/make
    peak_load: 20hps
    provides:
      few: {{select: for_each, for_each: [response.body.list]}}
      kinds: {{select: "1"}}
      nobodys: {{select: response.body.n}}
      fine: {{select: response.body.n}}
      gate: {{select: "1", where: "false"}}
  - url: {at.url}/never?v=${{few}}-${{kinds}}-${{gate}}
    peak_load: 1hps
  - url: {at.url}/use?v=${{fine}}
    peak_load: 100hps
""")
    made = len(server.targets("/make"))
    dropped = {d.pop("provider"): d for d in done.report["dropped"]}
    equal(made, 20)
    equal(server.targets("/never"), [])
    equal(sorted(dropped.keys() - {"fine"}), ["few", "kinds", "nobodys"], done.report["dropped"])
    # Each request has one value refused, and offers no more; of those that come after the readers,
    # and on a busy machine these may be several, nobody reads any of the three.
    few, kinds = dropped["few"], dropped["kinds"]
    equal((few["full"] + few["unread"] // 3, few["unread"] % 3), (20, 0), few)
    equal(kinds["same"] + kinds["unread"], 19, kinds)
    check(few["full"] >= 10 and kinds["same"] >= 8, few, kinds)
    equal(dropped["nobodys"], {"full": 0, "unread": 20, "same": 0, "no_memory": 0})
    check("values for 'nobodys': 20 no reader\n" in done.out, "not told:", done)


LOGIN = """  - method: POST
    url: {at.url}/login
    body: '{{"password": "open sesame"}}'"""


def test_values_are_not_given_back_by_an_endpoint_that_is_not_to():
    with StateServer() as at:
        done = run(f"""
providers: {{token: {{response: {{buffer: 5, auto_return: force}}}}}}
{PATTERN}
endpoints:
{LOGIN.format(at=at)}
    on_demand: true
    provides: {{token: {{select: response.body.token, send: block}}}}
  - url: {at.url}/items?kept=1
    peak_load: 20hps
    headers: {{Authorization: "Bearer ${{token}}"}}
    no_auto_returns: true
""", rc=0)
    equal({d.status for d in at.log}, {200})
    used = [d.fields["authorization"] for d in at.of("/items")]
    # A busy machine may miss hits.
    check(10 <= len(used) == len(set(used)), used, done.report["ledger"])
    check(len(used) <= len(at.of("/login")) <= len(used) + 1, "logins", len(at.of("/login")))


def test_a_value_that_is_given_back_waits_for_room():
    with StateServer() as at:
        done = run(f"""
providers:
  token: {{response: {{buffer: 2, auto_return: block}}}}
  logins: {{range: {{start: 1, end: 6}}}}
{PATTERN}
endpoints:
{LOGIN.format(at=at)}
    headers: {{X-Number: "${{logins}}"}}
    peak_load: 600hps
    provides: {{token: {{select: response.body.token, send: force}}}}
  - url: {at.url}/items
    peak_load: 100hps
    headers: {{Authorization: "Bearer ${{token}}"}}
""")
    equal({d.status for d in at.log}, {200})
    equal(len(at.of("/login")), 6)
    # Six tokens and room for two: those that find none come in when it is their turn, none is lost.
    uses = collections.Counter(d.fields["authorization"] for d in at.of("/items"))
    equal(len(uses), 6, uses)
    check(min(uses.values()) >= 2, "not in turn:", uses)
    dropped = {d["provider"]: d for d in done.report.get("dropped", [])}
    equal(dropped.get("token", {}).get("full", 0), 0, dropped)


def fed_with(send_all):
    """What /ids was asked for when one of its two queues has readers in want and the other has
    none that take a value; values of the first that were used; what was dropped of the second."""
    with StateServer() as at:
        done = run(f"""
providers: {{fast: {{response: {{buffer: 4}}}}, slow: {{response: {{buffer: 2}}}}}}
{PATTERN}
endpoints:
  - url: {at.url}/ids
    max_parallel_requests: 1
    send_all: {send_all}
    provides:
      fast: {{select: "response.body.ids[0]", send: block}}
      slow: {{select: "response.body.ids[0]", send: block}}
  - {{url: "{at.url}/fast?v=${{fast}}", peak_load: 40hps}}
  - {{url: "{at.url}/slow?s=0&v=${{slow}}", peak_load: 5hps}}
""", rc=0)
    dropped = {d["provider"]: d["full"] for d in done.report.get("dropped", [])}
    fast, slow = ([int(d.query["v"]) for d in at.of(path)] for path in ("/fast", "/slow"))
    equal((len(fast), len(slow)), (len(set(fast)), len(set(slow))), "a value came twice")
    return len(at.of("/ids")), fast, slow, dropped.get("slow", 0)


def test_a_request_that_feeds_several_waits_for_the_first_or_for_all():
    made, fast, slow, dropped = fed_with("false")
    # As fast as the one is read; the other one's readers miss what had no room.
    check(len(fast) >= 15 and len(slow) >= 2, "few:", fast, slow)
    check(dropped >= 5 and made >= 15, made, dropped)
    made, fast, slow, dropped = fed_with("true")
    # As slowly as the other one is read: five a second, two in the queue, one held and one waits.
    equal(dropped, 0)
    check(3 <= made <= 5 + 2 + 2 + 1, made)
    equal(sorted(slow), sorted(fast)[: len(slow)], "each value goes to both")
