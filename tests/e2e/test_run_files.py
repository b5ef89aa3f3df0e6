"""`pelt run`: bodies made of files, as the server sees them."""

import os

import lib
import tls
from badserver import Server
from lib import check, equal
from test_run import Seen, run
from test_run_client import ENGINES, text_of, whole_body


def test_files_that_never_change_are_those_of_before_the_run():
    lib.write_file("a.bin", bytes(range(256)) * 512)
    lib.write_file("b.txt", b"behind")
    paths = []

    class Changing(Seen):
        def __call__(self, conn):
            while True:
                self.requests.append(conn.request())
                for path in paths:
                    if os.path.exists(path):
                        os.unlink(path)
                conn.respond()

    for engine in ENGINES:
        seen = Changing()
        paths[:] = [lib.write_file("gone.txt", b"was here")]
        with Server(seen) as server:
            done = run(text_of("", "workers: 1", f"""
  - method: POST
    url: {server.url}/
    peak_load: 20hps
    body: {{files: [a.bin, b.txt, gone.txt]}}
"""), *engine, rc=0)
        equal(done.report["ledger"]["ok"], 20)
        equal({request.body for request in seen.requests},
              {bytes(range(256)) * 512 + b"behindwas here"})


def test_files_that_values_name_are_read_for_each_request():
    names = []
    for i in range(5):
        names.append(f"data-{i}.txt")
        lib.write_file(names[-1], f"content {i}".encode() * (i * 10000 + 1))
    for engine in ENGINES:
        seen = Seen()
        with Server(seen) as server:
            done = run(text_of("", "workers: 2", f"""
  - method: POST
    url: {server.url}/file?n=${{name}}
    peak_load: 25hps
    body: {{file: "${{name}}"}}
  - method: POST
    url: {server.url}/form?n=${{name}}
    peak_load: 25hps
    body: {{multipart: {{f: {{body: {{file: "./${{name}}"}}}}}}}}
""", more=f"providers: {{name: {{list: {names}}}}}"), *engine, rc=0)
        equal(done.report["ledger"]["ok"], 50)
        for request in seen.requests:
            i = int(request.target[-5])
            content = f"content {i}".encode() * (i * 10000 + 1)
            if request.target.startswith("/file"):
                equal(request.body, content)
            else:
                check(f'filename="data-{i}.txt"'.encode() in request.body, request.body[:200])
                check(b"\r\n\r\n" + content + b"\r\n--" in request.body, request.body[:200])


def test_files_that_cannot_be_read_fail_their_requests():
    lib.write_file("good.txt", b"good")
    os.mkdir(lib.temp_path("directory"))
    os.mkfifo(lib.temp_path("fifo"))
    for name in ("missing.txt", "directory", "fifo", ""):
        seen = Seen()
        with Server(seen) as server:
            done = run(text_of("", "workers: 1", f"""
  - method: POST
    url: {server.url}/
    peak_load: 10hps
    body: {{file: "${{name}}"}}
""", more=f'providers: {{name: {{list: ["{name}", good.txt]}}}}', over="400ms"), rc=0)
        equal(done.report["ledger"]["failed"], {"build": 2}, name)
        equal([request.body for request in seen.requests], [b"good"] * 2, name)
        if name != "large.bin":
            check("a file of the body cannot be read" in done.out, "told:", name, done)


def test_large_files_are_sent_from_where_they_lie():
    block = bytes(range(256)) * 4096
    with open(lib.temp_path("large.bin"), "wb") as file:
        for _ in range(24):
            file.write(block)
    lib.write_file("end.txt", b"the end")
    lib.write_file("empty.txt", b"")
    got = []

    def behave(conn):
        while True:
            body = whole_body(conn)
            got.append((len(body), body[-len(block) - 7:] == block + b"the end"))
            conn.respond()

    for engine in ENGINES:
        for wrap in (lambda b: b, lambda b: tls.over(tls.context("good"), b)):
            got.clear()
            with Server(wrap(behave)) as server:
                url = server.url if wrap(behave) is behave else tls.https(server)
                run(text_of("tls: {insecure: true}", "workers: 1", f"""
  - method: POST
    url: {url}?n=${{n}}
    peak_load: 2hps
    body: {{files: [large.bin, empty.txt, end.txt]}}
""", more="providers: {n: {range: {}}}"), *engine, rc=0)
            equal(got, [(24 * len(block) + 7, True)] * 2)


def test_what_is_no_file_for_any_request_is_told_before_the_run():
    os.mkdir(lib.temp_path("directory"))
    for name, reason in (("directory", "Is a directory"), ("missing.bin", "No such file")):
        path = lib.write_file("test.yaml", text_of(endpoints=f"""
  - method: POST
    url: http://127.0.0.1:9/
    peak_load: 1hps
    body: {{multipart: {{f: {{body: {{file: {name}}}}}}}}}
""").encode())
        done = lib.pelt("run", path, rc=1)
        check("test.yaml:10:41: error: cannot read" in done.err and reason in done.err, done)
