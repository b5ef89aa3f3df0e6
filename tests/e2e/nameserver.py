"""A name server of a test's own, in a network namespace of its own."""

import contextlib
import socket
import struct
import subprocess
import threading

import lib


def nameserver():
    """The first name server of this machine's resolver, if it is an IPv4 address."""
    for line in lib.read_file("/etc/resolv.conf").splitlines():
        words = line.split()
        if words[:1] == ["nameserver"] and words[1].count(".") == 3:
            return words[1]
    raise lib.Skip("no IPv4 name server in /etc/resolv.conf")


def answer_to(query, addresses):
    """A DNS answer (RFC 1035 section 4) with these A records to a query of one question."""
    end = query.index(b"\0", 12) + 5
    question, is_a = query[12:end], query[end - 4:end - 2] == b"\0\1"
    records = addresses if is_a else []
    head = query[:2] + struct.pack(">HHHHH", 0x8180, 1, len(records), 0, 0)
    body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(address)
                    for address in records)
    return head + question + body


@contextlib.contextmanager
def name_server(answer):
    """A name server of this network namespace's own: `answer(query)` is its answer, None is
    silence. Yields the list of queries."""
    address = nameserver()
    ip = lib.need_tool("ip")
    if not address.startswith("127."):
        subprocess.run([ip, "address", "add", address + "/32", "dev", "lo"], check=True)
    queries = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, 53))
        sock.settimeout(0.1)
        over = threading.Event()

        def serve():
            while not over.is_set():
                try:
                    query, peer = sock.recvfrom(4096)
                except socket.timeout:
                    continue
                queries.append(query)
                text = answer(query)
                if text is not None:
                    sock.sendto(text, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield queries
        finally:
            over.set()
            thread.join()


RESOLVER = {"RES_OPTIONS": "timeout:1 attempts:1"}
