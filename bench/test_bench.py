#!/usr/bin/env python3
"""Tests of the benchmarks' own arithmetic: laws against brute force, readers against what the
tools print, voiding, and the writer of RESULTS.md. Nothing here depends on timing."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import clients
import laws
import machine
import results

WRK = """Running 2s test @ http://127.0.0.1:18200/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   226.66us  123.28us   3.37ms   94.31%
    Req/Sec   241.71k     4.07k  245.52k    90.48%
  504872 requests in 2.10s, 72.22MB read
Requests/sec: 240416.21
Transfer/sec:     34.39MB
"""

WRK_BAD = WRK.replace("Requests/sec", """  Socket errors: connect 0, read 3, write 0, timeout 4
  Non-2xx or 3xx responses: 5
Requests/sec""", 1)

H2LOAD = """finished in 2.00s, 221000.50 req/s, 31.40MB/s
requests: 442001 total, 442065 started, 442001 done, 442000 succeeded, 1 failed, 0 errored, 0 timeout
status codes: 442065 2xx, 0 3xx, 0 4xx, 0 5xx
"""


def served_ms(freeze_s, run_s, rate_per_s, capacity_per_s):
    """Latencies from due, sorted: one queue, a server that stops 3 s into the run."""
    free_s, latencies = 0.0, []
    for hit in range(rate_per_s * run_s):
        due_s = hit / rate_per_s
        begin_s = max(due_s, free_s)
        if 3 <= begin_s < 3 + freeze_s:
            begin_s = 3 + freeze_s
        free_s = begin_s + 1 / capacity_per_s
        latencies.append((free_s - due_s) * 1000)
    return sorted(latencies)


class Laws(unittest.TestCase):
    def test_freeze_agrees_with_brute_force(self):
        table = [(1, 10, 2000, 300000), (5, 10, 2000, 300000), (1, 10, 10000, 40000)]
        for freeze_s, run_s, rate, capacity in table:
            latencies = served_ms(freeze_s, run_s, rate, capacity)
            for share in (0.75, 0.90, 0.95, 0.99, 1.0):
                with self.subTest(freeze_s=freeze_s, rate=rate, share=share):
                    law = laws.freeze_late_ms(share, freeze_s, run_s, rate, capacity)
                    index = min(int(share * len(latencies)), len(latencies) - 1)
                    # One arrival is run_s / requests wide: the closed form is the continuous one.
                    self.assertAlmostEqual(latencies[index], law, delta=1.0)

    def test_littles_law_takes_the_product(self):
        row = laws.littles_law(64)

        class Run:
            report = {"rate": {"achieved_per_s": 320000.0},
                      "latency_us": {"from_sent": {"mean": 200.0}, "from_due": {"mean": 202.0}}}
        self.assertEqual([round(figure.measured(Run), 2) for figure in row.figures],
                         [64.0, 64.64])
        self.assertEqual(row.figures[0].bound(64), 1.28)

    def test_row_names_are_unique(self):
        names = [row.name for row in laws.ROWS]
        self.assertEqual(len(names), len(set(names)))


class Readers(unittest.TestCase):
    def test_wrk(self):
        cell = clients._read_wrk(WRK)
        self.assertEqual((cell["requests"], cell["errors"]), (504872, 0))
        self.assertAlmostEqual(cell["duration_s"], 2.1, delta=0.01)

    def test_wrk_counts_every_kind_of_error(self):
        self.assertEqual(clients._read_wrk(WRK_BAD)["errors"], 3 + 4 + 5)

    def test_h2load(self):
        cell = clients._read_h2load(H2LOAD)
        self.assertEqual((cell["requests"], cell["errors"], cell["duration_s"]), (442001, 1, 2.0))

    def test_pelt_counts_failures_bad_statuses_and_an_open_ledger(self):
        report = {"ledger": {"ok": 100, "failed": {"timeout": 2}, "closes": False},
                  "status": {"200": 97, "404": 3}, "duration_s": 2.0,
                  "rate": {"achieved_per_s": 50.0}}
        self.assertEqual(clients._read_pelt(report)["errors"], 2 + 3 + 1)

    def test_other_output_is_refused(self):
        for read in (clients._read_wrk, clients._read_h2load):
            with self.subTest(read=read.__name__), self.assertRaises(machine.BenchError):
                read("unable to connect")

    def test_a_duration_that_the_wall_clock_contradicts_is_not_used(self):
        table = [("agrees", 2.0, 2.05, False, 500.0), ("too short", 1.0, 2.0, True, 500.0)]
        for name, own_s, wall_s, disputed, per_s in table:
            with self.subTest(name):
                cell = clients._derive("wrk", {"requests": 1000, "duration_s": own_s,
                                               "wall_s": wall_s, "cpu_s": 1.0, "user_s": 0.5,
                                               "server_cpu_s": 1.9, "command": ""})
                self.assertEqual(cell["duration_disputed"], disputed)
                self.assertAlmostEqual(cell["requests_per_s"], per_s)
                self.assertAlmostEqual(cell["cpu_us"], 1000.0)


class Voiding(unittest.TestCase):
    def setUp(self):
        self.sleep, machine.time.sleep = machine.time.sleep, lambda seconds: None

    def tearDown(self):
        machine.time.sleep = self.sleep

    def test_void_rounds_are_repeated_and_counted(self):
        shares = iter([0.01, 0.07, 0.02, 0.5, 0.06])
        valid, void = machine.attempts(3, lambda: {"foreign": next(shares)}, lambda text: None)
        self.assertEqual([entry["foreign"] for entry in valid], [0.01, 0.02, 0.06])
        self.assertEqual(void, 2)

    def test_repeats_are_bounded(self):
        calls = []

        def noisy():
            calls.append(1)
            return {"foreign": 1.0}
        with self.assertRaises(machine.TooNoisy):
            machine.attempts(2, noisy, lambda text: None)
        self.assertEqual(len(calls), 6)


class Writer(unittest.TestCase):
    def test_a_run_replaces_its_own_rows_only(self):
        columns = ["scenario", "tool", "figure"]
        names = ["small-1", "small-64"]

        def order(key):
            return names.index(key[0]), key[1]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "RESULTS.md")
            book = results.Results(path)
            book.set_facts("machine", {"CPU": "some"})
            book.merge_table("versus", "Intro.", columns,
                             [["small-64", "pelt", "1"], ["small-64", "h2load", "2"]], 2, order)
            book.save()
            book = results.Results(path)
            book.merge_table("versus", "Intro.", columns, [["small-1", "pelt", "3"]], 2, order)
            book.merge_table("versus", "Intro.", columns, [["small-64", "pelt", "4"]], 2, order)
            book.save()
            with open(path) as file:
                text = file.read()
        rows = [line for line in text.splitlines() if line.startswith("| small")]
        self.assertEqual(rows, ["| small-1 | pelt | 3 |", "| small-64 | pelt | 4 |"])
        self.assertEqual(text.count("Intro."), 1)
        self.assertIn("| CPU | some |", text)


if __name__ == "__main__":
    unittest.main()
