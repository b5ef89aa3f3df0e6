"""pelt check: what it prints where, its exit status, and what it makes of files of all sizes."""

import glob
import json
import os
import resource
import subprocess

import lib
import tls
from lib import check, equal

RIGHT = """load_pattern:
  - linear: {to: 100%, over: 10s}
providers:
  id: {range: {}}
endpoints:
  - url: http://127.0.0.1:9/${id}
    peak_load: 10hps
"""
WRONG = RIGHT.replace("peak_load", "peak_laod").replace("${id}", "${di}")


def run(*args, **env):
    return lib.pelt("check", *args, env=env)


def test_a_right_file_is_summed_up_on_stdout():
    path = lib.write_file("right.yaml", RIGHT)
    done = run(path)
    equal(done.rc, 0)
    equal(done.err, "")
    equal(done.out, f"{path}: right, 1 endpoint, 1 provider, 0 loggers, 50 hits in 10.0 s\n")


def test_all_errors_are_told_on_stderr_with_their_lines():
    path = lib.write_file("wrong.yaml", WRONG)
    done = run(path)
    equal(done.rc, 1)
    equal(done.out, "")
    equal(
        done.err,
        f"""{path}:6:31: error: unknown name 'di'; did you mean 'id'?
    6 |   - url: http://127.0.0.1:9/${{di}}
      |                               ^~
{path}:7:5: error: unknown key 'peak_laod' in an endpoint; did you mean 'peak_load'?
    7 |     peak_laod: 10hps
      |     ^~~~~~~~~
2 errors, 0 warnings
""",
    )


def test_warnings_are_told_and_do_no_harm():
    path = lib.write_file("warned.yaml", RIGHT.replace("${id}", ""))
    done = run(path)
    equal(done.rc, 0)
    check("warning: nobody reads the provider 'id'" in done.err, done.err)
    check("right but for 1 warning," in done.out, done.out)


def test_what_openssl_does_not_take_is_told_with_its_place():
    cert, other = tls.cert("ca"), tls.key("rsa")
    for key, value, expected in (
            ("ciphers", "NOPE", "ciphers 'NOPE': "),
            ("ciphersuites", "TLS_NONE", "cipher suites 'TLS_NONE': "),
            ("groups", "P-1", "groups 'P-1': "),
            ("alpn", "','", "',' is no list of application protocols"),
            ("sni", "x" * 300, "is no name that a certificate could have"),
            ("cacert", "/dev/null", "cannot read certificates from '/dev/null': "),
            ("cert", "/dev/null", "cannot use certificate '/dev/null': "),
            ("cert", f"{cert}, key: {other}", f"cannot use key '{other}': "),
            ("cacert", f"{cert}, insecure: true", "'insecure' and 'cacert' exclude each other")):
        text = f"config: {{client: {{tls: {{{key}: {value}}}}}}}\n" + RIGHT
        path = lib.write_file("tls.yaml", text)
        done = run(path)
        equal(done.rc, 1, value)
        column = text.index(f"{key}: ") + len(key) + 3
        check(done.err.startswith(f"{path}:1:{column}: error: "), done.err)
        check(expected in done.err, done.err)
        check("1 error, 0 warnings" in done.err, done.err)
    good = f"cacert: {cert}, cert: {tls.cert('rsa')}, key: {other}, groups: X25519, alpn: none, sni: a.b"
    path = lib.write_file("tls.yaml", f"config: {{client: {{tls: {{{good}}}}}}}\n" + RIGHT)
    equal(run(path).rc, 0)


def test_json_is_a_line_per_object():
    for name, text, errors in (("right.yaml", RIGHT, 0), ("wrong.yaml", WRONG, 2)):
        path = lib.write_file(name, text)
        for args in (("--format", "json", path), (path, "-f=json"), ("--format=json", "--", path)):
            done = run(*args)
            equal(done.rc, 1 if errors else 0)
            equal(done.err, "")
            rows = [json.loads(line) for line in done.out.splitlines()]
            equal(len(rows), errors + 1)
            equal(rows[-1]["level"], "summary")
            equal(rows[-1]["errors"], errors)
            for row in rows[:-1]:
                equal(set(row), {"level", "file", "line", "column", "message"})
        if errors == 0:
            equal(rows[-1]["hits"], 50)


def test_help_shows_keys():
    done = run("--help")
    check(done.rc == 0 and done.out.startswith("usage: pelt check FILE"), done.out)
    done = run("--help", "peak_load")
    check(done.rc == 0 and done.out.startswith("endpoints.peak_load: hits\n"), done.out)
    done = run("--help", "config.client.request_timeout")
    check(done.rc == 0 and "default: 60s" in done.out, done.out)
    done = run("--help", "peakload")
    equal((done.rc, done.out), (64, ""))
    check("did you mean 'peak_load'?" in done.err, done.err)
    equal(run("--reference").out, lib.read_file(os.path.join(lib.ROOT, "docs", "test-file.md")))


def test_wrong_command_lines_exit_64():
    for args in ((), ("a", "b"), ("--nonsense", "a"), ("-f", "xml", "a"), ("a", "--format")):
        done = run(*args)
        equal((done.rc, done.out), (64, ""), args)
        check(done.err.count("\n") == 1 and "pelt check --help" in done.err, done.err)


def test_files_that_cannot_be_read_are_told():
    for path, part in (("/nonexistent.yaml", "No such file"), (lib.temp_dir(), "directory")):
        done = run(path)
        equal((done.rc, done.out), (1, ""))
        check(part in done.err and path in done.err, done.err)


def test_output_that_cannot_be_written_is_told():
    path = lib.write_file("right.yaml", RIGHT)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [lib.PELT, "check", path], stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    equal(done.returncode, 74)
    check(b"No space left" in done.stderr, done.stderr)


def test_the_environment_is_seen():
    path = lib.write_file("env.yaml", RIGHT + "vars: {port: '${PELT_PORT}'}\n")
    equal(run(path, PELT_PORT="9").rc, 0)
    done = run(path)
    equal(done.rc, 1)
    check("'PELT_PORT' is neither set in the environment" in done.err, done.err)


def test_wrong_files_take_little_memory():
    """The limit is on the whole address space: the program and its libraries are about 20 MB."""
    if lib.INSTRUMENTED:
        raise lib.Skip("sanitizers take all the address space there is")
    limit = 100 << 20
    for path in sorted(glob.glob(os.path.join(lib.ROOT, "tests/testfiles/wrong/*.yaml"))):
        done = subprocess.run(
            [lib.PELT, "check", path],
            capture_output=True,
            timeout=60,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        )
        equal(done.returncode, 1, path)
        check(b": error: " in done.stderr, path, done.stderr[-300:])


def test_large_files_are_read_or_refused():
    row = "  - {url: http://127.0.0.1:9/%d, peak_load: 1hps, headers: {x: '${id}'}}\n"
    body = RIGHT + "".join(row % i for i in range(9990))
    done = run(lib.write_file("large.yaml", body))
    equal(done.rc, 0)
    check("9,991 endpoints" in done.out, done.out)
    done = run(lib.write_file("huge.yaml", RIGHT + "#" * (11 << 20)))
    equal(done.rc, 1)
    check("larger than 10 MiB" in done.err, done.err)
