"""A server that keeps state, as those do that test files are written for: sessions, items that are
made and deleted, jobs that take a while, redirects, and a chain of steps each of which wants the
key of the one before. `log` is every request with its answer, in the order in which they came."""

import collections
import gzip
import json
import threading
import time

from badserver import Server

Done = collections.namedtuple("Done", "method path query fields body status answer")

PASSWORD = "open sesame"
JOB_LOOKS = 3  # How often a job is looked at before it is done.


class StateServer(Server):
    def __init__(self, **how):
        super().__init__(self._talk, **how)
        self.log = []
        self.state_lock = threading.Lock()
        self.tokens = {}  # Token → how often it was used.
        self.items = {}  # Id → name.
        self.jobs = {}  # Id → looks.
        self.keys = collections.defaultdict(set)  # Step → keys that have not been used.
        self.made = 0

    def _talk(self, conn):
        while True:
            request = conn.request()
            path, _, query = request.target.partition("?")
            fields = {name.lower(): value for name, value in request.headers}
            pairs = dict(part.partition("=")[::2] for part in query.split("&") if part)
            if path == "/slow":
                time.sleep(float(pairs["s"]))
            if path == "/reset":
                conn.reset()
            with self.state_lock:
                status, answer, more = self._answer(request, path, pairs, fields)
                self.log.append(Done(request.method, path, pairs, fields, request.body, status,
                                     answer))
            text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            conn.respond(b"" if status == 204 else text, status=status, fields=more,
                         length=status != 204)

    def _answer(self, request, path, query, fields):
        parts = path.strip("/").split("/")
        act = getattr(self, "_" + parts[0], None)
        if act is None:
            return 200, {"path": path}, ()
        return act(request, parts[1:], query, fields)

    def _number(self):
        self.made += 1
        return self.made

    def _login(self, request, parts, query, fields):
        if json.loads(request.body).get("password") != PASSWORD:
            return 401, {"error": "who are you?"}, ()
        token = f"token-{self._number()}"
        self.tokens[token] = 0
        return 200, {"token": token}, (f"Set-Cookie: session={token}",)

    def _items(self, request, parts, query, fields):
        token = fields.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return 401, {"error": "no such token"}, ()
        self.tokens[token] += 1
        if not parts and request.method == "POST":
            number = self._number()
            self.items[number] = json.loads(request.body)["name"]
            return 201, {"id": number, "url": f"{self.url}/items/{number}"}, ()
        if not parts:
            return 200, {"items": [{"id": i, "name": n} for i, n in self.items.items()]}, ()
        if int(parts[0]) not in self.items:
            return 404, {"error": "no such item"}, ()
        if request.method == "DELETE":
            del self.items[int(parts[0])]
            return 204, None, ()
        return 200, {"id": int(parts[0]), "name": self.items[int(parts[0])]}, ()

    def _old(self, request, parts, query, fields):
        return 302, {}, (f"Location: {self.url}/new/{self._number()}",)

    def _jobs(self, request, parts, query, fields):
        if not parts:
            number = self._number()
            self.jobs[number] = 0
            return 202, {"job": number}, ()
        self.jobs[int(parts[0])] += 1
        return 200, {"done": self.jobs[int(parts[0])] >= JOB_LOOKS, "job": int(parts[0])}, ()

    def _poll(self, request, parts, query, fields):
        """Ready at the third time."""
        self.jobs["poll"] = self.jobs.get("poll", 0) + 1
        return 200, {"ready": self.jobs["poll"] >= JOB_LOOKS, "looks": self.jobs["poll"]}, ()

    def _step(self, request, parts, query, fields):
        """/step/1 needs nothing, /step/N a key of step N - 1, which is then used up."""
        step = int(parts[0])
        if step > 1:
            if query.get("key") not in self.keys[step - 1]:
                return 403, {"error": "no such key"}, ()
            self.keys[step - 1].remove(query["key"])
        key = f"key-{step}-{self._number()}"
        self.keys[step].add(key)
        return 200, {"key": key}, ()

    def _ids(self, request, parts, query, fields):
        """As many numbers as are asked for."""
        return 200, {"ids": [self._number() for _ in range(int(query.get("n", 1)))]}, ()

    def _gzip(self, request, parts, query, fields):
        body = gzip.compress(json.dumps({"plain": "text " * 100}).encode())
        return 200, body[: int(query.get("bytes", len(body)))], ("Content-Encoding: gzip",)

    def _status(self, request, parts, query, fields):
        return int(parts[0]), {"status": int(parts[0])}, ()

    def _echo(self, request, parts, query, fields):
        return 200, request.body, ()

    def of(self, path, method=None):
        """What came for paths that begin like this."""
        return [d for d in self.log if d.path.startswith(path) and method in (None, d.method)]
