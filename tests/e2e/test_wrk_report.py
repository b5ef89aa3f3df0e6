"""What pelt prints as wrk does, under its name or by --format wrk: the layout to the byte, and
the figures. Whatever is expected of wrk's report is held against wrk itself too."""

import contextlib
import os
import re
import subprocess
import threading
import time

import badserver
import lib
import tls
import wrk
from badserver import Server
from lib import check, equal

PLAIN = ["first", "second", "head", "Latency", "Req/Sec", "totals", "rate", "transfer"]
FULL = PLAIN[:5] + ["distribution"] + ["percentile"] * 4 + PLAIN[5:]

NO_ANSWER = """Running 1s test @ URL
  2 threads and 10 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.00us    0.00us   0.00us    -nan%
    Req/Sec     0.00      0.00     0.00      -nan%
"""
NO_DISTRIBUTION = """  Latency Distribution
     50%    0.00us
     75%    0.00us
     90%    0.00us
     99%    0.00us
"""
NO_TOTALS = """  0 requests in TIME, 0.00B read
Requests/sec:      0.00
Transfer/sec:       0.00B
"""


def answers(target):
    """What the built-in target has answered; it is stopped."""
    target.stop()
    return int(re.search(r"(\d+) requests", target.err().splitlines()[-1])[1])


# Under the name of wrk: the lines.


def test_every_line_is_where_wrk_has_it():
    with lib.target() as target:
        for path, args in (("/", []), ("/", ["-L"]), ("/delay/20", []), ("/delay/20", ["-L"]),
                           ("/bytes/300000", ["--latency"]), ("/close", [])):
            url = target.url + path
            for run in wrk.load_all("-d1s", "-c4", *args, url, latency=bool(args)):
                equal(run.shown.kinds, FULL if args else PLAIN, str(run))
                equal((run.shown.duration, run.shown.url), ("1s", url), str(run))
                check(run.shown.requests > 0, run)
                run.shown.check_sums()


def test_long_latencies_are_in_seconds():
    with lib.target() as target:
        url = target.url + "/delay/1200"
        for run in wrk.load_all("-d3s", "-c2", "-T20s", "-L", url, latency=True):
            for amount in (run.shown.latency[0], run.shown.latency[2], *run.shown.distribution):
                check(re.fullmatch(r"\d\.\d\ds", amount.text), amount.text, run)
            equal(run.shown.failed(), set(), str(run))
            run.shown.check_sums()


def test_a_server_that_says_nothing_gets_wrks_zeros():
    with lib.target() as target:
        url = target.url + "/fault/silent"
        for args, wanted in (([], NO_ANSWER + NO_TOTALS),
                             (["-L"], NO_ANSWER + NO_DISTRIBUTION + NO_TOTALS)):
            for run in wrk.load_all("-d1s", *args, url, latency=bool(args)):
                out = re.sub(r"requests in \d\.\d\ds,", "requests in TIME,", run.out)
                equal(out, wanted.replace("URL", url), str(run))
        # No answer is no timeout either.
        for run in wrk.load_all("-d2s", "-T1s", url):
            equal(run.shown.failed(), set(), str(run))
            equal(run.shown.requests, 0, str(run))


def test_statuses_from_400_are_counted():
    with lib.target() as target:
        for status, counted in ((204, False), (399, False), (400, True), (999, True)):
            for run in wrk.load_all("-d1s", "-c1", "-t1", f"{target.url}/status/{status}"):
                check(run.shown.requests > 0, run)
                equal(run.shown.bad, run.shown.requests if counted else 0, f"{status}\n{run}")
                equal(run.shown.failed(), set(), str(run))


def test_of_mixed_statuses_the_bad_are_counted():
    def answer(conn, request):
        time.sleep(0.002)
        conn.respond(status=404 if conn.requests % 3 == 0 else 200)

    for program in wrk.programs():
        with Server(badserver.each(answer)) as server:
            run = wrk.load(program, "-d1s", "-c4", server.url)
            time.sleep(0.1)  # What is asked is answered, if to nobody.
        check(0 <= server.answers[404] - run.shown.bad <= 4, dict(server.answers), run)
        check(0 < run.shown.bad < run.shown.requests, run)


ERRORS = [  # A path of the built-in target, the errors that come of it, and if anything is read.
    ("/fault/close-before", {"read"}, False),
    ("/fault/reset-before", {"read"}, False),
    ("/fault/close-in-head", {"read"}, True),
    ("/fault/close-in-body", {"read"}, True),
    ("/fault/reset-in-body", {"read"}, True),
    ("/fault/rubbish", {"read"}, None),
    ("/close", set(), True),
]


@lib.seconds(120)
def test_broken_connections_are_errors_of_reading():
    with lib.target() as target:
        for path, errors, reads in ERRORS:
            for run in wrk.load_all("-d1s", "-c1", "-t1", target.url + path):
                equal(run.shown.failed(), errors, f"{path}\n{run}")
                equal(run.shown.requests > 0, not errors, f"requests, {path}\n{run}")
                check(reads is None or (run.shown.read.value > 0) == reads, path, run)


def test_a_kept_connection_that_closes_is_an_error_of_reading():
    for program in wrk.programs():
        with Server(badserver.hangs_up_after(3)) as server:
            run = wrk.load(program, "-d1s", "-c1", "-t1", server.url)
        equal(run.shown.failed(), {"read"}, str(run))
        check(run.shown.requests >= 3, run)
        equal(run.shown.bad, 0, str(run))


def test_a_server_that_goes_away_is_no_answer():
    """It closes its ears at the first request, and every connection with its answer. wrk notices
    that it has no connection when it writes."""
    for program in wrk.programs():
        def answer(conn, request):
            conn.server.listener.shutdown(lib.socket.SHUT_RDWR)
            conn.respond(fields=["Connection: close"])

        with Server(badserver.once(answer)) as server:
            run = wrk.load(program, "-d1s", "-c1", "-t1", server.url)
        check(run.shown.failed() in ({"connect"}, {"write"}), run)
        equal(run.shown.requests, 1, str(run))


def test_late_answers_count_as_requests_and_as_timeouts():
    """wrk leaves them out of its latencies, pelt does so when asked."""
    with lib.target() as target:
        for args, path in ((["-d3s", "-T1s"], "/delay/1200"), (["-d1s", "-T0"], "/delay/20")):
            for program in wrk.programs():
                for more in ([], ["--wrk-stats"]) if program.is_pelt else ([],):
                    run = wrk.load(program, *args, *more, "-c2", "-L", target.url + path,
                                   latency=True)
                    check_all_late(run, bool(more) or not program.is_pelt)


def check_all_late(run, left_out):
    shown = run.shown
    check(shown.requests > 0 and shown.rate[3] is not None, run)
    equal(shown.failed(), {"timeout"}, str(run))
    equal(shown.errors["timeout"], shown.requests, str(run))
    amounts = shown.latency[:3] + shown.distribution
    equal(all(amount.text == "0.00us" for amount in amounts), left_out, str(run))
    equal(shown.latency[3] is None, left_out, str(run))


def test_errors_stand_in_front_of_bad_statuses():
    with lib.target("--delay", "const:5ms") as target:
        for run in wrk.load_all("-d1s", "-c2", "-T0", target.url + "/status/404"):
            equal(run.shown.kinds, PLAIN[:6] + ["errors", "bad"] + PLAIN[6:], str(run))
            equal(run.shown.bad, run.shown.requests, str(run))


def test_sigint_brings_the_report_forward():
    with Server(badserver.slow(0.02)) as server:
        for program in wrk.programs():
            run = wrk.glimpse(program, server, "-d", "1h", "-L", server.url)
            equal(run.shown.kinds, FULL, str(run))
            check(run.seconds < lib.SLACK_S, run)
            run.shown.check_sums()


# The figures.


def test_requests_are_as_many_as_the_server_answered():
    for program in wrk.programs():
        for args in (["-c8", "-t2"], ["-c1", "-t1"]):
            with lib.target() as target:
                run = wrk.load(program, "-d1s", *args, target.url + "/bytes/1000")
                done = answers(target)
            most = int(args[0][2:])
            check(0 <= done - run.shown.requests <= most, f"the server answered {done}:", run)
            equal(run.shown.failed(), set(), str(run))


def test_the_text_says_what_the_json_says():
    program = wrk.need_pelt()
    with lib.target() as target:
        for path in ("/", "/bytes/10000", "/status/404", "/delay/20"):
            run = wrk.load(program, "-d1s", "-c4", "-L", target.url + path, latency=True)
            shown, report = run.shown, run.report
            shown.check_sums()
            equal(shown.requests, run.ok(), f"answers\n{run}")
            equal(shown.bad, sum(count for status, count in report["status"].items()
                                 if int(status) > 399), f"bad statuses\n{run}")
            equal(shown.read.text, wrk.text_of("binary", report["bytes"]["received"]),
                  f"{report['bytes']}\n{run}")
            equal(report["connections"]["asked"], 4, str(run))
            check_latency_is_that_of(report, shown, run)
            check((shown.took.value + shown.took.half) / 1e6 >= report["duration_s"], run)


def check_latency_is_that_of(report, shown, run):
    """All figures come from one of the two latencies, but for what their buckets round."""
    def near(amount, value):
        return abs(amount.value - value) <= amount.half + 0.005 * value + 1

    def alike(known):
        average, _, most, _ = shown.latency
        return near(average, known["mean"]) and near(most, known["max"]) and all(
            near(amount, known[name])
            for amount, name in zip(shown.distribution, ("p50", "p75", "p90", "p99")))

    latency = report["latency_us"]
    check(any(alike(known) for known in latency.values()), latency, run)


def stalls():
    """A behaviour: every answer takes 20 ms, but the fifth of all takes 1500."""
    lock, count = threading.Lock(), [0]

    def answer(conn, request):
        with lock:
            count[0] += 1
            late = count[0] == 5
        time.sleep(1.5 if late else 0.02)
        conn.respond()

    return badserver.each(answer)


def test_wrks_arithmetic_is_to_be_had_and_adds_samples():
    """One answer in many is late; wrk makes it many late ones, and so does pelt when asked."""
    cases = [(program, more) for program in wrk.programs()
             for more in (([], ["--wrk-stats"]) if program.is_pelt else ([],))]
    with contextlib.ExitStack() as stack:
        processes = []
        for program, more in cases:
            server = stack.enter_context(Server(stalls()))
            processes.append(wrk.start_load(program, "-d3s", "-c1", "-t1", "-T20s", "-L", *more,
                                            server.url))
        runs = [wrk.finish_load(process, True) for process in processes]
    for (program, more), run in zip(cases, runs):
        run.shown.check_sums()
        high = run.shown.distribution[2].value > run.shown.latency[2].value / 2
        equal(high, bool(more) or not program.is_pelt, f"a 90th percentile\n{run}")


def test_wrks_arithmetic_changes_no_count_and_no_shape():
    program = wrk.need_pelt()
    with lib.target() as target:
        for path, kinds in (("/delay/20", FULL),
                            ("/status/404", FULL[:-2] + ["bad"] + FULL[-2:])):
            run = wrk.load(program, "--wrk-stats", "-d1s", "-L", target.url + path, latency=True)
            equal(run.shown.kinds, kinds, str(run))
            equal(run.shown.requests, run.ok(), str(run))
            run.shown.check_sums()
        run = wrk.load(program, "--wrk-stats", "-d1s", target.url + "/fault/silent")
        check(run.out.startswith(NO_ANSWER.split("\n", 1)[0].replace("URL", "")), run)
        equal(run.shown.latency[3], None, str(run))


def test_verbose_tells_more_on_stderr_only():
    program = wrk.need_pelt()
    with lib.target() as target:
        for args in (["--verbose"], ["--verbose", "--wrk-stats"]):
            run = wrk.load(program, *args, "-d1s", target.url + "/delay/20")
            equal(run.shown.kinds, PLAIN, str(run))
            check("ledger" in run.err.lower(), run)


# Over TLS.


def test_certificates_are_not_verified_and_this_is_said():
    for name in ("good", "wronghost", "expired", "selfsigned"):
        with Server(tls.over(tls.context(name), badserver.slow(0.02))) as server:
            for program in wrk.programs():
                run = wrk.glimpse(program, server, "-c2", tls.https(server))
                equal(run.shown.kinds, PLAIN, str(run))
                equal(run.shown.failed(), set(), str(run))
                if run.report:
                    check(run.report["tls"]["verified"] is False, run)


def test_the_name_of_the_url_is_asked_for():
    names = []
    settings = tls.context()
    settings.sni_callback = lambda sock, name, this: names.append(name)
    with Server(tls.over(settings, badserver.slow(0.02))) as server:
        for program in wrk.programs():
            wrk.glimpse(program, server, "-c2", f"https://localhost:{server.port}/")
            equal(set(names), {"localhost"}, program.name)
            names.clear()


def test_sessions_are_resumed():
    for program in wrk.programs():
        with tls.target("--delay", "const:5ms") as target:
            run = wrk.load(program, "-d1s", "-c2", target.url + "/close")
            target.stop()
        done, resumed, _ = tls.totals(target)
        check(2 * resumed > done, f"{resumed} of {done} resumed", run)
        check(run.shown.requests > 2, run)
        equal(run.shown.failed(), set(), str(run))


def test_a_handshake_that_fails_is_an_error_of_connecting():
    with lib.target() as target:
        url = target.url.replace("http:", "https:") + "/"
        for run in wrk.load_all("-d1s", "-c1", "-t1", url):
            equal(run.shown.failed(), {"connect"}, str(run))
            equal(run.shown.requests, 0, str(run))


# pelt's own command line.


def formatted(*args, latency=False, **how):
    """A run by --format wrk with a report in JSON; its text read as `shown`."""
    wrk.need_pelt()
    run = lib.load(args[-1], "--format", "wrk", *args[:-1], **how)
    run.shown = wrk.Report(run, latency)
    return run


def test_the_format_is_to_be_had_by_pelts_own_name():
    with lib.target() as target:
        url = target.url + "/delay/20"
        run = formatted("-d", "1s", "-t", 2, url, rc=0)
        equal(run.shown.kinds, PLAIN, str(run))
        shown = run.shown
        equal((shown.duration, shown.url, shown.threads, shown.connections), ("1s", url, 2, 10),
              str(run))
        equal(shown.requests, run.ok(), str(run))
        shown.check_sums()
        check("ledger" not in run.out and "certificate" not in run.err, run)
        check("--wrk-stats" in run.err, run)
        run = formatted("-d", "1s", "-t", 1, "-c", 7, "--wrk-stats", "-L", url, rc=0, latency=True)
        equal(run.shown.kinds, FULL, str(run))
        equal((run.shown.threads, run.shown.connections), (1, 7), str(run))
        check("--wrk-stats" not in run.err, run)
        run = formatted("-n", 50, "-d", "50s", "-c", 2, "-X", "POST", "--body", "x", url, rc=0)
        equal((run.shown.duration, run.shown.requests), ("50s", 50), str(run))


def test_the_exit_status_is_pelts():
    wrk.need_pelt()
    with lib.target() as target, lib.closed_port() as port:
        for args in (["-n", 5, target.url + "/status/404"],
                     ["-n", 5, target.url + "/fault/close-before"],
                     ["-n", 5, f"http://127.0.0.1:{port}/"],
                     ["-d", "1s", "http://no.such.name.invalid/"],
                     ["-n", 5, target.url + "/"]):
            own, as_wrk = lib.pelt("-c", 1, *args), lib.pelt("--format", "wrk", "-c", 1, *args)
            equal(as_wrk.rc, own.rc, f"{own}\n{as_wrk}")


def test_what_no_format_is_is_refused():
    wrk.need_pelt()
    for args in (["--format", "foo", "http://127.0.0.1:9/"], ["--format=", "http://127.0.0.1:9/"],
                 ["http://127.0.0.1:9/", "--format"],
                 ["--format", "wrk", "--json", "-", "http://127.0.0.1:9/"]):
        run = lib.pelt(*args, rc=64)
        equal((run.out, run.err.count("\n")), ("", 1), str(run))
        check("--format" in run.err or "--json" in run.err, run)
    run = wrk.pelt().run("--json", "-", "-d1s", "http://127.0.0.1:9/")
    check(run.rc != 0 and "{" not in run.out and "Running" not in run.out, run)


def test_the_format_verifies_by_given_certificates_only():
    with tls.target("--delay", "const:5ms") as target:
        url = target.url + "/"
        for args, verified in ((["-k"], False), ([], False), (["--cacert", target.cert], True)):
            run = formatted(*args, "-d", "1s", "-c", 2, url, rc=0)
            check(run.report["tls"]["verified"] is verified, run)
            equal(run.shown.failed(), set(), str(run))
            check("certificate" in run.err or verified or args, run)
            check("certificate" not in run.err or not verified, run)
        run = formatted(*tls.CA, "-d", "1s", "-c", 2, url)
        equal((run.shown.failed(), run.shown.requests), ({"connect"}, 0), str(run))
        check(run.rc != 0, run)


# A stdout that does not take it.


def test_a_full_stdout_is_an_error_of_pelts():
    program = wrk.need_pelt()
    if not os.path.exists("/dev/full"):
        raise lib.Skip("there is no /dev/full")
    with lib.target() as target, open("/dev/full", "wb") as full:
        url = target.url + "/delay/20"
        for run in (program.run("--wrk-stats", "-d1s", url, stdout=full),
                    lib.pelt("--format", "wrk", "--wrk-stats", "-d", "1s", url, stdout=full)):
            equal(run.rc, 74, str(run))
            said = [line for line in wrk.notes(run) if "connections, " not in line]
            equal(len(said), 1, f"lines on stderr\n{run}")


def test_a_closed_stdout_harms_nothing_else():
    program = wrk.need_pelt()
    path, bin_dir = lib.temp_path("json"), program.directory
    with lib.target() as target:
        url = target.url + "/delay/20"
        for words in ([f"{bin_dir}/wrk"], [lib.PELT, "--format", "wrk"]):
            done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *words, "--json", path, "-d",
                                   "1s", url], capture_output=True, check=False, text=True,
                                  timeout=lib.SLACK_S + 10)
            check(done.returncode in (0, 74), done)
            text = lib.read_file(path)
            check(text[:1] in ("", "{") and "Running" not in text, f"in the file: {text!r}", done)


def test_a_reader_that_has_gone_does_not_end_the_run():
    for program in wrk.programs():
        read_end, write_end = os.pipe()
        os.close(read_end)
        try:
            with lib.target("--delay", "const:5ms") as target:
                run = program.run("-d1s", "-c2", target.url, stdout=write_end)
                check(answers(target) > 2, run)
        finally:
            os.close(write_end)
