"""The servers that clients are measured against, each pinned to one core and stopped at the end.

Both answer the same paths, so that a scenario can be run against either:
/ (2 bytes), /bytes/16384, /bytes/1048576, /close (answers and closes). Over TLS both show the same
P-256 certificate, made for the occasion.
"""

import contextlib
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

import machine

READY_S = 10
STOP_S = 10
PORTS_TRIED = 100

_NGINX_CONF = """
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
{user}
worker_rlimit_nofile {files};
events {{ worker_connections 8192; }}
http {{
    access_log off;
    default_type text/plain;
    sendfile on;
    open_file_cache max=16;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{
        listen 127.0.0.1:{port}{tls};
        root {dir}/www;
        location = / {{ return 200 "ok"; }}
        location = /close {{ keepalive_timeout 0; return 200 "ok"; }}
        location / {{ }}
    }}
}}
"""


def free_port(first):
    """The first port from `first` on that nothing listens on."""
    for port in range(first, first + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise machine.BenchError(f"no free port in {first}..{first + PORTS_TRIED - 1}")


def scratch_dir():
    """A new directory under build/ for one server or one run."""
    root = os.path.join("build", "bench")
    os.makedirs(root, exist_ok=True)
    path = os.path.abspath(tempfile.mkdtemp(dir=root))
    os.chmod(path, 0o755)  # A server that drops its privileges must be able to read it.
    return path


def make_certificate(scratch):
    """A P-256 certificate for 127.0.0.1 and its key: two files."""
    cert, key = os.path.join(scratch, "cert.pem"), os.path.join(scratch, "key.pem")
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "10", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", cert], capture_output=True, check=False, text=True)
    if made.returncode != 0:
        raise machine.BenchError(f"openssl: {made.stderr[-300:]}")
    return cert, key


class Server:
    """A running server: `url`, `pids` (all of its processes), `name`, and whether it lives."""

    def __init__(self, name, command, port, scratch, tls=False):
        self.name, self.port, self._scratch, self._tls = name, port, scratch, tls
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{port}"
        self.command = " ".join(command)
        self._log_path = os.path.join(scratch, "server.log")
        with open(self._log_path, "wb") as log:
            try:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                                 stdout=log, stderr=log)
            except OSError as error:
                shutil.rmtree(scratch, ignore_errors=True)
                raise machine.BenchError(f"{name}: {command[0]}: {error.strerror}") from error
        try:
            self._await_ready()
            self.pids = machine.process_tree(self._process.pid)
        except BaseException:
            self.stop()
            raise

    def _connection(self):
        if not self._tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=1, context=trusting)

    def _await_ready(self):
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            self.check_alive()
            connection = self._connection()
            try:
                connection.request("GET", "/")
                if connection.getresponse().status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.02)
        raise machine.BenchError(f"{self.name}: not ready after {READY_S} s: {self.command}")

    def check_alive(self):
        """BenchError with the end of the server's log if it has gone."""
        if self._process.poll() is None:
            return
        with open(self._log_path, errors="replace") as log:
            tail = log.read()[-500:].strip()
        raise machine.BenchError(f"{self.name}: server ended with status "
                                 f"{self._process.returncode}: {self.command}: {tail}")

    def stop(self):
        """Asks it to end, kills it if it does not, and takes its directory away."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def start_pelt(pelt, port, cpu, extra=(), tls=None):
    """`pelt serve`, one thread on core `cpu`."""
    scratch = scratch_dir()
    command = ["taskset", "-c", str(cpu), pelt, "serve", "--port", str(port), "--cpu", str(cpu),
               "--quiet", *extra]
    if tls:
        cert, key = make_certificate(scratch)
        command += ["--tls", "--cert", cert, "--key", key]
        command += ["--no-tickets"] if tls == "no-tickets" else []
    return Server("pelt serve", command, port, scratch, bool(tls))


def _nginx_tls(scratch, tls):
    """What stands behind `listen ADDRESS`, and the directives that go with it."""
    if not tls:
        return ""
    cert, key = make_certificate(scratch)
    tickets = "off" if tls == "no-tickets" else "on"
    return (f" ssl backlog=4096; ssl_certificate {cert}; ssl_certificate_key {key}; "
            f"ssl_session_tickets {tickets}; ssl_protocols TLSv1.3")


def start_nginx(port, cpu, tls=None):
    """nginx with one worker on core `cpu`, its configuration and files its own."""
    scratch = scratch_dir()
    os.makedirs(os.path.join(scratch, "www", "bytes"))
    for size in (16384, 1048576):
        with open(os.path.join(scratch, "www", "bytes", str(size)), "wb") as file:
            file.write(b"x" * size)
    conf = os.path.join(scratch, "nginx.conf")
    with open(conf, "w") as file:
        file.write(_NGINX_CONF.format(dir=scratch, port=port, files=16384,
                                      tls=_nginx_tls(scratch, tls) or " backlog=4096",
                                      user="user root;" if os.geteuid() == 0 else ""))
    # Debian keeps nginx where an ordinary user's PATH does not look.
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    command = ["taskset", "-c", str(cpu), nginx, "-p", scratch, "-c", conf]
    return Server("nginx", command, port, scratch, bool(tls))


def start(kind, pelt, port_first, cpu, extra=(), tls=None):
    """Starts a server of `kind` ("pelt" or "nginx") on a free port; `tls` is None (none),
    "tickets" or "no-tickets"."""
    port = free_port(port_first)
    if kind == "nginx":
        return start_nginx(port, cpu, tls)
    return start_pelt(pelt, port, cpu, extra, tls)
