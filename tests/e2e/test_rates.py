"""The open loop: as many requests as the rate's integral says, no more and no fewer, whatever the
server does; what is shed, missed, or left out as a warm-up is counted. Nothing here asks when a
request was sent: the machine may be busy."""

import signal

import lib
from lib import check, equal
from test_exact import assert_equal_books

EMPTY = {"count": 0}


def due(run):
    return run.report["ledger"]["due"]


def shed(run):
    return run.report["ledger"]["shed"]


def latencies(run):
    return run.report["latency_us"]["from_due"]["count"]


def load_counted(args, count, **how):
    """Runs `args` on a target that logs, and checks that the run and the target saw `count`
    requests, the same ones."""
    log = lib.temp_path(f"ids.{lib.Process.count}")
    with lib.target("--log-ids", log) as server:
        run = lib.load(server.url + "/", "--ids", *args, rc=0, **how)
        server.stop()
    equal(due(run), count, f"requests due\n{run}")
    equal(run.ok(), count, f"requests answered\n{run}")
    assert_equal_books(run, log)
    return run


@lib.seconds(120)
def test_a_rate_sends_exactly_its_integral():
    for args, count in (
        (("-R", 1000, "-d", "1s"), 1000),
        (("-R", 1234, "-d", "1.5s", "-t", 2), 1851),
        (("-R", "20k", "-d", "700ms", "-t", 3, "-c", 50), 14000),
        (("-R", 2, "-d", "1s"), 2),  # The second one is due just at the end.
        (("-R", 2, "-d", "999999us"), 1),
        (("-R", 0.7, "-d", "3s", "-c", 1), 2),
        (("-R", 999, "-d", "1s", "-c", 1), 999),
        (("-R", 500, "-d", "1s", "-c", 8, "-t", 8), 500),
    ):
        run = load_counted(args, count)
        asked = float(str(args[1]).replace("k", "e3"))
        equal(round(run.report["rate"]["asked_per_s"], 3), asked, "asked for")
        equal(run.report["rate"]["arrivals"], "even", "arrivals")
        equal(run.report["end"], "duration", "end")
        equal(latencies(run), count, "latencies")
        equal(run.report["lateness_us"]["count"], count, "lateness")
        equal(run.report["connection_wait_us"]["count"], count, "waits")


@lib.seconds(120)
def test_stages_send_exactly_their_integral():
    for stages, count, asked in (
        ("1s:1000", 500, 500),
        ("0:300ms:1k,400ms:1k,300ms:0", 700, 700),
        ("1000:1s:0", 500, 500),
        ("600:500ms:600,0s:0,500ms:0,500ms:100", 325, 325 / 1.5),
        ("1s:1,1s:1", 1, 0.75),
        ("1:500ms:1,300ms:0,0s:1,500ms:1", 1, 1.15 / 1.3),
        ("3:1s:4,1s:4", 7, 3.75),
    ):
        run = load_counted(("--stages", stages, "-t", 2), count)
        equal(round(run.report["rate"]["asked_per_s"], 3), round(asked, 3), f"{stages}: asked for")


@lib.seconds(120)
def test_a_rate_is_kept_on_both_engines_and_without_keepalive():
    for args in (("--io", "epoll"), ("--io", "auto"), ("--no-keepalive",)):
        load_counted((*args, "-R", 400, "-d", "500ms"), 200)


def test_a_rate_with_a_count_ends_at_the_count():
    for count in (1, 5, 100):
        run = load_counted(("-R", 1000, "-n", count, "-t", 3), count)
        equal(run.report["end"], "count", "end")


@lib.seconds(120)
def test_the_warm_up_is_counted_and_left_out():
    run = load_counted(("-R", 1000, "-d", "1s", "--warmup", "400ms", "-t", 2), 1000)
    report = run.report
    equal(report["ledger"]["warmup"], 400, "due in the warm-up")
    equal((report["warmup_s"], report["duration_s"]), (0.4, 0.6), "spans")
    equal(latencies(run), 600, "latencies")
    equal(report["lateness_us"]["count"], 600, "lateness")
    equal(report["connection_wait_us"]["count"], 600, "waits")
    equal(report["left_out"], 0, "left out")
    check(report["ledger"]["ok_in_span"] <= 1000, report["ledger"])
    check("warm-up" in run.out, run)

    run = load_counted(("--stages", "1s:1000", "--warmup", "500ms"), 500)
    equal(run.report["ledger"]["warmup"], 125, "due in the warm-up of a ramp")
    equal(run.report["rate"]["asked_per_s"], 750, "asked for behind it")


def test_the_warm_up_of_a_closed_loop_is_left_out():
    with lib.target() as server:
        run = lib.load(server.url + "/", "-c", 4, "-d", "600ms", "--warmup", "300ms", rc=0)
    ledger = run.report["ledger"]
    check(4 <= ledger["warmup"] < ledger["due"], ledger)
    equal(latencies(run), ledger["due"] - ledger["warmup"], f"latencies\n{run}")
    check(ledger["ok_in_span"] <= latencies(run) + 4, "answers in the span", ledger)
    equal((run.report["warmup_s"], run.report["duration_s"]), (0.3, 0.3), "spans")
    check("asked_per_s" not in run.report["rate"], "a closed loop was asked for no rate")
    check("lateness_us" not in run.report, "a closed loop is never late")


def test_a_run_stopped_in_its_warm_up_measured_nothing():
    with lib.target() as server:
        process = lib.start_load(server.url + "/", "-R", 100, "-d", "60s", "--warmup", "50s")
        lib.wait_until(lambda: "connections" in process.err(), "the run")
        process.signal(signal.SIGINT)
        run = lib.finish_load(process)
    equal(run.rc, 130, f"{run}")
    equal(run.report["ledger"]["warmup"], due(run), "due in the warm-up")
    equal(latencies(run), 0, "latencies")
    equal(run.report["lateness_us"], EMPTY, "lateness")
    equal(run.report["duration_s"], 0, "span")
    equal(run.report["rate"]["achieved_per_s"], 0, "rate")


def test_what_finds_no_place_is_shed():
    log = lib.temp_path("ids")
    with lib.target("--freeze", "2s@0s", "--log-ids", log) as server:
        run = lib.load(server.url + "/", "--ids", "-R", 1000, "-d", "1s", "-c", 4, "-t", 2,
                       "--max-pending", 50)
        server.stop()
    equal(due(run), 1000, f"due\n{run}")
    equal(set(shed(run)), {"full"}, "shed")
    check(shed(run)["full"] >= 800, "nearly all were due while the server was frozen:", run)
    check(run.report["left_out"] >= 0.8, run)
    assert_equal_books(run, log)


def test_max_pending_of_0_lets_nothing_wait():
    with lib.target("--freeze", "2s@0s") as server:
        run = lib.load(server.url + "/", "-R", 1000, "-d", "1s", "-c", 4, "--max-pending", 0)
    equal(due(run), 1000, f"due\n{run}")
    equal(run.started() + shed(run)["full"], 1000, f"{run}")
    check(run.started() <= 200, "more went out than connections were free for:", run)


@lib.seconds(120)
def test_what_waits_too_long_is_shed():
    with lib.target("--freeze", "3s@0s") as server:
        run = lib.load(server.url + "/", "-R", 500, "-d", "2s", "-c", 2, "-t", 1, "-T", "300ms")
    equal(due(run), 1000, f"due\n{run}")
    equal(set(shed(run)), {"waited"}, f"shed\n{run}")
    check(run.failed().get("timeout", 0) > 0, "nothing timed out:", run)


def test_what_waits_at_the_end_is_missed():
    with lib.target("--freeze", "20s@0s") as server:
        run = lib.load(server.url + "/", "-R", 100, "-d", "500ms", "-c", 2, "-t", 1, "--drain", 0,
                       "-T", "60s")
    ledger = run.report["ledger"]
    equal(ledger["due"], 50, f"due\n{run}")
    equal(shed(run), {}, "shed")
    check(ledger["cut_off"] <= 4, "cut off", run)
    equal(ledger["missed"]["end"], 50 - run.started(), f"missed\n{run}")


def test_waiting_for_a_connection_is_told_apart_from_being_late():
    """500 requests, due within half a second, over one connection that takes 2 ms for each: the
    last one waits for the 499 before it."""
    with lib.target("--delay", "const:2ms") as server:
        run = lib.load(server.url + "/", "-R", 1000, "-d", "500ms", "-c", 1, rc=0)
    report = run.report
    equal(run.ok(), 500, f"{run}")
    check(report["connection_wait_us"]["max"] >= 490e3, report["connection_wait_us"])
    check(report["latency_us"]["from_due"]["max"] >= 490e3, report["latency_us"])
    check(report["ledger"]["ok_in_span"] <= 250, "answers in the span", report["ledger"])
    for line in ("asked for", "lateness", "conn. wait"):
        check(line in run.out, f"no '{line}'", run)


def test_connections_take_turns():
    from badserver import Server, good

    with Server(good) as server:
        run = lib.load(server.url + "/", "-R", 200, "-d", "1s", "-c", 8, "-t", 2, rc=0)
    equal(run.ok(), 200, f"{run}")
    equal(run.report["connections"]["opened"], 8, "connections")
    equal(server.connections, 8, "connections at the server")


def test_poisson_arrivals_are_the_seeds():
    totals = {}
    with lib.target() as server:
        for seed in (1, 1, 2, 3):
            run = lib.load(server.url + "/", "-R", 2000, "-d", "500ms", "-t", 2, "--arrivals",
                           "poisson", "--seed", seed, rc=0)
            equal(run.ok(), due(run), f"{run}")
            equal(run.report["rate"]["arrivals"], "poisson", "arrivals")
            equal(run.report["rate"]["seed"], seed, "seed")
            equal(run.report["rate"]["asked_per_s"], 2000, "asked for")
            equal(totals.setdefault(seed, due(run)), due(run), "the same seed, the same number")
    for total in totals.values():
        check(abs(total - 1000) < 5 * 1000**0.5, "not of that rate:", totals)
    check(len(set(totals.values())) > 1, "all seeds are alike:", totals)


def test_refused_connections_fail_one_request_each():
    with lib.closed_port() as port:
        run = lib.load(f"http://127.0.0.1:{port}/", "-R", 200, "-d", "1s", "-c", 2, "-t", 1,
                       "--drain", "100ms", rc=1)
    ledger = run.report["ledger"]
    equal(due(run), 200, f"due\n{run}")
    equal(set(run.failed()), {"connect_refused"}, f"{run}")
    check(run.failed()["connect_refused"] <= run.report["connections"]["refused"], run)
    equal(ledger["missed"].get("end", 0) + run.started(), 200, f"the others waited\n{run}")


def test_ctrl_c_ends_the_schedule():
    with lib.target() as server:
        process = lib.start_load(server.url + "/", "-R", 500, "-d", "60s", "-t", 2)
        lib.wait_until(lambda: "connections" in process.err(), "the run")
        process.signal(signal.SIGINT)
        run = lib.finish_load(process)
    equal(run.rc, 130, f"{run}")
    equal(run.ok(), due(run), f"what was due was answered\n{run}")
    equal(run.report["end"], "interrupted", "end")


def test_spinning_sends_the_same():
    run = load_counted(("-R", 500, "-d", "500ms", "--spin", "-t", 1), 250)
    equal(latencies(run), 250, "latencies")
