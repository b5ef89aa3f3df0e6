"""The rows of bench/truth: what is run, and what must come out.

Little's law. In closed loop every connection always has one request, so
    connections = rate x mean latency.
A tool that starts its clock late, or loses time in its own loop, breaks it. Beside it stands what
the report says of pelt's own CPU time, against what the kernel says when the process has ended.

Freeze. A server that can answer mu requests/s stops for F within a run of D at rate R < mu. Let
rho = R / mu. A request due x after the freeze began finds R x others before it and is answered
when these are, F - x + R x / mu after it was due, that is F - (1 - rho) x, until that reaches 0 at
x = F / (1 - rho): the drain after the thaw is the same line. So a share
    s = F / ((1 - rho) D)
of all requests is late, uniformly between 0 and F, and the percentile p of the latency from due
is 0 for p <= 1 - s, and F (1 - (1 - p) / s) above. The latency of the server when it is well is
added: a few tens of microseconds, far below the bound. Where p is close to 1 - s, what is compared
is the time of the drain, and a server that has just thawed drains more slowly than it answers in a
long run (measured: 2,000 requests in 10 ms instead of 7); the rate of such a row is low enough for
that to be far below the bound too.

Delays. Constant: all percentiles are the delay. Two points, a share q of requests taking B
instead of A: percentiles below 1 - q are A, above are B, the mean is (1 - q) A + q B with the
spread of a draw of n.

Verdict. A quiet run is VALID and a throttled one CLIENT-LIMITED, in every run and not in the
median; a server that is slow, or stops, is never the client's fault.

Schedule. At rate R for D exactly R D requests are due, to within one; lateness is how much later
than it could a request was sent.
"""

import math
from dataclasses import dataclass, field
from typing import Callable

INTRO = """Median of the runs of each row, each against a server of its own; the laws and what
was left out are in `laws.py`. Times in milliseconds unless said otherwise."""

SHARE = 0.02      # Two percent …
CPU_SHARE = 0.05  # wait4(2) counts the start and the end of the process, the report does not.
FLOOR_MS = 2.0    # … or two milliseconds, whichever is more, for what a freeze does.


@dataclass(frozen=True)
class Figure:
    """One number of a report beside what a law says of it."""

    name: str
    law: Callable       # run → number
    measured: Callable  # run → number
    bound: Callable = lambda law: 0.0
    unit: str = ""
    at_most: bool = False
    every: bool = False  # Each run must hold, not their median.


@dataclass(frozen=True)
class Row:
    """One experiment: `serve` and `load` are options of pelt serve and of pelt."""

    name: str
    why: str
    connections: int
    seconds: int = 3
    rounds: int = 1
    serve: tuple = ()
    load: tuple = ()
    figures: list = field(default_factory=list)
    needs_capacity: bool = False
    needs_spin: bool = False
    throttle: str = ""  # What is done to the client: "spinner" or "quota" on its core.


def within(share, floor=0.0):
    return lambda law: max(share * abs(law), floor)


def exactly(value):
    return lambda run: value


def due_ms(key):
    """A figure of the latency from due, in milliseconds."""
    return lambda run: run.report["latency_us"]["from_due"][key] / 1000


def littles_law(connections):
    def product(kind):
        return lambda run: (run.report["rate"]["achieved_per_s"]
                            * run.report["latency_us"][kind]["mean"] / 1e6)
    return Row(f"littles-law-{connections}",
               f"rate x mean latency = {connections} connections (wrk #114, #116)",
               connections, seconds=2, rounds=3,
               figures=[Figure(f"rate × mean {kind}", exactly(connections), product(kind),
                               within(SHARE)) for kind in ("from_sent", "from_due")]
               + [Figure("CPU per request", lambda run: run.cpu_us,
                         lambda run: run.report["client"]["cpu_us_per_request"],
                         within(CPU_SHARE), "µs")])


def freeze_late_ms(share, freeze_s, run_s, rate_per_s, capacity_per_s):
    """The closed form at the head of this file."""
    rho = rate_per_s / capacity_per_s
    late = freeze_s / ((1 - rho) * run_s)
    return max(0.0, freeze_s * (1 - (1 - share) / late)) * 1000


def freeze(freeze_s, run_s, start_s, rate_per_s, title):
    def law(share):
        return lambda run: freeze_late_ms(share, freeze_s, run_s, rate_per_s, run.capacity_per_s)
    figures = [Figure(f"{name} from due", law(share), due_ms(name), within(SHARE, FLOOR_MS), "ms")
               for name, share in (("p75", 0.75), ("p90", 0.90), ("p95", 0.95), ("p99", 0.99),
                                   ("max", 1.0))]
    return Row(f"freeze-{freeze_s}s-in-{run_s}s",
               f"the server stops for {freeze_s} s in {run_s} s at {rate_per_s}/s{title}",
               64, seconds=run_s, rounds=3, serve=("--freeze", f"{freeze_s}s@{start_s}s"),
               load=("-R", str(rate_per_s)), figures=figures + schedule(rate_per_s, run_s),
               needs_capacity=True)


def schedule(rate_per_s, run_s):
    """The count that was due: within one of the integral of the rate."""
    return [Figure("due", exactly(rate_per_s * run_s), lambda run: run.report["ledger"]["due"],
                   lambda law: 1.0)]


def delay_constant(delay_ms, rate_per_s):
    keys = ("p50", "p90", "p99", "mean")
    return Row(f"delay-{delay_ms}ms", f"every answer takes {delay_ms} ms, at {rate_per_s}/s", 256,
               seconds=5, serve=("--delay", f"const:{delay_ms}ms"), load=("-R", str(rate_per_s)),
               figures=[Figure(f"{key} from due", exactly(delay_ms), due_ms(key), within(SHARE),
                               "ms") for key in keys] + schedule(rate_per_s, 5))


def delay_two_point(rate_per_s, run_s):
    low_ms, high_ms, late = 1, 1000, 0.10
    mean_ms = (1 - late) * low_ms + late * high_ms
    # Four standard deviations of the mean of so many draws.
    spread_ms = 4 * (high_ms - low_ms) * math.sqrt(late * (1 - late) / (rate_per_s * run_s))
    figures = [Figure(f"{key} from due", exactly(low_ms), due_ms(key), within(SHARE, 0.5), "ms")
               for key in ("p50", "p75")]
    figures += [Figure(f"{key} from due", exactly(high_ms), due_ms(key), within(SHARE), "ms")
                for key in ("p95", "p99", "max")]
    figures.append(Figure("mean from due", exactly(mean_ms), due_ms("mean"),
                          lambda law: spread_ms + 0.5, "ms"))
    return Row("delay-two-point", f"90 % take 1 ms, 10 % take 1 s, at {rate_per_s}/s (wrk #326)",
               512, seconds=run_s, serve=("--delay", "two-point:90%=1ms,10%=1s"),
               load=("-R", str(rate_per_s)), figures=figures + schedule(rate_per_s, run_s))


def timing(rate_per_s, spin):
    """How late requests are sent, and what that does to the median."""
    bound_us = 5 if spin else 50
    figures = [Figure("p99 lateness", exactly(bound_us),
                      lambda run: run.report["lateness_us"]["p99"], unit="µs", at_most=True)]
    if not spin:
        figures.append(Figure("p50 beside --spin's", lambda run: run.spin_p50_us,
                              lambda run: run.report["latency_us"]["from_due"]["p50"],
                              lambda law: 20.0, "µs"))
    load = ("-R", str(rate_per_s)) + (("--spin",) if spin else ())
    return Row(f"rate-{rate_per_s // 1000}k" + ("-spin" if spin else ""),
               f"the schedule of {rate_per_s}/s is kept" + (", spinning" if spin else ""), 64,
               seconds=3, rounds=3, load=load, figures=figures + schedule(rate_per_s, 3),
               needs_spin=not spin)


def honest(name, why, state, connections=64, **how):
    """Ten runs, and every one must get this verdict."""
    figure = Figure(f"runs {state}", exactly(1),
                    lambda run: float(run.report["verdict"]["state"] == state), every=True)
    return Row(f"honest-{name}", why, connections, seconds=2, rounds=10, figures=[figure], **how)


def honesty():
    """Who is guilty. 40 connections to a server that takes 2 ms make 20,000/s in closed loop."""
    slow = {"connections": 40, "serve": ("--delay", "const:2ms")}
    rate = {"load": ("-R", "20000")}
    return [
        honest("quiet", "closed loop, 20,000/s, nothing else runs", "VALID", **slow),
        honest("quiet-rate", "20,000/s, nothing else runs", "VALID", **rate),
        honest("spinner", "closed loop, 20,000/s, another program on the client's core",
               "CLIENT-LIMITED", throttle="spinner", **slow),
        honest("spinner-rate", "20,000/s, another program on the client's core",
               "CLIENT-LIMITED", throttle="spinner", **rate),
        honest("quota", "closed loop at full speed with a quota of half a CPU", "CLIENT-LIMITED",
               throttle="quota"),
        honest("quota-rate", "100,000/s with a quota of half a CPU", "CLIENT-LIMITED",
               load=("-R", "100000"), throttle="quota"),
        honest("frozen", "closed loop, the server stops for 1 s of 2 s", "VALID", connections=40,
               serve=("--delay", "const:2ms", "--freeze", "1s@1s")),
        honest("frozen-rate", "2,000/s, the server stops for 1 s of 2 s (wrk #99)", "VALID",
               serve=("--freeze", "1s@1s"), load=("-R", "2000")),
    ]


ROWS = [
    littles_law(1), littles_law(16), littles_law(64), littles_law(256),
    freeze(1, 10, 3, 500, ""),  # Few, since its p90 is the drain itself; see above.
    freeze(5, 10, 3, 2000, " (wrk #99)"),
    delay_constant(100, 1000),
    delay_two_point(1000, 10),
    timing(10000, False), timing(10000, True), timing(50000, False), timing(50000, True),
    *honesty(),
]
