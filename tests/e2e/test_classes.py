"""Classes of failure that no other test takes, and the list of those that are taken somewhere."""

import glob
import os
import re
import ssl

import badserver
import lib
import tls
from badserver import Server
from lib import check, equal

# Of sessions that no server of ours can be made to spoil from here: tests/unit/test_tls_*.c.
BY_UNITS = "tls_flood tls_protocol tls_unclean_close tls_local".split()


def test_a_name_that_the_server_does_not_know_has_its_class():
    settings = tls.context()
    settings.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    for engine in ("epoll", "auto"):
        with Server(tls.over(settings, badserver.good)) as server:
            run = lib.load(f"https://localhost:{server.port}/", "-c", 1, "-n", 2, *tls.CA, "--sni",
                           "good.test", "--io", engine)
        equal(run.failed(), {"tls_name_refused": 2}, f"{run}")


def test_another_protocol_than_http_has_its_class():
    settings = tls.context()
    settings.set_alpn_protocols(["spdy/3"])
    with Server(tls.over(settings, badserver.good)) as server:
        run = lib.load(tls.https(server), "-c", 1, "-n", 2, *tls.CA, "--alpn", "spdy/3,http/1.1")
    equal(run.failed(), {"tls_alpn_other": 2}, f"{run}")


def test_a_damaged_record_has_its_class():
    def behave(conn):
        raw = os.dup(conn.sock.fileno())
        conn.request()
        os.write(raw, b"\x17\x03\x03\x00\x20" + b"x" * 32)
        os.close(raw)
        conn.wait_closed()

    for engine in ("epoll", "auto"):
        with Server(tls.over(tls.context(), behave)) as server:
            run = lib.load(tls.https(server), "-c", 1, "-n", 2, *tls.CA, "--io", engine)
        equal(run.failed(), {"tls_bad_record": 2}, f"{run}")


def test_a_body_too_large_for_expressions_has_its_class():
    body = b'{"a": "' + b"x" * 100000 + b'"}'
    with Server(badserver.each(lambda conn, request: conn.respond(body))) as server:
        path = lib.write_file("test.yaml", f"""
config: {{client: {{max_response_body: 10000}}}}
providers: {{p: {{response: {{}}}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 500ms}}}}]
endpoints:
  - url: {server.url}/
    peak_load: 20hps
    provides: {{p: {{select: response.body.a, send: if_not_full}}}}
""".encode())
        json = lib.temp_path("report.json")
        run = lib.pelt("run", path, "--json", json)
        lib.load_report(run, json)
    equal(run.failed(), {"body_too_large": 10}, f"{run}")


def test_every_class_is_taken_by_some_test():
    here = os.path.dirname(os.path.abspath(__file__))
    texts = "".join(lib.read_file(path) for path in glob.glob(os.path.join(here, "test_*.py")))
    for name in lib.FAILED_CLASSES:
        short = name.removeprefix("tls_").removeprefix("client_certificate_")
        named = re.search(rf"""["'](tls_|tls_client_certificate_)?{short}["']""", texts)
        check(named or name in BY_UNITS, "no test takes this class of failure:", name)
