"""Requests that go out: windows of them on a connection, seen at the server."""

import time

import badserver
import lib
from badserver import Server
from lib import check, equal
from test_exact import assert_equal_books

ENGINES = (("--io", "epoll"), ("--io", "auto"))


class Window:
    """A server that answers late, and knows how many requests were outstanding at most."""

    def __init__(self, delay_s=0):
        self.delay_s = delay_s
        self.most = 0

    def __call__(self, conn):
        while True:
            outstanding = [conn.request()]
            # A window comes in one send, so what is there by now is all of it.
            while b"\r\n\r\n" in conn.buffer:
                outstanding.append(conn.request())
            self.most = max(self.most, len(outstanding))
            time.sleep(self.delay_s)
            for _ in outstanding:
                conn.respond()


def test_a_window_of_requests_is_outstanding_and_never_more():
    for engine in ENGINES:
        for size in (1, 3, 8):
            window = Window()
            with Server(window) as server:
                run = lib.load(server.url + "/", "-c", 2, "--pipeline", size, "-n", 2000, *engine,
                               rc=0)
                equal(window.most, size, f"outstanding at most\n{run}")
                equal(server.requests, 2000, "requests at the server")
                equal(server.connections, 2, "connections")
            equal((run.ok(), run.failed()), (2000, {}), "answers")
            equal(run.report["connections"]["pipeline"], size)


@lib.seconds(120)
def test_ids_of_pipelined_requests_are_the_same_on_both_sides():
    for engine in ENGINES:
        for load in (("-n", 200000), ("-R", 50000, "-d", "2s")):
            log = lib.temp_path("ids")
            with lib.target("--log-ids", log) as server:
                run = lib.load(server.url + "/", "--ids", "-c", 7, "-t", 2, "--pipeline", 16, *load,
                               *engine, timeout=100, rc=0)
                server.stop()
            assert_equal_books(run, log)


def test_a_rate_fills_windows_of_few_connections():
    # 1000 a second with 50 ms each: 50 at a time, over 4 connections.
    for engine in ENGINES:
        with Server(Window(0.05)) as server:
            run = lib.load(server.url + "/", "-c", 4, "--pipeline", 50, "-R", 1000, "-d", "2s",
                           *engine, rc=0)
        equal((run.ok(), run.failed()), (2000, {}), f"answers\n{run}")
        equal(sum(run.report["ledger"]["shed"].values()), 0, "shed")


def test_without_places_to_wait_a_window_still_takes_what_is_due():
    with Server(Window(0.05)) as server:
        run = lib.load(server.url + "/", "-c", 4, "--pipeline", 200,
                       "--max-pending", 0, "--stages", "500ms:0,0:1000,1s:1000", rc=0)
    equal((run.ok(), run.report["ledger"]["shed"]), (1000, {}), f"shed\n{run}")


def test_an_end_in_a_window_fails_one_and_the_rest_was_not_processed():
    with Server(badserver.closes_after(5)) as server:
        run = lib.load(server.url + "/", "-c", 2, "--pipeline", 4, "-n", 1000, rc=0)
        equal(run.ok(), server.answers[200], "answers")
    equal(run.started(), 1000, "requests")
    check(set(run.failed()) <= {"not_processed", "reset_before_response",
                                "closed_before_response"}, run)
    check(run.failed()["not_processed"] > 0, run)


@lib.own_network()
def test_a_window_larger_than_the_socket_is_sent_in_order():
    # 40 KiB go into a socket that takes 4, and to a peer that takes 16 before it reads: what is
    # cut short is sent on, in order.
    for name, sizes in (("wmem", "4096 4096 4096"), ("rmem", "4096 16384 16384")):
        with open(f"/proc/sys/net/ipv4/tcp_{name}", "w") as file:
            file.write(sizes)

    def late(conn):
        time.sleep(0.1)
        badserver.good(conn)

    for engine in ENGINES:
        with Server(late) as server:
            run = lib.load(server.url + "/", "-c", 3, "--pipeline", 8, "-n", 600, "--ids", "-H",
                           "X-Long: " + "x" * 5000, *engine, rc=0)
            equal(server.requests, 600, f"requests at the server\n{run}")
            equal(len(set(server.ids)), 600, "ids at the server")
        equal((run.ok(), run.failed()), (600, {}), "answers")
        check(run.report["client"]["short_sends"] > 0, "sends that were cut short:", run)
        check("sends were not taken whole at once" in run.out, run)


def test_pipelining_wants_connections_that_are_kept():
    run = lib.pelt("--pipeline", 2, "--no-keepalive", "http://127.0.0.1:1/", rc=64)
    check("'--pipeline' and '--no-keepalive' exclude each other" in run.err, run)
    run = lib.pelt("--pipeline", 1025, "http://127.0.0.1:1/", rc=64)
    check("wants 1 to 1024" in run.err, run)
