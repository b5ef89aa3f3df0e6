"""Several URLs: each server gets its share, by its own books, and every figure by URL is what that
server saw."""

import contextlib
import itertools
import time

import badserver
import lib
from badserver import Server
from lib import check, equal

ENGINES = ("uring", "epoll")


@contextlib.contextmanager
def servers(*behaviours):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Server(behave)) for behave in behaviours]


def by_engine():
    """Each engine that this machine has; only the one that was asked for, if one was."""
    return (lib.ENGINE,) if lib.ENGINE else ENGINES


def load(urls, *args, io=None, **how):
    """As lib.load(), on several URLs; sums over them must be the whole."""
    engine = ("--io", io) if io and not lib.ENGINE else ()
    run = lib.load(urls[-1], *engine, *args, *urls[:-1], **how)
    check_sums(run)
    return run


def check_sums(run):
    ledger, urls = run.report["ledger"], run.report["per_url"]
    equal(sorted(url["url"] for url in urls), sorted(run.report["urls"]), "rows")

    def total(key):
        return sum(url[key] for url in urls)

    for key in ("due", "warmup", "started", "ok", "cut_off"):
        equal(total(key), ledger[key], f"sum of {key} over URLs\n{run}")
    for key in ("shed", "missed", "failed"):
        equal(total(key), sum(ledger[key].values()), f"sum of {key} over URLs\n{run}")
    for which in ("from_due", "from_sent"):
        count = sum(url[which + "_us"]["count"] for url in urls)
        equal(count, run.report["latency_us"][which]["count"], f"{which}\n{run}")
    for url in urls:
        equal(url["due"], url["started"] + url["shed"] + url["missed"], f"{url}")
        equal(url["started"], url["ok"] + url["failed"] + url["cut_off"], f"{url}")


def rows(run):
    return {url["url"]: url for url in run.report["per_url"]}


def check_share(got, total, share, workers, what):
    """Within workers - 1 of the share, rounded either way."""
    low, high = int(total * share), -int(-total * share // 1)
    check(low - (workers - 1) <= got <= high + (workers - 1), what, got, "of", total)


def test_urls_take_turns_exactly():
    for io in by_engine():
        with servers(*[badserver.good] * 3) as three:
            urls = [server.url + "/" for server in three]
            run = load(urls, "-c", 6, "-t", 1, "-n", 3000, io=io, rc=0)
            equal([server.requests for server in three], [1000] * 3, f"requests\n{run}")
            for server in three:
                equal(rows(run)[server.url + "/"]["ok"], server.requests, f"{run}")
                equal(server.open_max, 2, "connections to each")


def test_weights_are_kept_exactly_with_a_rate():
    for io, workers in itertools.product(by_engine(), (1, 3)):
        with servers(*[badserver.good] * 3) as three:
            urls = [server.url + "/" for server in three]
            run = load(urls, "-R", 2000, "-d", "1s", "-c", 18, "-t", workers, "--weights", "6,3,1",
                       "-T", "20s", io=io, rc=0)
            equal(run.started(), 2000, f"{run}")
            for server, weight in zip(three, (6, 3, 1)):
                check_share(server.requests, 2000, weight / 10, workers, server.url)
                equal(rows(run)[server.url + "/"]["ok"], server.requests, f"{run}")
                equal(rows(run)[server.url + "/"]["weight"], weight)


def test_paths_of_a_host_share_connections():
    paths = ["/a", "/b?c=d", "/e"]
    for io in by_engine():
        with Server(badserver.good) as server:
            run = load([server.url + path for path in paths], "-c", 2, "-t", 1, "-n", 300, io=io,
                       rc=0)
            equal(server.connections, 2, f"connections\n{run}")
            seen = [request.target for request in server.seen]
            equal({path: seen.count(path) for path in paths}, dict.fromkeys(paths, 100), "paths")


def test_a_pipeline_carries_different_requests():
    paths = ["/a", "/b-is-longer?c=d", "/e"]
    for io, ids in itertools.product(by_engine(), ((), ("--ids",))):
        with Server(badserver.good) as server:
            run = load([server.url + path for path in paths], "-c", 2, "-t", 1, "-n", 900,
                       "--pipeline", 7, *ids, io=io, rc=0)
            seen = [request.target for request in server.seen]
            equal({path: seen.count(path) for path in paths}, dict.fromkeys(paths, 300), f"{run}")
            if ids:
                equal(len(set(server.ids)), 900, "ids")


def test_ids_are_unique_over_all_urls():
    for io in by_engine():
        with servers(badserver.good, badserver.good) as two:
            urls = [two[0].url + "/", two[1].url + "/longer/path", two[0].url + "/x"]
            run = load(urls, "-c", 8, "-t", 2, "-n", 1000, "--ids", "--weights", "3,2,1", io=io,
                       rc=0)
            ids = two[0].ids + two[1].ids
            equal(len(set(ids)), 1000, f"ids\n{run}")
            equal(two[0].requests + two[1].requests, 1000)


def test_connections_are_divided_by_weight():
    for args, wanted in (
        (("-c", 8), [6, 2]),
        (("-c", 20, "--max-connections", 4), [3, 1]),
        (("-c", 2), [1, 1]),
    ):
        with servers(badserver.good, badserver.good) as two:
            run = load([server.url + "/" for server in two], "-t", 1, "-n", 400, "--weights", "3,1",
                       *args, rc=0)
            equal([server.open_max for server in two], wanted, f"connections {args}\n{run}")
            equal([server.requests for server in two], [300, 100], f"{run}")


def test_the_same_url_twice_has_twice_the_turns():
    with servers(badserver.good, badserver.good) as two:
        urls = [two[0].url + "/", two[1].url + "/", two[0].url + "/"]
        run = lib.load(urls[0], *urls[1:], "-c", 4, "-t", 1, "-n", 300, rc=0)
        check_sums(run)
        equal([server.requests for server in two], [200, 100], f"{run}")
        equal(len(run.report["per_url"]), 2, "rows")


def test_a_target_that_refuses_leaves_the_others_alone():
    for io in by_engine():
        with lib.closed_port() as port, Server(badserver.good) as server:
            urls = [server.url + "/", f"http://127.0.0.1:{port}/"]
            run = load(urls, "-R", 400, "-d", "1s", "-T", "700ms", "-c", 6, "-t", 1, io=io, rc=0)
            good, dead = rows(run)[urls[0]], rows(run)[urls[1]]
            equal((good["due"], dead["due"]), (200, 200), f"{run}")
            equal(dead["ok"], 0)
            check(dead["failed"] > 0 and dead["shed"] > 0, "nothing failed or waited too long:", run)
            equal(set(run.failed()), {"connect_refused"}, f"{run}")
            equal(good["failed"] + good["shed"] + good["missed"], 0, f"{run}")
            equal(good["ok"], server.requests)
            equal(dead["left_out"], 1)
            check("p50" not in dead["from_due_us"], "a latency of nothing:", dead)


def test_a_dead_target_in_a_closed_loop_fails_its_own_requests():
    for io in by_engine():
        with lib.closed_port() as port, Server(badserver.good) as server:
            urls = [server.url + "/", f"http://127.0.0.1:{port}/"]
            run = load(urls, "-d", "1s", "-c", 4, "-t", 1, io=io, rc=0)
            good, dead = rows(run)[urls[0]], rows(run)[urls[1]]
            equal(set(run.failed()), {"connect_refused"}, f"{run}")
            equal((good["failed"], dead["ok"]), (0, 0), f"{run}")
            equal(good["ok"], server.requests)
            check(abs(good["due"] - dead["due"]) <= 1, "not in turn:", run)


def test_failures_and_latencies_are_those_of_the_url():
    def slow(conn):
        while True:
            conn.request()
            time.sleep(0.05)
            conn.respond(status=503)

    for io in by_engine():
        with servers(badserver.good, slow, badserver.says_and_resets(b"")) as three:
            urls = [server.url + "/" for server in three]
            run = load(urls, "-R", 150, "-d", "1s", "-T", "20s", "-c", 30, "-t", 1, io=io, rc=0)
            good, late, broken = (rows(run)[url] for url in urls)
            equal((good["ok"], late["ok"], broken["ok"]), (50, 50, 0), f"{run}")
            equal((good["failed"], late["failed"]), (0, 0), f"{run}")
            equal(broken["failed"], broken["started"], f"{run}")
            check(late["from_sent_us"]["p50"] >= 50_000, "a latency of somebody else:", late)
            equal(run.report["status"], {"200": 50, "503": 50})


def test_a_server_that_is_stuck_is_all_that_times_out():
    with servers(badserver.good, badserver.silent) as two:
        urls = [server.url + "/" for server in two]
        run = load(urls, "-R", 40, "-d", "1s", "-T", "400ms", "-c", 40, "-t", 1, rc=0)
        good, stuck = (rows(run)[url] for url in urls)
        equal((good["due"], stuck["due"]), (20, 20), f"{run}")
        equal(stuck["ok"], 0)
        equal(set(run.failed()), {"timeout"}, f"{run}")
        check(stuck["from_sent_us"]["max"] >= 400_000, "timeouts count at their bound:", stuck)


def test_what_waits_at_the_end_is_that_of_its_url():
    with lib.deaf_port() as port, Server(badserver.good) as server:
        urls = [server.url + "/", f"http://127.0.0.1:{port}/"]
        run = load(urls, "-R", 200, "-d", "1s", "-T", "20s", "--drain", "100ms", "-c", 4, "-t", 1)
        good, deaf = (rows(run)[url] for url in urls)
        equal(good["ok"], good["due"], f"{run}")
        equal(deaf["due"], 100, f"{run}")
        equal(deaf["cut_off"], 2, f"attempts under way\n{run}")
        equal(deaf["missed"], 98, f"{run}")


def test_the_warm_up_is_left_out_of_each():
    with servers(badserver.good, badserver.good) as two:
        urls = [server.url + "/" for server in two]
        run = load(urls, "-R", 200, "-d", "1s", "--warmup", "400ms", "-c", 4, "-t", 1, rc=0)
        for row in run.report["per_url"]:
            equal((row["due"], row["warmup"]), (100, 40), f"{run}")
            equal(row["from_due_us"]["count"], 60, f"{run}")


def test_stages_and_poisson_arrivals_are_for_all_together():
    with servers(badserver.good, badserver.good) as two:
        urls = [server.url + "/" for server in two]
        run = load(urls, "--stages", "1s:400,500ms:0", "-c", 4, "-t", 1, rc=0)
        equal(run.report["ledger"]["due"], 300, f"{run}")
        equal([server.requests for server in two], [150, 150], f"{run}")
        run = load(urls, "-R", 300, "--arrivals", "poisson", "-d", "1s", "-c", 4, "-t", 2, rc=0)
        check(abs(rows(run)[urls[0]]["due"] - rows(run)[urls[1]]["due"]) <= 2, f"{run}")


def test_without_keepalive_each_goes_to_its_target():
    for io in by_engine():
        with servers(badserver.good, badserver.good) as two:
            urls = [server.url + "/" for server in two]
            run = load(urls, "--no-keepalive", "-c", 4, "-t", 1, "-n", 200, io=io, rc=0)
            equal([server.requests for server in two], [100, 100], f"{run}")
            equal([server.uses_max for server in two], [1, 1], "requests on a connection")


def test_a_hundred_servers():
    with servers(*[badserver.good] * 100) as all_of_them:
        urls = [server.url + "/" for server in all_of_them]
        run = load(urls, "-c", 200, "-t", 2, "-n", 5000, timeout=60, rc=0)
        for server in all_of_them:
            check_share(server.requests, 5000, 1 / 100, 2, server.url)
            equal(server.open_max, 2, "connections")
        check("and 80 more" in run.out, "the table has its bound:", run)
        everything = lib.pelt("-c", 100, "-t", 1, "-n", 100, "-L", *urls, rc=0)
        for url in urls:
            check(url in everything.out, "not in the table:", url)


def test_the_table_says_what_the_json_does():
    with servers(badserver.good, badserver.good) as two:
        urls = [server.url + "/" for server in two]
        run = load(urls, "-c", 4, "-t", 1, "-n", 300, "--weights", "2,1", rc=0)
        lines = [line.split() for line in run.out.splitlines()]
        for url, count in zip(urls, ("200", "100")):
            row = [line for line in lines if line and line[-1] == url]
            equal([line[:3] for line in row], [[count, count, "0"]], f"{run}")
        check("2 URLs in turn, at 2 targets" in run.out, "target:", run)
        check(f"{urls[0]} and 1 more" in run.err, "start:", run)


def test_rows_of_requests_name_their_url():
    path = lib.temp_path("rows.csv")
    with servers(badserver.good) as (server,):
        urls = [server.url + "/a", server.url + "/b"]
        load(urls, "-c", 2, "-t", 1, "-n", 20, "--requests-out", path, rc=0)
    text = lib.read_file(path)
    for url in urls:
        equal(text.count(url), 10, f"rows\n{text}")


def test_too_few_connections_are_refused_with_numbers():
    run = lib.pelt("-c", 2, "-t", 1, "http://127.0.0.1:1/", "http://127.0.0.1:2/",
                   "http://127.0.0.1:3/", rc=64)
    check("3 targets for 2 connections" in run.err, run)


def test_a_name_that_is_unknown_ends_it_before_anything_is_sent():
    with Server(badserver.good) as server:
        run = lib.pelt("-d", "1s", server.url + "/", "http://no-such-host.invalid/", rc=1)
        check("no-such-host.invalid" in run.err, run)
        equal(server.requests, 0)


@lib.own_network()
def test_ports_are_counted_for_each_target():
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
        file.write("50000 50009")
    with contextlib.ExitStack() as stack:
        two = [stack.enter_context(Server(badserver.good, port=port)) for port in (8080, 8081)]
        urls = [server.url + "/" for server in two]
        run = load(urls, "-c", 20, "-t", 1, "-n", 400, rc=0)
        equal([server.open_max for server in two], [10, 10], f"{run}")
        # Enough ports in all, but not for the one that has most of the connections.
        run = lib.pelt("-c", 20, "-t", 1, "--weights", "3,1", *urls, rc=1)
        check("15 connections to 1 address need a local port each, and there are 10" in run.err, run)
        check("ip_local_port_range" in run.err, run)


def test_a_proxy_gets_the_requests_of_all_targets():
    with Server(badserver.good) as proxy:
        urls = ["http://one.test/a", "http://two.test/b"]
        run = load(urls, "-c", 2, "-t", 1, "-n", 40, "--proxy", proxy.url, rc=0)
        seen = [request.target for request in proxy.seen]
        equal({url: seen.count(url) for url in urls}, dict.fromkeys(urls, 20), f"{run}")


def test_statuses_by_url_are_those_in_the_servers_log():
    log = lib.temp_path("ids")
    with lib.target("--log-ids", log) as server:
        urls = [server.url + "/", server.url + "/status/404"]
        run = load(urls, "-c", 8, "-t", 2, "-n", 20000, "--ids", timeout=100, rc=0)
        server.stop()
    statuses = [line.split()[1] for line in lib.read_file(log).splitlines()]
    for url, status in zip(urls, ("200", "404")):
        equal(rows(run)[url]["ok"], statuses.count(status), f"{url}\n{run}")
        check_share(statuses.count(status), 20000, 1 / 2, 2, url)
