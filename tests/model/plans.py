"""Random test files, and what each means: the text that the engine reads, and the same in Python,
which the reference is run with. A plan follows from its number."""

import itertools
import json
import random
from dataclasses import dataclass, field


@dataclass
class ProviderPlan:
    name: str
    buffer: int | None = None  # None: auto
    auto_start: int = 5
    unique: bool = False
    auto_return: str | None = None
    source: tuple | None = None  # (values, repeat, random)
    text: str = ""


@dataclass
class DeclarePlan:
    name: str
    text: str
    reads: set  # Providers that it may pop from,
    uses: list  # and declares that it uses, by name.
    run: object  # (values of declares by name) → generator, see reference.Declare


@dataclass
class ProvidesPlan:
    target: int
    send: str
    text: str
    values: object  # (request, model) → generator of values


@dataclass
class EndpointPlan:
    name: str
    rate: int | None = None
    on_demand: bool = False
    mentions: list = field(default_factory=list)
    declares: list = field(default_factory=list)
    provides: list = field(default_factory=list)
    send_all: bool = False
    max_parallel: int = 0
    no_auto_returns: bool = False
    header: list = field(default_factory=list)  # Names in the X-Request-Id.

    def reads(self):
        return set(self.mentions).union(*(each.reads for each in self.declares))


@dataclass
class Plan:
    seed: int
    providers: list = field(default_factory=list)
    endpoints: list = field(default_factory=list)
    duration_ns: int = 0
    workers: int = 1
    auto_start: int = 5
    connections: int = 10
    delay_ns: tuple = (0, 0)
    latency_ns: int = 0
    faults: int = 0

    def yaml(self):
        lines = [
            f"config: {{general: {{workers: {self.workers}, "
            f"auto_buffer_start_size: {self.auto_start}}}, "
            f"client: {{request_timeout: 200ms, max_connections: {self.connections}}}}}",
            "load_pattern: [{linear: {from: 100%, to: 100%, over: "
            f"{self.duration_ns // 1000}us}}}}]",
            "providers:"]
        lines += [f"  {each.name}: {each.text}" for each in self.providers]
        lines.append("endpoints:")
        for index, each in enumerate(self.endpoints):
            lines += endpoint_yaml(index, each, self)
        return "\n".join(lines) + "\n"


def endpoint_yaml(index, plan, whole):
    names = "".join("-${%s}" % name for name in plan.header)
    lines = [f"  - url: http://127.0.0.1:8080/{index}",
             f"    headers: {{X-Request-Id: '{index}{names}'}}"]
    if plan.rate is not None:
        lines.append(f"    peak_load: {plan.rate}hps")
    if plan.max_parallel:
        lines.append(f"    max_parallel_requests: {plan.max_parallel}")
    for key in ("on_demand", "send_all", "no_auto_returns"):
        if getattr(plan, key):
            lines.append(f"    {key}: true")
    if plan.declares:
        lines.append("    declare:")
        lines += [f"      {each.name}: {json.dumps(each.text)}" for each in plan.declares]
    if plan.provides:
        lines.append("    provides:")
        lines += [f"      {whole.providers[each.target].name}: {each.text}"
                  for each in plan.provides]
    return lines


# Values as the language has them. All that flows here are integers, and arrays of them.

def is_odd(value):
    """`value % 2 == 1`"""
    return isinstance(value, int) and abs(value) % 2 == 1 and value > 0


def as_text(value):
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def count(model, name):
    """`counter(name)`: each worker counts in steps from its own number on."""
    number = model.counters.get(name, model.worker)
    model.counters[name] = number + model.workers
    return number


class Maker:
    """Draws a plan."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.plan = Plan(seed)
        self.is_rated = True  # Some endpoints have rates.

    def one_in(self, n):
        return self.rng.randrange(n) == 0

    def make(self):
        rng, plan = self.rng, self.plan
        plan.auto_start = rng.randint(1, 5)
        plan.duration_ns = rng.randrange(30, 250) * 1_000_000
        if self.one_in(12):
            plan.duration_ns += 1_200_000_000
        plan.connections = rng.randint(1, 8)
        low = rng.randrange(0, 3_000_000)
        plan.delay_ns = (low, low + rng.randrange(1, 30_000_000))
        plan.latency_ns = rng.choice((0, 100_000))
        plan.faults = rng.choice((0, 0, 100))
        if self.one_in(5):
            self.split()
        for index in range(rng.randint(1, 5)):
            plan.providers.append(self.provider(f"p{index}"))
        for index in range(rng.randint(1, 6)):
            plan.endpoints.append(self.endpoint(index))
        return plan

    def split(self):
        """What belongs together is split over workers if it has no rates, or a very high one."""
        rng, plan = self.rng, self.plan
        plan.workers = rng.randint(2, 3)
        plan.duration_ns = rng.randrange(6, 24) * 1_000_000
        plan.connections = plan.workers * rng.randint(1, 4)
        plan.delay_ns = (0, rng.randrange(1, 4_000_000))
        plan.latency_ns = rng.choice((0, 20_000))
        self.is_rated = self.one_in(2)

    def provider(self, name):
        rng = self.rng
        kind = rng.choice(("response", "response", "response", "list", "range"))
        plan = ProviderPlan(name, auto_start=self.plan.auto_start, unique=self.one_in(5))
        unique = ", unique: true" if plan.unique else ""
        shuffled = self.one_in(6)
        if kind == "response":
            keys = ["unique: true"] if plan.unique else []
            if self.one_in(2):
                plan.buffer = rng.randint(1, 5)
                keys.append(f"buffer: {plan.buffer}")
            plan.auto_return = rng.choice((None, None, "block", "force", "if_not_full"))
            if plan.auto_return:
                keys.append(f"auto_return: {plan.auto_return}")
            plan.text = "{response: {%s}}" % ", ".join(keys)
        elif kind == "list":
            values = [rng.randrange(20) for _ in range(rng.randint(1, 6))]
            repeat = not self.one_in(2)
            plan.source = (values, repeat, shuffled)
            plan.text = (f"{{list: {{values: {values}, repeat: {str(repeat).lower()}, "
                         f"random: {str(shuffled).lower()}{unique}}}}}")
        else:
            start, step = rng.randrange(-5, 50), rng.choice((1, 1, 2, 7, -1, -3))
            end = start + step * rng.choice((rng.randrange(3), rng.randrange(60), 5000))
            repeat = self.one_in(4)
            values = list(range(start, end + (1 if step > 0 else -1), step))
            plan.source = (values, repeat, shuffled)
            plan.text = (f"{{range: {{start: {start}, end: {end}, step: {step}, "
                         f"repeat: {str(repeat).lower()}, random: {str(shuffled).lower()}"
                         f"{unique}}}}}")
        return plan

    def endpoint(self, index):
        rng = self.rng
        plan = EndpointPlan(f"/{index}")
        indices = range(len(self.plan.providers))
        for provider in indices:
            if self.one_in(3):
                plan.mentions.append(provider)
                plan.header.append(f"p{provider}")
        for number in range(rng.choice((0, 0, 0, 1, 1, 2))):
            self.declare(plan, number)
        has_response = any(self.plan.providers[each].source is None for each in plan.reads())
        if self.one_in(2) and self.is_rated:
            plan.rate = rng.randint(1, 60)
        if self.plan.workers > 1 and self.is_rated and plan.mentions and self.one_in(2):
            plan.rate = 50_000
        blocks = plan.rate is None and not has_response
        for target in indices:
            if self.one_in(3) or (blocks and not plan.provides):
                self.provides(plan, target, blocks and not plan.provides)
        plan.on_demand = bool(plan.provides) and self.one_in(4)
        plan.send_all = bool(plan.provides) and self.one_in(3)
        plan.max_parallel = rng.randint(1, 3) if self.one_in(4) else 0
        plan.no_auto_returns = self.one_in(5)
        return plan

    def declare(self, plan, number):
        """A provider is in one declare of an endpoint only: else the trace would not tell whose
        value it is."""
        name = f"d{number}"
        taken = set().union(*(each.reads for each in plan.declares))
        free = [each for each in range(len(self.plan.providers)) if each not in taken]
        if not free:
            return
        first, last = self.rng.choice(free), self.rng.choice(free)
        kind = self.rng.randrange(5 if plan.declares else 4)
        n = self.rng.randint(1, 4)
        uses, reads = [], {first}

        def collected(_):
            values = []
            for _ in range(n):
                values.append((yield first))
            return values

        def twice(_):
            one = yield first
            return f"{as_text(one)}:{as_text((yield first))}"

        def branch(_):
            if is_odd((yield first)):
                return (yield last)
            return -1

        def added(others):
            value = yield first
            return f"{as_text(others['d0'])}:{as_text(value)}"

        if kind <= 1:
            text, run = f"collect(p{first}, {n})", collected
        elif kind == 2:
            text, run = f"`${{p{first}}}:${{p{first}}}`", twice
        elif kind == 3:
            text, run = f"if(p{first} % 2 == 1, p{last}, -1)", branch
            reads.add(last)
        else:
            text, run, uses = f"`${{d0}}:${{p{first}}}`", added, ["d0"]
        plan.declares.append(DeclarePlan(name, text, reads, uses, run))
        plan.header.append(name)

    def provides(self, plan, target, must_block):
        rng = self.rng
        send = rng.choice((None, "block", "force", "if_not_full"))
        if must_block:
            send = rng.choice((None, "block"))
        keys = [f"send: {send}"] if send else []
        send = send or ("block" if plan.rate is None else "if_not_full")
        loops, loop_texts = self.loops(plan)
        if loops:
            keys.append("for_each: %s" % json.dumps(loop_texts))
        text, select = self.select(plan, target, loops)
        keys.append("select: %s" % json.dumps(text))
        text, where = self.where(plan, loops)
        if where:
            keys.append("where: %s" % json.dumps(text))

        def values(request, model):
            lists = [each(request) for each in loops]
            for row in itertools.product(*lists):
                if where is None or where(request, row):
                    yield select(request, row, model)

        plan.provides.append(ProvidesPlan(target, send, "{%s}" % ", ".join(keys), values))

    def loops(self, plan):
        """What `for_each` goes over: functions of a request, and their texts."""
        collected = [each.name for each in plan.declares if each.text.startswith("collect")]
        if not self.one_in(3):
            return [], []
        if collected and self.one_in(2):
            return [lambda request: request.values[collected[0]]], [collected[0]]
        n, first = self.rng.randrange(5), self.rng.randrange(3)
        if self.one_in(3):
            return [lambda _: range(first, first + 2), lambda _: range(n)], \
                [f"range({first}, {first + 2})", f"range(0, {n})"]
        return [lambda _: range(first, first + n)], [f"range({first}, {first + n})"]

    def mention(self, plan):
        """A provider that stands nowhere but in the provides, perhaps."""
        provider = self.rng.randrange(len(self.plan.providers))
        if provider not in plan.mentions:
            plan.mentions.append(provider)
        return f"p{provider}"

    def select(self, plan, target, loops):
        kind = self.rng.randrange(6)
        name = f"c{target}"
        if kind == 0:
            mentioned = self.mention(plan)
            return mentioned, lambda request, row, model: request.values[mentioned]
        if kind == 1 and len(loops) == 2:
            return "for_each[0] * 100 + for_each[1]", \
                lambda request, row, model: row[0] * 100 + row[1]
        if kind <= 3 and loops:
            return "for_each[0]", lambda request, row, model: row[0]
        if kind == 4:
            return "response.status % 100 + 7", lambda request, row, model: request.status % 100 + 7
        return f"counter('{name}')", lambda request, row, model: count(model, name)

    def where(self, plan, loops):
        kind = self.rng.randrange(9)
        if kind == 0 and plan.mentions:
            name = f"p{self.rng.choice(plan.mentions)}"
            return f"{name} % 2 == 1", lambda request, row: is_odd(request.values[name])
        if kind <= 2 and loops:
            return "for_each[0] % 2 == 1", lambda request, row: is_odd(row[0])
        if kind == 3:
            return "response.status == 200", lambda request, row: request.status == 200
        return "", None


def make(seed):
    return Maker(seed).make()
