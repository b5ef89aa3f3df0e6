"""Signals: the first ends the run in order, the second at once; the report always comes."""

import signal
import time

import badserver
import lib
from badserver import Server
from lib import check, equal


def interrupted(signals, behave, *args):
    """A run of 120 seconds that gets these signals, the first once it has sent requests."""
    with Server(behave) as server:
        process = lib.start_load(server.url + "/", "-c", 5, "-d", "120s", *args)
        lib.wait_until(lambda: max(server.requests, server.connections) >= 5, "requests at the server")
        time.sleep(0.2)
        for number in signals:
            process.signal(number)
            time.sleep(0.3)
        run = lib.finish_load(process)
        server.stop()
    check(run.report["duration_s"] < 100, "the report's duration is not the run's:", run)
    return run, server


def test_ctrl_c_once_drains_and_reports():
    for number in (signal.SIGINT, signal.SIGTERM):
        run, server = interrupted([number], badserver.slow(0.1))
        equal(run.rc, 130, f"exit code\n{run}")
        equal(run.report["ledger"]["cut_off"], 0, "answers awaited in the drain")
        equal(run.report["status"], {"200": server.answers[200]}, "by status")
        equal(run.ok(), server.requests, "answers")
        check(run.out.strip(), "no report on stdout:", run)


def test_ctrl_c_twice_reports_at_once():
    run, _ = interrupted([signal.SIGINT, signal.SIGINT], badserver.silent, "-T", "100s")
    equal(run.rc, 130, f"exit code\n{run}")
    equal(run.report["ledger"]["cut_off"], 5, "what was in flight")
    check(run.out.strip(), "no report on stdout:", run)


def test_ctrl_c_once_on_a_silent_server_waits_no_longer_than_the_drain():
    run, _ = interrupted([signal.SIGINT], badserver.silent, "-T", "100s", "--drain", "500ms")
    equal(run.rc, 130, f"exit code\n{run}")
    equal(run.report["ledger"]["cut_off"], 5, "what was in flight")


def test_ctrl_c_while_everything_is_refused_ends_the_run():
    with lib.closed_port() as port:
        process = lib.start_load(f"http://127.0.0.1:{port}/", "-c", 5, "-d", "120s")
        time.sleep(0.7)
        process.signal(signal.SIGINT)
        run = lib.finish_load(process)
    equal(run.rc, 130, f"exit code\n{run}")
    equal(run.ok(), 0)


def test_the_drain_bounds_the_end_of_a_normal_run():
    with Server(badserver.silent) as server:
        run = lib.load(server.url + "/", "-c", 3, "-d", "300ms", "-T", "100s", "--drain", "200ms")
    equal(run.report["ledger"]["cut_off"], 3, "what was in flight")
    equal(run.failed(), {}, "failures")
    equal(run.rc, 1, "exit code when nothing answered")


def test_a_drain_of_zero_cuts_off_at_once():
    with Server(badserver.silent) as server:
        run = lib.load(server.url + "/", "-c", 3, "-d", "300ms", "-T", "100s", "--drain", "0s")
    equal(run.report["ledger"]["cut_off"], 3, "what was in flight")


def test_a_hangup_of_the_terminal_is_an_interrupt_too():
    run, _ = interrupted([signal.SIGHUP], badserver.slow(0.05))
    equal(run.rc, 130, f"exit code\n{run}")


def test_the_target_ends_in_order_on_ctrl_c_and_sigterm():
    for number in (signal.SIGINT, signal.SIGTERM):
        with lib.target() as server:
            server.signal(number)
            run = server.wait(lib.SLACK_S)
            equal(run.rc in (0, 130), True, f"exit code\n{run}")


def test_a_stopped_and_continued_run_still_accounts_for_all():
    with Server(badserver.good) as server:
        process = lib.start_load(server.url + "/", "-c", 5, "-d", "3s")
        lib.wait_until(lambda: server.requests >= 5, "requests at the server")
        process.signal(signal.SIGSTOP)
        time.sleep(1)
        process.signal(signal.SIGCONT)
        run = lib.finish_load(process)
    equal(run.rc, 0, f"{run}")
    equal(run.failed(), {}, "failures")
