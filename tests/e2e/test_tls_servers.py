"""TLS with servers of other people: nginx, openssl s_server, GnuTLS, HAProxy."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time

import lib
import tls
from lib import check, equal

NGINX_CONF = """
daemon off;
{user}
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
    log_format books '$http_x_request_id $status $ssl_protocol $ssl_session_reused $ssl_early_data';
    access_log {dir}/access.log books;
    keepalive_requests 1000000;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        {more}
        location = / {{ return 200 "ok"; }}
        location = /big {{ alias {dir}/big; }}
    }}
}}
"""


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def server(words, port, **how):
    """A program that serves on `port`; its Popen, to be killed at the end."""
    log = lib.temp_path(f"{os.path.basename(words[0])}.{port}.log")
    with open(log, "wb") as out:
        process = subprocess.Popen(words, **{"stdin": subprocess.DEVNULL, "stdout": out,
                                             "stderr": out, **how})
    try:
        def ready():
            check(process.poll() is None, "ended at once:", words, lib.read_file(log)[-1000:])
            return listens(port)

        lib.wait_until(ready, f"{words[0]} to listen")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(lib.SLACK_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def nginx(name="good", more=""):
    """Yields the URL and the path of the log: id, status, version, "r" or "."."""
    binary, port, directory = lib.need_tool("nginx"), lib.free_port(), lib.temp_path("nginx")
    os.makedirs(directory, exist_ok=True)
    for temporary in ("access.log", "error.log"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(directory, temporary))
    with open(os.path.join(directory, "big"), "wb") as file:
        file.write(b"x" * 1000000)
    user = "user root;" if os.geteuid() == 0 else ""
    conf = lib.write_file("nginx.conf", NGINX_CONF.format(
        dir=directory, port=port, user=user, cert=tls.cert(name), key=tls.key(name), more=more))
    with server([binary, "-p", directory, "-c", conf], port):
        yield f"https://localhost:{port}", os.path.join(directory, "access.log")


def lines_of(path, count):
    """The log's lines, once there are so many."""
    lib.wait_until(lambda: len(lib.read_file(path).splitlines()) >= count, f"{count} lines", 10)
    return [line.split() for line in lib.read_file(path).splitlines()]


def test_ids_and_statuses_are_the_same_in_the_log_of_nginx():
    with nginx() as (url, log):
        run = lib.load(url + "/", "-c", 8, "-n", 2000, "--ids", *tls.CA)
        lines = lines_of(log, 2000)
    equal(run.ok(), 2000, run)
    equal(len(lines), 2000, "requests that nginx has seen")
    equal(len({line[0] for line in lines}), 2000, "ids")
    equal({line[1] for line in lines}, {"200"}, "statuses")


def test_nginx_shows_certificates_of_every_kind_in_both_versions():
    for name in ("good", "rsa", "p384", "ed25519", "intermediate"):
        with nginx(name) as (url, log):
            for version in ("1.2", "1.3"):
                run = lib.load(url + "/", "-c", 2, "-n", 20, "--tls-max", version, *tls.CA)
                equal(run.ok(), 20, f"{name}, {version}\n{run}")
                [agreed] = run.report["tls"]["agreed"]
                equal(agreed["version"], f"TLSv{version}", run)
            equal({line[2] for line in lines_of(log, 40)}, {"TLSv1.2", "TLSv1.3"}, name)


def test_nginx_and_we_count_the_same_resumed_handshakes():
    for options in ([], ["--tls-resume", "full"], ["--tls-resume", "mix:50%"], ["--tls-max", "1.2"]):
        with nginx() as (url, log):
            run = lib.load(url + "/", "-c", 4, "-t", 1, "-n", 200, "--no-keepalive", *options,
                           *tls.CA)
            lines = lines_of(log, 200)
        ours = run.report["tls"]
        theirs = sum(line[3] == "r" for line in lines)
        equal(run.ok(), 200, run)
        # Connections that carried no request before the end of the run are not in its log.
        spare = ours["handshakes"] - 200
        check(0 <= spare <= 4, "handshakes without a request:", spare, run)
        check(0 <= ours["resumed"] - theirs <= spare, f"{options}: resumed: nginx {theirs}\n{run}")


def early_of(run):
    return run.report["tls"]["early_data"]["sent"], run.report["tls"]["early_data"]["taken"]


def test_nginx_takes_requests_as_early_data():
    for options in ([], ["--io", "epoll"]):
        with nginx(more="ssl_early_data on;") as (url, log):
            run = lib.load(url + "/", "-c", 4, "-t", 1, "-n", 200, "--ids", "--no-keepalive",
                           "--early-data", *options, *tls.CA)
            lines = lines_of(log, 200)
        sent, taken = early_of(run)
        equal(run.ok(), 200, run)
        equal(len({line[0] for line in lines}), 200, "ids, each once")
        # nginx says so only of those that it reads before it has seen the end of the handshake.
        check(0 < sum(line[-1] == "1" for line in lines) <= taken, "requests that came early")
        check(sent == taken > 50, "early data:", sent, taken, run)
        check(f"{sent} requests sent as early data, {taken} of them taken" in run.out, run)


def test_early_data_is_off_unless_asked_for_and_where_it_is_not_offered():
    with nginx(more="ssl_early_data on;") as (url, log):
        run = lib.load(url + "/", "-c", 4, "-n", 50, "--no-keepalive", *tls.CA)
        check("early_data" not in run.report["tls"], run)
        run = lib.load(url + "/", "-c", 4, "-n", 50, "--no-keepalive", "--early-data", "--tls-max",
                       "1.2", *tls.CA)
        equal(early_of(run), (0, 0), run)
        equal({line[-1] for line in lines_of(log, 100)}, {"-"}, "early data")
    with nginx() as (url, log):
        run = lib.load(url + "/", "-c", 4, "-n", 50, "--no-keepalive", "--early-data", *tls.CA)
        equal((run.ok(), early_of(run)), (50, (0, 0)), run)
    run = lib.pelt("--early-data", "--tls-resume", "full", "https://localhost:1/")
    equal(run.rc, 64, run)
    check("'--early-data' wants sessions to resume" in run.err, run)


def test_early_data_that_is_not_taken_is_sent_again():
    """Tickets of before a restart are not known after it: nothing of them is early then."""
    with nginx(more="ssl_early_data on;") as (url, log):
        process = lib.start_load(url + "/", "-c", 4, "-t", 1, "-d", "1500ms", "--ids",
                                 "--no-keepalive", "--early-data", "-T", "5s", *tls.CA)
        lines_of(log, 50)
        with open(os.path.join(os.path.dirname(log), "nginx.pid")) as file:
            os.kill(int(file.read()), signal.SIGHUP)
        run = lib.finish_load(process)
        sent, taken = early_of(run)
        equal(run.ok(), run.started(), run)
        check(0 < taken < sent, "early data that was not taken:", sent, taken, run)
        lines = lines_of(log, run.ok())
        equal(len({line[0] for line in lines}), len(lines), "requests that nginx has answered twice")


def test_nginx_requires_a_client_certificate():
    more = f"ssl_client_certificate {tls.cert('ca')}; ssl_verify_client on;"
    own = ["--cert", tls.cert("client"), "--key", tls.key("client")]
    with nginx(more=more) as (url, _):
        for version in ("1.2", "1.3"):
            run = lib.load(url + "/", "-c", 2, "-n", 20, "--tls-max", version, *own, *tls.CA)
            equal(run.report["status"], {"200": 20}, run)
            # nginx says so in HTTP.
            run = lib.load(url + "/", "-c", 2, "-n", 20, "--tls-max", version, *tls.CA)
            equal(run.report["status"], {"400": 20}, run)


def test_nginx_chooses_h2_where_it_is_offered():
    with nginx(more="listen 127.0.0.1:%d ssl http2;" % lib.free_port()) as (url, _):
        run = lib.load(url + "/", "-c", 2, "-n", 20, *tls.CA)
        equal(run.ok(), 20, run)
    port = lib.free_port()
    with nginx(more=f"listen 127.0.0.1:{port} ssl http2;"):
        lib.wait_until(lambda: listens(port), "nginx to listen for h2")
        url = f"https://localhost:{port}/"
        run = lib.load(url, "-c", 2, "-n", 4, "--alpn", "h2,http/1.1", *tls.CA)
        equal(run.failed(), {"tls_alpn_h2": 4}, run)
        run = lib.load(url, "-c", 2, "-n", 20, *tls.CA)
        equal(run.ok(), 20, run)


def test_large_bodies_of_nginx():
    with nginx() as (url, _):
        run = lib.load(url + "/big", "-c", 4, "-n", 40, *tls.CA)
    equal(run.ok(), 40, run)
    check(run.report["bytes"]["received"] >= 40 * 1000000, run)
    check(run.report["tls"]["unclean_closes"] == 0, run)


class Interactive:
    """openssl s_server, to which we say what it sends, and its commands: k and K for KeyUpdate
    (K wants an answer), R to renegotiate, P for a line of plain text."""

    def __init__(self, process):
        self.process = process
        os.set_blocking(process.stdout.fileno(), False)
        self.seen = b""

    def say(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def hear(self, wanted, times=1):
        def heard():
            self.seen += self.process.stdout.read() or b""
            return self.seen.count(wanted) >= times

        lib.wait_until(heard, f"s_server to print {wanted!r} {times} times: {self.seen[-800:]!r}")


@contextlib.contextmanager
def s_server(*options):
    binary, port = lib.need_tool("openssl"), lib.free_port()
    words = [binary, "s_server", "-accept", str(port), "-cert", tls.cert("good"), "-key",
             tls.key("good"), *options]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        said = Interactive(process)
        said.hear(b"ACCEPT")
        said.url = f"https://localhost:{port}/"
        yield said
    finally:
        process.kill()
        process.wait()


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def test_key_updates_of_s_server_both_ways():
    with s_server("-tls1_3") as there:
        process = lib.start_load(there.url, "-c", 1, "-t", 1, "-n", 12, *tls.CA)
        for number in range(1, 13):
            there.hear(b"GET / HTTP/1.1", number)
            time.sleep(0.02)
            there.say((b"k\n", b"K\n")[number % 2])
            time.sleep(0.02)
            there.say(ANSWER)
        run = lib.finish_load(process)
    equal(run.ok(), 12, run)
    equal(run.report["connections"]["opened"], 1, run)
    check(there.seen.count(b"SSL_do_handshake -> 1") >= 8, "no KeyUpdate:", there.seen[-500:])


def test_renegotiation_is_refused_and_the_connection_lives_or_ends_with_a_name():
    with s_server("-tls1_2") as there:
        process = lib.start_load(there.url, "-c", 1, "-t", 1, "-n", 2, "-T", "5s", *tls.CA)
        there.hear(b"GET / HTTP/1.1")
        there.say(ANSWER)
        there.hear(b"GET / HTTP/1.1", 2)
        time.sleep(0.05)
        there.say(b"R\n")
        time.sleep(0.05)
        there.say(ANSWER)
        run = lib.finish_load(process)
    check(run.ok() == 2 or set(run.failed()) <= {"tls_alert", "closed_before_response",
                                                 "reset_before_response", "timeout"}, run)
    check(run.ok() >= 1 and run.report["tls"]["handshakes"] >= 1, run)


def test_s_server_speaks_another_protocol():
    with s_server("-alpn", "h2") as there:
        run = lib.load(there.url, "-c", 1, "-n", 1, *tls.CA)
    equal(run.failed(), {"tls_alpn_refused": 1}, run)


def test_s_server_of_tls_1_1_is_refused():
    with s_server("-tls1_1", "-cipher", "ALL:@SECLEVEL=0") as there:
        run = lib.load(there.url, "-c", 1, "-n", 1, *tls.CA)
    equal(run.failed(), {"tls_no_shared_version": 1}, run)


@contextlib.contextmanager
def gnutls(*options):
    binary, port = lib.need_tool("gnutls-serv"), lib.free_port()
    words = [binary, "--http", "--port", str(port), "--x509certfile", tls.cert("good"),
             "--x509keyfile", tls.key("good"), *options]
    with server(words, port):
        yield f"https://localhost:{port}/"


def test_gnutls_is_understood():
    for priority, version in (("NORMAL:-VERS-ALL:+VERS-TLS1.3", "TLSv1.3"),
                              ("NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLSv1.2")):
        with gnutls("--priority", priority) as url:
            # It waits for one handshake at a time: a connection that a worker leaves at the end of
            # its share would hold up those of another one.
            run = lib.load(url, "-c", 4, "-t", 1, "-n", 40, *tls.CA)
        equal(run.ok() + run.failed().get("incomplete", 0), 40, run)
        check(run.ok() == 40 or run.report["tls"]["unclean_closes"] > 0, run)
        equal(run.report["tls"]["agreed"][0]["version"], version, run)


def test_gnutls_requires_a_client_certificate():
    options = ["--require-client-cert", "--x509cafile", tls.cert("ca"), "--verify-client-cert"]
    own = ["--cert", tls.cert("client"), "--key", tls.key("client")]
    with gnutls(*options) as url:
        run = lib.load(url, "-c", 1, "-n", 4, *own, *tls.CA)
        check(run.ok() + run.failed().get("incomplete", 0) == 4, run)
        run = lib.load(url, "-c", 1, "-n", 4, *tls.CA)
    check(all(re.match("tls_client_certificate|tls_alert|tls_handshake_closed|tls_reset", name)
              for name in run.failed()), run)
    equal(sum(run.failed().values()), 4, run)


HAPROXY_CONF = """
global
    maxconn 1000
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 5s
frontend front
    bind 127.0.0.1:{port} ssl crt {pem} alpn http/1.1
    http-request return status 200 content-type text/plain string ok
"""


def test_haproxy_is_understood():
    port = lib.free_port()
    pem = lib.write_file("both.pem",
                         lib.read_file(tls.cert("good")) + lib.read_file(tls.key("good")))
    conf = lib.write_file("haproxy.cfg", HAPROXY_CONF.format(port=port, pem=pem))
    with server([lib.need_tool("haproxy"), "-q", "-db", "-f", conf], port):
        url = f"https://localhost:{port}/"
        for options in ([], ["--tls-max", "1.2"]):
            run = lib.load(url, "-c", 8, "-n", 1000, *tls.CA, *options)
            equal(run.ok(), 1000, run)
            run = lib.load(url, "-c", 4, "-n", 100, "--no-keepalive", *tls.CA, *options)
            equal(run.ok(), 100, run)
            check(run.report["tls"]["resumed"] > 50, run)
