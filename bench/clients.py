"""The tools: their command lines, what their output says, and one timed run of one of them.

CPU time is computed the same way for every tool: user and system time of the whole process from
wait4(2), start-up and end included, divided by the requests it says were answered. Requests per
second use the tool's own duration, once that agrees with the wall time to 5 %; when it does not,
the wall time is used and the cell says so.
"""

import json
import os
import re
import resource
import shutil
import subprocess
import tempfile
import threading

import machine

DURATION_AGREES = 0.05
PAUSE_S = 0.2  # Between cells: rings and sockets are torn down after a process has ended.

_HERE = os.path.dirname(os.path.abspath(__file__))


def installed(tool, pelt):
    """Whether `tool` can be run, and is what it is called: pelt in wrk's place is no wrk."""
    if tool == "pelt":
        return os.access(pelt, os.X_OK)
    if shutil.which(tool) is None:
        return False
    return tool != "wrk" or "wrk pelt/" not in machine.output_of([tool, "-v"])


def raise_descriptor_limit():
    """Soft limit up to the hard one, for us and all that we start."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _wrk_command(case, url, seconds, program="wrk"):
    command = [program, "-t1", f"-c{case.connections}", f"-d{seconds}s"]
    if program == "wrk2":
        command.append("-R10M")  # It must have a rate: one that cannot be reached.
    if case.close:
        command += ["-H", "Connection: close"]
    if case.pipeline > 1:
        return command + ["-s", os.path.join(_HERE, "pipeline.lua"), url, str(case.pipeline)]
    return command + [url]


def _h2load_command(case, url, seconds):
    if case.close:
        return None  # It has no mode with a connection per request.
    depth = ["-m", str(case.pipeline)] if case.pipeline > 1 else []
    return ["h2load", "--h1", "-t1", f"-c{case.connections}", *depth, "-D", str(seconds), url]


def _pelt_command(case, url, seconds, pelt, json_path):
    command = [pelt, "-t1", f"-c{case.connections}", f"-d{seconds}s", "--json", json_path,
               "--quiet", *case.pelt_options]
    if case.close:
        command.append("--no-keepalive")
    if case.pipeline > 1:
        command += ["--pipeline", str(case.pipeline)]
    return command + [url]


def _read_wrk(text):
    total = re.search(r"(\d+) requests in ", text)
    rate = re.search(r"Requests/sec: +([\d.]+)", text)
    if not total or not rate:
        raise machine.BenchError(f"wrk: output not understood: {text[-300:]}")
    # "in 2.10s" is rounded to 10 ms; the rate carries the exact duration.
    requests, per_s = int(total[1]), float(rate[1])
    socket_errors = re.search(r"Socket errors: (.*)", text)
    bad_status = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = sum(int(word) for word in re.findall(r"\d+", socket_errors[1])) if socket_errors else 0
    errors += int(bad_status[1]) if bad_status else 0
    return {"requests": requests, "duration_s": requests / per_s if per_s else 0.0,
            "errors": errors}


def _read_h2load(text):
    match = re.search(r"finished in ([\d.]+)(s|ms), ([\d.]+) req/s", text)
    counts = re.search(r"requests: (\d+) total, .*, (\d+) done, (\d+) succeeded, (\d+) failed",
                       text)
    if not match or not counts:
        raise machine.BenchError(f"h2load: output not understood: {text[-300:]}")
    duration = float(match[1]) / (1000 if match[2] == "ms" else 1)
    return {"requests": int(counts[2]), "duration_s": duration, "errors": int(counts[4])}


def _read_pelt(report):
    ledger = report["ledger"]
    answered = sum(count for status, count in report["status"].items() if status < "4")
    return {
        "requests": ledger["ok"],
        "duration_s": report["duration_s"],
        "per_s": report["rate"]["achieved_per_s"],
        "errors": sum(ledger["failed"].values()) + ledger["ok"] - answered
                  + (0 if ledger["closes"] else 1),
        "report": report,
    }


def _spawn_and_wait(command, limit_s):
    """Runs `command` to its end; its output, exit status and rusage. Killed after `limit_s`."""
    with tempfile.TemporaryFile() as out:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT)
        except OSError as error:
            raise machine.BenchError(f"{command[0]}: {error.strerror}") from error
        watchdog = threading.Timer(limit_s, process.kill)
        watchdog.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)  # Already reaped: tell Popen.
        out.seek(0)
        return out.read().decode(errors="replace"), process.returncode, usage


def timed(command, server, cpus, limit_s):
    """Runs `command` on cpus["client"] to its end: its output, and the figures that are the same
    for every tool. `server` (None: there is none) must live on. BenchError unless it exits 0."""
    pinned = ["taskset", "-c", str(cpus["client"]), *command]
    window = machine.Window(cpus.values(), server.pids if server else [])
    text, status, usage = _spawn_and_wait(pinned, limit_s)
    if server:
        server.check_alive()
    cpu_s = usage.ru_utime + usage.ru_stime
    cell = window.close(cpu_s)
    cell.update(cpu_s=cpu_s, user_s=usage.ru_utime, command=" ".join(pinned))
    if status != 0:
        raise machine.BenchError(f"exit status {status}: {' '.join(pinned)}: {text[-400:].strip()}")
    return text, cell


def run_pelt(command_of, server, cpus, limit_s):
    """Runs the command that `command_of(path of the JSON report)` gives; figures with "report"."""
    os.makedirs(os.path.join("build", "bench"), exist_ok=True)
    handle, path = tempfile.mkstemp(suffix=".json", dir=os.path.join("build", "bench"))
    os.close(handle)
    try:
        command = command_of(path)
        text, cell = timed(command, server, cpus, limit_s)
        try:
            with open(path) as file:
                report = json.load(file)
            cell.update(_read_pelt(report))
        except (ValueError, KeyError) as error:
            raise machine.BenchError(f"pelt: report not understood ({error!r}): "
                                     f"{' '.join(command)}: {text[-300:]}") from error
        return cell
    finally:
        os.unlink(path)


def run(tool, case, server, cpus, seconds, pelt):
    """One cell: `tool` against `server` for `seconds`. `cpus` is {"client": n, "server": n}.
    Returns the cell's figures, or None if the tool has no such mode."""
    url = server.url + case.path
    limit_s = 3 * seconds + 20
    if tool == "pelt":
        cell = run_pelt(lambda path: _pelt_command(case, url, seconds, pelt, path), server, cpus,
                        limit_s)
    else:
        if tool == "h2load":
            command = _h2load_command(case, url, seconds)
        else:
            command = _wrk_command(case, url, seconds, tool)
        if command is None:
            return None
        text, cell = timed(command, server, cpus, limit_s)
        cell.update(_read_h2load(text) if tool == "h2load" else _read_wrk(text))
    return _derive(tool, cell)


def _derive(tool, cell):
    requests, wall_s = cell["requests"], cell["wall_s"]
    if requests == 0:
        raise machine.BenchError(f"{tool}: nothing answered: {cell['command']}")
    own_s = cell["duration_s"]
    cell["duration_disputed"] = abs(own_s - wall_s) > DURATION_AGREES * wall_s
    span_s = wall_s if cell["duration_disputed"] else own_s
    per_s = requests / span_s
    # A tool's own rate may leave out what was answered after the end; more than it must not.
    if not cell["duration_disputed"] and "per_s" in cell:
        cell["duration_disputed"] = abs(cell["per_s"] - per_s) > DURATION_AGREES * per_s
        per_s = per_s if cell["duration_disputed"] else cell["per_s"]
    cell["requests_per_s"] = per_s
    cell["cpu_us"] = cell["cpu_s"] / requests * 1e6
    cell["user_us"] = cell["user_s"] / requests * 1e6
    cell["server_busy"] = min(cell["server_cpu_s"] / span_s, 1.0)
    cell["client_busy"] = min(cell["cpu_s"] / span_s, 1.0)
    cell["tool"] = tool
    return cell
