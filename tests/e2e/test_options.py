"""The command line: what is accepted, what it does at the server, what is refused and how."""

import re

import badserver
import lib
from badserver import Server
from lib import check, equal

URL = "http://127.0.0.1:9/"

OPTIONS = """-c -t -d -n -T -H -X --body --body-file -L --drain -v --verbose --json --quiet --ids
    --no-keepalive --max-connections --connect-timeout --first-byte-timeout -h --help
    --version""".split()

# The arguments, and what the one line on stderr must name.
WRONG = [
    (["--nonsense", URL], "--nonsense"),
    (["-Z", URL], "-Z"),
    (["-c", "0", URL], "-c"),
    (["-c", "ten", URL], "-c"),
    (["-c", "-1", URL], "-c"),
    (["-c", "1.5", URL], "-c"),
    (["-c", "99999999999999999999", URL], "-c"),
    (["-c", "", URL], "-c"),
    (["-c", "10x", URL], "-c"),
    (["-t", "0", URL], "-t"),
    (["-t", "two", URL], "-t"),
    (["-n", "0", URL], "-n"),
    (["-n", "many", URL], "-n"),
    (["-d", "nonsense", URL], "-d"),
    (["-d", "-5s", URL], "-d"),
    (["-d", "5 parsecs", URL], "-d"),
    (["-d", "1s1h1", URL], "-d"),
    (["-d", "", URL], "-d"),
    (["-d", "nan", URL], "-d"),
    (["-d", "inf", URL], "-d"),
    (["-d", "1e400s", URL], "-d"),
    (["-T", "soon", URL], "-T"),
    (["--drain", "x", URL], "--drain"),
    (["--connect-timeout", "x", URL], "--connect-timeout"),
    (["--first-byte-timeout", "x", URL], "--first-byte-timeout"),
    (["--max-connections", "0", URL], "--max-connections"),
    (["--max-connections", "x", URL], "--max-connections"),
    (["-H", "no colon", URL], "-H"),
    (["-H", ": value", URL], "-H"),
    (["-H", "", URL], "-H"),
    (["-H", "a b: c", URL], "-H"),
    (["-H", "a : b", URL], "-H"),
    (["-H", "a: b\r\nc: d", URL], "-H"),
    (["-H", "a: b\nc: d", URL], "-H"),
    (["-X", "GE T", URL], "-X"),
    (["-X", "", URL], "-X"),
    (["-X", "GET\r\nA: b", URL], "-X"),
    (["--body", "a", "--body-file", "b", "-X", "POST", URL], "--body"),
    ([URL, "-c"], "-c"),
    ([URL, "-d"], "-d"),
    ([URL, "--json"], "--json"),
    ([], "URL"),
    (["-c", "4"], "URL"),
    (["--weights", "1", URL, "http://127.0.0.1:10/"], "--weights"),
    (["-c", "1", URL, "http://127.0.0.1:10/"], "2 targets"),
    (["ftp://127.0.0.1/"], "ftp://127.0.0.1/"),
    (["127.0.0.1:80/"], "127.0.0.1:80/"),
    (["http://"], "http://"),
    (["http:///path"], "http:///path"),
    (["http://:80/"], "http://:80/"),
    (["http://127.0.0.1:0x50/"], "http://127.0.0.1:0x50/"),
    (["http://127.0.0.1:99999/"], "http://127.0.0.1:99999/"),
    (["http://127.0.0.1:-1/"], "http://127.0.0.1:-1/"),
    (["http://[::1/"], "http://[::1/"),
    (["http://127.0.0.1/a b"], "http://127.0.0.1/a b"),
    (["http://127.0.0.1/\r\nA: b"], "http://127.0.0.1/"),
]


def test_wrong_options_exit_64_with_one_line_that_names_them():
    wrong = []
    for args, named in WRONG:
        run = lib.pelt(*args)
        lines = run.err.rstrip("\n").split("\n")
        if run.rc != 64:
            wrong.append(f"{args}: exit {run.rc}")
        elif len(lines) != 1 or not lines[0]:
            wrong.append(f"{args}: {len(lines)} lines on stderr: {run.err!r}")
        elif named not in run.err or "--help" not in run.err:
            wrong.append(f"{args}: does not name {named} and --help: {run.err!r}")
        elif run.out:
            wrong.append(f"{args}: output on stdout: {run.out!r}")
    check(not wrong, "\n" + "\n".join(wrong))


def test_an_option_in_error_starts_nothing():
    with Server(badserver.good) as server:
        lib.pelt("-c", "4", "-H", "bad header", server.url + "/", rc=64)
        equal(server.connections, 0, "connections")


def test_a_body_file_that_cannot_be_read_is_named():
    run = lib.pelt("--body-file", "/no/such/file", "-X", "POST", URL)
    check(run.rc in (1, 64), run)
    check("/no/such/file" in run.err, "does not name the file:", run)
    run = lib.pelt("--body-file", "/", "-X", "POST", URL)
    check(run.rc in (1, 64), run)


def test_help_is_on_stdout_and_names_every_option():
    for option in ("--help", "-h"):
        run = lib.pelt(option, rc=0)
        equal(run.err, "", "stderr")
        for name in OPTIONS:
            check(re.search(rf"(?<![\w-]){name}(?![\w-])", run.out), "--help is silent on", name)
        check("serve" in run.out, "--help does not name the built-in target")
        for line in run.out.splitlines():
            check(len(line) <= 100, "a line longer than 100 columns:", line)


def test_help_of_the_target_is_on_stdout():
    run = lib.pelt("serve", "--help", rc=0)
    check("--port" in run.out and run.err == "", run)


def test_wrong_options_of_the_target_exit_64():
    for args in (["--nonsense"], ["--port", "x"], ["--port", "70000"], ["--threads", "0"]):
        run = lib.pelt("serve", *args, rc=64)
        equal(len(run.err.strip().splitlines()), 1, f"lines on stderr\n{run}")
        check(args[0] in run.err, "does not name the option:", run)


def test_version_is_one_word_of_name_and_a_version():
    run = lib.pelt("--version", rc=0)
    equal(run.err, "", "stderr")
    check(re.match(r"pelt \S+", run.out), run)


def test_numbers_and_times_are_spelled_as_in_wrk_and_better():
    with Server(badserver.good) as server:
        run = lib.load(server.url + "/", "-c", 2, "-n", "1k", rc=0)
        equal(run.started(), 1000, "-n 1k")
        for text, wanted in (("500ms", 0.5), ("0.5s", 0.5), ("1", 1.0), ("0.01m", 0.6)):
            run = lib.load(server.url + "/", "-c", 2, "-d", text, rc=0)
            got = run.report["duration_s"]
            check(wanted * 0.99 <= got <= wanted + lib.SLACK_S, f"-d {text}: {got} s", run)
        # Too long to wait for: the end by count comes first.
        for text in ("1m30s", "2h", "1.5h", "2m"):
            run = lib.load(server.url + "/", "-c", 2, "-d", text, "-n", 10, rc=0)
            equal(run.started(), 10, text)


def test_options_may_be_glued_or_behind_the_url():
    with Server(badserver.good) as server:
        url = server.url + "/"
        for args in (["-c2", "-n20", url], [url, "-c", "2", "-n", "20"]):
            lib.pelt(*args, rc=0)
        lib.pelt("-c", "2", "-n", "20", "--json=" + lib.temp_path("j"), url, rc=0)
        equal(server.requests, 60, "requests")
        check(lib.read_file(lib.temp_path("j")).startswith("{"), "--json=FILE wrote no JSON")


def seen(*args, path="/", url=None):
    """The one request that arrives for these arguments."""
    with Server(badserver.good) as server:
        lib.load((url or server.url).replace("PORT", str(server.port)) + path, "-c", 1, "-n", 1,
                 *args, rc=0)
        equal(server.requests, 1, "requests")
        return server.seen[0], server.port


def fields(request, name):
    return [value for key, value in request.headers if key.lower() == name]


def test_a_plain_request_is_a_get_with_a_host():
    request, port = seen(path="/a/b?c=d&e")
    equal((request.method, request.target, request.version), ("GET", "/a/b?c=d&e", "HTTP/1.1"))
    equal(fields(request, "host"), [f"127.0.0.1:{port}"], "Host")
    equal(fields(request, "x-request-id"), [], "an id that nobody asked for")
    equal(request.body, b"")


def test_a_url_without_a_path_asks_for_the_root():
    request, _ = seen(path="")
    equal(request.target, "/")
    request, _ = seen(path="?a=b")
    equal(request.target, "/?a=b")


def test_a_fragment_is_not_sent():
    request, _ = seen(path="/a?b#c")
    equal(request.target, "/a?b")


def test_headers_arrive_in_order_and_as_given():
    request, _ = seen("-H", "X-One: 1", "-H", "X-Two:  two words ", "-H", "X-One: again", "-H",
                      "X-Empty:")
    equal(fields(request, "x-one"), ["1", "again"])
    equal(fields(request, "x-two"), ["two words"])
    equal(fields(request, "x-empty"), [""])


def test_a_given_host_replaces_ours():
    request, _ = seen("-H", "Host: example.org")
    equal(fields(request, "host"), ["example.org"])


def test_a_body_arrives_whole_with_its_length():
    request, _ = seen("-X", "POST", "--body", "hällo wörld")
    equal(request.method, "POST")
    equal(request.body, "hällo wörld".encode())
    equal(fields(request, "content-length"), [str(len(request.body))])


def test_a_body_from_a_file_is_sent_as_it_is():
    data = bytes(range(256)) * 700 + b"\r\n\r\n\0"
    path = lib.write_file("body", data)
    request, _ = seen("-X", "PUT", "--body-file", path)
    equal(request.method, "PUT")
    equal(request.body, data)


def test_an_empty_post_says_that_it_is_empty():
    request, _ = seen("-X", "POST")
    equal(fields(request, "content-length"), ["0"])


def test_any_method_that_is_a_token_is_sent():
    request, _ = seen("-X", "PROPFIND")
    equal(request.method, "PROPFIND")


def test_ids_are_sixteen_digits_from_zero():
    with Server(badserver.good) as server:
        lib.load(server.url + "/", "-c", 1, "-t", 1, "-n", 300, "--ids", rc=0)
        equal(server.ids, [f"{0:04x}{i:012x}" for i in range(300)], "ids")


def test_no_keepalive_says_so():
    request, _ = seen("--no-keepalive")
    equal([value.lower() for value in fields(request, "connection")], ["close"])


def test_names_are_resolved_and_sent_as_host():
    request, port = seen(url="http://localhost:PORT")
    equal(fields(request, "host"), [f"localhost:{port}"])


def test_ipv6_works_with_brackets():
    lib.need_ipv6()
    with Server(badserver.good, host="::1") as server:
        run = lib.load(f"http://[::1]:{server.port}/", "-c", 2, "-n", 50, rc=0)
        equal(run.ok(), 50)
        equal(fields(server.seen[0], "host"), [f"[::1]:{server.port}"])
