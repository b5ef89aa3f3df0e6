"""Test files that ask for what cannot be: a hundred of them, made by kinds. `pelt try` and `pelt run`
end by themselves, and say what the cause is; nothing is guessed, nothing hangs."""

import re
import socket

import lib
from lib import check
from stateserver import StateServer

PATTERN = "load_pattern: [{linear: {from: 100%, to: 100%, over: 1s}}]\n"
LONG = "load_pattern: [{linear: {from: 100%, to: 100%, over: 1h}}]\n"


def endpoint(name, needs="", gives="", more="", peak="peak_load: 10hps"):
    """`gives` is "provider: {...}"."""
    query = f"?n=${{{needs}}}" if needs else ""
    return (f"  - name: {name}\n    url: 'URL/{name}{query}'\n"
            + (f"    {peak}\n" if peak else "")
            + (f"    provides: {{{gives}}}\n" if gives else "") + (f"    {more}\n" if more else ""))


def responses(*names):
    return "providers: {" + ", ".join(f"{name}: {{response: {{}}}}" for name in names) + "}\n"


def circles():
    """1 to 20 endpoints, each of which waits for the one before, with rates and without."""
    for size in range(1, 21):
        text = LONG + responses(*(f"p{i}" for i in range(size))) + "endpoints:\n"
        for i in range(size):
            gives = f"p{(i + 1) % size}: {{select: 1, send: block}}"
            text += endpoint(f"e{i}", f"p{i}", gives, peak="" if size % 2 else "peak_load: 10hps")
        chain = "`e0` needs `p0` of `e0` itself" if size == 1 else ": a circle"
        yield f"circle {size}", text, re.escape(chain), r"p0|waits"


def unfed():
    """A provider that nobody feeds, wherever it is named."""
    places = {
        "url": ("?a=${x}", "", ""),
        "header": ("", "headers: {X-A: '${x}'}", ""),
        "body": ("", "body: 'a ${x}'", ""),
        "json": ("", "body: {json: {a: '${x}'}}", ""),
        "declare": ("?a=${d}", "declare: {d: x}", ""),
        "collect": ("?a=${d}", "declare: {d: 'collect(x, 2)'}", ""),
        "declare of a declare": ("?a=${d}", "declare: {d: e, e: x}", ""),
        "provides": ("", "provides: {y: {select: x}}", ""),
        "where": ("", "provides: {y: {select: 1, where: x > 1}}", ""),
        "for_each": ("", "provides: {y: {select: 1, for_each: [x]}}", ""),
        "log": ("", "logs: {l: {select: x}}", "loggers: {l: {to: stderr}}\n"),
        "global logger": ("", "", "loggers: {l: {to: stderr, select: x}}\n"),
        "client header": ("", "", "config: {client: {headers: {X-A: '${x}'}}}\n"),
        "tag": ("", "tags: {t: '${x}'}", ""),
        "expression": ("?a=${x.a[0] + 1}", "", ""),
    }
    for place, (query, key, root) in places.items():
        text = (LONG + root + responses("x", "y") + f"endpoints:\n  - name: e\n    url: 'URL/{query}'\n"
                "    peak_load: 10hps\n" + (f"    {key}\n" if key else ""))
        yield f"unfed in {place}", text, "`e` needs `x`, which nobody provides", "'x'|`x`"


def never_true():
    """A condition that no answer meets."""
    wheres = ["false", "response.body.none.at", "response.status == 0"]
    for where in wheres:
        gives = f"x: {{select: 1, where: '{where}'}}"
        text = PATTERN + responses("x") + "endpoints:\n" + endpoint("a", gives=gives)
        yield f"never {where}", text + endpoint("b", "x"), "`b`: `where` was never true", None


def empty():
    """Sources without a value, or with too few."""
    for name, source, declare in (
            ("file", "{file: {path: empty.txt}}", "x"),
            ("json", "{file: {path: empty.txt, format: json}}", "x"),
            ("csv", "{file: {path: empty.txt, format: csv}}", "x"),
            ("head of a csv", "{file: {path: head.csv, format: csv, csv: {headers: true}}}", "x"),
            ("repeated file", "{file: {path: empty.txt, repeat: true}}", "x"),
            ("range", "{range: {start: 1, end: 3}}", "collect(x, 4)"),
            ("list", "{list: {values: [1, 2], repeat: false}}", "collect(x, 3)"),
            ("short file", "{file: {path: two.txt}}", "collect(x, 3)"),
            ("two of a range", "{range: {start: 1, end: 1}}", "x + x"),
            ("backward range", "{range: {start: 2, end: 1}}", "x")):
        text = f"{LONG}providers: {{x: {source}}}\nendpoints:\n" + endpoint(
            "e", "d", more=f'declare: {{d: "{declare}"}}')
        yield f"empty {name}", text, "`x` has no|is empty", None


def unreachable():
    """Nobody there, or nobody who answers."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for name, url, why in (
            ("closed port", f"http://127.0.0.1:{port}", "connect_refused|connection refused"),
            ("no such name", "http://no-such-host.invalid", "no-such-host.invalid"),
            ("not TLS", "https://HOST", "tls|TLS|no connection"),
            ("reset", "URL/reset#", "reset"),
            ("silence", "URL/slow?s=60&", "not complete in time")):
        for with_reader in (False, True):
            text = (PATTERN + "config: {client: {request_timeout: 1s}}\n" + responses("x")
                    + "endpoints:\n"
                    + endpoint("a", gives="x: {select: 1}").replace("URL/a", url))
            if with_reader:
                text += endpoint("b", "x")
            yield f"unreachable {name} {with_reader}", text, why, None


def wrong():
    """What is refused before a run."""
    end = "endpoints:\n" + endpoint("e")
    circle = ", ".join(f"v{i}: '${{v{(i + 1) % 7}}}'" for i in range(7))
    laughs = "vars:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"  a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
    rows = {
        "vars in a circle": (f"vars: {{{circle}}}\n" + PATTERN + end, "v0"),
        "a var of itself": ("vars: {v: '${v}'}\n" + PATTERN + end, "'v'"),
        "declares in a circle": (PATTERN + "endpoints:\n" + endpoint(
            "e", "a", more="declare: {a: b, b: c, c: a}"), "'a'|'b'|'c'"),
        "an include of itself": ("include: [test.yaml]\n" + PATTERN + end, "test.yaml"),
        "an include that is not there": ("include: [none.yaml]\n" + PATTERN + end, "none.yaml"),
        "a data file that is not there": (
            PATTERN + "providers: {x: {file: {path: none.txt}}}\nendpoints:\n" + endpoint("e", "x"),
            "none.txt"),
        "aliases without an end": (laughs + PATTERN + end, "alias"),
        "a rate without a pattern": (end, "load_pattern"),
        "nothing that makes it run": (PATTERN + "endpoints:\n" + endpoint("e", peak=""), "peak_load"),
        "no endpoints": (PATTERN, "endpoints"),
        "an unknown name": (PATTERN + "endpoints:\n" + endpoint("e", "nobody"), "nobody"),
        "a provider that is not there": (
            PATTERN + "endpoints:\n" + endpoint("e", gives="nobody: {select: 1}"), "nobody"),
        "a logger that is not there": (
            PATTERN + "endpoints:\n" + endpoint("e", more="logs: {nobody: {select: 1}}"), "nobody"),
        "a variable that is not set": ("vars: {v: '${NO_SUCH_VARIABLE}'}\n" + PATTERN + end,
                                       "NO_SUCH_VARIABLE"),
        "a step of nothing": (PATTERN + "providers: {x: {range: {step: 0}}}\nendpoints:\n"
                              + endpoint("e", "x"), "step"),
        "a buffer of nothing": (PATTERN + "providers: {x: {response: {buffer: 0}}}\nendpoints:\n"
                                + endpoint("e", "x"), "buffer"),
        "an unknown key": (PATTERN + "endpoints:\n" + endpoint("e", more="peek_load: 1hps"),
                           "peek_load"),
        "a key twice": (PATTERN + PATTERN + end, "load_pattern"),
        "an expression that ends": (PATTERN + "endpoints:\n" + endpoint("e", "(1 +"), "is missing"),
        "an unknown function": (PATTERN + "endpoints:\n" + endpoint("e", "collekt(1, 2)"), "collekt"),
    }
    for name, (text, why) in rows.items():
        yield name, text, why, why


def mixed():
    """Chains whose beginning is impossible, 1 to 24 steps before who is chosen."""
    for length in range(1, 25):
        names = [f"p{i}" for i in range(length + 1)]
        text = LONG + responses(*names) + "endpoints:\n"
        for i in range(length):
            text += endpoint(f"e{i}", f"p{i}", f"p{i + 1}: {{select: 1}}")
        text += endpoint("last", f"p{length}")
        yield f"chain {length}", text, "`p0`, which nobody provides", "p0"


KINDS = (circles, unfed, never_true, empty, unreachable, wrong, mixed)


def files(server):
    for kind in KINDS:
        for name, text, tried, ran in kind():
            host = server.url.removeprefix("http://")
            yield name, text.replace("URL", server.url).replace("HOST", host), tried, ran


def write(text):
    lib.write_file("empty.txt", b"")
    lib.write_file("head.csv", b"a,b\n")
    lib.write_file("two.txt", b"1\n2\n")
    return lib.write_file("test.yaml", text.encode())


def expect_cause(name, done, why):
    check(done.rc in (0, 1, 2), name, "exit code", done)
    check(re.search(why, done.err + done.out), f"{name}: {why!r} is not said:", done)
    check(done.seconds < lib.SLACK_S, f"{name}: it took its time:", done)


def test_a_hundred_impossible_files_are_tried():
    count = 0
    with StateServer() as server:
        for name, text, tried, _ in files(server):
            count += 1
            done = lib.pelt("try", write(text), "--timeout", f"{20 if lib.LIGHT else 2}s", "--strict", "-k", rc=1)
            expect_cause(name, done, tried)
            if "never" not in name and "unreachable" not in name:
                check(not server.log, name, "something was sent:", server.log[:1])
            server.log.clear()
    check(count >= 100, "only", count)


@lib.seconds(150)
def test_what_cannot_go_on_ends_a_run():
    with StateServer() as server:
        for name, text, _, ran in files(server):
            if ran is None:
                continue
            done = lib.pelt("run", write(text))
            check(done.rc in (1, 2), name, "exit code", done)
            expect_cause(name, done, ran)
        check(not server.log, "something was sent:", server.log[:1])
