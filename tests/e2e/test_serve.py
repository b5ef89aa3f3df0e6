"""The built-in target: what it answers, as any HTTP client sees it, and how it survives clients
that are not proper."""

import contextlib
import http.client
import os
import re
import socket
import time

import lib
from lib import check, equal


@contextlib.contextmanager
def client(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=lib.SLACK_S)
    try:
        yield connection
    finally:
        connection.close()


def ask(connection, method, path, body=None, headers=None):
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return response, response.read()


def raw(server, data, timeout=lib.SLACK_S):
    """Sends bytes on a connection of its own and returns all that comes back until the end."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as sock:
        sock.sendall(data)
        answer = b""
        try:
            while piece := sock.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


def test_paths_answer_as_they_are_named():
    with lib.target() as server, client(server) as connection:
        response, body = ask(connection, "GET", "/")
        equal((response.status, len(body)), (200, 2))
        for count in (0, 1, 100, 4096, 16384, 1_000_000):
            response, body = ask(connection, "GET", f"/bytes/{count}")
            equal((response.status, len(body)), (200, count), f"/bytes/{count}")
            equal(response.getheader("Content-Length"), str(count))
        for status in (200, 204, 304, 404, 500, 503):
            response, body = ask(connection, "GET", f"/status/{status}")
            equal(response.status, status)
        for count in (0, 1, 10, 100_000):
            response, body = ask(connection, "GET", f"/chunked/{count}")
            equal((response.status, len(body)), (200, count), f"/chunked/{count}")
            equal(response.getheader("Transfer-Encoding"), "chunked")
        response, body = ask(connection, "GET", "/no/such/path")
        equal(response.status, 404)


def test_delay_waits_no_less():
    with lib.target() as server, client(server) as connection:
        for wait_ms in (0, 1, 150):
            begun = time.monotonic()
            response, _ = ask(connection, "GET", f"/delay/{wait_ms}")
            equal(response.status, 200)
            check(time.monotonic() - begun >= wait_ms / 1000 * 0.99, f"/delay/{wait_ms}")


def test_delays_do_not_hold_up_others():
    with lib.target("--threads", "1") as server, client(server) as slow, client(server) as quick:
        slow.request("GET", "/delay/1500")
        begun = time.monotonic()
        for _ in range(20):
            equal(ask(quick, "GET", "/")[0].status, 200)
        took = time.monotonic() - begun
        equal(slow.getresponse().status, 200)
        check(took < time.monotonic() - begun, "the quick ones ended after the slow one")


def test_echo_gives_back_what_it_got():
    with lib.target() as server, client(server) as connection:
        for body in (b"", b"x", b"hello\r\n\r\nworld", os.urandom(100_000)):
            response, answer = ask(connection, "POST", "/echo", body)
            equal(response.status, 200)
            equal(answer == body, True, f"echo of {len(body)} bytes")


def test_close_says_so_and_closes():
    with lib.target() as server:
        answer = raw(server, b"GET /close HTTP/1.1\r\nHost: a\r\n\r\n")
        check(answer.startswith(b"HTTP/1.1 200"), answer)
        check(b"connection: close" in answer.lower(), answer)


def test_connection_close_of_the_client_is_obeyed():
    with lib.target() as server:
        answer = raw(server, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        check(answer.startswith(b"HTTP/1.1 200"), answer)
        answer = raw(server, b"GET / HTTP/1.0\r\n\r\n")
        check(re.match(rb"HTTP/1\.[01] 200", answer), answer)


def test_head_has_the_length_and_no_body():
    with lib.target() as server, client(server) as connection:
        response, body = ask(connection, "HEAD", "/bytes/100")
        equal((response.status, body), (200, b""))
        equal(response.getheader("Content-Length"), "100")
        equal(ask(connection, "GET", "/")[0].status, 200)


def test_pipelined_requests_are_answered_in_order():
    with lib.target() as server:
        paths = ["/bytes/1", "/delay/100", "/status/404", "/chunked/3", "/close"]
        data = "".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n" for path in paths).encode()
        answer = raw(server, data)
        statuses = re.findall(rb"HTTP/1\.1 (\d+)", answer)
        equal(statuses, [b"200", b"200", b"404", b"200", b"200"])


def test_a_request_in_pieces_is_put_together():
    with lib.target() as server:
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd":
                sock.sendall(bytes([byte]))
                time.sleep(0.001)
            sock.settimeout(lib.SLACK_S)
            answer = b""
            while not answer.endswith(b"abcd"):
                piece = sock.recv(65536)
                check(piece, "closed after", answer)
                answer += piece


RUBBISH = [
    b"\0" * 100 + b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000 + b"\r\n\r\n",
    b"GET /bytes/99999999999999999999 HTTP/1.1\r\nConnection: close\r\n\r\n",
    b"GET /bytes/-1 HTTP/1.1\r\nConnection: close\r\n\r\n",
    b"GET /status/99999 HTTP/1.1\r\nConnection: close\r\n\r\n",
    b"GET /delay/x HTTP/1.1\r\nConnection: close\r\n\r\n",
]


def test_rubbish_is_refused_and_survived():
    with lib.target() as server:
        for data in RUBBISH:
            try:
                answer = raw(server, data)
            except BrokenPipeError:
                answer = b""
            check(answer == b"" or re.match(rb"HTTP/1\.1 [45]\d\d", answer), data[:60], answer[:100])
        with client(server) as connection:
            equal(ask(connection, "GET", "/")[0].status, 200)
        check(server.running(), "it ended:", server)


def test_clients_that_leave_in_the_middle_are_survived():
    with lib.target() as server:
        for data in (b"", b"GET / HT", b"GET /delay/50 HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"POST /echo HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nabc",
                     b"GET /bytes/50000000 HTTP/1.1\r\nHost: a\r\n\r\n"):
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", server.port)) as sock:
                    sock.sendall(data)
        time.sleep(0.2)
        with client(server) as connection:
            equal(ask(connection, "GET", "/")[0].status, 200)


def test_a_client_that_does_not_read_does_not_make_it_grow():
    with lib.target("--threads", "1") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(b"GET /bytes/100000000 HTTP/1.1\r\nHost: a\r\n\r\n" * 4)
            time.sleep(0.3)
            status = lib.read_file(f"/proc/{server.child.pid}/status")
            rss_kib = int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
            check(lib.INSTRUMENTED or rss_kib < 100_000, "memory:", rss_kib, "KiB")
            with client(server) as connection:
                equal(ask(connection, "GET", "/")[0].status, 200)


def test_it_says_on_start_that_it_is_no_product_server():
    with lib.target() as server:
        lib.wait_until(lambda: server.err() or server.out(), "words on start")
        words = (server.err() + server.out()).lower()
        check(re.search(r"\bno(t|)\b.*\bserver\b", words), "says:", words)
        check(str(server.port) in words, "does not say its port:", words)


def test_a_port_in_use_is_named():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        run = lib.pelt("serve", "--port", port, rc=1)
        check(str(port) in run.err, "does not name the port:", run)


def test_ids_are_logged_only_when_they_are_sent():
    log = lib.temp_path("ids")
    with lib.target("--log-ids", log) as server, client(server) as connection:
        ask(connection, "GET", "/", headers={"X-Request-Id": "0123456789abcdef"})
        ask(connection, "GET", "/")
        ask(connection, "GET", "/status/404", headers={"x-request-id": "fedcba9876543210"})
        server.stop()
    lines = [line for line in lib.read_file(log).splitlines() if len(line.split()) == 2]
    equal(sorted(lines), ["0123456789abcdef 200", "fedcba9876543210 404"])
