"""What the tests of docs/examples share: the examples, pointed at another server and made short, and
a server that answers as the built-in target does and keeps all that it is asked for."""

import collections
import json
import os
import shutil
import threading
import time

import lib
from badserver import Server
from lib import check

DIRECTORY = os.path.join(lib.ROOT, "docs", "examples")

Came = collections.namedtuple("Came", "method path query fields headers body")


class Target(Server):
    """The paths of `pelt serve` that the examples use. `came` is every request, in the order in
    which they were read; `busy_max` how many of a path's first part were underway at once."""

    def __init__(self, **how):
        super().__init__(self._talk, **how)
        self.came = []
        self.busy = collections.Counter()
        self.busy_max = collections.Counter()
        self.own_lock = threading.Lock()

    def _talk(self, conn):
        while True:
            request = conn.request()
            path, _, query = request.target.partition("?")
            fields = {name.lower(): value for name, value in request.headers}
            part = path.split("/")[1]
            with self.own_lock:
                self.came.append(
                    Came(request.method, path, query, fields, request.headers, request.body)
                )
                self.busy[part] += 1
                self.busy_max[part] = max(self.busy_max[part], self.busy[part])
            try:
                self.answer(conn, request, path.split("/")[1:])
            finally:
                with self.own_lock:
                    self.busy[part] -= 1

    def answer(self, conn, request, parts):
        """Answers one request; a test may put another in its place."""
        if parts[0] == "echo":
            conn.respond(request.body)
        elif parts[0] == "status":
            conn.respond(b"" if parts[1] == "204" else b"ok", status=int(parts[1]))
        elif parts[0] == "bytes":
            conn.respond(b"x" * int(parts[1]))
        elif parts[0] == "delay":
            time.sleep(int(parts[1]) / 1000)
            conn.respond()
        elif parts == ["fault", "reset-before"]:
            conn.reset()
        else:
            conn.respond(status=200 if parts == [""] else 404)

    def of(self, path, method=None):
        """The requests whose path begins like this."""
        return [r for r in self.came if r.path.startswith(path) and method in (None, r.method)]

    def bodies(self, path="/echo", method=None):
        return [request.body for request in self.of(path, method)]

    def values(self, path="/echo", method=None):
        return [json.loads(body) for body in self.bodies(path, method)]


def copy(name, port, changes=()):
    """A copy of the example, and of all that it needs, that sends its requests to `port`; changes
    are pairs of a text that is in it, and what takes its place. Returns its path."""
    lib.Process.count += 1
    directory = lib.temp_path(f"examples.{lib.Process.count}")
    shutil.copytree(DIRECTORY, directory)
    path = os.path.join(directory, f"{name}.yaml")
    for root, _, files in os.walk(directory):
        for file in files:
            if file.endswith(".yaml"):
                text = lib.read_file(os.path.join(root, file)).replace(":8080", f":{port}")
                lib.write_file(os.path.relpath(os.path.join(root, file), lib.temp_dir()),
                               text.replace(":8443", f":{port}"))
    text = lib.read_file(path)
    for old, new in changes:
        check(old in text, f"{name}.yaml says nothing of {old!r}")
        text = text.replace(old, new)
    with open(path, "w") as file:
        file.write(text)
    return path


def run(name, port, *args, changes=(), rc=0, env=None):
    """Runs an example to its end; its files are written below `directory` of what is returned."""
    path = copy(name, port, changes)
    report = lib.temp_path(f"report.{lib.Process.count}.json")
    done = lib.pelt("run", path, "--json", report, *args, env=env)
    check(done.rc == rc, f"exit code {done.rc}, wanted {rc}:", done)
    lib.load_report(done, report)
    done.directory = os.path.dirname(path)
    return done


def second(*lengths):
    """Changes that make each of these lengths one second."""
    return [(f"over: {length}}}", "over: 1s}") for length in lengths]
