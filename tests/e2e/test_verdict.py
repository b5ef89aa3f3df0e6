"""The verdict, the health of the client, the preflight: what does not depend on how busy the
machine is. How the verdict falls on a quiet and on a throttled one is for bench/truth."""

import signal
import time

import badserver
import lib
from badserver import Server
from lib import check, equal

STATES = ("VALID", "CLIENT-LIMITED")
SHARES = ("steal", "foreign_cpu", "cpu_wait", "stalled", "stood_still")


def verdict_of(run):
    """The run's verdict, after what holds for every verdict."""
    verdict, health = run.report["verdict"], run.report["health"]
    check(verdict["state"] in STATES, "a state that is none:", run)
    equal(verdict["state"] == "CLIENT-LIMITED", bool(verdict["reasons"]), f"reasons\n{run}")
    check(f"verdict      {verdict['state']}\n" in run.out, "not in the text report:", run)
    for share in SHARES:
        check(0 <= health.get(share, 0) <= 1, "a share that is none:", share, health)
    check(health["rss_kib"] > 0, "no memory:", health)
    return verdict


def test_every_run_has_a_verdict_and_its_health():
    for engine in ("uring", "epoll"):
        with lib.target() as server:
            run = lib.load(server.url + "/", "-c", 4, "-t", 1, "-d", "1500ms", "--io", engine, rc=0)
        verdict_of(run)
        health = run.report["health"]
        for key in (*SHARES, "loop_lag_p99_us", "loop_lag_max_us", "retransmits"):
            check(key in health, "not known on this machine:", key, health)
        check(health["loop_lag_p99_us"] <= health["loop_lag_max_us"], health)
        check(run.report["per_worker"][0]["used"] > 0, "a worker that used no CPU:", run)


def test_a_short_run_tells_no_shares():
    with lib.target() as server:
        run = lib.load(server.url + "/", "-c", 1, "-n", 1, rc=0)
    verdict_of(run)
    check("steal" not in run.report["health"], "a share of ticks in a moment:", run)
    check(run.report["drained_s"] < lib.SLACK_S, "a drain that never was:", run)


def test_strict_makes_the_exit_code_of_it():
    # As fast as one connection goes, a quiet machine is valid and a busy one is not: the exit
    # code says which, only where it is asked to.
    with lib.target() as server:
        for args in ((), ("--strict",)):
            run = lib.load(server.url + "/", "-c", 4, "-d", "300ms", *args)
            limited = verdict_of(run)["state"] == "CLIENT-LIMITED"
            equal(run.rc, 98 if limited and args else 0, f"exit code\n{run}")


def test_a_stopped_client_says_so():
    with Server(badserver.good) as server:
        process = lib.start_load(server.url + "/", "-c", 5, "-d", "3s", "--strict")
        lib.wait_until(lambda: server.requests >= 5, "requests at the server")
        process.signal(signal.SIGSTOP)
        time.sleep(1)
        process.signal(signal.SIGCONT)
        run = lib.finish_load(process)
    verdict = verdict_of(run)
    check(any("stood still" in reason for reason in verdict["reasons"]), "not said:", run)
    check(run.report["health"]["stood_still"] > 0.2, run)
    equal(run.rc, 98, f"exit code\n{run}")


def test_a_frozen_server_is_not_the_clients_fault():
    # Each answer takes half of the run. What a busy machine does to the client is no matter
    # here: only reasons that a slow server could have brought about.
    with lib.target("--delay", "const:1s") as server:
        run = lib.load(server.url + "/", "-c", 50, "-d", "2s", rc=0)
    for reason in verdict_of(run)["reasons"]:
        check("wait" not in reason or "CPU" in reason, "accuses the client:", reason)
        check("late" not in reason and "used up" not in reason, "accuses the client:", reason)
        check("of its CPU: the server may do more" not in reason, "accuses the client:", reason)


def test_a_pool_that_is_too_small_is_a_note():
    with lib.target() as server:
        run = lib.load(server.url + "/", "-c", 5, "-t", 1, "--max-connections", 2, "-n", 200, rc=0)
    equal(verdict_of(run)["notes"], ["pool of 2 saturated: 5 requests at a time share it"],
          f"notes\n{run}")
    check("note: pool of 2 saturated" in run.out, "not in the text report:", run)


def refused(run, *words):
    """Refused before the start: one line with these words, nothing on stdout."""
    equal(run.rc, 1, f"exit code\n{run}")
    lines = [line for line in run.err.splitlines() if not line.startswith("pelt: http")]
    equal(len(lines), 1, f"lines on stderr\n{run}")
    for word in words:
        check(word in lines[0], f"'{word}' is not said:", run)
    equal(run.out, "", f"stdout\n{run}")


def test_too_few_descriptors_are_refused_with_the_command_that_mends_it():
    with Server(badserver.good) as server:
        for engine, connections, limit in (("epoll", 100, 60), ("uring", 200, 150)):
            run = lib.pelt("--io", engine, "-t", 1, "-c", connections, "-d", "1s",
                           server.url + "/", files=limit)
            refused(run, f"{connections} connections", f"may have {limit}", "ulimit -n ")
        equal(server.connections, 0, "connections made")


def test_the_command_that_mends_it_does():
    with Server(badserver.good) as server:
        run = lib.pelt("--io", "epoll", "-t", 1, "-c", 60, "-n", 60, server.url + "/", "--json",
                       lib.temp_path("json"), files=40)
        enough = int(run.err.split("ulimit -n ")[1].split("'")[0])
        run = lib.load(server.url + "/", "--io", "epoll", "-t", 1, "-c", 60, "-n", 60,
                       files=enough, rc=0)
    equal(run.failed(), {}, f"{run}")


@lib.own_network()
def test_too_few_ports_are_refused_with_the_command_that_mends_it():
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
        file.write("50000 50009")
    with Server(badserver.good, port=8080) as server:
        run = lib.pelt("-c", 30, "-d", "1s", server.url + "/")
        refused(run, "30 connections", "there are 10", "50000 to 50009",
                "sysctl -w net.ipv4.ip_local_port_range='1024 65535'")
        equal(server.connections, 0, "connections made")
        with open("/proc/sys/net/ipv4/ip_local_reserved_ports", "w") as file:
            file.write("50003-50004")
        run = lib.pelt("-c", 9, "-d", "1s", server.url + "/")
        refused(run, "9 connections", "there are 8")
        run = lib.load(server.url + "/", "-c", 8, "-n", 80, rc=0)
        equal(run.failed(), {}, f"{run}")
