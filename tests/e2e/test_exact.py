"""The ledger against the server's own books: every request by its id, every answer by its
status, over a million of them; and once against a server that shares no code with us."""

import contextlib
import os
import signal
import socket

import lib
from lib import check, equal

MILLION = 200_000 if lib.LIGHT else 1_000_000


class Books:
    """What a log of "ID STATUS" lines says, checked against the ids that the workers used."""

    def __init__(self, path, per_worker):
        used = [worker["started"] for worker in per_worker]
        marks = [bytearray(count) for count in used]
        self.status = {}
        self.lines = self.known = 0
        with open(path) as log:
            for line in log:
                name, status = line.split()
                self.lines += 1
                self.status[status] = self.status.get(status, 0) + 1
                check(len(name) == 16, "an id of other than 16 digits:", name)
                worker, number = int(name[:4], 16), int(name[4:], 16)
                check(worker < len(used), "an id of no worker:", name)
                check(number < used[worker], "an id that the worker did not use:", name)
                check(not marks[worker][number], "an id that came twice:", name)
                marks[worker][number] = 1
        self.missing = sum(mark.count(0) for mark in marks)


def per_worker(run):
    workers = run.report["per_worker"]
    equal(len(workers), run.report["workers"], "workers")
    equal(sum(worker["started"] for worker in workers), run.started(), "sum over workers")
    return workers


def assert_equal_books(run, path):
    """Nothing failed, nothing cut off: the sets of ids and the statuses are equal."""
    equal(run.failed(), {}, f"failures\n{run}")
    equal(run.report["ledger"]["cut_off"], 0, "cut off")
    books = Books(path, per_worker(run))
    equal(books.lines, run.started(), "requests at the server")
    equal(books.missing, 0, "ids that the server did not see")
    equal(books.status, run.report["status"], "answers by status")


@lib.seconds(240)
@lib.alone
def test_a_million_ids_are_the_same_on_both_sides():
    log = lib.temp_path("ids")
    with lib.target("--log-ids", log) as server:
        run = lib.load(server.url + "/", "--ids", "-c", 64, "-t", 2, "-n", MILLION, "-d", "200s",
                       timeout=220, rc=0)
        server.stop()
    equal(run.ok(), MILLION)
    assert_equal_books(run, log)


@lib.seconds(120)
def test_ids_and_statuses_are_the_same_without_keepalive():
    log = lib.temp_path("ids")
    with lib.target("--log-ids", log) as server:
        run = lib.load(server.url + "/status/404", "--ids", "-c", 8, "-n", 5000, "-d", "60s",
                       "--no-keepalive", timeout=100, rc=0)
        server.stop()
    equal(run.report["status"], {"404": 5000})
    assert_equal_books(run, log)


@lib.seconds(120)
def test_what_is_cut_off_is_the_only_difference():
    log = lib.temp_path("ids")
    with lib.target("--log-ids", log) as server:
        run = lib.load(server.url + "/", "--ids", "-c", 64, "-d", "2s", "--drain", "0s", rc=0)
        server.stop()
    equal(run.failed(), {}, f"failures\n{run}")
    cut_off = run.report["ledger"]["cut_off"]
    books = Books(log, per_worker(run))
    check(books.missing <= cut_off, f"{books.missing} ids missing, {cut_off} cut off", run)
    extra = books.lines - run.ok()
    check(0 <= extra <= cut_off, f"{extra} answered beyond ok, {cut_off} cut off", run)


def test_what_ctrl_c_cuts_off_is_the_only_difference():
    log = lib.temp_path("ids")
    with lib.target("--log-ids", log) as server:
        process = lib.start_load(server.url + "/", "--ids", "-c", 32, "-d", "60s")
        lib.wait_until(lambda: os.path.exists(log) and os.path.getsize(log) > 0, "a first id")
        process.signal(signal.SIGINT)
        process.signal(signal.SIGINT)
        run = lib.finish_load(process)
        server.stop()
    books = Books(log, per_worker(run))
    cut_off = run.report["ledger"]["cut_off"]
    check(books.missing <= cut_off, f"{books.missing} ids missing, {cut_off} cut off", run)
    check(0 <= books.lines - run.ok() <= cut_off, run)


NGINX_CONF = """
daemon off;
master_process off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log warn;
events {{ worker_connections 512; }}
http {{
    log_format ids '$http_x_request_id $status';
    access_log {dir}/access.log ids buffer=64k;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 1000;
        location /missing {{ return 404; }}
        location / {{ return 200 "ok"; }}
    }}
}}
"""


@contextlib.contextmanager
def nginx():
    """A nginx of our own, logging ids and statuses. Yields url, access log, and a function that
    ends it and so brings the log up to date."""
    binary = lib.need_tool("nginx")
    directory = lib.temp_dir()
    port = lib.free_port()
    conf = lib.write_file("nginx.conf", NGINX_CONF.format(dir=directory, port=port))
    process = lib.Process([binary, "-e", directory + "/error.log", "-p", directory, "-c", conf])

    def listens():
        check(process.running(), "nginx did not start:", process)
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0

    def stop():
        if process.running():
            process.signal(signal.SIGQUIT)
            process.wait(lib.SLACK_S)

    try:
        lib.wait_until(listens, "nginx to listen")
        yield f"http://127.0.0.1:{port}", directory + "/access.log", stop
    finally:
        stop()


@lib.seconds(240)
@lib.alone
def test_ids_and_statuses_are_the_same_in_the_access_log_of_nginx():
    count = 40_000 if lib.LIGHT else 250_000
    with nginx() as (url, log, stop):
        run = lib.load(url + "/", "--ids", "-c", 50, "-n", count, "-d", "200s", timeout=220, rc=0)
        stop()
    equal(run.report["status"], {"200": count}, f"{run}")
    assert_equal_books(run, log)


@lib.seconds(120)
def test_errors_of_nginx_are_the_same_in_its_access_log():
    with nginx() as (url, log, stop):
        run = lib.load(url + "/missing", "--ids", "-c", 10, "-n", 5000, "-d", "60s", rc=0)
        stop()
    equal(run.report["status"], {"404": 5000}, f"{run}")
    assert_equal_books(run, log)
