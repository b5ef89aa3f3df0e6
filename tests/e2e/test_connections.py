"""Connections as the server sees them: how many, never more, used again or not; and exact counts
of requests."""

import resource

import badserver
import lib
import tls
from badserver import Server
from lib import check, equal


def test_all_connections_asked_for_are_opened_and_kept():
    # 100 over 12 workers does not divide evenly.
    with Server(badserver.slow(0.01)) as server:
        run = lib.load(server.url + "/", "-c", 100, "-t", 12, "-d", "2s", rc=0)
        equal(server.open_max, 100, "open at once")
        equal(server.connections, 100, "opened")
    connections = run.report["connections"]
    equal(connections["asked"], 100)
    equal(connections["opened"], 100)
    equal(connections["alive_max"], 100)
    equal(run.report["workers"], 12, "workers")
    equal(run.report["ledger"]["cut_off"], 0, "answers that came during the drain")


def test_workers_are_never_more_than_connections_unless_asked():
    with Server(badserver.good) as server:
        run = lib.load(server.url + "/", "-c", 1, "-n", 10, rc=0)
    equal(run.report["workers"], 1)


def test_max_connections_is_never_exceeded():
    for args in (["-c", 20], ["-c", 20, "-t", 3], ["-c", 20, "--no-keepalive"]):
        with Server(badserver.slow(0.005)) as server:
            run = lib.load(server.url + "/", *args, "--max-connections", 7, "-d", "1500ms", rc=0)
            check(server.open_max <= 7, f"{args}: {server.open_max} open at once, at most 7\n{run}")
            check(run.report["connections"]["alive_max"] <= 7, run)
            check(run.ok() > 0, run)


def test_a_count_is_exact_at_the_server():
    for connections, threads, count in ((1, 1, 1), (7, 2, 1000), (10, 3, 3), (64, 4, 4097)):
        with Server(badserver.good) as server:
            run = lib.load(
                server.url + "/", "-c", connections, "-t", threads, "-n", count, rc=0
            )
            equal(server.requests, count, f"requests at the server\n{run}")
        ledger = run.report["ledger"]
        equal((ledger["due"], ledger["started"], ledger["ok"]), (count,) * 3, "ledger")


def test_a_count_counts_failures_too():
    with Server(badserver.every_other(badserver.closes_after(2), badserver.resets_at_once)) as server:
        run = lib.load(server.url + "/", "-c", 4, "-n", 200, rc=0)
    equal(run.started(), 200, "requests")
    equal(run.report["status"], {"200": server.answers[200]})


def test_without_keepalive_each_request_has_its_own_connection():
    with Server(badserver.good) as server:
        run = lib.load(server.url + "/", "-c", 5, "-n", 300, "--no-keepalive", rc=0)
        equal(server.uses_max, 1, "requests on a connection")
        check(server.open_max <= 5, server.open_max, "connections at once, at most 5")
    # In place of the last ones others may have been opened that found nothing left to do.
    check(300 <= run.report["connections"]["opened"] <= 305, run)
    check(run.report["connections"]["alive_max"] <= 5, run)


def test_keepalive_uses_connections_again():
    with Server(badserver.good) as server:
        run = lib.load(server.url + "/", "-c", 5, "-n", 1000, rc=0)
        equal(server.connections, 5, "connections")
    equal(run.report["connections"]["opened"], 5)


def test_connections_are_opened_again_when_the_server_ends_them():
    with Server(badserver.closes_after(3)) as server:
        run = lib.load(server.url + "/", "-c", 8, "-d", "1s", rc=0)
        check(server.open_max <= 8, server.open_max, "connections at once, at most 8")
        opened = run.report["connections"]["opened"]
        lib.wait_until(lambda: server.connections == opened, f"the server to count {opened}")
    equal(run.failed(), {}, f"{run}")


def test_a_timeout_gives_its_place_to_a_new_connection():
    with Server(badserver.every_other(badserver.silent, badserver.good)) as server:
        run = lib.load(server.url + "/", "-c", 4, "-d", "2s", "-T", "200ms", rc=0)
        check(server.open_max <= 4, server.open_max, "connections at once, at most 4")
    equal(set(run.failed()), {"timeout"}, f"{run}")
    check(run.ok() > 0, run)


@lib.seconds(240)
@lib.alone
def test_19000_connections_hold_and_answer():
    count = 19_000
    lib.need_files(count + 500)
    low, high = map(int, lib.read_file("/proc/sys/net/ipv4/ip_local_port_range").split())
    if high - low < count + 2000:
        raise lib.Skip(f"only {high - low} local ports")
    if lib.INSTRUMENTED:
        raise lib.Skip("an instrumented build")
    with lib.target() as server:
        run = lib.load(server.url + "/", "-c", count, "-n", 3 * count, "-d", "150s", "-T", "120s",
                       timeout=200)
    connections = run.report["connections"]
    equal(connections["alive_max"], count, f"held at once\n{run}")
    equal(run.failed(), {}, f"{run}")
    equal(run.ok(), 3 * count, "answers")


@lib.alone
def test_an_idle_connection_costs_little_memory():
    if lib.INSTRUMENTED:
        raise lib.Skip("an instrumented build")
    few, many = 2_200, 6_000  # Receive buffers are as many for both, and all are used.
    lib.need_files(many + 200)
    rss = {}
    with lib.target() as server:
        for count in (few, many):
            run = lib.load(server.url + "/delay/300", "-c", count, "-t", 1, "-n", many, "-T",
                           "60s", rc=0)
            equal(run.report["connections"]["alive_max"], count, f"{run}")
            rss[count] = run.report["client"]["rss_kib"]
    each = (rss[many] - rss[few]) / (many - few)
    check(each <= 2.0, f"{each:.2f} KiB for each connection, 2 at most: {rss}")


def test_the_memory_in_the_report_is_ours():
    if lib.INSTRUMENTED:
        raise lib.Skip("an instrumented build")
    ours = bytearray(256 << 20)
    ours[::4096] = b"x" * len(ours[::4096])  # Resident.
    with lib.target() as server:
        run = lib.load(server.url + "/", "-c", 1, "-n", 10, rc=0)
    equal(len(ours), 256 << 20)
    check(0 < run.report["client"]["rss_kib"] < 128 << 10, run.report["client"])


def all_shaken(server, count):
    """The memory of a run with so many TLS connections, all of which were up before the first
    answer came; how late that has to be is found out."""
    for delay_ms in (1000 + 2 * count, 10_000 + 10 * count):
        run = lib.load(f"{server.url}/delay/{delay_ms}", "-c", count, "-t", 1, "-n", count, "-T",
                       "150s", "--cacert", server.cert, timeout=lib.SLACK_S + 120, rc=0)
        equal(run.report["connections"]["alive_max"], count, f"{run}")
        up_ms = sum(run.report["phases_us"][name]["max"] / 1000
                    for name in ("connect", "handshake_full"))
        if run.report["tls"]["handshakes"] == count and up_ms < delay_ms:
            return run.report["client"]["rss_kib"]
    raise lib.Skip(f"{count} handshakes take {up_ms:.0f} ms here")


# Handshakes all at once are what costs most: what they took stays with the heap.
@lib.seconds(300)
@lib.alone
def test_an_idle_tls_connection_costs_little_memory():
    if lib.INSTRUMENTED:
        raise lib.Skip("an instrumented build")
    few, many = 2_200, 4_000  # No more than wait to be accepted: 4,096.
    lib.need_files(many + 200)
    with tls.target() as server:
        peak = {count: all_shaken(server, count) for count in (few, many)}
    each = (peak[many] - peak[few]) / (many - few)
    check(each <= 48.0, f"{each:.2f} KiB for each connection, 48 at most: {peak}")


def test_the_soft_limit_on_files_is_raised_to_the_hard_one():
    need = 300
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < need + 100:
        raise lib.Skip(f"ulimit -Hn is {hard}")
    with lib.target() as server:
        process = lib.Process(["sh", "-c", 'ulimit -S -n 64 && exec "$0" "$@"', lib.PELT, "-c",
                               str(need), "-n", "3000", server.url + "/"])
        run = process.wait(lib.SLACK_S + 10)
        equal(run.rc, 0, f"{run}")
