"""`pelt run` on the real clock: as many hits as the integral of every pattern has, and values in the
order of hits. To the nanosecond this is told in tests/sim/test_run_exact.c."""

import random
from collections import Counter
from fractions import Fraction

import examples
import lib
from lib import equal

PATTERNS = 50


def make(draw):
    """A pattern: its peak as text, its segments (from, to in hundredths of a percent, milliseconds),
    and its integral."""
    number, unit = draw.choice([(7, "hpm"), (600, "hpm"), (1, "hps"), (20, "hps"), (37, "hps")])
    peak = Fraction(number, 60 if unit == "hpm" else 1)
    segments, integral, at = [], Fraction(0), 0
    for _ in range(draw.randint(1, 5)):
        start = draw.choice([at, at, draw.randrange(20000)])
        at = draw.choice([0, start, draw.randrange(20000)])
        ms = draw.choice([0, 1, draw.randrange(600)])
        segments.append((start, at, ms))
        integral += peak * Fraction(start + at, 20000) * Fraction(ms, 1000)
    if not any(ms for _, _, ms in segments):
        segments.append((at, at, 100))
        integral += peak * Fraction(at, 10000) * Fraction(100, 1000)
    return f"{number}{unit}", segments, integral


def write(url, patterns, workers):
    text = f"config: {{general: {{workers: {workers}}}}}\nendpoints:\n"
    for index, (peak, segments, _) in enumerate(patterns):
        text += f"  - url: {url}/?e={index}\n    peak_load: {peak}\n    load_pattern:\n"
        for start, end, ms in segments:
            text += (f"      - linear: {{from: {start / 100:.2f}%, to: {end / 100:.2f}%, "
                     f"over: {ms}ms}}\n")
    return lib.write_file("test.yaml", text)


def test_fifty_patterns_have_the_hits_of_their_integrals():
    for workers in (1, 2):
        patterns = [make(random.Random(100 * workers + index)) for index in range(PATTERNS)]
        wanted = Counter({f"e={index}": int(integral)
                          for index, (_, _, integral) in enumerate(patterns)})
        with examples.Target() as server:
            report = lib.temp_path("report.json")
            done = lib.pelt("run", write(server.url, patterns, workers), "--json", report, rc=0)
            lib.load_report(done, report)
        equal(Counter(request.query for request in server.came), +wanted, f"{workers} workers")
        equal(done.report["ledger"]["due"], sum(wanted.values()))
        equal(done.report["ledger"]["ok"], sum(wanted.values()), done)


def test_hit_k_has_value_k_on_one_connection():
    """One connection keeps the order in which requests were sent."""
    with examples.Target() as server:
        path = lib.write_file("test.yaml", f"""
config: {{general: {{workers: 2}}, client: {{max_connections_per_host: 1}}}}
providers:
  a: {{range: {{}}}}
  b: {{range: {{start: 1000, step: -1, end: 0}}}}
  c: {{list: [x, y, z]}}
load_pattern: [{{linear: {{to: 100%, over: 1s}}}}, {{linear: {{over: 500ms, to: 0%}}}}]
endpoints:
  - method: POST
    url: {server.url}/?a=${{a}}
    peak_load: 400hps
    headers: {{X-B: "${{b}}"}}
    body: ${{c}}
""")
        lib.pelt("run", path, rc=0)
    equal(len(server.came), 300)
    for k, request in enumerate(server.came):
        equal((request.query, request.fields["x-b"], request.body),
              (f"a={k}", str(1000 - k), b"xyz"[k % 3:k % 3 + 1]))
