"""Proper answers in every shape that HTTP/1.1 allows: each is ok, is counted once, and the
connection is used again exactly when it may be."""

import time

import badserver
import lib
from badserver import Server
from lib import check, equal

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"

# name: bytes of one answer, its status, may the connection be used again
SHAPES = {
    "length": (HEAD + b"Content-Length: 5\r\n\r\nhello", 200, True),
    "length 0": (HEAD + b"Content-Length: 0\r\n\r\n", 200, True),
    "two equal lengths": (HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", 200, True),
    "list of equal lengths": (HEAD + b"Content-Length: 2, 2\r\n\r\nok", 200, True),
    "lf as line end": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, True),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, True),
    "empty reason": (b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", 200, True),
    "names in capitals": (HEAD + b"CONTENT-LENGTH:2\r\n\r\nok", 200, True),
    "folded field": (HEAD + b"A: b\r\n  Content-Length: 9\r\nContent-Length: 2\r\n\r\nok", 200, True),
    "status 999": (b"HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\nok", 999, True),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, True),
    "304 with a length": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", 304, True),
    "chunked": (CHUNKED + b"\r\n5\r\nhello\r\n0\r\n\r\n", 200, True),
    "chunked and empty": (CHUNKED + b"\r\n0\r\n\r\n", 200, True),
    "chunked in capitals": (CHUNKED + b"\r\nA\r\n0123456789\r\n0\r\n\r\n", 200, True),
    "chunked with zeros": (CHUNKED + b"\r\n0005\r\nhello\r\n000\r\n\r\n", 200, True),
    "chunk extensions": (CHUNKED + b'\r\n5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n', 200, True),
    "trailers": (CHUNKED + b"\r\n5\r\nhello\r\n0\r\nA: b\r\nContent-Length: 9\r\n\r\n", 200, True),
    "100 before": (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 0\r\n\r\n", 200, True),
    "103 twice before": (
        b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" * 2 + HEAD + b"Content-Length: 0\r\n\r\n",
        200,
        True,
    ),
    "1.0 with keep-alive": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        200,
        True,
    ),
    "1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, False),
    "connection close": (HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", 200, False),
    "close among others": (HEAD + b"Connection: x, Close\r\nContent-Length: 2\r\n\r\nok", 200, False),
    "both framings": (CHUNKED + b"Content-Length: 99\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, False),
}


def run_on(behave, *args, count=60, connections=3):
    with Server(behave) as server:
        run = lib.load(server.url + "/", "-c", connections, "-n", count, "-T", "20s", *args, rc=0)
    equal(run.failed(), {}, f"failures\n{run}")
    equal(run.ok(), count, f"answers\n{run}")
    equal(server.requests, count, f"requests at the server\n{run}")
    equal(run.report["status"], {str(k): v for k, v in server.answers.items()}, "by status")
    return run, server


def assert_reuse(server, reusable):
    """After run_on(): three connections for all, or one for each request; in place of one that
    ended another may have been opened that then found nothing left to do."""
    if reusable:
        equal(server.connections, 3, "connections")
    else:
        equal(server.uses_max, 1, "requests on a connection")
        check(60 <= server.connections <= 63, server.connections, "connections for 60 requests")


def test_every_shape_of_answer_is_read_to_its_end():
    for name, (data, status, reusable) in SHAPES.items():
        try:
            _, server = run_on(badserver.says(data, status=status))
            assert_reuse(server, reusable)
        except lib.Failed as error:
            raise lib.Failed(f"{name}: {error}") from error


def test_a_body_until_close_is_ok():
    data = HEAD + b"\r\n" + b"x" * 100_000
    run, server = run_on(badserver.says_and_closes(data, status=200))
    assert_reuse(server, False)
    check(run.report["bytes"]["received"] >= 60 * len(data), "bytes received:", run)


def test_answers_byte_by_byte_are_ok():
    data = CHUNKED + b"\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n"

    def answer(conn, request):
        conn.count_answer(200)
        for byte in data:
            conn.send(bytes([byte]))

    run_on(badserver.each(answer), count=12)


def test_large_bodies_are_counted_and_not_kept():
    body = b"x" * (4 << 20)
    run, _ = run_on(badserver.each(lambda conn, request: conn.respond(body)), count=24)
    check(run.report["bytes"]["received"] >= 24 * len(body), "bytes received:", run)
    if not lib.INSTRUMENTED:
        check(run.rss_kib < 100_000, "memory:", run.rss_kib, "KiB")


def test_head_answers_have_no_body_whatever_they_say():
    def answer(conn, request):
        equal(request.method, "HEAD")
        conn.count_answer(200)
        conn.send(HEAD + b"Content-Length: 1000\r\n\r\n")

    _, server = run_on(badserver.each(answer), "-X", "HEAD")
    assert_reuse(server, True)


def test_a_server_that_closes_after_n_is_no_error():
    # It says so in the last answer, so nothing is sent after it.
    _, server = run_on(badserver.closes_after(7), count=70, connections=2)
    equal(server.uses_max, 7, "requests on a connection")


def test_a_slow_server_is_waited_for():
    run, _ = run_on(badserver.slow(0.05), count=20, connections=4)
    for which in ("from_due", "from_sent"):
        latency = run.report["latency_us"][which]
        check(latency["min"] >= 50_000 * 0.99, which, latency)
        equal(latency["count"], 20, which)


def test_the_first_byte_deadline_is_met_by_an_interim_or_a_body_that_is_slow():
    def answer(conn, request):
        conn.count_answer(200)
        conn.send(HEAD + b"Content-Length: 4\r\n\r\nab")
        time.sleep(4.5)
        conn.send(b"cd")

    run_on(badserver.each(answer), "--first-byte-timeout", "4s", count=4, connections=4)
