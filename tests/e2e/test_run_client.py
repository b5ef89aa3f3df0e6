"""`pelt run`: `config.client` and the keys of endpoints about how requests are made, as the server
sees them."""

import gzip
import socket
import struct
import time
import zlib

import badserver
import lib
import tls
from badserver import Server
from lib import check, equal
from test_run import run

ENGINES = (("--io", "epoll"), ("--io", "auto"))


def text_of(client="", general="", endpoints="", over="1s", more=""):
    """A test file's text."""
    return f"""
config: {{client: {{{client}}}, general: {{{general}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: {over}}}}}]
{more}
endpoints:
{endpoints}
"""


def endpoint(url, peak="20hps", more=""):
    return f"  - {{url: '{url}', peak_load: {peak}{', ' if more else ''}{more}}}\n"


def test_hosts_are_where_resolve_says_and_connections_come_from_the_sources():
    for engine in ENGINES:
        with Server(badserver.good) as server:
            done = run(text_of(
                client="resolve: {nowhere.test: 127.0.0.1}, source: [127.0.0.2, 127.0.0.3]",
                endpoints=endpoint(f"http://nowhere.test:{server.port}/", "200hps")),
                *engine, rc=0)
            equal(done.report["ledger"]["ok"], 200)
            check(set(server.peers) <= {"127.0.0.2", "127.0.0.3"}, "from", server.peers)
            equal({dict(r.headers)["Host"] for r in server.seen}, {f"nowhere.test:{server.port}"})


def test_tls_is_as_the_test_file_says():
    books = tls.Books()
    seen = []

    def answer(conn, request):
        seen.append((conn.sock.version(), conn.sock.cipher()[0], conn.sock.selected_alpn_protocol()))
        conn.respond()

    context = tls.context("good")
    context.set_alpn_protocols(["http/1.1", "other"])
    with Server(tls.over(context, badserver.each(answer), books)) as server:
        url = tls.https(server)
        run(text_of(f"tls: {{cacert: {tls.cert('ca')}, tls_max: '1.2', "
                    "ciphers: ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384}",
                    endpoints=endpoint(url)), rc=0)
        equal({row[0] for row in seen}, {"TLSv1.2"})
        check(all("AES256-GCM" in row[1] for row in seen), "ciphers", seen[:3])
        equal({row[2] for row in seen}, {"http/1.1"})
        seen.clear()
        run(text_of("tls: {insecure: true, tls_min: '1.3', alpn: none}", endpoints=endpoint(url)),
            rc=0)
        equal({row[0] for row in seen}, {"TLSv1.3"})
        equal({row[2] for row in seen}, {None})
        done = run(text_of("tls: {insecure: true, alpn: other}", endpoints=endpoint(url)), rc=1)
        check("tls_alpn" in str(done.report["ledger"]["failed"]), "another protocol", done)
        done = run(text_of(endpoints=endpoint(url)), rc=1)
    check(any(name.startswith("tls_") for name in done.report["ledger"]["failed"]),
          "a certificate of nobody was trusted", done)


def test_tls_sessions_are_resumed_as_told():
    for how, resumes in (("full", False), ("tickets", True)):
        books = tls.Books()
        with Server(tls.over(tls.context("good"), badserver.closes_after(1), books)) as server:
            run(text_of(f"tls: {{cacert: {tls.cert('ca')}, tls_resume: {how}}}, "
                        "max_connections: 1", "workers: 1", endpoint(tls.https(server))), rc=0)
        equal(books.resumed > 0, resumes, f"resumed with {how}: {books.resumed}")


def test_a_client_certificate_and_a_server_name_are_presented():
    names = []
    context = tls.context("good")
    context.verify_mode = 2  # ssl.CERT_REQUIRED
    context.load_verify_locations(tls.cert("ca"))
    context.sni_callback = lambda sock, name, ctx: names.append(name)
    with Server(tls.over(context, badserver.good)) as server:
        keys = f"cert: {tls.cert('client')}, key: {tls.key('client')}, sni: localhost"
        run(text_of(f"tls: {{cacert: {tls.cert('ca')}, {keys}}}",
                    endpoints=endpoint(tls.https(server))), rc=0)
    equal(set(names), {"localhost"})


def test_an_endpoint_has_its_own_deadline():
    def behave(conn):
        while True:
            request = conn.request()
            time.sleep(0.4)
            conn.respond()

    for engine in ENGINES:
        with Server(behave) as server:
            done = run(text_of("request_timeout: 3s", endpoints=
                               endpoint(server.url + "/a", "5hps", "request_timeout: 100ms") +
                               endpoint(server.url + "/b", "5hps")), *engine, rc=0)
        equal(done.report["ledger"]["failed"], {"timeout": 5})
        equal(done.report["ledger"]["ok"], 5)
        rows = {row["url"].rpartition("/")[2]: row for row in done.report["per_url"]}
        equal((rows["a"]["failed"], rows["b"]["failed"]), (5, 0))


def test_pipelined_requests_are_outstanding_together_and_each_keeps_its_deadline():
    for engine in ENGINES:
        most = []

        def behave(conn):
            while True:
                time.sleep(0.1)
                count = 0
                conn.request()
                while b"\r\n\r\n" in conn.buffer:
                    conn.request()
                    count += 1
                most.append(count + 1)
                for _ in range(count + 1):
                    conn.respond()

        with Server(behave) as server:
            done = run(text_of("pipeline: 8, max_connections: 1", "workers: 1",
                               endpoint(server.url + "/?n=${n}", "40hps") +
                               endpoint(server.url + "/constant", "40hps"),
                               more="providers: {n: {range: {}}}"), *engine, rc=0)
            equal(server.connections, 1)
            check(max(most) > 1 and max(most) <= 8, "outstanding", max(most))
            equal(done.report["ledger"]["ok"], 80)
            targets = [r.target for r in server.seen if "n=" in r.target]
            equal(targets, [f"/?n={i}" for i in range(40)])

    def late(conn):
        while True:
            request = conn.request()
            if request.target == "/first":
                time.sleep(1)
            conn.respond()

    with Server(late) as server:
        done = run(text_of("pipeline: 2, max_connections: 1", "workers: 1",
                           endpoint(server.url + "/first", "1hps") +
                           endpoint(server.url + "/second", "1hps", "request_timeout: 300ms")),
                   rc=1)
    equal(done.report["ledger"]["failed"], {"timeout": 1, "not_processed": 1})


def test_a_connection_carries_no_more_requests_than_the_test_file_says():
    for engine in ENGINES:
        for pipeline in (1, 8):
            with Server(badserver.good) as server:
                done = run(text_of(f"max_requests_per_connection: 3, pipeline: {pipeline}",
                                   "workers: 1", endpoint(server.url, "30hps")), *engine, rc=0)
                equal(done.report["ledger"]["ok"], 30)
                check(server.uses_max <= 3, "requests on a connection:", server.uses_max)


def test_hosts_share_the_connections():
    for engine in ENGINES:
        with Server(badserver.good) as one, Server(badserver.good) as other:
            done = run(text_of("max_connections: 1", endpoints=endpoint(one.url, "50hps") +
                               endpoint(other.url, "50hps")), *engine, rc=0)
            equal(done.report["ledger"]["ok"], 100)
            equal((one.requests, other.requests), (50, 50))
        with Server(badserver.slow(0.05)) as server:
            run(text_of("max_connections_per_host: 2", "workers: 2",
                        endpoint(server.url, "60hps")), *engine)
            check(server.open_max <= 2, "open", server.open_max)


def segments_in(sock):
    """tcpi_segs_in of tcp(7)'s TCP_INFO: also what carries no byte."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return struct.unpack_from("I", info, 140)[0]


def test_tcp_asks_an_idle_peer_whether_it_is_there():
    for engine in ENGINES:
        for keepalive, asks in (("1s", True), ("90s", False)):
            if not asks and engine != ENGINES[0]:
                continue
            counts = []

            def behave(conn):
                while True:
                    conn.request()
                    time.sleep(0.2)  # What acknowledges the connection is in.
                    before = segments_in(conn.sock)
                    time.sleep(1.2)
                    counts.append(segments_in(conn.sock) - before)
                    conn.respond()

            with Server(behave) as server:
                run(text_of(f"keepalive: {keepalive}", endpoints=endpoint(server.url, "1hps")),
                    *engine, rc=0)
            equal(counts[0] > 0, asks, f"segments with keepalive {keepalive}: {counts}")


def test_an_endpoint_stops_the_test_when_it_fails():
    for what, more in (("not what was expected", "on_error: stop, expect: {status: 404}"),
                       ("not complete in time", "on_error: stop, request_timeout: 50ms")):
        with Server(badserver.slow(0.2)) as server:
            done = run(text_of(endpoints=endpoint(server.url, "20hps", more), over="30s"), rc=1)
        equal(done.report["end"], "broken")
        check("on_error: stop" in done.err and what in done.err, "why:", done)
        check(done.report["ledger"]["due"] < 100, "it went on:", done)


def test_the_log_level_says_what_is_told():
    for level, begins, fails in (("off", False, False), ("error", False, False),
                                 ("warn", False, True), ("info", True, True),
                                 ("debug", True, True), ("trace", True, True)):
        with lib.closed_port() as port:
            done = run(text_of(general=f"log_level: {level}", client="request_timeout: 1s",
                               endpoints=endpoint(f"http://127.0.0.1:{port}/", "1hps")), rc=1)
        equal("up to " in done.err, begins, f"{level}: its beginning {done}")
        equal("requests fail" in done.err, fails, f"{level}: failures {done}")
        equal("has address" in done.err, level in ("debug", "trace"), f"{level}: more {done}")


def test_stats_tell_what_making_the_connection_took():
    seen = []

    def behave(conn):
        while True:
            seen.append(conn.request())
            time.sleep(0.02)
            conn.respond()

    with Server(tls.over(tls.context("good"), behave)) as server:
        url = tls.https(server)
        run(text_of(f"tls: {{cacert: {tls.cert('ca')}}}, max_connections: 1", "workers: 1",
                    f"""
  - url: {url}
    peak_load: 10hps
    provides:
      s: {{select: "`${{stats.connect > 0}},${{stats.tls > 0}},${{stats.ttfb >= 20}},${{stats.due_lag >= 0}}`"}}
  - url: "{url}?s=${{s}}"
    peak_load: 10hps
""", more="providers: {s: {response: {buffer: 100}}}"), rc=0)
    told = [r.target.partition("=")[2] for r in seen if "s=" in r.target]
    check(told[0] == "true,true,true,true", "of the first:", told)
    check("false,false,true,true" in told, "of those on a connection that was there:", told)


A = "${end_pad(a, 1048576, 'a')}"  # a MiB each
B = "${end_pad(replace('a', a, 'b'), 1048576, 'b')}"


def whole_body(conn):
    """The body of the next request, in as many pieces as it comes in."""
    length = int(conn.head().lower().partition("content-length: ")[2].split()[0])
    pieces, got = [conn.buffer], len(conn.buffer)
    while got < length:
        pieces.append(conn.sock.recv(1 << 20))
        check(pieces[-1], "the client went away")
        got += len(pieces[-1])
    conn.buffer = b""
    return b"".join(pieces)


def test_a_large_body_arrives_whole_and_in_order():
    sizes = []

    def behave(conn):
        while True:
            body = whole_body(conn)
            half = len(body) // 2
            sizes.append((len(body), body[:half] == b"a" * half, body[half:] == b"b" * half))
            conn.respond()

    context = tls.context("good")
    for engine in ENGINES:
        for wrap in (lambda b: b, lambda b: tls.over(context, b)):
            sizes.clear()
            with Server(wrap(behave)) as server:
                url = server.url if wrap(behave) is behave else tls.https(server)
                run(text_of("tls: {insecure: true}", "workers: 1", f"""
  - method: POST
    url: {url}
    peak_load: 2hps
    body: "{A * 5}{B * 5}"
""", more="providers: {a: {list: [a]}}"), *engine, rc=0)
            equal(len(sizes), 2)
            equal(set(sizes), {(10 << 20, True, True)})


JSON = b'{"items": [{"id": 7}], "text": "hello hello hello hello hello"}'
BROTLI = bytes.fromhex("133e0000046c6ba98e65bb70a98aed4b7b840d38014f8269f315878d31e43bae"
                       "bffc5e18ad6138cfd0b785730c0936bf201e")


def raw_deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def has_brotli():
    with open(lib.PELT, "rb") as file:
        return b"BrotliDecoderCreateInstance" in file.read()


def decoded(coding, body, *engine, client="", select="response.body.items[0].id", rc=0):
    """What an expression picks of such a body; and the run."""
    seen = []

    def behave(conn):
        while True:
            request = conn.request()
            if request.target.startswith("/?"):
                seen.append(request.target[4:])
                conn.respond()
            else:
                conn.respond(body, fields=[f"Content-Encoding: {c}" for c in coding])

    with Server(behave) as server:
        done = run(text_of(client, "workers: 1", f"""
  - url: {server.url}/body
    peak_load: 4hps
    provides: {{v: {{select: '{select}'}}}}
  - url: "{server.url}/?v=${{v}}"
    peak_load: 4hps
""", more="providers: {v: {response: {}}}", over="500ms"), *engine, rc=rc)
    return set(seen), done


def test_bodies_are_decoded_for_expressions():
    rows = [(["gzip"], gzip.compress(JSON)), (["deflate"], zlib.compress(JSON)),
            (["Deflate"], raw_deflate(JSON)), (["identity"], JSON), (["gzip"], b""),
            (["deflate, gzip"], gzip.compress(zlib.compress(JSON))),
            (["x-gzip", "deflate"], zlib.compress(gzip.compress(JSON)))]
    if has_brotli():
        rows += [(["br"], BROTLI), (["br, gzip"], gzip.compress(BROTLI))]
    for coding, body in rows:
        seen, done = decoded(coding, body, rc=None)
        equal(done.report["ledger"]["failed"], {}, coding)
        equal(seen, {"7"} if body else set(), coding)


def test_what_cannot_be_decoded_is_counted_and_bounded():
    half = gzip.compress(JSON)[:-9]
    for coding, body, why in ((["gzip"], half, "bad_coding"), (["gzip"], JSON, "bad_coding"),
                              (["zstd"], JSON, "bad_coding"),
                              (["gzip"] * 5, JSON, "bad_coding"),
                              (["gzip"], gzip.compress(bytes(1 << 20)), "body_too_large"),
                              (["identity"], bytes(2000), "body_too_large")):
        seen, done = decoded(coding, body, client="max_response_body: 1000", rc=None)
        equal(done.report["ledger"]["failed"], {why: 2}, coding)
        equal(seen, set(), coding)


def test_a_body_that_is_no_text_reads_as_binary_data():
    seen, _ = decoded(["gzip"], gzip.compress(b"\xff\xfe\x00"), select="response.body")
    equal(seen, {"%3C%3Cbinary%20data%3E%3E"})
    seen, _ = decoded(["gzip"], gzip.compress(JSON + b"}"), select="response.body.length")
    equal(seen, {str(len(JSON) + 1)})


def test_seed_workers_and_pending_requests_are_as_the_test_file_says():
    drawn = []
    for _ in range(2):
        with Server(badserver.good) as server:
            done = run(text_of("max_connections: 1", "seed: 7, workers: 1",
                               endpoint(server.url + "/${random(0, 1000000)}")), rc=0)
            equal(done.report["workers"], 1)
            drawn.append([request.target for request in server.seen])
    equal(drawn[0], drawn[1], "with the same seed")
    drawn, given = [], ""
    for turn in range(3):
        with Server(badserver.good) as server:
            done = run(text_of("", "workers: 1" + given,
                               endpoint(server.url + "/${n}/${random(0, 1000000)}"),
                               more="providers: {n: {range: {random: true}}}"), rc=0)
            drawn.append([request.target for request in server.seen])
        if turn == 1:
            given = f", seed: {done.report['seed']}"
    check(drawn[0] != drawn[1], "nothing was random:", drawn)
    equal(drawn[1], drawn[2], "with the seed of the run before")
    tried = [lib.pelt("try", lib.write_file("try.yaml", text_of(
        "", "workers: 1", endpoint("http://127.0.0.1:1/${uuid()}")).encode()), rc=1).out
        for _ in range(2)]
    check(tried[0] != tried[1], "tries are alike:", tried)
    with Server(badserver.slow(0.3)) as server:
        done = run(text_of("max_connections: 1", "workers: 1, max_pending: 2",
                           endpoint(server.url, "50hps")), rc=0)
    ledger = done.report["ledger"]
    check(ledger["shed"]["full"] >= 30, "few were shed:", ledger)
    equal(ledger["due"], 50)
