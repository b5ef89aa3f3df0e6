"""`pelt run`: bodies with files in them that are too large to be held in memory, as the server sees
them, and files that change while they are sent."""

import hashlib
import json
import os
import random
import time

import lib
import tls
from badserver import Gone, Server
from lib import check, equal
from test_run import run
from test_run_client import ENGINES, text_of

MIB = 1 << 20


def make(name, size, seed=1):
    """A file of random bytes; returns them."""
    data = random.Random(seed).randbytes(size)
    lib.write_file(name, data)
    return data


def make_sparse(name, size):
    path = lib.temp_path(name)
    with open(path, "wb") as file:
        file.truncate(size)
    return path


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Arrived:
    """A server that hashes the bodies it gets, by target: (length, sha256)."""

    def __init__(self, keep=0, on_some=None, on_end=None, hashes=True):
        self.hashes = hashes
        self.bodies = []
        self.first = []  # So many bytes of each.
        self.keep = keep
        self.on_some = on_some  # Called when a MiB of a body has come,
        self.on_end = on_end  # and when all of it has.

    def head(self, conn):
        while b"\r\n\r\n" not in conn.buffer:
            conn._read()
        head, _, conn.buffer = conn.buffer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        return head.split()[1].decode(), length, head

    def body(self, conn, length):
        got, sha, start = 0, hashlib.sha256(), b""
        while got < length:
            if not conn.buffer:
                conn.buffer = conn.sock.recv(1 << 20)
                if not conn.buffer:
                    raise Gone
            piece, conn.buffer = conn.buffer[:length - got], conn.buffer[length - got:]
            if self.hashes:
                sha.update(piece)
            got += len(piece)
            start += piece[:max(self.keep - len(start), 0)]
            if got >= MIB and self.on_some is not None:
                self.on_some()
        self.first.append(start)
        if self.on_end is not None:
            self.on_end()
        return got, sha.hexdigest()

    def __call__(self, conn):
        while True:
            target, length, _ = self.head(conn)
            body = self.body(conn, length)
            self.bodies.append((target, *body))
            conn.respond()


def served(behave, over_tls):
    server = Server(tls.over(tls.context("good"), behave) if over_tls else behave)
    return server, tls.https(server) if over_tls else server.url + "/"


EVERY = [(engine, over_tls) for engine in ENGINES for over_tls in (False, True)]


def test_files_of_any_size_that_values_name_arrive_whole():
    sizes = {"a": 10, "b": MIB, "c": MIB + 1, "d": 3 * MIB + 7, "e": 20 * MIB, "f": 0}
    content = {name: make(name, size, seed) for seed, (name, size) in enumerate(sizes.items())}
    for engine, over_tls in EVERY:
        arrived = Arrived()
        server, url = served(arrived, over_tls)
        with server:
            done = run(text_of("tls: {insecure: true}", "workers: 1", f"""
  - {{method: POST, url: "{url}?${{n}}", peak_load: 6hps, body: {{file: "${{n}}"}}}}
""", more=f"providers: {{n: {{list: {list(sizes)}}}}}"), *engine, rc=0)
        equal(sorted(arrived.bodies),
              sorted((f"/?{n}", len(data), digest(data)) for n, data in content.items()))
        equal(done.report["ledger"]["ok"], 6)


def test_pieces_of_a_multipart_body_are_streamed_between_its_texts():
    large, small, other = make("large.bin", 5 * MIB + 3), make("small.txt", 100, 2), \
        make("other.bin", 2 * MIB, 3)
    for engine, over_tls in EVERY:
        arrived = Arrived(keep=400)
        server, url = served(arrived, over_tls)
        with server:
            run(text_of("tls: {insecure: true}", "workers: 1", f"""
  - method: POST
    url: {url}
    peak_load: 3hps
    body:
      multipart:
        first: {{body: "text ${{n}}"}}
        f: {{body: {{file: large.bin}}}}
        s: {{body: {{file: small.txt}}}}
        o: {{headers: {{X-Of: "${{n}}"}}, body: {{file: "${{n}}.bin"}}}}
        last: {{body: end}}
""", more="providers: {n: {list: [other]}}"), *engine, rc=0)
        equal(len(arrived.bodies), 3)
        for (_, length, sha), first in zip(arrived.bodies, arrived.first):
            mark = first.split(b"\r\n")[0]

            def piece(disposition, data, more=b"", mark=mark):
                return mark + b"\r\n" + more + b"Content-Disposition: form-data; name=" + \
                    disposition + b"\r\n\r\n" + data + b"\r\n"

            body = (piece(b'"first"', b"text other") +
                    piece(b'"f"; filename="large.bin"', large) +
                    piece(b'"s"; filename="small.txt"', small) +
                    piece(b'"o"; filename="other.bin"', other, b"X-Of: other\r\n") +
                    piece(b'"last"', b"end") + mark + b"--\r\n")
            equal((length, sha), (len(body), digest(body)))


def test_many_large_files_make_one_body():
    names = [f"part{i}" for i in range(30)]
    sizes = [MIB if i % 3 else 700 * 1024 + i for i in range(30)]
    data = b"".join(make(name, size, size) for name, size in zip(names, sizes))
    for engine in ENGINES:
        arrived = Arrived()
        with Server(arrived) as server:
            run(text_of("", "workers: 1", f"""
  - {{method: POST, url: "{server.url}/${{n}}", peak_load: 2hps, body: {{files: {names}}}}}
""", more="providers: {n: {range: {}}}"), *engine, rc=0)
        equal({body[1:] for body in arrived.bodies}, {(len(data), digest(data))})


def test_expressions_see_the_names_of_large_files():
    make("large.bin", 3 * MIB)
    make("small.txt", 0)
    lib.write_file("small.txt", b"a small one")
    arrived = Arrived()
    with Server(arrived) as server:
        done = run(text_of("", "workers: 1", f"""
  - method: POST
    url: {server.url}/upload
    peak_load: 1hps
    body: {{files: [small.txt, "large.${{n}}"]}}
    logs: {{log: {{select: {{b: request.body, u: request.url.pathname, s: response.status}}}}}}
""", more="loggers: {log: {to: stderr}}\nproviders: {n: {list: [bin]}}"), rc=0)
    logged = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
    equal(logged, [{"b": "a small one<<contents of file: large.bin>>", "u": "/upload", "s": 200}])
    path = lib.write_file("try.yaml", text_of("", "", f"""
  - method: POST
    url: {server.url}/upload
    peak_load: 1hps
    body: {{file: large.bin}}
""").encode())
    with Server(arrived, port=server.port):
        done = lib.pelt("try", path, cwd=lib.temp_dir(), rc=0)
    check("<<contents of file: large.bin>>" in done.out, "printed:", done.out)
    equal(arrived.bodies[-1][1], 3 * MIB)


def test_pipelined_requests_and_long_bodies_share_connections():
    data = make("large.bin", 3 * MIB)
    for engine, over_tls in EVERY:
        arrived = Arrived()
        server, url = served(arrived, over_tls)
        with server:
            done = run(text_of("tls: {insecure: true}, pipeline: 8, max_connections: 1",
                               "workers: 1", f"""
  - {{method: POST, url: "{url}large", peak_load: 10hps, body: {{file: "${{n}}"}}}}
  - {{method: POST, url: "{url}constant", peak_load: 5hps, body: {{file: large.bin}}}}
  - {{method: POST, url: "{url}small", peak_load: 100hps, body: hello}}
""", more="providers: {n: {list: [large.bin]}}"), *engine, rc=0)
        equal(done.report["ledger"]["ok"], 115)
        equal({body[1:] for body in arrived.bodies if body[0] == "/small"}, {(5, digest(b"hello"))})
        equal({body[1:] for body in arrived.bodies if body[0] != "/small"},
              {(len(data), digest(data))})
        equal(server.connections, 1)


def test_a_body_takes_no_memory_of_its_size():
    make_sparse("sparse.bin", 300 * MIB)
    for engine, over_tls in EVERY[1:3]:
        most = []

        def look(most=most):
            with open(f"/proc/{process.child.pid}/status", encoding="ascii") as file:
                most.append(int(file.read().partition("VmHWM:")[2].split()[0]))

        arrived = Arrived(on_end=look, hashes=False)
        server, url = served(arrived, over_tls)
        with server:
            path = lib.write_file("test.yaml", text_of("tls: {insecure: true}", "workers: 1", f"""
  - {{method: POST, url: "{url}", peak_load: 1hps, body: {{file: "${{n}}"}}}}
  - {{method: POST, url: "{url}", peak_load: 1hps,
      body: {{multipart: {{a: {{body: {{file: sparse.bin}}}}}}}}}}
""", more="providers: {n: {list: [sparse.bin]}}").encode())
            process = lib.start("run", path, *engine)
            equal(process.wait(60).rc, 0)
        equal(len(arrived.bodies), 2)
        check(min(length for _, length, _ in arrived.bodies) == 300 * MIB, "bodies of 300 MiB")
        check(lib.INSTRUMENTED or max(most) < 48 * 1024, "KiB:", most)


def once(act):
    """`act`, the first time only."""
    done = []

    def first():
        if not done:
            done.append(True)
            act()

    return first


def test_a_file_that_changes_while_it_is_sent_fails_its_request():
    def act_of(kind):
        path, second = lib.temp_path("large.bin"), lib.temp_path("second.bin")
        return {
            "shrinks": lambda: os.truncate(path, 30 * MIB),
            "loses a byte": lambda: os.truncate(path, 40 * MIB - 1),
            "grows": lambda: os.truncate(path, 40 * MIB + 1),
            "is emptied": lambda: os.truncate(path, 0),
            "second vanishes": lambda: os.unlink(second),
            "second shrinks": lambda: os.truncate(second, 5 * MIB),
            "second becomes a directory": lambda: (os.unlink(second), os.mkdir(second)),
        }[kind]

    kinds = ("shrinks", "loses a byte", "grows", "is emptied", "second vanishes", "second shrinks",
             "second becomes a directory")
    for i, kind in enumerate(kinds):
        engine, over_tls = EVERY[i % len(EVERY)]
        second = lib.temp_path("second.bin")
        if os.path.isdir(second):
            os.rmdir(second)
        make_sparse("large.bin", 40 * MIB)
        make_sparse("second.bin", 10 * MIB)
        arrived = Arrived(on_some=once(act_of(kind)))
        server, url = served(arrived, over_tls)
        with server:
            done = run(text_of("tls: {insecure: true}", "workers: 1", f"""
  - {{method: POST, url: "{url}", peak_load: 1hps, body: {{files: ["${{n}}", second.bin]}}}}
""", more="providers: {n: {list: [large.bin]}}"), *engine)
        equal(done.report["ledger"]["failed"], {"body_unreadable": 1}, kind)
        equal(arrived.bodies, [], kind)


def test_a_file_that_is_replaced_while_it_is_sent_is_sent_as_it_was():
    data = make("large.bin", 30 * MIB)
    make("new.bin", 30 * MIB + 5, 2)
    arrived = Arrived(on_some=once(lambda: os.replace(lib.temp_path("new.bin"),
                                                      lib.temp_path("large.bin"))))
    with Server(arrived) as server:
        run(text_of("", "workers: 1", f"""
  - {{method: POST, url: "{server.url}", peak_load: 2hps, body: {{file: "${{n}}"}}}}
""", more="providers: {n: {list: [large.bin]}}"), rc=0)
    equal(sorted(body[1] for body in arrived.bodies), [30 * MIB, 30 * MIB + 5])
    equal(min(arrived.bodies, key=lambda body: body[1])[2], digest(data))


def test_answers_before_the_end_of_a_long_body():
    make_sparse("large.bin", 20 * MIB)

    def goes_on(conn):
        """Answers first; then the rest has to come, and another request."""
        arrived = Arrived()
        while True:
            _, length, _ = arrived.head(conn)
            conn.respond()
            time.sleep(0.05)
            equal(arrived.body(conn, length)[0], 20 * MIB)
            whole.append(length)

    def ends_it(conn):
        Arrived().head(conn)
        conn.respond(status=413, fields=["Connection: close"])

    def leaves(conn):
        arrived = Arrived()
        arrived.head(conn)
        conn.sock.recv(MIB)

    def reads_nothing(conn):
        Arrived().head(conn)
        time.sleep(1.5)

    whole = []
    cases = ((goes_on, EVERY), (ends_it, EVERY[1:3]), (leaves, EVERY[::3]),
             (reads_nothing, EVERY[1:3]))
    for behave, how in cases:
        for engine, over_tls in how:
            whole.clear()
            server, url = served(behave, over_tls)
            # On one connection the next request says that the body before it is gone; one that
            # does not get through in time, on a slow machine, takes its connection along.
            most = ("request_timeout: 30s, max_connections: 1" if behave is goes_on else
                    "request_timeout: 1s")
            with server:
                done = run(text_of("tls: {insecure: true}, " + most,
                                   "workers: 1", f"""
  - {{method: POST, url: "{url}", peak_load: 3hps, body: {{file: "${{n}}"}}}}
""", more="providers: {n: {list: [large.bin]}}"), *engine)
            ledger = done.report["ledger"]
            if behave is goes_on:
                equal(ledger["ok"] + sum(ledger["shed"].values()), 3)
                check(len(whole) >= ledger["ok"] - 1, "the rest came", whole, done)
            if behave is leaves:
                equal((ledger["ok"], sum(ledger["failed"].values())), (0, 3))
            if behave is reads_nothing:  # The last one's time may end with the run's.
                equal(set(ledger["failed"]), {"timeout"})
                equal(ledger["failed"]["timeout"] + ledger["cut_off"], 3)


def test_many_uploads_at_once():
    data = make("large.bin", 2 * MIB)
    arrived = Arrived()
    with Server(arrived) as server:
        done = run(text_of("", "workers: 2", f"""
  - {{method: POST, url: "{server.url}/${{n}}", peak_load: 300hps, body: {{file: "${{f}}"}}}}
""", more="providers: {n: {range: {}}, f: {list: [large.bin]}}"), rc=0, timeout=60)
    equal(done.report["ledger"]["ok"], 300)
    equal({body[1:] for body in arrived.bodies}, {(len(data), digest(data))})
