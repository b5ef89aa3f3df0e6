"""What is measured beyond the two latencies, and what is written besides the report."""

import time

import badserver
import lib
from badserver import Server
from lib import check, equal


def answers_late(delay_s, body_s):
    """The head and half of the body after a while, the rest after another."""

    def behave(conn):
        while True:
            conn.request()
            time.sleep(delay_s)
            conn.count_answer()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
            time.sleep(body_s)
            conn.send(b"cd")

    return behave


def test_phases_of_an_answer_in_pieces():
    with Server(answers_late(0.01, 0.02)) as server:
        run = lib.load(server.url + "/", "-c", 2, "-n", 20, rc=0)
    phases, latency = run.report["phases_us"], run.report["latency_us"]["from_sent"]
    for name in ("first_byte", "body"):
        equal(phases[name]["count"], 20, f"{name}:")
    check(phases["first_byte"]["min"] >= 9_900, "first byte:", run)
    # We may see a first byte late, but not always as late as the last.
    check(phases["body"]["max"] >= 10_000, "body:", run)
    whole = phases["first_byte"]["mean"] + phases["body"]["mean"]
    check(abs(whole - latency["mean"]) <= 0.01, "first byte + body = from sent:", whole, run)
    equal(phases["connect"]["count"], 2, "connections made")
    check("phases" in run.out and "body" in run.out, "not in the report for people:", run)


def test_an_answer_that_comes_whole_has_no_body_time():
    with Server(badserver.slow(0.002)) as server:
        run = lib.load(server.url + "/", "-c", 2, "-n", 100, rc=0)
        full = lib.pelt("-L", "-c", 2, "-n", 100, server.url + "/", rc=0)
    phases = run.report["phases_us"]
    equal((phases["body"]["count"], phases["body"]["max"]), (100, 0), "body")
    equal(phases["first_byte"], run.report["latency_us"]["from_sent"], "first byte")
    check("phases" not in run.out, "phases that say nothing:", run)
    check("phases" in full.out, "no phases with -L:", full)


def test_connect_times_of_made_and_of_failed_connections():
    with lib.deaf_port() as port:
        args = ("-c", 2, "-d", "1s", "--connect-timeout", "200ms")
        run = lib.load(f"http://127.0.0.1:{port}/", *args, rc=1)
    phases = run.report["phases_us"]
    check("connect" not in phases and "first_byte" not in phases, "of nothing:", phases)
    equal(phases["connect_failed"]["count"], run.report["connections"]["failed"], "failed")
    check(phases["connect_failed"]["min"] >= 200_000, "failed after the bound:", phases)
    with Server(badserver.good) as server:
        run = lib.load(server.url + "/", "-c", 2, "-n", 50, "--no-keepalive", rc=0)
    phases = run.report["phases_us"]
    equal(phases["connect"]["count"], run.report["connections"]["opened"], "connect")
    check("connect_failed" not in phases, phases)
    check("phases" in run.out, "a connection each, and no phases:", run)


def test_phases_leave_the_warm_up_out():
    with Server(badserver.slow(0.005)) as server:
        run = lib.load(server.url + "/", "-c", 2, "-d", "1s", "--warmup", "500ms", rc=0)
    phases, ledger = run.report["phases_us"], run.report["ledger"]
    measured = ledger["ok"] - ledger["warmup"]
    equal(phases["first_byte"]["count"], measured, "first byte")
    equal(phases["body"]["count"], measured, "body")
    equal(run.report["status_latency_us"]["200"]["count"], measured, "200")
    check("connect" not in phases, "connections of the warm-up:", phases)


def test_latencies_by_status():
    def respond(conn, request):
        status = int(request.target.rpartition("/")[2])
        if conn.requests % 2:
            time.sleep(0.02)
            status = 503
        conn.respond(status=status)

    with Server(badserver.each(respond)) as server:
        run = lib.load(server.url + "/200", "-c", 2, "-n", 40, rc=0)
        full = lib.pelt("-L", "-c", 2, "-n", 40, server.url + "/200", rc=0)
    rows = run.report["status_latency_us"]
    equal({status: row["count"] for status, row in rows.items()}, run.report["status"], "counts")
    check(rows["503"]["min"] >= 20_000 * 0.99, "503:", rows)
    check(rows["200"]["p50"] < rows["503"]["p50"], "200:", rows)
    check("by status" in full.out and "by status" not in run.out, "only with -L:", full)


def test_more_statuses_than_have_rows():
    statuses = range(400, 420)

    def respond(conn, request):
        conn.respond(status=statuses[(conn.requests - 1) % len(statuses)])

    with Server(badserver.each(respond)) as server:
        run = lib.load(server.url + "/", "-c", 1, "-n", 100, rc=0)
    rows = run.report["status_latency_us"]
    equal(len(rows), 13, "rows")
    equal(rows["other"]["count"], 40, "the others")
    equal(sum(row["count"] for row in rows.values()), 100, "answers")
