"""Bodies of requests: of any size, in the chunked coding, and those that wait for leave."""

import hashlib
import os
import shutil
import socket
import time

import badserver
import lib
import tls
from badserver import Gone, Server
from lib import check, equal

ENGINES = (("--io", "epoll"), ("--io", "auto"))
MIB = 1 << 20


def body_file(size, name="body"):
    """A file of that size, each 64 KiB of it others, and its digest."""
    path, digest = lib.temp_path(name), hashlib.md5()
    pattern = b"".join(b"%07d\n" % i for i in range(8192))
    with open(path, "wb") as file:
        for at in range(0, size, 1 << 16):
            piece = (b"%07d:" % (at >> 16) + pattern)[:min(1 << 16, size - at)]
            file.write(piece)
            digest.update(piece)
    return path, digest.hexdigest()


class Bodies:
    """A server that keeps what bodies were, chunked or not, and gives leave to those that wait."""

    def __init__(self, leave=b"HTTP/1.1 100 Continue\r\n\r\n", delay_s=0):
        self.leave = leave
        self.delay_s = delay_s
        self.got = []  # Size and digest of each.
        self.heads = []
        self.early = 0  # Of which some came before leave was given.

    def take(self, conn, size, digest):
        while size > 0:
            if not conn.buffer:
                conn._read()
            piece, conn.buffer = conn.buffer[:size], conn.buffer[size:]
            digest.update(piece)
            size -= len(piece)

    def line(self, conn):
        while b"\r\n" not in conn.buffer:
            conn._read()
        line, _, conn.buffer = conn.buffer.partition(b"\r\n")
        return line

    def chunked(self, conn, digest):
        total = 0
        while True:
            size = int(self.line(conn), 16)
            self.take(conn, size, digest)
            equal(self.line(conn), b"", "behind a chunk")
            total += size
            if size == 0:
                return total

    def __call__(self, conn):
        while True:
            lines = conn.head().lower().split("\r\n")[1:]
            fields = dict(line.split(": ", 1) for line in lines)
            self.heads.append(fields)
            if fields.get("expect") == "100-continue":
                time.sleep(self.delay_s)
                conn.sock.setblocking(False)
                try:
                    conn.buffer += conn.sock.recv(1)
                except (BlockingIOError, OSError):
                    pass
                conn.sock.setblocking(True)
                self.early += bool(conn.buffer)
                conn.send(self.leave)
            digest, size = hashlib.md5(), int(fields.get("content-length", 0))
            if fields.get("transfer-encoding") == "chunked":
                size = self.chunked(conn, digest)
            else:
                self.take(conn, size, digest)
            self.got.append((size, digest.hexdigest()))
            conn.server.requests += 1
            conn.respond()


def test_bodies_of_any_size_arrive_whole():
    for size in (1, MIB + 1, 5 * MIB + 5):
        path, digest = body_file(size)
        for engine in ENGINES:
            for args in ([], ["--chunked-body"], ["--expect-continue"],
                         ["--chunked-body", "--expect-continue"], ["--ids"],
                         ["--requests-per-connection", 2]):
                bodies = Bodies()
                with Server(bodies) as server:
                    run = lib.load(server.url + "/", "-c", 2, "-n", 6, "--body-file", path, *args,
                                   *engine, rc=0)
                what = f"{size} {args}\n{run}"
                equal((run.ok(), run.failed()), (6, {}), what)
                equal(set(bodies.got), {(size, digest)}, what)
                equal(len(bodies.got), 6, what)
                chunked = "--chunked-body" in args
                equal({"content-length" in h for h in bodies.heads}, {not chunked}, what)
                equal(bodies.early, 0, what)
                if "--expect-continue" in args:
                    equal(run.report["request_body"]["continued"], 6, what)
                check(run.report["bytes"]["sent"] > 6 * size, what)
                check(run.report["bytes"]["sent"] < 6 * (size + 500), what)


def test_bodies_of_text_are_chunked_and_wait_too():
    for engine in ENGINES:
        for text in ("x", "some words"):
            for args in (["--chunked-body"], ["--chunked-body", "--pipeline", 3],
                         ["--expect-continue"], ["--chunked-body", "--expect-continue"]):
                bodies = Bodies()
                with Server(bodies) as server:
                    run = lib.load(server.url + "/", "-c", 2, "-n", 30, "--body", text, *args,
                                   *engine, rc=0)
                digest = hashlib.md5(text.encode()).hexdigest()
                equal(set(bodies.got), {(len(text), digest)}, f"{args}\n{run}")
                equal((run.ok(), run.failed(), bodies.early), (30, {}, 0), f"{args}\n{run}")
    bodies = Bodies()
    with Server(bodies) as server:
        lib.load(server.url + "/", "-n", 1, "-c", 1, "--body=", "--chunked-body", rc=0)
    equal(bodies.got, [(0, hashlib.md5().hexdigest())], "an empty body")


def test_bodies_go_through_ciphers_and_tunnels():
    for size in (3 * MIB + 1, 10):
        path, digest = body_file(size)
        for engine in ENGINES:
            for args in ([], ["--chunked-body"], ["--chunked-body", "--expect-continue"]):
                bodies = Bodies()
                with Server(tls.over(tls.context(), bodies)) as server:
                    run = lib.load(f"https://127.0.0.1:{server.port}/", "-c", 2, "-n", 6,
                                   "--body-file", path, *args, *tls.CA, *engine, rc=0)
                equal((run.ok(), run.failed()), (6, {}), f"{size} {args}\n{run}")
                equal(set(bodies.got), {(size, digest)}, f"{size} {args}\n{run}")


def test_several_urls_and_rates_have_bodies():
    path, digest = body_file(2 * MIB)
    bodies = Bodies()
    with Server(bodies) as server:
        run = lib.load(server.url + "/a", "-c", 3, "-R", 40, "-d", "500ms", "--body-file", path,
                       server.url + "/b", rc=0)
    equal((run.ok(), run.failed()), (20, {}), f"{run}")
    equal(set(bodies.got), {(2 * MIB, digest)}, f"{run}")


def test_silence_is_leave_after_a_second():
    for engine in ENGINES:
        bodies = Bodies(leave=b"")
        with Server(bodies) as server:
            run = lib.load(server.url + "/", "-c", 2, "-n", 2, "--body", "words",
                           "--expect-continue", *engine, rc=0)
        equal((run.ok(), len(bodies.got)), (2, 2), f"{run}")
        equal(run.report["request_body"]["unasked"], 2, f"{run}")
        equal(run.report["request_body"]["continued"], 0, f"{run}")
        check(run.seconds >= 1, run)


def test_other_interim_answers_are_no_leave():
    bodies = Bodies(leave=b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
    with Server(bodies) as server:
        run = lib.load(server.url + "/", "-c", 1, "-n", 5, "--body", "words", "--expect-continue",
                       rc=0)
    equal(run.report["connections"]["interim"], 10, f"{run}")
    equal(run.report["request_body"]["continued"], 5, f"{run}")


def head_only(status):
    """Answers heads; the bodies it does not read."""

    def behave(conn):
        while True:
            conn.head()
            conn.server.requests += 1
            conn.respond(b"no" * 2000, status=status)

    return behave


def test_an_answer_instead_of_leave_keeps_the_body_back():
    for engine in ENGINES:
        for wrap in (False, True):
            behave = head_only(413)
            with Server(tls.over(tls.context(), behave) if wrap else behave) as server:
                url = f"http{'s' if wrap else ''}://127.0.0.1:{server.port}/"
                run = lib.load(url, "-c", 2, "-n", 20, "--body", "words", "--expect-continue",
                               *(tls.CA if wrap else ()), *engine, rc=0)
                equal(server.requests, 20, f"heads\n{run}")
            equal(run.report["status"], {"413": 20}, f"{run}")
            equal(run.report["request_body"],
                  {"bytes": 5, "continued": 0, "unasked": 0, "unsent": 20}, f"{run}")
            # A connection of which nobody knows whether a body follows is not used again.
            check(run.report["connections"]["opened"] >= 20, run)


def test_an_early_answer_does_not_stop_the_body_of_a_connection_that_is_kept():
    path, _ = body_file(8 * MIB)

    def behave(conn):
        while True:
            conn.head()
            conn.server.requests += 1
            conn.respond()
            left = 8 * MIB
            while left > 0:
                if not conn.buffer:
                    conn._read()
                taken = min(left, len(conn.buffer))
                conn.buffer = conn.buffer[taken:]
                left -= taken

    for engine in ENGINES:
        with Server(behave) as server:
            run = lib.load(server.url + "/", "-c", 2, "-n", 12, "--body-file", path, *engine, rc=0)
            equal(server.requests, 12, f"{run}")
        equal((run.ok(), run.failed()), (12, {}), f"{run}")
        equal(run.report["connections"]["opened"], 2, f"{run}")


def test_an_early_answer_that_ends_the_connection_cuts_the_body_short():
    path, _ = body_file(64 * MIB)

    def behave(conn):
        conn._read()
        conn.server.requests += 1
        conn.respond(status=413, fields=["Connection: close"])
        time.sleep(0.3)

    for engine in ENGINES:
        with Server(behave) as server:
            run = lib.load(server.url + "/", "-c", 2, "-n", 4, "--body-file", path, *engine, rc=0)
            equal(server.requests, 4, f"{run}")
        equal(run.report["status"], {"413": 4}, f"{run}")
        equal(run.report["request_body"]["unsent"], 4, f"{run}")
        check(run.report["bytes"]["sent"] < 4 * 60 * MIB, run)


def test_a_reset_amid_the_body_is_a_class_of_its_own():
    path, _ = body_file(16 * MIB)

    def behave(conn):
        conn.sock.recv(1000)
        conn.server.requests += 1
        conn.reset()

    for engine in ENGINES:
        with Server(behave) as server:
            run = lib.load(server.url + "/", "-c", 2, "-n", 20, "--body-file", path, *engine, rc=1)
        equal(sum(run.failed().values()), 20, f"{run}")
        check(set(run.failed()) <= {"reset_in_request", "closed_before_response"}, run)
        check(run.failed()["reset_in_request"] > 0, run)


def test_a_server_that_never_reads_is_left_at_the_deadline():
    path, _ = body_file(64 * MIB)
    for engine in ENGINES:
        for wrap in (False, True):
            def behave(conn):
                time.sleep(5)

            with Server(tls.over(tls.context(), behave) if wrap else behave) as server:
                url = f"http{'s' if wrap else ''}://127.0.0.1:{server.port}/"
                run = lib.load(url, "-c", 2, "-n", 2, "-T", "400ms", "--body-file", path,
                               *(tls.CA if wrap else ()), *engine, rc=1)
            equal(run.failed(), {"timeout": 2}, f"{run}")


def test_a_file_that_becomes_shorter_is_a_class_of_its_own():
    for engine in ENGINES:
        for wrap in (False, True):
            path, _ = body_file(16 * MIB)

            def behave(conn):
                conn._read()
                os.truncate(path, MIB)
                while True:
                    conn.buffer = b""
                    conn._read()

            with Server(tls.over(tls.context(), behave) if wrap else behave) as server:
                url = f"http{'s' if wrap else ''}://127.0.0.1:{server.port}/"
                run = lib.load(url, "-c", 1, "-n", 2, "-T", "5s", "--body-file", path,
                               *(tls.CA if wrap else ()), *engine, rc=1)
            equal(run.failed(), {"body_unreadable": 2}, f"{wrap}\n{run}")


def test_pipes_are_read_and_large_ones_refused():
    read, write = os.pipe()
    os.write(write, b"words")
    os.close(write)
    bodies = Bodies()
    with Server(bodies) as server:
        lib.load(server.url + "/", "-c", 1, "-n", 2, "--body-file", "/dev/stdin", stdin=read, rc=0)
    equal(bodies.got[0][0], 5, "bytes")
    os.close(read)
    path = lib.temp_path("large")
    with open(path, "wb") as file:
        file.truncate(65 * MIB)
    run = lib.pelt("--pipeline", 2, "--body-file", path, "http://127.0.0.1:1/", rc=1)
    check("larger than 64 MiB" in run.err and "'--pipeline'" in run.err, run)


def test_a_file_larger_than_memory_costs_none():
    path = lib.temp_path("sparse")
    size = 700 * MIB
    with open(path, "wb") as file:
        file.truncate(size)

    class Counter(Bodies):
        def take(self, conn, size, digest):
            buffer = bytearray(4 * MIB)
            size -= len(conn.buffer)
            conn.buffer = b""
            while size > 0:
                size -= conn.sock.recv_into(buffer, min(size, len(buffer)))

    bodies = Counter()
    with Server(bodies) as server:
        run = lib.load(server.url + "/", "-c", 1, "-n", 1, "-T", "50s", "--body-file", path,
                       timeout=55, rc=0)
    equal((run.ok(), bodies.got[0][0]), (1, size), f"{run}")


def test_what_cannot_be_is_refused_in_one_line():
    for args, words in (
            (["--chunked-body"], "option '--chunked-body' wants a body"),
            (["--expect-continue"], "option '--expect-continue' wants a body"),
            (["--expect-continue", "--body="], "wants a body with bytes"),
            (["--expect-continue", "--body", "x", "--pipeline", 2], "exclude each other"),
            (["--expect-continue", "--body", "x", "-H", "expect: 1"], "'--expect-continue'"),
            (["--chunked-body", "--body", "x", "-H", "Content-Length: 1"], "'--chunked-body'"),
            (["--chunked-body", "--body", "x", "-H", "Transfer-Encoding: x"], "'--chunked-body'")):
        run = lib.pelt(*args, "http://127.0.0.1:1/", rc=64)
        check(words in run.err, words, run)
        equal(len(run.err.strip().splitlines()), 1, f"{run}")


def test_nginx_takes_large_bodies():
    nginx = lib.need_tool("nginx")
    path, digest = body_file(12 * MIB)
    root = lib.temp_path("nginx")
    os.makedirs(root + "/bodies", exist_ok=True)
    port = lib.free_port()
    conf = lib.write_file("nginx.conf", f"""
daemon off; master_process off; pid {root}/pid; error_log {root}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {root}/access.log; client_max_body_size 0;
  client_body_temp_path {root}/bodies; client_body_in_file_only on;
  proxy_temp_path {root}/p; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u;
  scgi_temp_path {root}/s;
  server {{ listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{port}/ok; proxy_pass_request_body off;
                  proxy_set_header Content-Length ""; }}
    location /ok {{ return 200 ok; }} }} }}
""")
    for args in ([], ["--chunked-body"], ["--expect-continue"]):
        server = lib.Process([nginx, "-p", root, "-c", conf])
        try:
            def listens():
                with socket.socket() as sock:
                    return sock.connect_ex(("127.0.0.1", port)) == 0

            lib.wait_until(listens, "nginx")
            run = lib.load(f"http://127.0.0.1:{port}/x", "-c", 2, "-n", 4, "--body-file", path,
                           *args, rc=0)
        finally:
            server.signal(15)
            server.wait(lib.SLACK_S)
        equal((run.report["status"], run.failed()), ({"200": 4}, {}), f"{args}\n{run}")
        found = set()
        for name in os.listdir(root + "/bodies"):
            with open(f"{root}/bodies/{name}", "rb") as file:
                found.add(hashlib.md5(file.read()).hexdigest())
        equal(found, {digest}, f"{args}: what nginx has kept")
        if args == ["--expect-continue"]:
            equal(run.report["request_body"]["continued"], 4, f"{run}")
        shutil.rmtree(root + "/bodies")
        os.makedirs(root + "/bodies")
