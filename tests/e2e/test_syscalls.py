"""Each system call of three short runs fails once, with an error that it may return: no crash, no
hang, and success only where everything was measured and written."""

import concurrent.futures
import json
import os
import subprocess

import lib
from lib import check

HANGS_S = 30
FAILCALL = os.path.join(lib.TOOLS, "failcall")
CANNOT_TRACE = 77
REQUESTS = 50


def run_once(command, number, variant, name):
    """One run in which the `number`-th call fails. Returns what failed ("none": the run made
    fewer), and what is wrong with how it ended, or ""."""
    log = lib.temp_path(f"{name}.log")
    command = [FAILCALL, str(number), str(variant), log, lib.PELT, *command]
    try:
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=HANGS_S, check=False)
    except subprocess.TimeoutExpired:
        return lib.read_file(log).strip(), "hangs"
    out, err = (stream.decode(errors="replace") for stream in (run.stdout, run.stderr))
    if run.returncode == CANNOT_TRACE or not os.path.exists(log):
        raise lib.Skip(f"no system call can be made to fail here: {err.strip()}")
    what = lib.read_file(log).strip()
    if run.returncode < 0:
        return what, f"killed by signal {-run.returncode}: {err.strip()[-300:]}"
    if run.returncode == 70:
        return what, f"the ledger does not close: {out}"
    if run.returncode != 0:
        return what, "" if err.strip() else f"exit {run.returncode} without a word"
    return what, false_success(command, out)


def false_success(command, out):
    """What a run that ended with 0 did not write down, or ""."""
    try:
        path = command[command.index("--json") + 1] if "--json" in command else None
        report = json.loads(lib.read_file(path) if path and path != "-" else out)
        lib.assert_ledger_closes(report)
        check(report["ledger"]["started"] == REQUESTS, "not all requests were made")
        check(path == "-" or "closes" in out, "no text report")
    except (OSError, ValueError, lib.Failed) as error:
        return f"exit 0, and yet: {error!r}: {out[-300:]!r}"
    return ""


def fail_each(name, *options):
    """Fails every call of a run with these options, each with both of its errors."""
    if lib.INSTRUMENTED:
        raise lib.Skip("an instrumented build, whose own calls would fail")
    wrong, tried = [], set()
    with lib.target() as server:
        url = server.url + "/"

        def lane(first, step):
            """Every step-th call."""
            number = first
            json_path = lib.temp_path(f"{name}.{first}.json")
            command = [*options, "-t", "1", "-c", "4", "-n", str(REQUESTS), "-T", "2s", url]
            command = [json_path if word == "FILE" else word for word in command]
            while True:
                whats = set()
                for variant in (0, 1):
                    if json_path in command and os.path.exists(json_path):
                        os.unlink(json_path)
                    what, problem = run_once(command, number, variant, f"{name}.{first}")
                    whats.add(what)
                    if problem:
                        wrong.append(f"{number}: {what}: {problem}")
                tried.update(whats)
                if whats == {"none"}:
                    return
                number += step

        lanes = 4
        with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
            for done in [pool.submit(lane, 1 + i, lanes) for i in range(lanes)]:
                done.result()
    print(f"{len(tried) - 1} different failures")
    check(len(tried) > 40, "hardly anything failed:", tried)
    check(not wrong, f"{len(wrong)} ended wrongly:\n" + "\n".join(sorted(wrong)))


@lib.seconds(180)
def test_each_call_of_a_run_on_io_uring_fails_once():
    fail_each("uring", "--io", "auto", "--json", "-")


@lib.seconds(180)
def test_each_call_of_a_run_on_epoll_fails_once():
    fail_each("epoll", "--io", "epoll", "--json", "-")


@lib.seconds(180)
def test_each_call_of_a_run_with_a_json_file_fails_once():
    fail_each("file", "--json", "FILE")
