"""Connections that end after some requests, as the server sees them."""

import threading

import badserver
import lib
import tls
from badserver import Server
from lib import check, equal
from test_exact import assert_equal_books
from test_nets import GRANTED, exact, through, tunnel, tunnel_proxy

ENGINES = (("--io", "epoll"), ("--io", "auto"))


class Uses:
    """A server that ends a connection when it is told to, and keeps what it was told."""

    def __init__(self, obeys=True):
        self.obeys = obeys
        self.lock = threading.Lock()
        self.said = {}  # By connection: of each request whether it said that it is the last.

    def __call__(self, conn):
        while True:
            request = conn.request()
            words = [v.lower() for n, v in request.headers if n.lower() == "connection"]
            is_last = words == ["close"]
            with self.lock:
                self.said.setdefault(conn.number, []).append(is_last)
            conn.respond()
            if is_last and self.obeys:
                return

    def assert_ended_after(self, count, run):
        """Each had so many requests at most, and only the last of these said so."""
        for said in self.said.values():
            equal(said, [False] * (len(said) - 1) + [len(said) == count], f"closes\n{run}")
            check(len(said) <= count, said)


def lasting(server, uses, run, requests, each, connections):
    equal((run.ok(), run.failed()), (requests, {}), f"answers\n{run}")
    equal(server.requests, requests, "requests at the server")
    uses.assert_ended_after(each, run)
    full = [said for said in uses.said.values() if len(said) == each]
    # All but the last of each slot were used to the full.
    check(len(full) >= requests // each - connections, len(full), run)
    check(server.open_max <= connections, server.open_max, "open at once", run)
    equal(run.report["connections"]["requests_each_max"], each)


def test_a_connection_ends_with_its_last_request_which_says_so():
    for engine in ENGINES:
        for each, args in ((1, []), (2, []), (7, []), (7, ["--pipeline", 3]),
                           (4, ["--pipeline", 4]), (7, ["--ids"]),
                           (7, ["--ids", "--pipeline", 3]), (7, ["-R", 2000])):
            uses = Uses()
            with Server(uses) as server:
                run = lib.load(server.url + "/", "-c", 5, "-t", 2, "-n", 700,
                               "--requests-per-connection", each, *args, *engine, rc=0)
                lasting(server, uses, run, 700, each, 5)
                if "--ids" in args:
                    equal(len(set(server.ids)), 700, "ids")


def test_one_request_per_connection_is_no_keepalive():
    for engine in ENGINES:
        seen = []
        for args in (["--no-keepalive"], ["--requests-per-connection", 1]):
            uses = Uses()
            with Server(uses) as server:
                run = lib.load(server.url + "/", "-c", 2, "-n", 60, *args, *engine, rc=0)
                lasting(server, uses, run, 60, 1, 2)
                seen.append([r.headers[1:] for r in server.seen])
        equal(seen[0], seen[1], "requests")


def test_ids_are_exact_on_both_sides_of_connections_that_end():
    for engine in ENGINES:
        for window in (1, 5):
            log = lib.temp_path("ids")
            with lib.target("--log-ids", log) as server:
                run = lib.load(server.url + "/", "--ids", "-c", 7, "-t", 2, "-n", 20000,
                               "--requests-per-connection", 13, "--pipeline", window, *engine,
                               rc=0)
                server.stop()
            assert_equal_books(run, log)
            check(run.report["connections"]["opened"] >= 20000 // 13, run)


def test_several_urls_share_connections_that_end():
    for window in (1, 3):
        uses = Uses()
        with Server(uses) as server:
            run = lib.load(server.url + "/a", "-c", 2, "-t", 1, "-n", 100,
                           "--requests-per-connection", 5, "--weights", "3,1", "--pipeline", window, server.url + "/longer", rc=0)
            uses.assert_ended_after(5, run)
            equal(sum(r.target == "/longer" for r in server.seen), 75, "requests of the second")
        equal((run.ok(), run.failed()), (100, {}), f"{run}")


def test_a_connection_header_of_the_users_is_left_alone():
    for words in (["--requests-per-connection", 3], ["--requests-per-connection", 1]):
        uses = Uses()
        with Server(uses) as server:
            run = lib.load(server.url + "/", "-c", 2, "-n", 30, *words, "-H",
                           "Connection: keep-alive", rc=0)
            check(not any(any(said) for said in uses.said.values()), "said to close:", uses.said)
            equal({len(said) for said in uses.said.values()}, {words[1]}, "requests of each")
            equal({n for r in server.seen for n, _ in r.headers}, {"Host", "Connection"})
        equal((run.ok(), run.failed()), (30, {}), f"{run}")


def test_a_server_that_does_not_close_is_closed_on():
    for engine in ENGINES:
        uses = Uses(obeys=False)
        with Server(uses) as server:
            run = lib.load(server.url + "/", "-c", 4, "-n", 60, "--requests-per-connection", 3,
                           *engine, rc=0)
            lasting(server, uses, run, 60, 3, 4)


def test_tls_and_tunnels_are_made_anew_for_each_connection():
    for engine in ENGINES:
        with tls.target() as target:
            run = lib.load(target.url + "/", "-c", 3, "-t", 1, "-n", 120, "--cacert", target.cert,
                           "--requests-per-connection", 4, *engine, rc=0)
            target.stop()
        equal(run.ok(), 120, f"{run}")
        check(30 <= tls.totals(target)[0] <= 33, tls.totals(target), run)

        def behave(conn):
            tunnel(conn, GRANTED)
            uses(conn)

        uses = Uses()
        with tunnel_proxy(behave) as proxy:
            run = through(proxy, "-c", 3, "-n", 60, "--requests-per-connection", 4, *engine, rc=0)
            exact(run, proxy, 60)
            uses.assert_ended_after(4, run)
            check(sum(proxy.tunnels.values()) >= 15, proxy.tunnels)


def test_a_test_file_says_after_how_many_requests_connections_end():
    for body in ("", "    body: 'x${n}'\n"):
        uses = Uses()
        with Server(uses) as server:
            path = lib.write_file("test.yaml", f"""
config: {{client: {{max_requests_per_connection: 3}}}}
providers: {{n: {{range: {{}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 1s}}}}]
endpoints:
  - url: {server.url}/
    method: POST
    peak_load: 90hps
{body}""".encode())
            json = lib.temp_path("report.json")
            run = lib.pelt("run", path, "--json", json, rc=0)
            lib.load_report(run, json)
            uses.assert_ended_after(3, run)
            equal(server.requests, 90, f"{run}")
        equal((run.ok(), run.failed()), (90, {}), f"{run}")


def attempts_at_most(run, per_s, threads):
    """Of an attempt at the start, and one more each time its turn came."""
    attempts = run.report["connections"]["attempts"]
    check(attempts <= threads + per_s * run.seconds, attempts, "attempts to connect", run)
    equal(run.report["connections"]["connect_rate_per_s"], per_s)


def test_connections_are_opened_at_no_more_than_their_rate():
    for engine in ENGINES:
        for args in (["-n", 300], ["-R", 300, "-d", "1s"], ["-n", 40, "--no-keepalive"]):
            with Server(badserver.slow(0.02)) as server:
                run = lib.load(server.url + "/", "-c", 30, "-t", 2, "--connect-rate", 40, *args,
                               *engine, rc=0)
                equal(server.requests, run.ok(), f"requests at the server\n{run}")
            attempts_at_most(run, 40, 2)
            equal((run.started(), run.failed()), (run.ok(), {}), f"{run}")
            equal(run.ok(), 40 if "--no-keepalive" in args else 300, f"{run}")


def test_attempts_that_fail_keep_to_the_rate():
    for engine in ENGINES:
        with lib.closed_port() as port:
            for addresses in ("127.0.0.1", "127.0.0.1,127.0.0.2,127.0.0.3"):
                run = lib.load(f"http://name.test:{port}/", "-c", 4, "-t", 1, "-d", "500ms", "--resolve",
                               f"name.test:{port}:{addresses}", "--connect-rate", 12, *engine, rc=1)
                attempts_at_most(run, 12, 1)
                equal(set(run.failed()), {"connect_refused"}, f"{run}")


def test_targets_take_turns_at_the_rate():
    with Server(badserver.good) as first, Server(badserver.good) as second:
        run = lib.load(first.url + "/", "-c", 4, "-t", 1, "-n", 30, "--no-keepalive",
                       "--connect-rate", 60, second.url + "/", rc=0)
        equal((first.requests, second.requests), (15, 15), f"{run}")
        attempts_at_most(run, 60, 1)
