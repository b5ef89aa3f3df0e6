"""Servers that misbehave: each failure gets its class, the ledger closes, the run ends."""

import contextlib
import itertools
import signal
import socket
import time

import badserver
import lib
from badserver import Server
from lib import check, equal

OK_HEAD = b"HTTP/1.1 200 OK\r\n"


def fails(behave, classes, *args):
    """Runs on a server that never answers properly: nothing is ok, and every failure is of one of
    these classes. Returns run and server."""
    classes = {classes} if isinstance(classes, str) else classes
    with Server(behave) as server:
        # Where no deadline is at stake it is far off: a busy machine must not meet it.
        timeout = "500ms" if any("timeout" in name for name in classes) else "20s"
        run = lib.load(server.url + "/", "-c", 4, "-d", "700ms", "-T", timeout, *args)
    equal(run.ok(), 0, f"answers\n{run}")
    check(run.started() > 0, "nothing was tried:", run)
    check(run.failed(), "no failure counted:", run)
    check(set(run.failed()) <= classes, f"failures other than {classes}:", run)
    equal(run.rc, 1, f"exit code when nothing answered\n{run}")
    check(run.err.strip(), "nothing on stderr says that nothing answered:", run)
    return run, server


# No connection.


def test_refused_is_connect_refused_and_does_not_spin():
    with lib.closed_port() as port:
        run = lib.load(f"http://127.0.0.1:{port}/", "-c", 10, "-d", "2s", rc=1)
    equal(run.ok(), 0)
    equal(set(run.failed()), {"connect_refused"}, f"{run}")
    check(run.report["connections"]["refused"] >= run.failed()["connect_refused"], run)
    equal(run.report["connections"]["opened"], 0)
    check("refused" in run.err, "stderr does not say that connections were refused:", run)
    check(run.started() < 4000, "attempts without a pause:", run)
    if not lib.INSTRUMENTED:
        check(run.cpu_s < 0.2 * 2 + 0.5, "spins:", run.cpu_s, "s of CPU", run)


def test_full_queue_is_connect_timeout():
    with lib.deaf_port() as port:
        run = lib.load(
            f"http://127.0.0.1:{port}/", "-c", 2, "-d", "1s", "--connect-timeout", "300ms", rc=1
        )
    equal(set(run.failed()), {"connect_timeout"}, f"{run}")
    check(run.seconds < 1 + lib.SLACK_S, "ends late:", run)


def test_total_timeout_bounds_the_connect_too():
    with lib.deaf_port() as port:
        run = lib.load(f"http://127.0.0.1:{port}/", "-c", 2, "-d", "1s", "-T", "400ms", rc=1)
    check(set(run.failed()) <= {"connect_timeout", "timeout"}, run)
    check(run.failed(), "no timeout counted:", run)


@lib.own_network()
def test_no_route_is_unreachable():
    run = lib.load("http://192.0.2.1/", "-c", 2, "-d", "500ms", rc=1)
    equal(set(run.failed()), {"unreachable"}, f"{run}")
    check(run.started() < 2000, "attempts without a pause:", run)


@lib.own_network()
def test_no_local_port_left_is_ports():
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
        file.write("50000 50009")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(badserver.good, port=8080))
        for _ in range(5):  # Somebody else has half of them.
            stack.enter_context(socket.create_connection(("127.0.0.1", 8080)))
        run = lib.load(server.url + "/", "-c", 10, "-d", "1s")
        check(server.open_max <= 10, "more connections than ports", server.open_max)
    check(run.failed().get("ports"), "no failure for lack of ports:", run)
    equal(set(run.failed()), {"ports"}, f"{run}")
    check(run.ok() > 0, "those that had a port were not used:", run)
    check("ip_local_port_range" in run.out + run.err, "the limit to raise is not named:", run)
    equal(run.report["verdict"]["state"], "CLIENT-LIMITED", f"{run}")
    check("local ports" in " ".join(run.report["verdict"]["reasons"]), "no reason:", run)


def test_no_descriptor_left_is_said_with_numbers():
    with Server(badserver.good) as server:
        run = lib.pelt("-c", 200, "-d", "1s", server.url + "/", files=40)
    # Refused before the start, or counted; never silently fewer connections.
    check(run.rc == 1, "exit code:", run)
    check("descriptor" in run.err or "open files" in run.err, "the limit is not named:", run)
    check("200" in run.err or "40" in run.err, "without numbers:", run)


def test_unknown_host_is_an_error_with_the_name():
    run = lib.pelt("-d", "1s", "http://no-such-host.invalid/", rc=1)
    check("no-such-host.invalid" in run.err, "the name is not said:", run)
    equal(len(run.err.strip().splitlines()), 1, f"lines on stderr\n{run}")
    check(run.seconds < lib.SLACK_S, "takes long:", run)


def test_refused_in_mid_run_recovers_by_itself():
    first = Server(badserver.good)
    process = lib.start_load(first.url + "/", "-c", 6, "-d", "120s", "-T", "5s")
    lib.wait_until(lambda: first.requests > 100, "requests at the first server")
    first.stop()
    time.sleep(1)
    with Server(badserver.good, port=first.port) as second:
        lib.wait_until(lambda: second.requests > 100, "requests after the restart")
        lib.wait_until(lambda: second.open_max == 6, "all six connections again")
        process.signal(signal.SIGINT)
        run = lib.finish_load(process)
        equal(second.open_max, 6, "connections after the restart")
    equal(run.rc, 130)
    check(run.failed().get("connect_refused"), "nothing was refused?", run)


# Silence.


def test_silence_is_timeout():
    run, _ = fails(badserver.silent, "timeout")
    check(run.seconds < 0.7 + 0.5 + lib.SLACK_S, "ends late:", run)
    latency = run.report["latency_us"]["from_sent"]
    equal(latency["count"], run.failed()["timeout"], "timeouts are in the histogram")
    check(latency["min"] >= 0.99 * 500_000, "a timeout before its time:", latency)


def test_silence_with_a_first_byte_deadline_is_first_byte_timeout():
    fails(badserver.silent, "first_byte_timeout", "--first-byte-timeout", "200ms", "-T", "20s")


def test_a_slow_first_byte_is_first_byte_timeout():
    args = ("--first-byte-timeout", "100ms", "-T", "20s")
    fails(badserver.slow(15), "first_byte_timeout", *args)


def test_a_slow_body_is_not_a_first_byte_timeout():
    head = OK_HEAD + b"Content-Length: 1000\r\n\r\n"
    args = ("--first-byte-timeout", "3s", "-T", "4s")
    fails(badserver.says_and_waits(head), "timeout", *args)


def test_a_dripping_answer_ends_at_the_total_deadline():
    head = OK_HEAD + b"Content-Length: 100000\r\n\r\n"
    fails(badserver.drips(head + b"x" * 1000, 0.02), "timeout")


def test_a_dripping_head_ends_at_the_total_deadline():
    fails(badserver.drips(OK_HEAD + b"X: " + b"x" * 1000, 0.02), "timeout")


def test_a_connection_that_timed_out_is_not_used_again():
    def late(conn):
        conn.request()
        time.sleep(3)
        conn.respond(status=299)
        conn.request()
        conn.respond(status=500)

    run, server = fails(late, "timeout", "-T", "200ms")
    equal(server.uses_max, 1, "requests on a connection, the first of which timed out")


# Resets and early ends.


def test_reset_after_the_request_is_reset_before_response():
    fails(badserver.says_and_resets(b""), "reset_before_response")


def test_reset_on_accept_is_reset_before_response():
    fails(badserver.resets_at_once, "reset_before_response")


def test_reset_in_the_status_line_is_reset_in_head():
    fails(badserver.says_and_resets(b"HTTP/1.1 2"), "reset_in_head")


def test_reset_in_the_fields_is_reset_in_head():
    fails(badserver.says_and_resets(OK_HEAD + b"Content-Le"), "reset_in_head")


def test_reset_after_an_interim_head_is_reset_in_head_or_before():
    classes = {"reset_in_head", "reset_before_response"}
    fails(badserver.says_and_resets(b"HTTP/1.1 100 Continue\r\n\r\n"), classes)


def test_reset_in_a_body_with_length_is_reset_in_body():
    fails(badserver.says_and_resets(OK_HEAD + b"Content-Length: 9\r\n\r\n1234"), "reset_in_body")


def test_reset_in_a_chunked_body_is_reset_in_body():
    head = OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n"
    fails(badserver.says_and_resets(head), "reset_in_body")


def test_reset_in_a_body_until_close_is_reset_in_body():
    fails(badserver.says_and_resets(OK_HEAD + b"\r\n1234"), "reset_in_body")


def test_close_after_the_request_is_closed_before_response():
    fails(badserver.once(lambda conn, request: None), "closed_before_response")


def test_close_in_the_head_is_incomplete():
    fails(badserver.says_and_closes(OK_HEAD + b"Content-Le"), "incomplete")


def test_close_in_a_body_with_length_is_incomplete():
    data = OK_HEAD + b"Content-Length: 9\r\n\r\n1234"
    fails(badserver.says_and_closes(data), "incomplete")


def test_close_before_the_last_chunk_is_incomplete():
    data = OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n"
    fails(badserver.says_and_closes(data), "incomplete")


def test_close_in_the_trailers_is_incomplete():
    data = OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n0\r\nA: b\r\n"
    fails(badserver.says_and_closes(data), "incomplete")


# What is not HTTP.

BAD_HEADS = {
    "text": b"220 mail.example.org ESMTP\r\n\r\n",
    "http 0.9": b"<html>hello</html>\r\n\r\n",
    "http 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http 2 status": b"HTTP/2 200\r\n\r\n",
    "tls alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "nothing but nul": b"\0" * 64,
    "status of letters": b"HTTP/1.1 OK 200\r\n\r\n",
    "status 99": b"HTTP/1.1 099 Low\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 High\r\n\r\n",
    "field without a colon": OK_HEAD + b"rubbish\r\n\r\n",
    "space before the colon": OK_HEAD + b"Content-Length : 2\r\n\r\nok",
    "bare cr": OK_HEAD + b"A: b\rc\r\n\r\n",
    "nul in a value": OK_HEAD + b"A: b\0c\r\n\r\n",
    "empty field name": OK_HEAD + b": b\r\n\r\n",
    "space before the first field": OK_HEAD + b" A: b\r\n\r\n",
}


def test_rubbish_is_bad_head():
    for name, data in BAD_HEADS.items():
        try:
            fails(badserver.says_and_waits(data), "bad_head", "-d", "200ms")
        except lib.Failed as error:
            raise lib.Failed(f"{name}: {error}") from error


def test_101_without_an_upgrade_is_an_error():
    data = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    fails(badserver.says_and_waits(data), {"bad_head", "bad_framing"})


def test_an_endless_field_is_head_too_large():
    run, _ = fails(badserver.endless(OK_HEAD + b"X: ", b"x" * 4096), "head_too_large")
    check(run.rss_kib < 200_000, "memory grows:", run.rss_kib)


def test_endless_fields_are_head_too_large():
    run, _ = fails(badserver.endless(OK_HEAD, b"A: b\r\n" * 500), "head_too_large")
    check(run.rss_kib < 200_000, "memory grows:", run.rss_kib)


def test_a_flood_of_1xx_is_an_error():
    classes = {"bad_head", "head_too_large", "bad_framing"}
    flood = badserver.endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 20)
    fails(flood, classes)


BAD_FRAMINGS = {
    "length of letters": b"Content-Length: abc\r\n\r\n",
    "negative length": b"Content-Length: -1\r\n\r\n",
    "signed length": b"Content-Length: +2\r\n\r\nok",
    "empty length": b"Content-Length:\r\n\r\n",
    "hexadecimal length": b"Content-Length: 0x2\r\n\r\nok",
    "length beyond 64 bits": b"Content-Length: 99999999999999999999\r\n\r\n",
    "list of unequal lengths": b"Content-Length: 2, 3\r\n\r\nok",
    "two unequal lengths": b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "chunk size of letters": b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "negative chunk size": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "empty chunk size": b"Transfer-Encoding: chunked\r\n\r\n\r\n",
    "chunk size beyond 64 bits": b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
    "no line end after chunk data": b"Transfer-Encoding: chunked\r\n\r\n2\r\nokX\r\n0\r\n\r\n",
    "lf alone after chunk size": b"Transfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
}


def test_lengths_that_cannot_be_believed_are_bad_framing():
    for name, data in BAD_FRAMINGS.items():
        try:
            fails(badserver.says_and_waits(OK_HEAD + data), "bad_framing", "-d", "200ms")
        except lib.Failed as error:
            raise lib.Failed(f"{name}: {error}") from error


def test_endless_chunks_end_at_the_deadline_without_memory():
    head = OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    run, _ = fails(badserver.endless(head, b"1000\r\n" + b"x" * 4096 + b"\r\n"), "timeout")
    check(run.rss_kib < 200_000, "memory grows:", run.rss_kib)
    check(run.report["bytes"]["received"] > 4096, "the body's bytes do not count:", run)


def test_endless_tiny_chunks_end():
    head = OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    fails(
        badserver.endless(head, b"1\r\nx\r\n" * 1000),
        {"bad_framing", "head_too_large", "timeout"},
    )


def test_endless_trailers_end():
    head = OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
    fails(badserver.endless(head, b"A: b\r\n" * 500), {"bad_framing", "head_too_large"})


def test_endless_chunk_extensions_end():
    head = OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;a="
    fails(badserver.endless(head, b"x" * 4096), {"bad_framing", "head_too_large"})


def test_an_endless_body_until_close_ends_at_the_deadline():
    run, _ = fails(badserver.endless(OK_HEAD + b"\r\n", b"x" * 65536), "timeout")
    check(run.rss_kib < 200_000, "memory grows:", run.rss_kib)


# Bytes that nobody asked for.


def test_a_second_answer_is_never_charged_to_the_next_request():
    forged = OK_HEAD + b"Content-Length: 2\r\n\r\nok" + b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"
    with Server(badserver.says(forged, status=200)) as server:
        run = lib.load(server.url + "/", "-c", 4, "-d", "500ms")
    check("500" not in run.report["status"], "a forged answer was counted:", run)
    check(set(run.failed()) <= {"unsolicited"}, run)
    equal(run.ok() + run.failed().get("unsolicited", 0), server.requests, f"answers\n{run}")
    equal(server.uses_max, 1, "requests on a connection that had unasked bytes")
    check("unsolicited" in run.out or "no request asked" in run.out, "not in the report:", run)


def test_rubbish_behind_an_answer_ends_the_connection():
    with Server(badserver.says(OK_HEAD + b"Content-Length: 2\r\n\r\nok!", status=200)) as server:
        run = lib.load(server.url + "/", "-c", 4, "-d", "500ms")
    check(set(run.failed()) <= {"unsolicited"}, run)
    equal(server.uses_max, 1, "requests on a connection that had unasked bytes")


def test_a_body_where_none_may_be_is_unsolicited():
    data = b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok"
    with Server(badserver.says(data, status=204)) as server:
        run = lib.load(server.url + "/", "-c", 2, "-d", "300ms")
    check(set(run.failed()) <= {"unsolicited"}, run)
    check(set(run.report["status"]) <= {"204"}, run)
    equal(server.uses_max, 1, "requests on a connection that had unasked bytes")


def test_bytes_on_connecting_are_not_an_answer():
    def greets(conn):
        conn.send(b"HTTP/1.1 500 Early\r\nContent-Length: 0\r\n\r\n")
        time.sleep(0.05)
        conn.request()
        conn.wait_closed()

    # Whether they arrive before the request or after it cannot be told apart by all means; what
    # must not be is a hang, a crash, or a ledger that does not close.
    with Server(greets) as server:
        run = lib.load(server.url + "/", "-c", 2, "-d", "300ms", "-T", "300ms")
    check(set(run.report["status"]) <= {"500"}, run)


# Some good, some bad.


def test_good_and_resetting_connections_are_told_apart_exactly():
    server = Server(
        badserver.every_other(badserver.closes_after(3), badserver.says_and_resets(b""))
    )
    with server:
        run = lib.load(server.url + "/", "-c", 8, "-n", 400, "-T", "20s", rc=0)
    equal(set(run.failed()), {"reset_before_response"}, f"{run}")
    equal(run.report["status"], {"200": server.answers[200]}, "answers by status")
    equal(run.failed()["reset_before_response"], server.requests - server.answers[200])
    equal(run.started(), server.requests, "requests")


def test_an_unannounced_close_between_requests_is_counted_and_survived():
    with Server(badserver.hangs_up_after(5)) as server:
        run = lib.load(server.url + "/", "-c", 4, "-n", 400, "-T", "20s", rc=0)
    classes = {"closed_before_response", "reset_before_response"}
    check(set(run.failed()) <= classes, run)
    equal(run.report["status"], {"200": server.answers[200]}, "answers by status")
    equal(run.started(), 400, "requests")


def test_every_error_status_is_an_answer():
    statuses = itertools.cycle((200, 404, 500, 503, 301))

    def answer(conn, request):
        conn.respond(status=next(statuses))

    with Server(badserver.each(answer)) as server:
        run = lib.load(server.url + "/", "-c", 3, "-n", 300, rc=0)
    equal(run.report["status"], {str(k): v for k, v in server.answers.items()}, "by status")
    equal(run.ok(), 300, "answers")
    equal(run.failed(), {}, "failures")


@lib.own_network("127.0.0.1 both.test\n::1 both.test\n")
def test_a_refused_family_does_not_hide_the_other():
    lib.need_ipv6()
    for host in ("127.0.0.1", "::1"):
        with Server(badserver.good, host=host) as server:
            run = lib.load(f"http://both.test:{server.port}/", "-c", 3, "-n", 60, rc=0)
            check(run.ok() > 0 and server.requests == run.ok(), f"only {host} listens:", run)


@lib.own_network("127.0.0.1 many.test\n127.0.0.2 many.test\n127.0.0.3 many.test\n")
def test_all_addresses_of_a_name_are_tried_in_turn():
    with Server(badserver.good, host="127.0.0.3") as server:
        run = lib.load(f"http://many.test:{server.port}/", "-c", 3, "-n", 60, rc=0)
        equal(run.ok(), server.requests, f"answers\n{run}")
        check(run.ok() > 30, "most requests failed on refused addresses:", run)


@lib.own_network("127.0.0.1 many.test\n127.0.0.2 many.test\n127.0.0.3 many.test\n")
def test_a_name_none_of_whose_addresses_listens_is_connect_refused():
    run = lib.load("http://many.test:8080/", "-c", 3, "-d", "1s", rc=1)
    equal(set(run.failed()), {"connect_refused"}, f"{run}")
    check(run.started() < 4000, "attempts without a pause:", run)


def test_the_port_is_free_again_at_once():
    # The tests' own server: a stopped one must refuse, or the tests above mean nothing.
    server = Server(badserver.good)
    server.stop()
    with socket.socket() as sock:
        equal(sock.connect_ex(("127.0.0.1", server.port)) != 0, True, "refused")
