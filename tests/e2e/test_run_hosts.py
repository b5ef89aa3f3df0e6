"""`pelt run`: URLs whose host is only known with the values of a request."""

import badserver
import lib
import tls
from badserver import Server
from lib import check, equal
from test_run import run
from test_run_client import ENGINES, text_of


def endpoints(url, peak="40hps", more=""):
    return f"""
  - url: "{url}"
    peak_load: {peak}
    {more}
"""


def test_requests_go_to_the_hosts_that_values_name():
    for engine in ENGINES:
        with Server(badserver.good) as one, Server(badserver.good, "127.0.0.2") as other:
            hosts = [f"127.0.0.1:{one.port}", f"127.0.0.2:{other.port}", f"LOCALHOST:{one.port}",
                     f"given.test:{other.port}"]
            done = run(text_of("resolve: {given.test: 127.0.0.2}", "workers: 1",
                               endpoints("http://${host}/p ${host}?a=é#gone"),
                               more=f"providers: {{host: {{list: {hosts}}}}}"), *engine, rc=0)
            equal(done.report["ledger"]["ok"], 40)
            equal((one.requests, other.requests), (20, 20))
            fields = [(dict(r.headers)["Host"], r.target) for s in (one, other) for r in s.seen]
            equal(set(fields), {(h.lower(), f"/p%20{h}?a=%C3%A9") for h in hosts})


def test_whole_urls_come_from_values():
    with Server(badserver.good) as server:
        base = f"127.0.0.1:{server.port}"
        urls = [f"http://{base}", f"HTTP:\\\\\\\\{base}\\\\a\\\\b", f"  http://{base}?q#f "]
        text = "[" + ", ".join(f'"{url}"' for url in urls) + "]"
        run(text_of("", "workers: 1", endpoints("${url}", "3hps") +
                    f"  - {{url: 'http://{base}/known', peak_load: 3hps}}\n",
                    more=f"providers: {{url: {{list: {text}}}}}"), rc=0)
        equal(sorted(r.target for r in server.seen), ["/", "/?q", "/a/b"] + ["/known"] * 3)


def test_schemes_come_from_values_and_queries_hold_urls():
    with Server(badserver.good) as server:
        base = f"127.0.0.1:{server.port}"
        run(text_of("", "workers: 1", endpoints(f"${{scheme}}://{base}/a", "1hps") +
                    endpoints("${base}/b?u=http://x/y", "1hps"),
                    more=f"providers: {{scheme: {{list: [http]}}, "
                         f"base: {{list: ['http://{base}']}}}}"), rc=0)
        equal(sorted(r.target for r in server.seen), ["/a", "/b?u=http://x/y"])


def test_expressions_see_where_a_request_went():
    with Server(badserver.good) as server:
        done = run(text_of("", "workers: 1", f"""
  - url: "http://${{host}}/first"
    peak_load: 3hps
    provides: {{seen: {{select: "request.url.host"}}}}
  - url: "http://127.0.0.1:{server.port}/seen/${{seen}}"
    peak_load: 3hps
""", more=f"""providers:
  host: {{list: ["localhost:{server.port}"]}}
  seen: {{response: {{}}}}"""), rc=0)
        paths = {r.target for r in server.seen}
        check(f"/seen/localhost:{server.port}" in paths, "paths", paths, done)


def test_hosts_of_values_may_be_https():
    with Server(tls.over(tls.context("good"), badserver.good)) as server:
        hosts = [f"https://localhost:{server.port}/a", f"https://127.0.0.1:{server.port}/b"]
        done = run(text_of(f"tls: {{cacert: {tls.cert('ca')}}}", "workers: 1",
                           endpoints("${url}", "10hps"),
                           more=f"providers: {{url: {{list: {hosts}}}}}"), rc=0)
        equal(done.report["ledger"]["ok"], 10)
        wrong = run(text_of(f"tls: {{cacert: {tls.cert('ca')}}}, resolve: {{wrong.test: 127.0.0.1}}",
                            "workers: 1", endpoints("https://${h}/", "2hps"),
                            more=f"providers: {{h: {{list: ['wrong.test:{server.port}']}}}}"), rc=1)
        check(all(name.startswith("tls_") for name in wrong.report["ledger"]["failed"]), wrong)


def test_hosts_that_are_not_found_and_urls_that_are_none_are_counted():
    with Server(badserver.good) as server:
        good = f"http://127.0.0.1:{server.port}/"
        for bad, why in (("http://nosuch.invalid/", "resolve"), ("http:///", "build"),
                         ("ftp://x/", "build"), ("", "build"), ("http://a b/", "build"),
                         ("http://u:p@127.0.0.1/", "build"), ("http://127.0.0.1:65536/", "build"),
                         ("http://[::1/", "build"), ("http://a%41/", "build")):
            done = run(text_of("", "workers: 1", endpoints("${url}", "10hps"), over="400ms",
                               more=f'providers: {{url: {{list: ["{bad}", "{good}"]}}}}'), rc=0)
            equal(done.report["ledger"]["failed"], {why: 2}, bad)
            equal(done.report["ledger"]["ok"], 2, bad)
            if why == "build":
                check("no URL that can be sent to" in done.out, "told:", bad, done)


def test_more_hosts_than_there_may_be_are_counted():
    with Server(badserver.good, "0.0.0.0") as server:
        done = run(text_of("request_timeout: 5s", "workers: 1",
                           endpoints(f"http://127.1.${{if(n > 200, 1, 0)}}.${{n % 200}}:"
                                     f"{server.port}/", "300hps"),
                           more="providers: {n: {range: {start: 1, end: 300}}}"), rc=0)
        ledger = done.report["ledger"]
        equal(ledger["failed"], {"resolve": ledger["started"] - ledger["ok"]})
        equal(len(server.peers) >= 1, True)
        equal(ledger["ok"], 256)
