"""TLS: whom pelt trusts, what it makes of servers that break off, and that its books agree with
theirs."""

import os
import ssl
import time

import badserver
import lib
import tls
from badserver import Server
from lib import check, equal

FIXTURES = [  # certificate, host, class of failure (None: accepted), more options
    ("good", "localhost", None),
    ("good", "127.0.0.1", None),
    ("rsa", "localhost", None),
    ("p384", "localhost", None),
    ("ed25519", "localhost", None),
    ("intermediate", "localhost", None),
    ("revoked", "localhost", None),
    ("wronghost", "localhost", "name_mismatch"),
    ("wronghost", "127.0.0.1", "name_mismatch"),
    ("cnsan", "localhost", "name_mismatch", "--sni", "good.test"),
    ("cnonly", "localhost", "name_mismatch", "--sni", "good.test"),
    ("wildcard", "localhost", None, "--sni", "a.wild.test"),
    ("wildcard", "localhost", "name_mismatch", "--sni", "a.b.wild.test"),
    ("wildcard", "localhost", "name_mismatch", "--sni", "wild.test"),
    ("otherroot", "localhost", "unknown_issuer"),
    ("nointermediate", "localhost", "unknown_issuer"),
    ("expired", "localhost", "certificate_expired"),
    ("notyet", "localhost", "certificate_not_yet_valid"),
    ("clientonly", "localhost", "certificate_purpose"),
    ("sha1", "localhost", "weak_digest"),
    ("sha1", "localhost", None, "--seclevel", "0"),
    ("rsa1024", "localhost", "weak_key"),
    ("rsa1024", "localhost", None, "--seclevel", "0"),
    ("selfsigned", "localhost", "self_signed"),
    ("bynotca", "localhost", "certificate_invalid"),
    ("pathlen", "localhost", "certificate_invalid"),
    ("constrained", "localhost", "certificate_invalid"),
    ("san1000", "localhost", None, "--sni", "good.test"),
    ("san10000", "localhost", "too_large", "--sni", "good.test"),
]


@lib.seconds(120)
def test_every_certificate_is_accepted_or_refused_by_name():
    for name, host, why, *more in FIXTURES:
        with Server(tls.over(tls.context(name, level=0), badserver.good)) as server:
            url = f"https://{host}:{server.port}/"
            run = lib.load(url, "-c", 1, "-n", 2, *tls.CA, *more)
        what = f"{name} as {host} {more}\n{run}"
        if why is None:
            equal(run.ok(), 2, what)
            check(run.report["tls"]["verified"] is True, what)
        else:
            equal(run.failed(), {f"tls_{why}": 2}, what)
            check("TLS: " in run.out, "no words for it:", what)
            equal(server.requests, 0, f"requests in spite of it, {what}")


@lib.seconds(120)
def test_insecure_takes_every_certificate_and_says_so():
    for name in ("wronghost", "otherroot", "expired", "selfsigned", "rsa1024", "bynotca"):
        with Server(tls.over(tls.context(name, level=0), badserver.good)) as server:
            run = lib.load(tls.https(server), "-c", 1, "-n", 2, "-k", "--seclevel", "0")
        equal(run.ok(), 2, f"{name}\n{run}")
        check(run.report["tls"]["verified"] is False, run)
        check("not verified (--insecure)" in run.out, run)


def test_revoked_certificates_are_known_by_a_list():
    crl = os.path.join(tls.CERTS, "crl.pem")
    for name, wanted in (("good", {}), ("revoked", {"tls_certificate_revoked": 2}),
                         ("intermediate", {"tls_revocation_unknown": 2})):
        with Server(tls.over(tls.context(name), badserver.good)) as server:
            run = lib.load(tls.https(server), "-c", 1, "-n", 2, *tls.CA, "--crl", crl)
        equal(run.failed(), wanted, f"{name}\n{run}")


def test_the_systems_roots_are_trusted_and_no_others():
    with Server(tls.over(tls.context(), badserver.good)) as server:
        run = lib.load(tls.https(server), "-c", 1, "-n", 2)
        equal(run.failed(), {"tls_unknown_issuer": 2}, run)
        run = lib.load(tls.https(server), "-c", 1, "-n", 2, env={"SSL_CERT_FILE": tls.cert("ca")})
        equal(run.ok(), 2, run)


def test_an_ipv6_address_is_verified_as_one():
    lib.need_ipv6()
    for name, wanted in (("good", {}), ("wronghost", {"tls_name_mismatch": 2})):
        with Server(tls.over(tls.context(name), badserver.good), host="::1") as server:
            run = lib.load(tls.https(server), "-c", 1, "-n", 2, *tls.CA)
        equal(run.failed(), wanted, run)


def test_names_are_asked_for_and_addresses_are_not():
    asked = []
    settings = tls.context()
    settings.sni_callback = lambda sock, name, this: asked.append(name)
    with Server(tls.over(settings, badserver.good)) as server:
        for host, more, wanted in (
            ("localhost", [], "localhost"),
            ("127.0.0.1", [], None),
            ("127.0.0.1", ["--sni", "good.test"], "good.test"),
        ):
            run = lib.load(f"https://{host}:{server.port}/", "-c", 1, "-n", 1, *tls.CA, *more)
            equal(run.ok(), 1, run)
            equal(asked[-1], wanted, f"name asked for\n{run}")


def test_client_certificates_are_shown_and_refusals_have_names():
    settings = tls.context()
    settings.verify_mode = ssl.CERT_REQUIRED
    settings.load_verify_locations(tls.cert("ca"))
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        settings.maximum_version = version
        for name, why in (("client", None), (None, "required"), ("otherclient", "refused")):
            own = ["--cert", tls.cert(name), "--key", tls.key(name)] if name else []
            with Server(tls.over(settings, badserver.good)) as server:
                run = lib.load(tls.https(server), "-c", 1, "-n", 3, *tls.CA, *own)
            if why is None:
                equal(run.ok(), 3, run)
            else:
                equal(run.failed(), {f"tls_client_certificate_{why}": 3}, run)


def test_http_1_1_is_offered_and_h2_is_no_choice():
    for spoken, offered, wanted in (
        (["http/1.1"], [], {}),
        (None, [], {}),
        (["h2"], ["--alpn", "none"], {}),
        (["h2", "http/1.1"], ["--alpn", "h2,http/1.1"], {"tls_alpn_h2": 2}),
    ):
        settings = tls.context()
        if spoken:
            settings.set_alpn_protocols(spoken)
        with Server(tls.over(settings, badserver.good)) as server:
            run = lib.load(tls.https(server), "-c", 1, "-n", 2, *tls.CA, *offered)
        equal(run.failed(), wanted, f"{spoken}\n{run}")


def test_versions_ciphers_and_groups_are_chosen():
    with Server(tls.over(tls.context(), badserver.good)) as server:
        for options, wanted in (
            (["--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305"],
             ("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "x25519")),
            (["--ciphersuites", "TLS_AES_128_GCM_SHA256", "--groups", "P-384"],
             ("TLSv1.3", "TLS_AES_128_GCM_SHA256", "secp384r1")),
        ):
            run = lib.load(tls.https(server), "-c", 2, "-n", 4, *tls.CA, *options)
            equal(run.ok(), 4, run)
            [agreed] = run.report["tls"]["agreed"]
            equal((agreed["version"], agreed["cipher"], agreed["group"]), wanted, run)
            equal(agreed["handshakes"], run.report["tls"]["handshakes"], run)
        run = lib.load(tls.https(server), "-c", 1, "-n", 2, *tls.CA, "--tls-max", "1.1",
                       "--tls-min", "1.0")
        # A security level may leave the client no cipher for these; the server refuses them.
        check(set(run.failed()) <= {"tls_local", "tls_no_shared_version"}, run)
        equal(sum(run.failed().values()), 2, run)
    settings = tls.context()
    settings.minimum_version = ssl.TLSVersion.TLSv1_3
    with Server(tls.over(settings, badserver.good)) as server:
        run = lib.load(tls.https(server), "-c", 1, "-n", 2, *tls.CA, "--tls-max", "1.2")
        equal(run.failed(), {"tls_no_shared_version": 2}, run)


def test_files_that_are_wrong_are_named_before_the_run():
    for options, words in (
        (["--cacert", "/no/such"], "'/no/such'"),
        (["--cacert", __file__], "cannot read certificates"),
        (["--cert", tls.cert("client"), "--key", tls.key("good")], "key"),
        (["--ciphers", "nonsense"], "'nonsense'"),
        (["--groups", "nonsense"], "'nonsense'"),
    ):
        run = lib.pelt("-d", "100ms", *options, "https://127.0.0.1:9/")
        check(run.rc in (1, 64), run)
        check(words in run.err, words, run)
        check("ledger" not in run.out, "a report in spite of it:", run)


def test_what_is_not_tls_is_told_from_what_is():
    def plain(conn):
        conn.sock.recv(1000)
        conn.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    def garbage(conn):
        conn.sock.recv(1000)
        conn.send(bytes(range(255, 0, -1)))

    def closes(conn):
        conn.sock.recv(1000)

    def resets(conn):
        conn.sock.recv(1000)
        conn.reset()

    for behave, why in ((plain, "not_tls"), (garbage, "not_tls"), (closes, "handshake_closed"),
                        (resets, "reset")):
        with Server(behave) as server:
            run = lib.load(tls.https(server), "-c", 2, "-n", 4, *tls.CA)
        equal(run.failed(), {f"tls_{why}": 4}, run)
        equal(run.report["tls"]["failed"], 4, run)


def test_a_server_that_never_shakes_hands_is_a_timeout_of_its_own():
    with Server(badserver.silent) as server:
        run = lib.load(tls.https(server), "-c", 2, "-n", 4, *tls.CA, "--tls-timeout", "300ms")
    equal(run.failed(), {"tls_timeout": 4}, run)
    check(run.seconds >= 0.6, "too early:", run)


def test_connections_that_fail_do_not_touch_the_others():
    def broken(conn):
        conn.sock.recv(1000)
        conn.send(b"\x15\x03\x03\x00\x02\x02\x28" if conn.number % 4 else b"no TLS at all")

    good = tls.over(tls.context(), badserver.good)
    with Server(badserver.every_other(good, broken)) as server:
        run = lib.load(tls.https(server), "-c", 16, "-d", "2s", "-t", 1, *tls.CA, "--ids")
    check(set(run.failed()) <= {"tls_no_shared_cipher", "tls_not_tls"}, run)
    check(run.ok() > 0 and sum(run.failed().values()) > 0, run)
    equal(run.ok() + run.report["ledger"]["cut_off"], server.requests, f"requests\n{run}")


FRAMINGS = {
    "length": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    "chunked": b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"5\r\nhello\r\n0\r\n\r\n",
    "close": b"HTTP/1.1 200 OK\r\n\r\nhello",
}


def test_a_close_without_notice_counts_and_spoils_only_what_it_could_cut():
    for name, data in FRAMINGS.items():
        for clean in (True, False):
            def answer(conn, request, data=data, clean=clean):
                conn.send(data)
                if clean:
                    conn.sock.unwrap()

            behave = tls.over(tls.context(), badserver.once(answer))
            with Server(behave) as server:
                run = lib.load(tls.https(server), "-c", 2, "-n", 6, "-t", 1, *tls.CA)
            what = f"{name}, {'clean' if clean else 'unclean'}\n{run}"
            unclean = run.report["tls"]["unclean_closes"]
            # The run may be over before its last connections have ended.
            check(unclean == 0 if clean else 4 <= unclean <= 6, "unclean closes:", unclean, what)
            if name == "close" and not clean:
                equal(run.failed(), {"incomplete": 6}, what)
            else:
                equal(run.ok(), 6, what)


def test_a_body_that_is_cut_off_is_incomplete():
    def answer(conn, request):
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50000)
        conn.sock.unwrap()

    with Server(tls.over(tls.context(), badserver.once(answer))) as server:
        run = lib.load(tls.https(server), "-c", 2, "-n", 6, *tls.CA)
    equal(run.failed(), {"incomplete": 6}, run)


def test_the_handshake_may_be_cut_anywhere():
    """A relay in front of a good server, which ends the connection after so many bytes."""
    with tls.target() as target:
        for cut in (0, 1, 5, 100, 200, 700):
            def relay(conn, cut=cut):
                with lib.socket.create_connection(("127.0.0.1", target.port)) as there:
                    there.settimeout(10)
                    there.sendall(conn.sock.recv(4096))
                    data = b""
                    while len(data) < cut:
                        data += there.recv(4096)
                    conn.send(data[:cut])
                conn.sock.shutdown(lib.socket.SHUT_WR)
                conn.wait_closed()

            with Server(relay) as server:
                run = lib.load(tls.https(server), "-c", 1, "-n", 2, "--cacert", target.cert)
            equal(run.failed(), {"tls_handshake_closed": 2}, f"cut after {cut}\n{run}")


def test_one_byte_at_a_time_is_as_good_as_all_at_once():
    """A relay that hands every byte on by itself."""
    with tls.target() as target:
        def relay(conn):
            there = lib.socket.create_connection(("127.0.0.1", target.port))
            lib_select = badserver.select.select
            with there:
                while True:
                    ready, _, _ = lib_select([conn.sock, there], [], [], 10)
                    for sock in ready:
                        data = sock.recv(65536)
                        if not data:
                            return
                        other = there if sock is conn.sock else conn.sock
                        for byte in data:
                            other.sendall(bytes([byte]))

        with Server(relay) as server:
            run = lib.load(tls.https(server) + "bytes/3000", "-c", 2, "-n", 10, "--cacert",
                           target.cert)
    equal(run.ok(), 10, run)


def test_bodies_of_all_kinds_go_through():
    with tls.target() as target:
        for path, size in (("/", 2), ("/bytes/0", 0), ("/bytes/100", 100), ("/bytes/16384", 16384),
                           ("/bytes/3000000", 3000000), ("/chunked/100000", 100000)):
            run = lib.load(target.url + path, "-c", 3, "-n", 12, "--cacert", target.cert)
            equal(run.ok(), 12, f"{path}\n{run}")
            check(run.report["bytes"]["received"] >= 12 * size, path, run)
        body = lib.write_file("body", os.urandom(700000))
        run = lib.load(target.url + "/echo", "-c", 3, "-n", 12, "--cacert", target.cert,
                       "--body-file", body)
        equal(run.ok(), 12, run)
        check(run.report["bytes"]["received"] >= 12 * 700000, run)


def test_ids_are_the_servers_over_tls_too():
    log = lib.temp_path("ids")
    with tls.target("--log-ids", log) as target:
        run = lib.load(target.url + "/", "-c", 8, "-d", "1s", "--cacert", target.cert, "--ids")
        target.stop()
    lines = lib.read_file(log).splitlines()
    equal(len(lines), run.ok() + run.report["ledger"]["cut_off"], f"answers\n{run}")
    equal(len(set(lines)), len(lines), "ids used twice")


def test_a_rate_is_kept_over_tls():
    with tls.target() as target:
        run = lib.load(target.url + "/", "-c", 8, "-R", 500, "-d", "2s", "--cacert", target.cert)
    equal(run.report["ledger"]["due"], 1000, run)
    equal(run.ok(), 1000, run)
    check("handshake_full" in run.report["phases_us"], run)


@lib.seconds(60)
def test_more_connections_than_the_queue_has_places_end_in_time():
    with tls.target() as target:
        run = lib.load(target.url + "/", "-t", 1, "-c", 2100, "-R", 2000, "-d", "3s", "--insecure")
    equal(run.report["ledger"]["due"], 6000, run)
    equal(run.report["connections"]["opened"], 2100, run)


def handshakes(run):
    report = run.report["tls"]
    return report["handshakes"], report["resumed"]


def test_resumed_handshakes_are_counted_as_the_server_counts_them():
    for options, low, high in (
        (["--tls-resume", "tickets"], 0.8, 1.0),
        (["--tls-resume", "full"], 0.0, 0.0),
        (["--tls-resume", "mix:50%"], 0.35, 0.51),
        (["--tls-max", "1.2"], 0.8, 1.0),
        (["--tls-max", "1.2", "--tls-resume", "full"], 0.0, 0.0),
    ):
        with tls.target() as target:
            run = lib.load(target.url + "/", "-c", 4, "-n", 200, "--no-keepalive", "--cacert",
                           target.cert, *options)
            target.stop()
        done, resumed, failed = tls.totals(target)
        ours, ours_resumed = handshakes(run)
        equal(run.ok(), 200, run)
        # The end of the run finds handshakes that one side only has completed.
        what = f"{options}: ours, and the server's {done}, {resumed}, {failed}\n{run}"
        check(abs(ours - done) <= 4 and abs(ours_resumed - resumed) <= 4 and failed == 0, what)
        check(low <= ours_resumed / ours <= high, options, run)
        phases = run.report["phases_us"]
        equal(phases.get("handshake_resumed", {}).get("count", 0), ours_resumed, run)
        equal(phases.get("handshake_full", {}).get("count", 0), ours - ours_resumed, run)


def test_handshakes_of_kept_connections_are_exactly_the_servers():
    with tls.target("--max-requests-per-connection", 50) as target:
        run = lib.load(target.url + "/", "-c", 4, "-t", 1, "-n", 1010, "--cacert", target.cert)
        target.stop()
    equal(run.ok(), 1010, run)
    check(handshakes(run)[0] >= 21, run)
    equal(handshakes(run), tls.totals(target)[:2], run)


def test_a_server_without_tickets_gets_full_handshakes():
    with tls.target("--no-tickets") as target:
        run = lib.load(target.url + "/", "-c", 4, "-n", 40, "--no-keepalive", "--cacert",
                       target.cert)
        target.stop()
    equal(run.ok(), 40, run)
    equal(tls.totals(target)[1], 0, run)
    equal(handshakes(run)[1], 0, run)


def test_threads_of_the_target_are_one_server():
    with tls.target("--threads", 2) as target:
        run = lib.load(target.url + "/", "-c", 4, "-n", 100, "--no-keepalive", "--cacert",
                       target.cert)
        target.stop()
    equal(run.ok(), 100, run)
    check(abs(handshakes(run)[1] - tls.totals(target)[1]) <= 4, run)
    check(handshakes(run)[1] > 50, run)


def test_the_target_says_goodbye_and_the_client_too():
    with tls.target() as target:
        run = lib.load(target.url + "/close", "-c", 4, "-n", 40, "--cacert", target.cert)
        equal(run.ok(), 40, run)
        equal(run.report["tls"]["unclean_closes"], 0, run)
        run = lib.load(target.url.replace("https", "http") + "/", "-c", 2, "-n", 4)
        equal(sum(run.failed().values()), 4, run)
        target.stop()
    check(tls.totals(target)[2] >= 4, "plain HTTP was not counted as failed:", target)


def test_https_goes_through_a_proxys_tunnel():
    """A proxy that knows CONNECT, and nothing else."""
    seen = []

    def relay(one, other):
        while True:
            ready, _, _ = badserver.select.select([one, other], [], [], 20)
            for sock in ready:
                data = sock.recv(65536)
                if not data:
                    return
                (other if sock is one else one).sendall(data)

    def proxy(conn):
        request = conn.request()
        seen.append((request.method, request.target))
        host, _, port = request.target.rpartition(":")
        with lib.socket.create_connection((host, int(port))) as there:
            conn.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            relay(conn.sock, there)

    with tls.target() as target, Server(proxy) as server:
        run = lib.load(target.url + "/", "-c", 2, "-n", 20, "--cacert", target.cert, "--proxy",
                       server.url)
        equal(run.ok(), 20, run)
        equal(set(seen), {("CONNECT", f"127.0.0.1:{target.port}")}, run)


def test_an_open_connection_survives_an_end_of_the_run():
    with tls.target() as target:
        process = lib.start_load(target.url + "/", "-c", 4, "-d", "60s", "--cacert", target.cert)
        time.sleep(1)
        process.signal(lib.signal.SIGINT)
        run = lib.finish_load(process)
    equal(run.rc, 130, run)
    equal(run.failed(), {}, run)
