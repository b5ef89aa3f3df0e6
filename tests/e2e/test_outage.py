"""Networks and name servers that fail: what breaks in the middle of a run, and what never answers."""

import contextlib
import signal
import subprocess
import time

import badserver
import lib
from badserver import Server
from lib import check, equal
from nameserver import RESOLVER, answer_to, name_server


def tc(*words):
    """Runs tc(8); skips the test where that is not had."""
    done = subprocess.run([lib.need_tool("tc"), *words], capture_output=True, check=False, text=True)
    if done.returncode != 0:
        raise lib.Skip(f"tc {' '.join(words)}: {done.stderr.strip()}")


@contextlib.contextmanager
def black_hole():
    """While this lasts the loopback drops every packet and tells nobody."""
    tc("qdisc", "add", "dev", "lo", "root", "pfifo", "limit", "0")
    try:
        yield
    finally:
        tc("qdisc", "del", "dev", "lo", "root")


@lib.own_network()
def test_a_network_that_swallows_all_is_timeouts_and_then_all_is_well_again():
    with Server(badserver.good) as server:
        process = lib.start_load(server.url + "/", "-c", 6, "-d", "120s", "-T", "400ms")
        lib.wait_until(lambda: server.requests > 100 and server.connections == 6,
                       "requests before, on all connections")
        with black_hole():
            time.sleep(1.5)
        before = server.requests
        lib.wait_until(lambda: server.requests > before + 100, "requests after", 30)
        process.signal(signal.SIGINT)
        run = lib.finish_load(process)
    equal(run.rc, 130)
    check(run.failed().get("timeout", 0) >= 6, "requests on half-open connections:", run)
    check(set(run.failed()) <= {"timeout", "connect_timeout"}, "failures of other kinds:", run)
    check(run.report["connections"]["opened"] > 6, "half-open connections were used again:", run)


@lib.own_network()
def test_a_silent_name_server_is_an_error_with_the_name():
    with name_server(lambda query: None) as queries:
        run = lib.pelt("-d", "1s", "http://silent.test/", env=RESOLVER, rc=1, timeout=40)
    check(queries, "the name server was not asked:", run)
    check("silent.test" in run.err, "the name is not said:", run)
    equal(len(run.err.strip().splitlines()), 1, f"lines on stderr\n{run}")


@lib.own_network()
def test_ctrl_c_does_not_wait_for_a_silent_name_server():
    with name_server(lambda query: None) as queries:
        process = lib.start("-d", "1s", "http://silent.test/",
                            env={"RES_OPTIONS": "timeout:30 attempts:1"})
        lib.wait_until(lambda: queries, "a query")
        process.signal(signal.SIGINT)
        run = process.wait(20)
    check("silent.test" in run.err, "the name is not said:", run)
    check(run.rc in (1, 130), "exit code", run)


@lib.own_network()
def test_a_slow_name_server_is_waited_for():
    def answer(query):
        time.sleep(0.5)
        return answer_to(query, ["127.0.0.1"])

    with name_server(answer), Server(badserver.good) as server:
        run = lib.load(f"http://slow.test:{server.port}/", "-c", 2, "-n", 20, rc=0, env=RESOLVER,
                       timeout=40)
    equal(run.ok(), 20)


@lib.own_network()
def test_a_name_with_a_hundred_addresses_uses_the_first_many():
    addresses = [f"127.0.1.{i}" for i in range(1, 101)]
    with name_server(lambda query: answer_to(query, addresses)), \
            Server(badserver.good, host="0.0.0.0") as server:
        run = lib.load(f"http://many.test:{server.port}/", "-c", 80, "-n", 800, rc=0, env=RESOLVER,
                       timeout=40)
    equal(run.ok(), 800)


@lib.own_network()
def test_a_name_without_addresses_is_an_error():
    with name_server(lambda query: answer_to(query, [])):
        run = lib.pelt("-d", "1s", "http://none.test/", rc=1, env=RESOLVER, timeout=40)
    check("none.test" in run.err, "the name is not said:", run)
