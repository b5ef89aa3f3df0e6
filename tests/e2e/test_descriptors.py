"""A run whose limit on descriptors is taken away under it."""

import resource

import badserver
import lib
from badserver import Server
from lib import check, equal


def test_no_descriptor_left_during_a_run_has_its_class_and_passes():
    with Server(badserver.good) as server:
        args = ("-c", 2, "-t", 1, "-R", 100, "-d", "3s", "--no-keepalive")
        process = lib.start_load(server.url + "/", *args)
        lib.wait_until(lambda: server.requests >= 20, "the first requests")
        pid = process.child.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        # What is open stays so; poll() wants a limit of its number of descriptors.
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (4, hard))
        lib.wait_until(lambda: "no descriptor" in process.err(), "the class on stderr")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
        served = server.requests
        lib.wait_until(lambda: server.requests > served, "requests after it has passed")
        run = lib.finish_load(process)
    check(run.rc == 0, "exit code:", run)
    equal(list(run.failed()), ["descriptors"], "classes")
    check(run.ok() >= 20, "answers:", run)
