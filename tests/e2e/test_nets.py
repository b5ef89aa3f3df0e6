"""How connections get to their targets, as the server sees it: from which address, to which, through
what; and what is said where they cannot."""

import collections
import contextlib
import socket
import ssl
import subprocess
import time

import badserver
import lib
from badserver import Server
from lib import check, equal
from nameserver import RESOLVER, answer_to, name_server


def exact(run, server, count):
    """All requests were answered, and the server knows of just these."""
    equal((run.started(), run.ok()), (count, count), f"started and answered\n{run}")
    equal(server.requests, count, f"requests at the server\n{run}")
    equal(run.failed(), {}, f"{run}")


def refused(run, *words):
    equal(run.rc, 1 if "(see pelt --help)" not in run.err else 64, f"{run}")
    equal(len(run.err.strip().splitlines()), 1, f"lines on stderr\n{run}")
    for word in words:
        check(word in run.err, f"{word!r} is not said:", run)


# Sources.


def test_connections_come_from_the_sources_in_turn():
    for args, addresses in (
        (["-c", 9, "-t", 1, "--source", "127.0.0.2,127.0.0.3,127.0.0.4"], (2, 3, 4)),
        (["-c", 16, "-t", 2, "--source", "127.0.0.2-127.0.0.9"], range(2, 10)),
        (["-c", 3, "-t", 3, "--source", "127.0.0.7,127.0.0.5-127.0.0.6"], (5, 6, 7)),
    ):
        with Server(badserver.good) as server:
            run = lib.load(server.url + "/", *args, "-n", 600, rc=0)
            exact(run, server, 600)
            each = args[1] // len(addresses)
            equal(server.peers, {f"127.0.0.{i}": each for i in addresses}, f"peers\n{run}")
        equal(len(run.report["network"]["sources"]), len(addresses), "sources in the report")


def test_without_sources_the_kernel_chooses():
    with Server(badserver.good) as server:
        run = lib.load(server.url + "/", "-c", 4, "-n", 40, rc=0)
        equal(server.peers, {"127.0.0.1": 4}, f"peers\n{run}")
    check("network" not in run.report, "a plain run's report:", run.report)


@lib.own_network("127.0.0.1 both.test\n::1 both.test\n")
def test_sources_go_to_addresses_of_their_family():
    lib.need_ipv6()
    for source, host, wrong in (("127.0.0.3", "127.0.0.1", "::1"), ("::1", "::1", "127.0.0.1")):
        with Server(badserver.good, host=host) as server:
            with Server(badserver.good, host=wrong, port=server.port) as other:
                run = lib.load(f"http://both.test:{server.port}/", "-c", 3, "-n", 60,
                               "--source", source, rc=0)
                exact(run, server, 60)
                equal(server.peers, {source: 3}, f"peers\n{run}")
                equal(other.connections, 0, f"connections to the other family\n{run}")
                equal(run.report["connections"]["failed"], 0, f"{run}")


def test_a_source_that_cannot_be_used_is_named_before_the_run():
    with Server(badserver.good) as server:
        for source, word in (("192.0.2.77", "192.0.2.77 is no address of this machine"),
                             ("127.0.0.2,192.0.2.78", "192.0.2.78"),
                             ("::1", "no source can go to '127.0.0.1'")):
            refused(lib.pelt("--source", source, "-d", "1s", server.url + "/"), word)
        for source in ("", "127.0.0.1,", "localhost", "127.0.0.9-127.0.0.2", "127.0.0.1,127.0.0.1",
                       "::1-::2", "10.0.0.0-10.0.255.255"):
            refused(lib.pelt("--source=" + source, "-d", "1s", server.url + "/"), "'--source'")
        run = lib.pelt("--source", "127.0.0.1", "--resolve", "far.test:80:192.0.2.1", "-d", "1s",
                       "http://far.test/")
        equal(run.rc, 1, f"{run}") # Refused here; where all is routed it is tried and fails.
        equal(server.connections, 0, "connections made")


def few_ports(low, high):
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
        file.write(f"{low} {high}")


@lib.own_network()
def test_ports_are_counted_per_source_and_all_of_them_used():
    few_ports(50000, 50009)
    with Server(badserver.slow(0.01), port=8080) as server:
        url = server.url + "/"
        refused(lib.pelt("-c", 11, "-d", "1s", url), "11 connections to 1 address", "there are 10",
                "--source A,B")
        refused(lib.pelt("-c", 21, "-d", "1s", "--source", "127.0.0.2,127.0.0.3", url),
                "21 connections from 2 sources to 1 address", "there are 20", "50000 to 50009")
        equal(server.connections, 0, "connections made")
    # A server for each run: those that end leave their ports in TIME_WAIT.
    for sources, count in (("127.0.0.2,127.0.0.3", 20), ("127.0.0.2-127.0.0.6", 50)):
        for threads in (1, 2):
            with Server(badserver.slow(0.01), port=8081 + count + threads) as server:
                run = lib.load(server.url + "/", "-c", count, "-t", threads, "-n", 10 * count,
                               "--source", sources, rc=0)
                equal(run.failed(), {}, f"{run}")
                equal(run.report["connections"]["alive_max"], count, f"held at once\n{run}")
                equal(server.connections, count, f"connections\n{run}")


@lib.own_network("127.0.0.1 two.test\n127.0.0.9 two.test\n")
def test_every_pair_of_a_source_and_a_destination_is_used():
    few_ports(50000, 50009)
    with Server(badserver.slow(0.01), host="0.0.0.0", port=8080):
        run = lib.load("http://two.test:8080/", "-c", 40, "-t", 2, "-n", 400, "--source",
                       "127.0.0.2,127.0.0.3", rc=0)
        refused(lib.pelt("-c", 41, "-d", "1s", "--source", "127.0.0.2,127.0.0.3",
                         "http://two.test:8080/"), "from 2 sources to 2 addresses", "there are 40")
    equal(run.failed(), {}, f"{run}")
    equal(run.report["connections"]["alive_max"], 40, f"held at once\n{run}")


@lib.own_network()
def test_a_source_without_ports_gives_its_turn_to_another():
    few_ports(50000, 50009)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(badserver.slow(0.01), port=8080))
        for _ in range(10):  # Somebody else has all of one source's.
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            sock.bind(("127.0.0.2", 0))
            sock.connect(("127.0.0.1", 8080))
        run = lib.load(server.url + "/", "-c", 6, "-n", 60, "--source", "127.0.0.2,127.0.0.3", rc=0)
        equal(server.peers, {"127.0.0.2": 10, "127.0.0.3": 6}, f"peers\n{run}")
    equal(run.failed(), {}, f"{run}")
    check(run.report["connections"]["failed"] > 0, "no attempt failed?", run)


# Given names and unix sockets.


def test_resolve_gives_a_name_its_addresses():
    with Server(badserver.good, host="0.0.0.0") as server:
        behind = server.port
        run = lib.load(f"http://Name.test:{behind}/x", "-c", 4, "-n", 40, "--resolve",
                       f"name.test:{behind}:127.0.0.5,127.0.0.6", "-v", rc=0)
        exact(run, server, 40)
        equal(dict(server.seen[0].headers)["Host"], f"Name.test:{behind}", "Host")
        for address in ("127.0.0.5", "127.0.0.6"):
            check(f"{address}:{behind}" in run.err, f"{address} is not said:", run)
    refused(lib.pelt("--resolve", "other.test:80:127.0.0.1", "-d", "1s", "http://name.test/"),
            "'--resolve other.test:80:127.0.0.1'", "no place")
    for text in ("x", "x:80", "x::127.0.0.1", "x:0:127.0.0.1", "x:080:127.0.0.1", ":80:127.0.0.1",
                 "x:80:", "x:80:name", "x:65536:127.0.0.1", "[::1:80:127.0.0.1"):
        refused(lib.pelt("--resolve", text, "-d", "1s", "http://x/"), "'--resolve' wants")


def test_a_unix_socket_is_connected_to_and_the_host_stays():
    with lib.socket_path() as path:
        with Server(badserver.good, host=path) as server:
            run = lib.load("http://name.test:81/path", "-c", 5, "-n", 500, "--ids", "--unix", path,
                           rc=0)
            exact(run, server, 500)
            equal(server.peers, {"": 5}, "connections at the unix socket")
            equal(server.seen[0].target, "/path")
            equal(dict(server.seen[0].headers)["Host"], "name.test:81")
            equal(len(set(server.ids)), 500, "ids")
            equal(run.report["network"]["unix"], path)
        run = lib.load("http://name.test/", "-c", 2, "-d", "300ms", "--unix", path + ".none", rc=1)
        equal(set(run.failed()), {"connect_refused"}, f"{run}")
        check(run.started() < 200, "attempts without a pause:", run)


def test_a_unix_socket_needs_no_ports_and_a_full_one_is_waited_for():
    with lib.socket_path() as path, \
         Server(badserver.slow(0.01), host=path, backlog=1) as server:
        run = lib.load("http://x/", "-c", 40, "-n", 400, "--unix", path, rc=0)
        equal(run.started(), 400, f"{run}")
        check(set(run.failed()) <= {"connect_refused"}, "failures of other kinds:", run)
        equal(run.ok(), server.requests, f"{run}")


def test_a_unix_socket_goes_with_nothing_that_it_leaves_no_place_for():
    for other in (["--source", "127.0.0.1"], ["--resolve", "x:80:127.0.0.1"],
                  ["--resolve-every", "1s"], ["--proxy", "http://127.0.0.1:1"]):
        refused(lib.pelt("--unix", "/tmp/x", *other, "-d", "1s", "http://x/"), "exclude each other",
                "--unix", other[0])
    for path in ("", "x" * 108):
        refused(lib.pelt("--unix=" + path, "-d", "1s", "http://x/"), "1 to 107 bytes")


# Names that change.


def test_names_are_looked_up_again_only_if_there_are_any():
    for args in (["http://127.0.0.1:1/"], ["http://[::1]:1/"],
                 ["--resolve", "x:80:127.0.0.1", "http://x/"]):
        refused(lib.pelt("--resolve-every", "1s", "-d", "1s", *args), "finds no name")
    refused(lib.pelt("--resolve-every", "99ms", "http://x/"), "at least 100.0 ms")


@lib.own_network()
def test_new_connections_go_to_where_the_name_is_now():
    now = ["127.0.0.2"]
    with name_server(lambda query: answer_to(query, now)) as queries:
        with Server(badserver.slow(0.005), host="127.0.0.2", port=8080) as first, \
             Server(badserver.slow(0.005), host="127.0.0.3", port=8080) as second:
            process = lib.start_load("http://name.test:8080/", "-c", 4, "-t", 2, "-n", 100000,
                                     "-d", "120s", "--resolve-every", "100ms", "-v", env=RESOLVER)
            lib.wait_until(lambda: first.requests > 50, "requests at the first address")
            now[:] = ["127.0.0.3"]
            lib.wait_until(lambda: "other addresses now: 127.0.0.3:8080" in process.err(), "a line")
            before = first.requests
            lib.wait_until(lambda: first.requests > before + 50, "its connections to be left alone")
            equal(second.connections, 0, "connections to the new address without need")
            first.stop()  # Now they end.
            lib.wait_until(lambda: second.requests > 100, "requests at the new address")
            equal(second.connections, 4, "connections there")
            process.signal(2)
            run = lib.finish_load(process)
    names = run.report["network"]["names"]
    equal((names["changes"], names["failed"]), (1, 0), f"{names}")
    check(names["lookups"] >= 2 and len(queries) >= 4, "look-ups:", names)
    equal([(c["host"], c["addresses"]) for c in names["changed"]],
          [("name.test", "127.0.0.3:8080")], "changes")
    equal(process.err().count("other addresses now"), 1, f"lines\n{run}")
    check(set(run.failed()) <= {"closed_before_response", "incomplete", "connect_refused",
                                "reset_before_response"}, run)


@lib.own_network()
def test_a_look_up_that_fails_leaves_the_addresses_and_blocks_nobody():
    answers = ["127.0.0.1"]

    def answer(query):
        return answer_to(query, answers) if answers else answers_none(query)

    def answers_none(query):
        return None if silent else answer_to(query, [])

    silent = False
    with name_server(answer), Server(badserver.good, port=8080) as server:
        process = lib.start_load("http://name.test:8080/", "-c", 3, "-d", "120s", "--no-keepalive",
                                 "--resolve-every", "100ms", env=RESOLVER)
        lib.wait_until(lambda: server.requests > 50, "requests")
        answers.clear()
        lib.wait_until(lambda: "its addresses stay" in process.err(), "a line")
        silent = True
        time.sleep(0.5)
        before = server.requests
        lib.wait_until(lambda: server.requests > before + 50, "requests during a look-up")
        process.signal(2)
        started = time.monotonic()
        run = lib.finish_load(process)
        check(time.monotonic() - started < lib.SLACK_S, "the end waits for the name server", run)
    names = run.report["network"]["names"]
    check(names["failed"] > 0 and names["changes"] == 0, "look-ups:", names)
    equal(process.err().count("its addresses stay"), 1, f"lines\n{run}")
    equal(run.failed(), {}, f"{run}")


# Proxies.


AUTHORIZATION = "Basic dXNlcjpwOm9yIHQ="  # user:p:or t


def test_a_proxy_gets_the_whole_url():
    with Server(badserver.good) as proxy:
        run = lib.load("http://name.test:81/a?b=c#d", "-c", 3, "-n", 60, "--ids", "--proxy",
                       f"http://127.0.0.1:{proxy.port}", rc=0)
        exact(run, proxy, 60)
        request = proxy.seen[0]
        equal(request.target, "http://name.test:81/a?b=c", "request line")
        fields = dict(request.headers)
        equal(fields["Host"], "name.test:81", "Host")
        check("Proxy-Authorization" not in fields, fields)
        equal(run.report["network"]["proxy"],
              {"address": f"127.0.0.1:{proxy.port}", "tunnel": False, "refused": {}})
        equal(len(set(proxy.ids)), 60, "ids")


def test_a_proxy_that_wants_a_password_gets_it_and_nobody_else_does():
    url = "http://user:p%3Aor%20t@127.0.0.1:{}"
    with Server(badserver.good) as proxy:
        run = lib.load("http://name.test/", "-n", 5, "--proxy", url.format(proxy.port), "-v", rc=0)
        equal(dict(proxy.seen[0].headers)["Proxy-Authorization"], AUTHORIZATION)
        for text in (run.out, run.err, str(run.report)):
            check("p:or t" not in text and "p%3Aor" not in text and "dXNl" not in text, text)
    run = lib.pelt("--proxy", "http://user:secret@", "http://x/")
    refused(run, "'--proxy'")
    check("secret" not in run.err, run)


def test_a_proxy_s_url_is_checked():
    for text in ("127.0.0.1:80", "https://127.0.0.1:80", "http://127.0.0.1", "http://127.0.0.1:",
                 "http://:80", "http://127.0.0.1:80/x", "http://a%zz@127.0.0.1:80",
                 "http://a%0d@127.0.0.1:80", "http://[::1]", "http://127.0.0.1:0", "http://x:80?"):
        equal(lib.pelt("--proxy", text, "-d", "1s", "http://x/").rc, 64, text)
    refused(lib.pelt("--proxy-tunnel", "-d", "1s", "http://x/"), "wants a '--proxy'")


def test_the_environment_names_no_proxy():
    with Server(badserver.good) as proxy, Server(badserver.good) as server:
        env = {name: f"http://127.0.0.1:{proxy.port}" for name in
               ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY")}
        exact(lib.load(server.url + "/", "-n", 20, env=env, rc=0), server, 20)
        equal(proxy.connections, 0, "connections to the proxy")


def tunnel(conn, answer=b"HTTP/1.1 200 Connection established\r\n\r\n"):
    """Takes the CONNECT of a connection, which is no request of the run, and lets it through."""
    request = conn.request()
    conn.server.requests -= 1
    conn.server.tunnels[(request.method, request.target)] += 1
    conn.server.fields = dict(request.headers)
    conn.send(answer)


def tunnels(answer, then=badserver.good):
    def behave(conn):
        tunnel(conn, answer)
        then(conn)

    return behave


@contextlib.contextmanager
def tunnel_proxy(behave):
    with Server(behave) as proxy:
        proxy.tunnels = collections.Counter()
        yield proxy


def through(proxy, *args, url="http://name.test/", **how):
    return lib.load(url, "--proxy", f"http://127.0.0.1:{proxy.port}", "--proxy-tunnel", *args, **how)


GRANTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def test_a_tunnel_is_asked_for_once_per_connection_and_then_carries_requests():
    for url, asked, host in (("http://name.test/x", "name.test:80", "name.test"),
                             ("http://name.test:81/x", "name.test:81", "name.test:81"),
                             ("http://[2001:db8::1]/x", "[2001:db8::1]:80", "[2001:db8::1]")):
        with tunnel_proxy(tunnels(GRANTED, badserver.slow(0.005))) as proxy:
            run = lib.load(url, "-c", 4, "-n", 200, "--ids", "--proxy",
                           f"http://user:p%3Aor%20t@127.0.0.1:{proxy.port}", "--proxy-tunnel", rc=0)
            exact(run, proxy, 200)
            equal(proxy.tunnels, {("CONNECT", asked): 4}, f"{run}")
            equal(proxy.fields, {"Host": asked, "Proxy-Authorization": AUTHORIZATION}, "CONNECT")
            request = [seen for seen in proxy.seen if seen.method != "CONNECT"][0]
            equal(request.target, "/x", "request line")
            equal(dict(request.headers)["Host"], host, "Host")
            check("Proxy-Authorization" not in dict(request.headers), "the target sees the password")
            equal(run.report["connections"]["opened"], 4, f"{run}")
            equal(run.report["network"]["proxy"]["tunnel"], True)


def test_a_tunnel_is_granted_by_any_2xx_whatever_it_says_of_a_body():
    for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
                   b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n",
                   b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                   b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"):
        with tunnel_proxy(tunnels(answer)) as proxy:
            exact(through(proxy, "-c", 2, "-n", 40, rc=0), proxy, 40)


def test_a_tunnel_granted_byte_by_byte_is_a_tunnel():
    def behave(conn):
        tunnel(conn, b"")
        for byte in GRANTED:
            conn.send(bytes([byte]))
            time.sleep(0.001)
        badserver.good(conn)

    with tunnel_proxy(behave) as proxy:
        exact(through(proxy, "-c", 2, "-n", 40, rc=0), proxy, 40)


def test_each_connection_of_one_request_has_its_tunnel():
    with tunnel_proxy(tunnels(GRANTED)) as proxy:
        exact(through(proxy, "-c", 3, "-n", 60, "--no-keepalive", rc=0), proxy, 60)
        check(sum(proxy.tunnels.values()) >= 60, proxy.tunnels)


def test_a_refused_tunnel_is_a_failure_of_its_own_with_its_status():
    for status in (b"407", b"403", b"502", b"301"):
        answer = b"HTTP/1.1 " + status + b" No\r\nContent-Length: 2\r\n\r\nno"
        with tunnel_proxy(tunnels(answer, lambda conn: conn.wait_closed())) as proxy:
            run = through(proxy, "-c", 2, "-d", "700ms", rc=1)
            equal(set(run.failed()), {"proxy_refused"}, f"{run}")
            equal(proxy.requests, 0, "requests through no tunnel")
            refusals = run.report["network"]["proxy"]["refused"]
            equal(set(refusals), {status.decode()}, f"{run}")
            check(refusals[status.decode()] >= run.failed()["proxy_refused"], run)
            equal(run.report["connections"]["opened"], 0, f"{run}")
            check(run.started() < 400, "attempts without a pause:", run)
        run = lib.pelt("-c", 1, "-n", 1, "--proxy", "http://127.0.0.1:1", "--proxy-tunnel",
                       "http://x/", rc=1)
        check("connection refused" in run.out, "nobody is at the proxy:", run)


def test_a_tunnel_refused_now_and_granted_later_loses_nothing_else():
    refusal = tunnels(b"HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n", lambda conn: None)
    with tunnel_proxy(badserver.every_other(refusal, tunnels(GRANTED))) as proxy:
        run = through(proxy, "-c", 4, "-n", 200, "--no-keepalive", rc=0)
        equal(run.started(), 200, f"{run}")
        equal(run.ok(), proxy.requests, f"{run}")
        equal(set(run.failed()), {"proxy_refused"}, f"{run}")


def test_what_goes_wrong_while_a_tunnel_is_made_has_its_class():
    def wrong(behave, *classes, args=()):
        with tunnel_proxy(behave) as proxy:
            run = through(proxy, "-c", 2, "-d", "700ms", *args, rc=1)
            check(run.failed() and set(run.failed()) <= set(classes), f"wanted {classes}:", run)
            equal(run.report["connections"]["opened"], 0, f"{run}")
            check(run.started() < 400, "attempts without a pause:", run)

    wrong(tunnels(b"", lambda conn: None), "closed_before_response")
    wrong(tunnels(b"HTTP/1.1 200", lambda conn: None), "incomplete")
    wrong(tunnels(b"", lambda conn: conn.reset()), "reset_before_response")
    wrong(tunnels(b"SSH-2.0-OpenSSH\r\n", lambda conn: conn.wait_closed()), "bad_head")
    wrong(tunnels(GRANTED + b"220 smtp\r\n", lambda conn: conn.wait_closed()), "unsolicited")
    wrong(tunnels(b"HTTP/1.1 100 Go\r\n\r\n" * 40, lambda conn: conn.wait_closed()),
          "head_too_large")
    wrong(tunnels(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000, lambda conn: conn.wait_closed()),
          "head_too_large")
    wrong(tunnels(b"", lambda conn: conn.wait_closed()), "connect_timeout",
          args=("--connect-timeout", "200ms"))


def test_a_rate_goes_through_tunnels_too():
    with tunnel_proxy(tunnels(GRANTED)) as proxy:
        run = through(proxy, "-c", 4, "-R", 200, "-d", "1s", rc=0)
        exact(run, proxy, 200)


def test_a_real_server_takes_the_absolute_form():
    with lib.target() as server:
        run = lib.load("http://elsewhere.test/", "-c", 2, "-n", 100, "--proxy", server.url, rc=0)
    equal(run.ok(), 100, f"{run}")


@contextlib.contextmanager
def tinyproxy(*lines):
    """A real proxy; yields its URL without scheme."""
    path = lib.need_tool("tinyproxy")
    with lib.closed_port() as port:
        pass
    config = "\n".join([f"Port {port}", "Listen 127.0.0.1", "Timeout 30", "MaxClients 100",
                        "LogLevel Error", *lines, ""])
    process = lib.Process([path, "-d", "-c", lib.write_file("tinyproxy.conf", config)])

    def listens():
        check(process.running(), "tinyproxy did not start:", process)
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0

    try:
        lib.wait_until(listens, "tinyproxy")
        yield f"127.0.0.1:{port}"
    finally:
        process.signal(15)
        process.wait(lib.SLACK_S)


def test_a_real_proxy_passes_requests_on():
    with Server(badserver.good) as server, tinyproxy() as proxy:
        # It closes each connection after an answer, and does not say so.
        run = lib.load(server.url + "/x?y", "-c", 4, "-n", 200, "--ids", "--no-keepalive",
                       "--proxy", f"http://{proxy}", rc=0)
        exact(run, server, 200)
        equal(server.seen[0].target, "/x?y", "request line behind the proxy")
        equal(len(set(server.ids)), 200, "ids")


def test_a_real_proxy_makes_tunnels():
    with Server(badserver.slow(0.005)) as server, tinyproxy("BasicAuth user secret") as proxy:
        run = lib.load(server.url + "/x", "-c", 4, "-n", 200, "--ids", "--proxy-tunnel", "--proxy",
                       f"http://user:secret@{proxy}", rc=0)
        exact(run, server, 200)
        equal(server.connections, 4, "connections behind the proxy")
        run = lib.load(server.url + "/x", "-c", 2, "-n", 4, "--proxy-tunnel", "--proxy",
                       f"http://user:wrong@{proxy}", rc=1)
        equal(set(run.failed()), {"proxy_refused"}, f"{run}")
        check(set(run.report["network"]["proxy"]["refused"]) <= {"401", "407"}, run)
        equal(server.requests, 200, "requests at the server")


def test_tls_goes_through_a_tunnel_without_being_told():
    key, cert = lib.temp_path("key.pem"), lib.temp_path("cert.pem")
    made = subprocess.run(
        [lib.need_tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
         "-out", cert, "-subj", "/CN=name.test", "-addext", "subjectAltName=DNS:name.test"],
        capture_output=True, check=False, text=True)
    equal(made.returncode, 0, made.stderr)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def behave(conn):
        tunnel(conn, GRANTED)
        plain = conn.sock
        with conn.server.lock:
            del conn.server.socks[plain.fileno()]
        conn.sock = context.wrap_socket(plain, server_side=True)
        with conn.server.lock:
            conn.server.socks[conn.sock.fileno()] = conn.sock
        badserver.slow(0.005)(conn)

    with tunnel_proxy(behave) as proxy:
        run = lib.load("https://name.test/x", "-c", 3, "-n", 60, "--ids", "--cacert", cert,
                       "--proxy", f"http://user:p%3Aor%20t@127.0.0.1:{proxy.port}", rc=0)
        exact(run, proxy, 60)
        equal(proxy.tunnels, {("CONNECT", "name.test:443"): 3}, f"{run}")
        equal(proxy.fields, {"Host": "name.test:443", "Proxy-Authorization": AUTHORIZATION})
        request = [seen for seen in proxy.seen if seen.method != "CONNECT"][0]
        equal((request.target, dict(request.headers)["Host"]), ("/x", "name.test"))
        equal(run.report["network"]["proxy"]["tunnel"], True)
