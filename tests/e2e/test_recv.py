"""Bodies that come in: discarded in the kernel or read, to the last byte, in every framing and
whatever goes wrong on the way; and what happens when buffers and queues are too small."""

import hashlib
import os
import signal
import socket
import time

import badserver
import lib
from badserver import Server
from lib import check, equal
from test_containers import memlocked

HEAD = b"HTTP/1.1 200 OK\r\n"
MIB = 1 << 20


def with_length(body, extra=b""):
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body + extra


def chunked(body, piece=30000):
    out = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    for at in range(0, len(body), piece):
        part = body[at : at + piece]
        out += b"%x\r\n%s\r\n" % (len(part), part)
    return out + b"0\r\n\r\n"


def books(run):
    """The report's accounts of bytes; what was discarded is part of what was received."""
    bodies, received = run.report["bodies"], run.report["bytes"]["received"]
    equal(bodies["mode"], "discarded" if bodies["discarded_bytes"] else "read", f"mode\n{run}")
    check(bodies["discarded_bytes"] <= received, "more discarded than received:", run)
    check(bodies["discarded"] <= run.ok(), "more answers than there were:", run)
    equal("discarded in the kernel" in run.out, bodies["discarded_bytes"] > 0, f"text\n{run}")
    return bodies["discarded_bytes"], received


def run_on(answers, *args, count=40, connections=4):
    """Answers take turns on each connection; returns the run, all answered, and the bytes that
    the server wrote."""
    written = []

    def behave(conn):
        while True:
            conn.request()
            data = answers[conn.requests % len(answers)]
            conn.count_answer()
            written.append(len(data))
            conn.send(data)
            if b"Content-Length" not in data[:100] and b"chunked" not in data[:100]:
                return

    with Server(behave) as server:
        run = lib.load(server.url + "/", "-t", 1, "-c", connections, "-n", count, *args, rc=0)
    equal(run.failed(), {}, f"failures\n{run}")
    equal(run.ok(), count, f"answers\n{run}")
    equal(run.report["status"], {"200": count}, "by status")
    return run, sum(written)


def test_large_bodies_are_discarded_to_the_last_byte_and_no_further():
    run, written = run_on([with_length(b"x" * MIB)])
    discarded, received = books(run)
    equal(received, written, f"bytes received\n{run}")
    check(discarded > 30 * MIB, "most of it is discarded:", run)


def test_bodies_that_are_to_be_read_are_read():
    run, written = run_on([with_length(b"x" * MIB)], "--read-bodies")
    equal(books(run), (0, written), f"discarded and received\n{run}")
    check("--read-bodies" not in run.out, "nothing to be said of it:", run)


def test_small_chunked_and_closing_bodies_are_read():
    for answer in (
        with_length(b"x" * 24000),
        chunked(b"x" * 300000),
        HEAD + b"\r\n" + b"x" * 300000,
    ):
        run, written = run_on([answer])
        equal(books(run), (0, written), f"discarded and received, {answer[:60]}\n{run}")


def test_bodies_of_a_head_request_do_not_come():
    def answer(conn, request):
        conn.count_answer()
        conn.send(HEAD + b"Content-Length: 10000000\r\n\r\n")

    with Server(badserver.each(answer)) as server:
        run = lib.load(server.url + "/", "-X", "HEAD", "-c", 3, "-n", 60, rc=0)
    equal(run.ok(), 60, f"answers\n{run}")
    equal(books(run)[0], 0, f"discarded\n{run}")


def test_sizes_and_framings_may_change_from_answer_to_answer():
    sizes = (0, 1, 3000, 4096, 5000, 65536, 65537, 100000, MIB, 3 * MIB)
    answers = [with_length(b"x" * size) for size in sizes]
    answers += [chunked(b"y" * size) for size in (1, 5000, 200000)]
    for args in ((), ("--read-bodies",), ("--ids",), ("-R", "300")):
        run, written = run_on(answers, *args, count=130)
        discarded, received = books(run)
        equal(received, written, f"bytes received, {args}\n{run}")
        equal(discarded > 0, "--read-bodies" not in args, f"discarded, {args}\n{run}")


def test_receives_go_back_when_bodies_are_small_again():
    # The mode goes back after 64 smaller bodies; nothing may be lost on any of the ways.
    large = [with_length(b"x" * 200000)]
    middle = [with_length(b"x" * 20000)]
    small = [with_length(b"x" * 10)]
    answers = large * 3 + small * 150 + large * 3 + middle * 150 + small * 150
    run, written = run_on(answers, count=1000, connections=1)
    discarded, received = books(run)
    equal(received, written, f"bytes received\n{run}")
    check(discarded > 0, "some is discarded:", run)


def test_a_connection_that_says_close_is_read_to_its_end():
    body = b"x" * 300000
    answer = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with Server(badserver.says_and_closes(answer, status=200)) as server:
        run = lib.load(server.url + "/", "-c", 3, "-n", 60, "--max-connections", 3, rc=0)
    equal(run.failed(), {}, f"failures\n{run}")
    equal(run.ok(), 60, f"answers\n{run}")
    equal(server.uses_max, 1, "requests on a connection")
    check(server.open_max <= 3, server.open_max, "connections at once")


def test_what_comes_behind_a_discarded_body_is_nobodys_answer():
    # A whole response that nobody asked for: taken for the next answer it would count as one.
    extra = b"HTTP/1.1 299 Extra\r\nContent-Length: 0\r\n\r\n"
    answer = with_length(b"x" * 300000, extra)
    with Server(badserver.says_and_waits(answer)) as server:
        run = lib.load(server.url + "/", "-c", 3, "-n", 60, "-T", "20s", rc=0)
    equal(run.report["status"], {"200": run.ok()}, f"by status\n{run}")
    equal(run.ok(), 60, f"answers\n{run}")
    equal(run.failed(), {}, f"failures\n{run}")
    check(run.report["connections"]["unsolicited"] >= 57, "unsolicited bytes:", run)
    check(books(run)[0] > 0, "bodies are discarded:", run)


def first_large(answer):
    """Each connection's first answer is whole and large, so that later ones are discarded."""

    def behave(conn):
        conn.request()
        conn.send(with_length(b"x" * 300000))
        while True:
            answer(conn, conn.request())

    return behave


def fails_amid_a_discard(ending, wanted, *args):
    """The first body of each connection comes, of the second only a part."""

    def answer(conn, _):
        conn.send(with_length(b"x" * MIB)[: MIB // 2])
        ending(conn)

    with Server(first_large(answer)) as server:
        run = lib.load(server.url + "/", "-c", 2, "-n", 20, *args)
    equal(run.failed(), {wanted: 10}, f"failures\n{run}")
    equal(run.ok(), 10, f"answers\n{run}")
    check(books(run)[0] > 10 * MIB // 2 * 0.9, "parts count as well:", run)
    return run


def reset_later(conn):
    time.sleep(0.1)  # What was sent arrives first.
    conn.reset()


def hang_up(conn):
    raise badserver.Gone


def test_a_body_that_is_cut_off_amid_a_discard_is_incomplete():
    fails_amid_a_discard(hang_up, "incomplete")


def test_a_reset_amid_a_discard_is_one():
    fails_amid_a_discard(reset_later, "reset_in_body")


def test_the_deadline_holds_amid_a_discard():
    run = fails_amid_a_discard(lambda conn: conn.wait_closed(), "timeout", "-T", "700ms")
    check(run.seconds < lib.SLACK_S, "it ends:", run)


@lib.seconds(120)
def test_want_of_buffers_touches_no_connection():
    # Chunked bodies go into lent buffers, twice as many as there are connections. Whenever pelt is
    # stopped for a while its sockets fill with far more than these hold.
    with lib.target() as server:
        process = lib.start_load(f"{server.url}/chunked/{MIB}", "-t", 1, "-c", 16, "-d", "2s",
                                 "-T", "60s")
        for _ in range(8):
            time.sleep(0.1)
            os.kill(process.child.pid, signal.SIGSTOP)  # No harm once it has ended.
            time.sleep(0.1)
            os.kill(process.child.pid, signal.SIGCONT)
        run = lib.finish_load(process, timeout=100)
    equal(run.rc, 0, f"exit code\n{run}")
    equal(run.failed(), {}, f"failures\n{run}")
    equal(run.ok(), run.started(), f"answers\n{run}")
    equal(run.report["connections"]["opened"], 16, f"connections\n{run}")
    check(run.report["bytes"]["received"] > run.ok() * MIB, "all bytes:", run)
    check(run.report["client"]["no_buffers"] > 0, "no buffer was ever wanting:", run)
    check("no receive buffer was left" in run.out, "nothing said of it:", run)


@lib.seconds(120)
@lib.alone
def test_large_bodies_over_many_connections_come_whole():
    lib.need_files(2000)
    connections, count = (100, 1000) if lib.LIGHT else (300, 6000)
    for args in ((), ("--read-bodies",)):
        with lib.target() as server:
            run = lib.load(f"{server.url}/bytes/{MIB}", "-t", 1, "-c", connections, "-n", count,
                           "-T", "60s", *args, rc=0, timeout=100)
        equal(run.failed(), {}, f"failures\n{run}")
        equal(run.ok(), count, f"answers\n{run}")
        equal(run.report["connections"]["opened"], connections, f"connections\n{run}")
        discarded, received = books(run)
        check(received > count * MIB, "all bytes:", run)
        check(args or discarded > 0.9 * received, "most is discarded:", run)


@lib.alone
def test_completions_that_do_not_fit_their_queue_touch_no_connection():
    # A queue made small by the limit on locked memory, and two thousand connections at once.
    run = memlocked(24, "-t", 1, "--io", "uring")
    if run.rc == 1 and "memlock" in run.err:
        raise lib.Skip("not even a small ring is to be had here")
    equal(run.rc, 0, f"{run}")
    report = lib.json.loads(run.out)
    lib.assert_ledger_closes(report)
    if "shrunk" not in report:
        raise lib.Skip("this kernel does not charge rings to memlock")
    check(report["client"]["cq_overflow"] > 0, "the queue never overflowed:", run)
    equal(report["ledger"]["ok"], 8000, f"answers\n{run}")
    equal(report["connections"]["opened"], 2000, f"connections\n{run}")
    equal(report["connections"]["closed_by_peer"], 0, f"connections closed\n{run}")


def takes_late(conn):
    """Leaves a request's body in the socket, whose window is small, for a while."""
    conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            data += conn.sock.recv(1024) or conn.wait_closed()
        left = conn.server.body_bytes - len(data.partition(b"\r\n\r\n")[2])
        digest = hashlib.md5(data.partition(b"\r\n\r\n")[2])
        time.sleep(0.1)
        while left > 0:
            data = conn.sock.recv(min(left, 65536)) or conn.wait_closed()
            digest.update(data)
            left -= len(data)
        conn.server.digests.append(digest.digest())
        conn.respond()
        data = b""


def test_sends_that_go_out_in_pieces_are_whole():
    # More than a socket takes, so that every one of them is short at first.
    wmem_max = int(lib.read_file("/proc/sys/net/ipv4/tcp_wmem").split()[2])
    body = os.urandom(2 * wmem_max + MIB)
    path = lib.write_file("body", body)
    with Server(takes_late) as server:
        server.body_bytes, server.digests = len(body), []
        run = lib.load(server.url + "/", "--body-file", path, "-c", 3, "-n", 9, "-T", "30s", rc=0)
    equal(run.ok(), 9, f"answers\n{run}")
    equal(run.failed(), {}, f"failures\n{run}")
    equal(server.digests, [hashlib.md5(body).digest()] * 9, f"bodies that came\n{run}")


def test_a_server_that_takes_nothing_runs_into_the_deadline():
    path = lib.write_file("body", b"x" * 20 * MIB)

    def behave(conn):
        time.sleep(20)

    with Server(behave) as server:
        run = lib.load(server.url + "/", "--body-file", path, "-c", 3, "-n", 3, "-T", "500ms")
    equal(run.failed(), {"timeout": 3}, f"failures\n{run}")
