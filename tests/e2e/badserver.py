"""A scripted server, well-behaved or not, that keeps its own books.

A behaviour is a function of one Conn, run in a thread of its own for each connection; when it
returns the connection is closed. The books (requests, connections, most connections open at
once, answers by status, request ids) are what the tests hold pelt's report against.
"""

import collections
import select
import socket
import struct
import threading
import time

Request = collections.namedtuple("Request", "method target version headers body")


class Gone(Exception):
    """The peer has closed or reset the connection."""


class Conn:
    def __init__(self, server, sock, number):
        self.server = server
        self.sock = sock
        self.number = number  # From 0, in the order of acceptance.
        self.requests = 0
        self.buffer = b""

    def head(self):
        """The next request's head, not counted; what came behind it is in the buffer."""
        while b"\r\n\r\n" not in self.buffer:
            self._read()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head.decode("latin-1")

    def request(self):
        """The next request, counted; raises Gone if the peer ends the connection first."""
        lines = self.head().split("\r\n")
        method, path, version = lines[0].split(" ")
        headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
        length = int(dict((n.lower(), v) for n, v in headers).get("content-length", 0))
        while len(self.buffer) < length:
            self._read()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        request = Request(method, path, version, headers, body)
        self.requests += 1
        self.server.count_request(request, self.requests)
        return request

    def _read(self):
        data = self.sock.recv(65536)
        if not data:
            raise Gone
        self.buffer += data

    def send(self, data):
        self.sock.sendall(data)

    def respond(self, body=b"ok", status=200, fields=(), version="HTTP/1.1", length=True):
        """A whole response, counted as an answer of that status."""
        head = f"{version} {status} Text\r\n"
        if length:
            head += f"Content-Length: {len(body)}\r\n"
        head += "".join(f"{field}\r\n" for field in fields)
        self.server.count_answer(status)
        self.send(head.encode("latin-1") + b"\r\n" + body)

    def count_answer(self, status=200):
        self.server.count_answer(status)

    def reset(self):
        """Ends the connection with a reset instead of an orderly close."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.server.close_sock(self.sock)
        raise Gone

    def close_write(self):
        """An orderly end of what we send; still reads."""
        self.sock.shutdown(socket.SHUT_WR)

    def wait_closed(self):
        """Until the peer ends the connection, whatever it still sends."""
        while True:
            self._read()


class Server:
    """Serves from creation until the end of its `with` block, or until stop()."""

    def __init__(self, behave, host="127.0.0.1", port=0, backlog=1024):
        self.behave = behave
        self.host = host
        self.lock = threading.Lock()
        self.socks = {}
        self.connections = 0
        self.open_max = 0
        self.requests = 0
        self.uses_max = 0  # Most requests on one connection.
        self.peers = collections.Counter()  # Connections by the address that they came from.
        self.seen = []  # The first requests, whole.
        self.ids = []
        self.answers = collections.Counter()
        self.stopped = False
        self.is_unix = host.startswith("/")  # The path of a unix socket.
        if self.is_unix:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(host)
        else:
            self.listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((host, port))
        self.listener.listen(backlog)
        self.port = 0 if self.is_unix else self.listener.getsockname()[1]
        self.url = f"http://{'[' + host + ']' if ':' in host else host}:{self.port}"
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Stops listening and ends every connection."""
        self.stopped = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join()
        self.listener.close()
        with self.lock:
            for sock in self.socks.values():
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self):
        while not self.stopped:
            try:
                sock, peer = self.listener.accept()
            except OSError:
                return
            if not self.is_unix:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.peers[peer[0] if peer else ""] += 1
                conn = Conn(self, sock, self.connections)
                self.connections += 1
                self.socks[sock.fileno()] = sock
                self._count_open()
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _count_open(self):
        # Connections whose end has reached this machine's kernel do not count, whether their
        # thread has noticed or not: all that are counted were open at this very moment.
        poll = select.poll()
        for fd in self.socks:
            poll.register(fd, select.POLLRDHUP)
        gone = len(poll.poll(0))
        self.open_max = max(self.open_max, len(self.socks) - gone)

    def _serve(self, conn):
        try:
            self.behave(conn)
        except (Gone, OSError):
            pass
        self.close_sock(conn.sock)

    def close_sock(self, sock):
        with self.lock:
            if sock.fileno() >= 0:
                del self.socks[sock.fileno()]
                sock.close()

    def open_now(self):
        with self.lock:
            return len(self.socks)

    def count_request(self, request, uses):
        with self.lock:
            self.requests += 1
            self.uses_max = max(self.uses_max, uses)
            if len(self.seen) < 1000:
                self.seen.append(request)
            for name, value in request.headers:
                if name.lower() == "x-request-id":
                    self.ids.append(value)

    def count_answer(self, status):
        with self.lock:
            self.answers[status] += 1


# Behaviours. The first are proper servers.


def each(answer):
    """Answers one request after the other on each connection by answer(conn, request)."""

    def behave(conn):
        while True:
            answer(conn, conn.request())

    return behave


def once(answer):
    """The same for the first request of a connection; then closes it."""

    def behave(conn):
        answer(conn, conn.request())

    return behave


good = each(lambda conn, request: conn.respond())


def says(data, status=None):
    """Answers each request with these bytes; with a status they count as an answer."""

    def answer(conn, request):
        if status:
            conn.count_answer(status)
        conn.send(data)

    return each(answer)


def says_and_closes(data, status=None):
    """Answers the first request with these bytes and closes."""

    def answer(conn, request):
        if status:
            conn.count_answer(status)
        conn.send(data)

    return once(answer)


def says_and_waits(data):
    """Answers the first request with these bytes and leaves the rest to the client."""

    def answer(conn, request):
        conn.send(data)
        conn.wait_closed()

    return once(answer)


def says_and_resets(data):
    """Answers the first request with these bytes, lets them arrive, and resets."""

    def answer(conn, request):
        if data:
            conn.send(data)
            time.sleep(0.05)
        conn.reset()

    return once(answer)


def resets_at_once(conn):
    conn.reset()


def silent(conn):
    """Takes requests, never says a word."""
    conn.wait_closed()


def closes_after(count):
    """Answers so many requests on a connection, saying with the last that it is."""

    def behave(conn):
        for left in reversed(range(count)):
            conn.request()
            conn.respond(fields=["Connection: close"] if left == 0 else [])

    return behave


def hangs_up_after(count):
    """Answers so many requests on a connection and closes it without having said so."""

    def behave(conn):
        for _ in range(count):
            conn.request()
            conn.respond()

    return behave


def slow(delay_s):
    """A first byte that takes its time."""

    def answer(conn, request):
        time.sleep(delay_s)
        conn.respond()

    return each(answer)


def drips(data, pause_s):
    """One byte at a time, for ever if `data` repeats."""

    def answer(conn, request):
        for byte in data:
            conn.send(bytes([byte]))
            time.sleep(pause_s)

    return each(answer)


def endless(start, piece):
    """The start of a response, then the same piece for as long as the client takes it."""

    def answer(conn, request):
        conn.send(start)
        while True:
            conn.send(piece)

    return each(answer)


def every_other(first, second):
    """Connections take turns in two behaviours."""
    return lambda conn: (first if conn.number % 2 == 0 else second)(conn)
