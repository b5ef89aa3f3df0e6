"""What the TLS tests share: certificates, servers that speak TLS, their books."""

import contextlib
import os
import ssl
import subprocess
import threading

import lib
from lib import check

CERTS = os.path.join(lib.ROOT, "build", "certs")


def certs(*more):
    """The directory of the certificates, made if need be."""
    script = os.path.join(lib.ROOT, "tests", "certs")
    done = subprocess.run([script, CERTS, *more], capture_output=True, check=False, text=True)
    check(done.returncode == 0, "tests/certs:", done.stderr)
    return CERTS


def cert(name):
    return os.path.join(certs(), f"{name}.pem")


def key(name):
    return os.path.join(certs(), f"{name}.key")


CA = ("--cacert", cert("ca"))


def context(name="good", level=None, **settings):
    """A server's context with that certificate; level: its security level."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if level is not None:
        made.set_ciphers(f"ALL:@SECLEVEL={level}")
        made.minimum_version = ssl.TLSVersion.TLSv1
    made.load_cert_chain(cert(name), key(name))
    for setting, value in settings.items():
        setattr(made, setting, value)
    return made


class Books:
    """What a server has counted of TLS."""

    def __init__(self):
        self.lock = threading.Lock()
        self.done = self.resumed = self.failed = 0


def over(tls_context, behave, books=None):
    """The behaviour, over TLS. The connection is closed without a close_notify, unless the
    behaviour says unwrap()."""
    books = books or Books()

    def run(conn):
        raw, number = conn.sock, conn.sock.fileno()
        conn.sock = tls_context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        with conn.server.lock:
            conn.server.socks[number] = conn.sock
        try:
            conn.sock.do_handshake()
        except OSError:
            with books.lock:
                books.failed += 1
            raise
        with books.lock:
            books.done += 1
            books.resumed += conn.sock.session_reused
        behave(conn)

    return run


def https(server):
    """The URL of a Server that speaks TLS."""
    return server.url.replace("http:", "https:") + "/"


@contextlib.contextmanager
def target(*args):
    """The built-in target over TLS. Yields as lib.target(); `url` is https, `cert` its file."""
    path = lib.temp_path("own.pem")
    own = [] if "--cert" in args else ["--save-cert", path]
    with lib.target("--tls", *own, *args) as process:
        process.url = f"https://127.0.0.1:{process.port}"
        process.cert = path
        yield process


def totals(process):
    """TLS handshakes, of these resumed, and failed ones, as the built-in target counted them. It
    must have been stopped."""
    words = process.err().rpartition("TLS handshakes: ")[2].replace(",", "").split()
    return int(words[0]), int(words[2]), int(words[4])
