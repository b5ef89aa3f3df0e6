"""What comes out: the report for people, the report for programs, and what goes where."""

import json
import os
import re
import subprocess

import badserver
import lib
from badserver import Server
from lib import check, equal

LATENCY_KEYS = "p50 p75 p90 p95 p99 p999 p9999 min max mean stddev count".split()


def test_every_key_of_the_json_report_is_there_and_sane():
    with Server(badserver.slow(0.002)) as server:
        url = server.url + "/a?b=c"
        run = lib.load(url, "-c", 6, "-t", 2, "-d", "1s", rc=0)
    report = run.report
    check("/a?b=c" in json.dumps(report["target"]), "target:", report["target"])
    check(report["engine"] in ("io_uring", "epoll"), "engine:", report["engine"])
    equal(report["workers"], 2, "workers")
    check(0.99 <= report["duration_s"] <= 1 + lib.SLACK_S, "duration_s:", report["duration_s"])
    if "verdict" in report:
        check(isinstance(report["verdict"]["state"], str), "verdict:", report["verdict"])
        check(isinstance(report["verdict"]["reasons"], list), "verdict:", report["verdict"])

    ledger = report["ledger"]
    for key in ("due", "started", "ok", "cut_off"):
        check(isinstance(ledger[key], int), "ledger", key, ledger)
    for key in ("shed", "missed", "failed"):
        check(isinstance(ledger[key], dict), "ledger", key, ledger)
    equal(sum(ledger["shed"].values()) + sum(ledger["missed"].values()), 0, "in closed loop")
    equal(ledger["ok"], server.answers[200] - ledger["cut_off"], "answers")

    rate = report["rate"]["achieved_per_s"]
    check(0 < rate * report["duration_s"] <= ledger["ok"] * 1.01 + 1, "rate:", rate, run)
    bytes_ = report["bytes"]
    check(bytes_["received"] >= ledger["ok"] * len("HTTP/1.1 200 Text\r\n\r\nok"), "bytes:", run)
    check(bytes_["sent"] >= ledger["ok"] * len("GET /a?b=c HTTP/1.1\r\n\r\n"), "bytes:", run)

    for which in ("from_due", "from_sent"):
        latency = report["latency_us"][which]
        equal(sorted(latency), sorted(LATENCY_KEYS), which)
        order = [latency[key] for key in "min p50 p75 p90 p95 p99 p999 p9999 max".split()]
        equal(order, sorted(order), f"{which} in order")
        check(latency["min"] >= 2_000 * 0.99, which, latency)
        check(latency["min"] <= latency["mean"] <= latency["max"], which, latency)
        check(latency["stddev"] >= 0, which, latency)
        equal(latency["count"], ledger["ok"], f"{which} count")

    connections = report["connections"]
    equal((connections["asked"], connections["opened"]), (6, 6), "connections")
    equal((connections["alive_max"], connections["refused"]), (6, 0), "connections")
    client = report["client"]
    check(client["cpu_us_per_request"] > 0, "client:", client)
    check(client["syscalls_per_request"] > 0, "client:", client)
    check(client["rss_kib"] > 100, "client:", client)


def test_json_on_stdout_stands_alone():
    with Server(badserver.good) as server:
        run = lib.pelt("--json", "-", "-c", 2, "-n", 50, server.url + "/", rc=0)
    report = json.loads(run.out)
    lib.assert_ledger_closes(report)
    equal(report["ledger"]["ok"], 50)


def test_json_on_stdout_stands_alone_when_all_fails():
    with lib.closed_port() as port:
        run = lib.pelt("--json", "-", "-d", "300ms", f"http://127.0.0.1:{port}/", rc=1)
    lib.assert_ledger_closes(json.loads(run.out))


def test_the_report_is_printed_beside_a_json_file():
    with Server(badserver.good) as server:
        run = lib.load(server.url + "/", "-c", 2, "-n", 1234, rc=0)
    check("1234" in re.sub(r"[ ,_'](?=\d{3})", "", run.out), "the report lacks the count:", run)


def test_a_file_that_cannot_be_made_is_named_before_the_run():
    with Server(badserver.good) as server:
        for option in ("--json", "--csv", "--hdr", "--requests-out"):
            run = lib.pelt(option, "/no/such/dir/x", "-n", 10, server.url + "/", rc=74)
            check("'/no/such/dir/x'" in run.err, "does not name the file:", run)
        equal(server.requests, 0, "requests of a run whose report has nowhere to go")


def test_a_full_disk_is_an_error_and_the_report_comes_all_the_same():
    if not os.path.exists("/dev/full"):
        raise lib.Skip("there is no /dev/full")
    with Server(badserver.good) as server:
        run = lib.pelt("--json", "/dev/full", "-c", 2, "-n", 777, server.url + "/", rc=74)
    check("/dev/full" in run.err, "does not name the file:", run)
    check("777" in run.out, "the report is lost:", run)


def test_a_closed_stdout_does_not_stop_the_run():
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        with Server(badserver.good) as server:
            run = lib.load(server.url + "/", "-c", 2, "-n", 500, stdout=write_end)
            equal(server.requests, 500, "requests")
    finally:
        os.close(write_end)
    check(run.rc in (0, 1), "exit code:", run)


def test_a_closed_stderr_does_not_stop_the_run():
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        with Server(badserver.good) as server:
            run = lib.load(server.url + "/", "-v", "-c", 2, "-n", 500, stderr=write_end)
            equal(server.requests, 500, "requests")
    finally:
        os.close(write_end)
    equal(run.rc, 0, f"{run}")


def test_files_do_not_take_the_place_of_closed_streams():
    log = lib.temp_path("lines.log")
    with Server(badserver.good) as server:
        text = f"""
config: {{general: {{bucket_size: 200ms}}}}
loggers: {{log: {{to: {log}, select: response.status}}}}
load_pattern: [{{linear: {{from: 100%, to: 100%, over: 600ms}}}}]
endpoints: [{{url: "{server.url}/", peak_load: 10hps}}]
"""
        path = lib.write_file("test.yaml", text.encode())
        for closed, rc in ((">&-", 74), ("2>&- >/dev/null", 0), ("<&- >&- 2>&-", 74)):
            done = subprocess.run(["sh", "-c", f'exec "$0" "$@" {closed}', lib.PELT, "run", path, "-v",
                                   "-o", "results.json", "--json", "report.json"],
                                  cwd=lib.temp_dir(), timeout=lib.SLACK_S, check=False)
            equal(done.returncode, rc, closed)
            equal(lib.read_file(log), "200\n" * 6, closed)
            equal(json.loads(lib.read_file(lib.temp_path("report.json")))["ledger"]["ok"], 6)
            for line in lib.read_file(lib.temp_path("results.json")).splitlines():
                json.loads(line)


def test_a_full_stdout_is_an_error():
    if not os.path.exists("/dev/full"):
        raise lib.Skip("there is no /dev/full")
    with Server(badserver.good) as server, open("/dev/full", "wb") as full:
        run = lib.pelt("-c", 2, "-n", 20, server.url + "/", stdout=full, rc=74)
        check(run.err.strip(), "says nothing:", run)
        run = lib.pelt("--json", "-", "-c", 2, "-n", 20, server.url + "/", stdout=full, rc=74)
        check(run.err.strip(), "says nothing:", run)


def test_quiet_keeps_stderr_empty_and_the_report_on_stdout():
    with Server(badserver.good) as server:
        run = lib.pelt("--quiet", "-c", 2, "-n", 50, server.url + "/", rc=0)
    equal(run.err, "", "stderr")
    check("50" in run.out, "no report:", run)


def test_quiet_does_not_silence_errors():
    run = lib.pelt("--quiet", "-d", "1s", "http://no-such-host.invalid/", rc=1)
    check("no-such-host.invalid" in run.err, run)


def test_chatter_goes_to_stderr_only():
    with Server(badserver.good) as server:
        quiet = lib.pelt("--quiet", "-c", 2, "-n", 50, server.url + "/", rc=0)
        verbose = lib.pelt("-v", "-c", 2, "-n", 50, server.url + "/", rc=0)
    check(verbose.err.strip(), "-v says nothing more on stderr:", verbose)
    shape = [re.sub(r"[\d.,]+\s*\S*", "#", run.out).split()[:3] for run in (quiet, verbose)]
    equal(shape[0], shape[1], "the report's first words with and without -v")


def test_the_spectrum_is_printed_in_full():
    with Server(badserver.good) as server:
        brief = lib.pelt("-c", 2, "-n", 2000, server.url + "/", rc=0)
        full = lib.pelt("-L", "-c", 2, "-n", 2000, server.url + "/", rc=0)
    more = len(full.out.splitlines()) - len(brief.out.splitlines())
    check(more >= 10, f"-L prints {more} lines more:\n{full.out}")
    check("99.9" in full.out and "100" in full.out, "not up to 100 %:", full.out)


def test_failures_are_in_the_report_for_people():
    with Server(badserver.every_other(badserver.good, badserver.says_and_resets(b""))) as server:
        run = lib.load(server.url + "/", "-c", 4, "-d", "500ms", rc=0)
    count = run.failed()["reset_before_response"]
    check(re.search(r"reset", run.out), "resets are not in the report:", run)
    check(str(count) in re.sub(r"[ ,_'](?=\d{3})", "", run.out), f"{count} is not there:", run)


def test_error_statuses_are_in_the_report_for_people():
    with Server(badserver.each(lambda conn, request: conn.respond(status=503))) as server:
        run = lib.load(server.url + "/", "-c", 2, "-n", 321, rc=0)
    check("503" in run.out and "321" in run.out, "the 503s are not in the report:", run)
    equal(run.report["status"], {"503": 321})


def test_nothing_answered_is_said_and_is_exit_1():
    with Server(badserver.silent) as server:
        run = lib.load(server.url + "/", "-c", 2, "-d", "300ms", "-T", "200ms", rc=1)
    equal(run.report["latency_us"]["from_sent"]["count"], run.failed()["timeout"])
    check(not re.search(r"\bnan\b|\binf\b", run.out, re.I), "nan or inf in the report:", run)


def test_text_from_outside_cannot_drive_the_terminal():
    run = lib.pelt("-d", "1s", "http://127.0.0.1:9/\x1b[31m")
    check("\x1b" not in run.out + run.err, "an escape went through:", run)
    run = lib.pelt("--json", lib.temp_path("no-such-dir/\x1b[31mx"), "-n", 1, "http://127.0.0.1:9/")
    check("\x1b" not in run.out + run.err, "an escape went through:", run)


def test_the_json_report_is_replaced_whole():
    path = lib.write_file("report.json", "x" * 100_000)
    with Server(badserver.good) as server:
        lib.pelt("--json", path, "-c", 2, "-n", 20, server.url + "/", rc=0)
    lib.assert_ledger_closes(json.loads(lib.read_file(path)))
