"""The rules by which values flow, as docs/test-file.md and docs/decisions/0012-how-values-flow.md
have them: plain, slow, and written from those texts, not from the engine.

A Model is told what has happened (an endpoint got this value, an answer has come) and says what
must follow from it. What the rules leave open, it takes as it comes: which of several endpoints is
looked at first, when an answer comes. All else it knows: raises Wrong if a rule does not allow what
has happened, or if what must have followed has not.

Read Provider, then the events of Model from on_fill() down.
"""

from collections import deque

MS = 1_000_000
SECOND = 1_000_000_000
LATE_NS = 3 * MS  # Ends are looked for once a millisecond.
STARVING_NS = 5 * MS


class Wrong(Exception):
    """The engine does what the rules do not allow."""


def need(holds, *words):
    if not holds:
        raise Wrong(" ".join(str(word) for word in words))


def share(total, worker, workers):
    """A worker's part of a bound that all of them have together: at least 1."""
    return max(1, total // workers + (worker < total % workers))


class Source:
    """Where the values of a list or a range come from. With several workers each has the values
    whose number is its own, modulo the workers."""

    def __init__(self, values, repeat, random, worker, workers, left):
        self.values, self.repeat, self.random = values, repeat, random
        self.number, self.step = worker, workers
        self.left = left  # In random order: those that have not come, on any worker.

    def is_used_up(self):
        return not self.values or (not self.repeat and self.number >= len(self.values))

    def next_value(self, among):
        """The next value if that is known; in random order, any of those in a queue."""
        if self.random:
            candidates = self.values if self.repeat else self.left
            return next((each for each in candidates if each in among), None)
        return self.values[self.number % len(self.values)]

    def take(self, value):
        """The next value comes out and is `value`."""
        need(not self.is_used_up(), "a source that is used up gives", value)
        if not self.random:
            expected = self.values[self.number % len(self.values)]
            need(value == expected, "a source gives", value, "instead of", expected)
        elif self.repeat:
            need(value in self.values, "a source gives", value, "which it does not have")
        else:
            need(value in self.left, "a source in random order gives", value, "again")
            self.left.remove(value)
        self.number += self.step


class Provider:
    """A queue of values with a soft limit."""

    def __init__(self, model, plan, crew, left):
        worker, workers = (model.worker, model.workers) if crew > 1 else (0, 1)
        self.model, self.plan = model, plan
        self.name = plan.name
        self.twins = [self]  # The same provider on all workers that share it,
        self.on_the_way = []  # and what is between them: (the part that it left, value).
        self.starving_since = None
        self.queue = deque()
        self.is_auto = plan.buffer is None
        self.limit = share(plan.auto_start if self.is_auto else plan.buffer, worker, workers)
        self.was_full = False
        self.receivers = []  # Who waits for a value: (endpoint, kind), the first is next.
        self.senders = deque()  # Who waits for room: Waiting.
        self.demand = 0  # Pops that found nothing, and that no endpoint on demand has answered.
        self.readers = 0  # Endpoints that pop from it and have not stopped.
        self.refused = self.unread = self.dropped = 0
        self.source = plan.source and Source(*plan.source, worker, workers, left)

    def is_read(self):
        return any(each.readers for each in self.twins)

    def has_room(self):
        return len(self.queue) < self.limit

    def room(self):
        return max(0, self.limit - len(self.queue))

    def holds_same(self, value):
        return self.plan.unique and value in self.queue

    def append(self, value):
        self.queue.append(value)
        if not self.has_room():
            self.was_full = True

    def found_empty(self):
        if self.is_auto and self.was_full:
            self.limit += 1
        self.was_full = False


class Waiting:
    """Values of one request that wait in the line of one provider. `request` None: a value that
    goes back, for which nobody waits."""

    def __init__(self, request, provider, values):
        self.request, self.provider, self.values = request, provider, deque(values)


class Endpoint:
    def __init__(self, model, plan, crew):
        self.plan = plan
        self.worker, self.workers = (model.worker, model.workers) if crew > 1 else (0, 1)
        self.running_max = float("inf")
        if plan.max_parallel:
            self.running_max = share(plan.max_parallel, self.worker, self.workers)
        self.running = 0
        self.multiplier = 1
        self.is_stopped = False
        self.is_due = False  # A request without a slot may begin.
        self.is_in_line = False  # For a connection.
        self.has_given_up = False  # For another worker, once.
        self.has_left = False  # It counts no more among the readers of what it popped.
        self.asked = None  # The provider whose demand the next request answers.
        self.begun = 0
        self.last_slot = 0
        self.closed_since = None
        self.drop_hand()

    def drop_hand(self):
        self.is_gathering = False
        self.single = {}  # provider → value, for all its mentions but those in declares.
        self.missing = set()
        self.popped = []  # All values that declares have popped, in order.
        self.declares = []  # Declare, in any order.
        self.has_waited = False
        self.complete_at = None

    def is_complete(self):
        return not self.missing and all(declare.is_done for declare in self.declares)


class Declare:
    """A declare of one request at work: plan.run is a generator that yields the provider whose
    next value it needs, is sent that value, and returns the declare's own."""

    def __init__(self, plan):
        self.plan = plan
        self.at_work = None
        self.wants = None
        self.value = None
        self.is_done = False

    def go_on(self, others, value=None):
        """Goes on with a value, or begins."""
        try:
            if self.at_work is None:
                self.at_work = self.plan.run(others)
                self.wants = next(self.at_work)
            else:
                self.wants = self.at_work.send(value)
        except StopIteration as end:
            self.value, self.wants, self.is_done = end.value, None, True


class Request:
    def __init__(self, endpoint, values, returns):
        self.endpoint, self.values, self.returns = endpoint, values, returns
        self.asked = None
        self.status = 0
        self.waiting = []  # Of its `block` provides: Waiting.


class Crews:
    """Who is where: of each provider and endpoint on how many workers it is, and if that is one, on
    which. What is on several is on all."""

    def __init__(self, providers, endpoints):
        self.providers, self.endpoints = providers, endpoints  # By index: (count, worker)


def here(all_of_them, crews, worker):
    """Those of a list that are on a worker."""
    return [each for each, (count, owner) in zip(all_of_them, crews)
            if count > 1 or owner == worker]


def world(plan, crews):
    """Models of all workers."""
    left = [list(each.source[0]) if each.source and each.source[2] and not each.source[1] else None
            for each in plan.providers]
    models = [Model(plan, each, crews, left) for each in range(plan.workers)]
    for model in models:
        model.world = models
    for index, (count, _) in enumerate(crews.providers):
        on_the_way = []
        is_fed = plan.providers[index].auto_return or any(
            each.target == index for endpoint in plan.endpoints for each in endpoint.provides)
        for model in models:
            if count > 1 and is_fed:  # Else each worker has its share of a source, and no more.
                model.all_providers[index].twins = [each.all_providers[index] for each in models]
                model.all_providers[index].on_the_way = on_the_way
    return models


class Model:
    """One worker's part of a test."""

    def __init__(self, plan, worker, crews, left):
        self.plan, self.worker, self.workers = plan, worker, plan.workers
        self.is_split = any(count > 1 for count, _ in crews.providers + crews.endpoints)
        self.now = 0
        self.all_providers = [Provider(self, each, crews.providers[i][0], left[i])
                              for i, each in enumerate(plan.providers)]
        self.providers = here(self.all_providers, crews.providers, worker)
        self.all_endpoints = [Endpoint(self, each, crews.endpoints[i][0])
                              for i, each in enumerate(plan.endpoints)]
        self.endpoints = here(self.all_endpoints, crews.endpoints, worker)
        for endpoint in self.endpoints:
            for provider in self.popped_by(endpoint):
                provider.readers += 1
        self.requests = {}
        self.counters = {}
        self.expected = {}  # provider → deque of (event, value) that must come next.
        self.giving_up = None
        self.sent = None
        self.quiet_since = None
        self.deadlocked = False
        self.world = [self]
        self.ran_dry = False

    def popped_by(self, endpoint):
        """The providers that an endpoint reads."""
        return [self.all_providers[index] for index in sorted(endpoint.plan.reads())]

    def fed_by(self, endpoint):
        return [self.all_providers[each.target] for each in endpoint.plan.provides]

    # Values that come out of sources.

    def on_fill(self, provider, value):
        need(provider.source is not None, "what has no source is filled")
        need(provider.has_room(), "a source pushes into a full", provider.name)
        need(not provider.senders, "a source passes those who wait for room in", provider.name)
        need(not provider.holds_same(value), "a source pushes an equal value")
        provider.source.take(value)
        provider.append(value)

    def on_sames(self, provider, count):
        """So many values of a source are dropped, since equal ones are in the queue."""
        for _ in range(count):
            value = provider.source.next_value(provider.queue)
            need(provider.holds_same(value), "a value is dropped without an equal one:", value)
            provider.source.take(value)
            provider.dropped += 1

    # Values that are popped.

    def may_gather(self, endpoint):
        """Whether an endpoint may pop values for its next request: there will be one."""
        if endpoint.is_stopped:
            return False
        if endpoint.plan.rate is None:
            if self.now >= self.plan.duration_ns:
                return False
            if endpoint.running + endpoint.is_due >= self.running_limit(endpoint):
                return False
        return not endpoint.plan.on_demand or endpoint.asked is not None

    def start_gathering(self, endpoint):
        need(self.may_gather(endpoint), endpoint.plan.name, "may not begin a request")
        endpoint.is_gathering = True
        endpoint.missing = set(self.all_providers[each] for each in endpoint.plan.mentions)
        endpoint.declares = [Declare(each) for each in endpoint.plan.declares]
        self.go_on_declaring(endpoint)

    def go_on_declaring(self, endpoint):
        """Begins declares whose uses of others are there."""
        done = {each.plan.name: each.value for each in endpoint.declares if each.is_done}
        for declare in endpoint.declares:
            if declare.at_work is None and all(name in done for name in declare.plan.uses):
                declare.go_on(done)
                if declare.is_done:
                    self.go_on_declaring(endpoint)
                    return
        if endpoint.is_complete() and endpoint.complete_at is None:
            endpoint.complete_at = self.now

    def wants(self, endpoint, provider, kind):
        """Who of an endpoint wants a value now: None, itself, or a declare."""
        if kind == "s":
            return endpoint if provider in endpoint.missing else None
        for declare in endpoint.declares:
            if declare.wants is not None and self.all_providers[declare.wants] is provider:
                return declare
        return None

    def on_out(self, provider, value, endpoint, kind):
        if not endpoint.is_gathering:
            self.start_gathering(endpoint)
        who = self.wants(endpoint, provider, kind)
        need(who is not None, endpoint.plan.name, "pops", provider.name, "more than once")
        if (endpoint, kind) in provider.receivers:
            need(provider.receivers[0] == (endpoint, kind), "others were first in the line")
            provider.receivers.pop(0)
        else:
            need(not provider.receivers, "others stand in the line")
        need(provider.queue, "a value out of an empty queue")
        need(provider.queue[0] == value, "got", value, "of", provider.name, "whose first is",
             provider.queue[0])
        provider.queue.popleft()
        if kind == "s":
            endpoint.missing.remove(provider)
            endpoint.single[provider] = value
        else:
            endpoint.popped.append((provider, value))
            who.go_on(None, value)
        self.go_on_declaring(endpoint)

    def on_none(self, provider, endpoint, kind):
        if not endpoint.is_gathering:
            self.start_gathering(endpoint)
        need(self.wants(endpoint, provider, kind) is not None, "waits for what it does not want")
        need((endpoint, kind) not in provider.receivers, "stands in line twice")
        need(not provider.queue or provider.receivers, "waits for", provider.name,
             "which has values")
        if not provider.queue:
            provider.found_empty()
        provider.demand += 1
        provider.receivers.append((endpoint, kind))
        endpoint.has_waited = True

    def on_asked(self, endpoint, provider):
        need(endpoint.plan.on_demand, "is not on demand")
        need(provider in self.fed_by(endpoint), "answers for what it does not feed")
        # Others may ask from another worker.
        need(provider.demand > 0 or len(provider.twins) > 1, "answers a demand that there is not")
        need(endpoint.asked is None and not endpoint.is_gathering, "demand is taken before inputs")
        provider.demand = max(0, provider.demand - 1)
        endpoint.asked = provider

    # Values that go from worker to worker.

    def on_sent(self, provider, value):
        need(len(provider.twins) > 1, "a value leaves though all who want it are here")
        need(not provider.receivers, "a value leaves that somebody here waits for")
        need(provider.queue and provider.queue[0] == value, "a value leaves that is not the first")
        provider.on_the_way.append((provider, provider.queue.popleft()))

    def on_got(self, provider, value, is_same):
        others = [each for each in provider.on_the_way
                  if each[0] is not provider and each[1] == value]
        need(others, "a value comes from nowhere:", value)
        provider.on_the_way.remove(others[0])
        need(is_same == provider.holds_same(value), "an equal value is, or is not, in the queue")
        if is_same:
            provider.dropped += 1
        else:
            provider.append(value)

    def check_starving(self, provider):
        """Nobody waits for long for what another worker has too much of."""
        starves = any(each.receivers and not each.queue for each in provider.twins) and any(
            each.queue and not each.receivers for each in provider.twins)
        if not starves:
            provider.starving_since = None
        elif provider.starving_since is None:
            provider.starving_since = self.now
        else:
            need(self.now - provider.starving_since <= STARVING_NS, "nobody waits for values of",
                 provider.name, "on one worker, and somebody does on another, for",
                 self.now - provider.starving_since, "ns")

    # Requests.

    def running_limit(self, endpoint):
        """Requests of an endpoint that may be under way at once."""
        limit = endpoint.running_max
        if endpoint.plan.rate is not None:
            return limit
        targets = [self.all_providers[each.target] for each in endpoint.plan.provides
                   if each.send == "block"]
        if not targets:
            return limit
        read = [each for each in targets if each.is_read()]
        if not read:
            room = targets[-1].limit
        elif endpoint.plan.send_all:
            room = min(each.room() for each in read)
        else:
            room = max(each.room() for each in read)
        return min(limit, max(room, 1) * endpoint.multiplier)

    def learn(self, endpoint):
        """m of a request's end: up when a target is empty at the limit, down when all are full."""
        if endpoint.plan.rate is not None:
            return
        targets = [self.all_providers[each.target] for each in endpoint.plan.provides
                   if each.send == "block"]
        if not targets:
            return
        read = [each for each in targets if each.is_read()]
        if read and not any(each.has_room() for each in read):
            endpoint.multiplier = max(1, endpoint.multiplier - 1)
        elif not read or any(not each.queue for each in read):
            if endpoint.running >= self.running_limit(endpoint):
                endpoint.multiplier = min(10, endpoint.multiplier + 1)

    def on_due(self, endpoint):
        if not endpoint.is_gathering:
            self.start_gathering(endpoint)
        if endpoint.plan.rate is None:
            need(endpoint.running < self.running_limit(endpoint), endpoint.plan.name,
                 "is due without room:", endpoint.running, "run, the limit is",
                 self.running_limit(endpoint))
            need(self.now < self.plan.duration_ns, "is due after the end")
        endpoint.is_due = True

    def on_begin(self, endpoint, key, due, values):
        if not endpoint.is_gathering:
            self.start_gathering(endpoint)
        need(endpoint.is_complete(), endpoint.plan.name, "begins without all its values")
        need(endpoint.running < endpoint.running_max, "too many requests in parallel")
        need(not endpoint.is_stopped, "begins after it has stopped")
        own = {f"s{self.all_providers.index(each)}": value for each, value in endpoint.single.items()}
        for index, declare in enumerate(endpoint.declares):
            own[f"d{index}"] = declare.value
        need(values == own, endpoint.plan.name, "begins with", values, "and should with", own)
        if endpoint.plan.rate is None or endpoint.plan.on_demand:
            need(endpoint.is_due, "begins and is not due")
        else:
            self.check_slot(endpoint, due)
        endpoint.is_due = False
        returns = [(each, endpoint.single[each]) for each in self.popped_by(endpoint)
                   if each in endpoint.single]
        names = {each.plan.name: each.value for each in endpoint.declares}
        names.update((each.name, value) for each, value in endpoint.single.items())
        request = Request(endpoint, names, returns + endpoint.popped)
        request.asked, endpoint.asked = endpoint.asked, None
        need(key not in self.requests, "a request begins twice")
        self.requests[key] = request
        endpoint.drop_hand()
        endpoint.running += 1
        endpoint.begun += 1
        return request

    def slots_until(self, endpoint, when):
        """Hits of a flat rate that are due by then."""
        return endpoint.plan.rate * min(when, self.plan.duration_ns) // SECOND

    def last_slot(self, endpoint, when):
        """The last hit of an endpoint here that is due by then. Of a split one each worker has
        those of its number, modulo the workers."""
        slot = self.slots_until(endpoint, when)
        return slot - (slot - 1 - endpoint.worker) % endpoint.workers

    def check_slot(self, endpoint, due):
        """Each slot once, in order, not before its time; one that waited for values takes the slot
        of the moment at which they were there."""
        slot = self.slots_until(endpoint, due)
        need(due <= self.now, "begins before it is due")
        need(slot == self.last_slot(endpoint, due), endpoint.plan.name, "uses another's slot", slot)
        need(slot > endpoint.last_slot, endpoint.plan.name, "uses slot", slot, "after",
             endpoint.last_slot)
        if endpoint.has_waited:
            need(slot >= self.last_slot(endpoint, endpoint.complete_at), endpoint.plan.name,
                 "has waited for values and is late: slot", slot)
        endpoint.last_slot = slot

    # Answers: provides, then the demand, then the values that go back.

    def on_answer(self, key, status):
        """`status` 0: it has failed."""
        request = self.requests.pop(key)
        request.status = status
        has_given = False
        waiting, is_through = [], False
        if status:
            for provides in request.endpoint.plan.provides:
                any_value, rest = self.provide(request, provides)
                has_given |= any_value is not None and request.asked is not None and \
                    self.all_providers[provides.target] is request.asked
                if provides.send != "block":
                    continue
                if rest:
                    waiting.append(Waiting(request, self.all_providers[provides.target], rest))
                elif any_value:
                    is_through = True
        if request.asked is not None and not has_given:
            if request.asked.demand < len(request.asked.receivers):
                request.asked.demand += 1
        if waiting and (request.endpoint.plan.send_all or not is_through):
            request.waiting = waiting
            for each in waiting:
                each.provider.senders.append(each)
            return
        for each in waiting:
            each.provider.refused += len(each.values)
        self.over(request)

    def provide(self, request, provides):
        """Pushes what an entry of `provides` makes of an answer. Returns None if that was nothing,
        else whether any of it was for a reader; and the values that have to wait for room."""
        provider = self.all_providers[provides.target]
        rest, any_value = [], None
        for value in provides.values(request, self):
            any_value = any_value or False
            if not provider.is_read():
                provider.unread += 1
                continue
            any_value = True
            if provides.send == "force":
                self.push(provider, value, force=True)
            elif provides.send == "if_not_full":
                if provider.senders or not self.push(provider, value):
                    provider.refused += 1
                    break
            elif rest or provider.senders or not self.push(provider, value):
                rest.append(value)
        return any_value, rest

    def push(self, provider, value, force=False):
        """True if the value is where it should go; then that must be told of next."""
        if provider.holds_same(value):
            provider.dropped += 1
            self.expect("same", provider, value)
            return True
        if not force and not provider.has_room():
            return False
        provider.append(value)
        self.expect("in", provider, value)
        return True

    def expect(self, what, provider, value):
        self.expected.setdefault(provider, deque()).append((what, value))

    def on_in(self, what, provider, value):
        """A value has been pushed: one that was to be, or the first of those that waited."""
        if provider not in self.expected:
            need(provider.senders, "a value that nobody has sent:", value, "in", provider.name)
            need(provider.has_room(), "a value goes into a full", provider.name)
            self.serve(provider)
        expected = self.expected[provider]
        need(expected[0] == (what, value), "told is", what, value, "in", provider.name,
             "and expected", *expected[0])
        expected.popleft()
        if not expected:
            del self.expected[provider]

    def serve(self, provider):
        """The first in line for room pushes a value."""
        first = provider.senders[0]
        self.push(provider, first.values.popleft())
        if first.values:
            return
        provider.senders.popleft()
        if first.request is not None:
            self.sent = first

    def has_sent(self, waiting):
        """All values of one `block` are where they should go: with that the request ends, unless
        it is to wait for all; the others get one try."""
        request = waiting.request
        request.waiting.remove(waiting)
        if request.waiting and request.endpoint.plan.send_all:
            return
        for other in request.waiting:
            provider = other.provider
            if not provider.is_read():
                provider.unread += len(other.values)
                other.values.clear()
            if provider.senders[0] is other:
                while other.values and provider.has_room():
                    self.push(provider, other.values.popleft())
            provider.refused += len(other.values)
            provider.senders.remove(other)
        request.waiting = []
        self.over(request)

    def over(self, request):
        """The request is over: its values go back where they are to."""
        endpoint = request.endpoint
        for provider, value in request.returns:
            how = provider.plan.auto_return
            if how is None or endpoint.plan.no_auto_returns:
                continue
            if not provider.is_read():
                provider.unread += 1
            elif how == "force":
                self.push(provider, value, force=True)
            elif provider.senders or not self.push(provider, value):
                if how == "block":
                    provider.senders.append(Waiting(None, provider, [value]))
                else:
                    provider.refused += 1
        self.learn(endpoint)
        endpoint.running -= 1

    # Ends.

    def may_push(self, endpoint, provider):
        if provider in self.fed_by(endpoint):
            return True
        return provider.plan.auto_return is not None and \
            not endpoint.plan.no_auto_returns and provider in self.popped_by(endpoint)

    def waits_for(self, endpoint, provider):
        return (endpoint, "s") in provider.receivers or (endpoint, "d") in provider.receivers

    def is_closed(self, provider):
        """Its source is used up, it is empty, and every endpoint that can push into it has stopped
        or waits for this very provider, with nothing in flight; on all workers."""
        return not provider.on_the_way and all(
            each.model.is_closed_here(each) for each in provider.twins)

    def is_closed_here(self, provider):
        if provider.queue or provider.senders:
            return False
        if provider.source is not None and not provider.source.is_used_up():
            return False
        for endpoint in self.endpoints:
            if not self.may_push(endpoint, provider):
                continue
            if endpoint.running > 0 or endpoint.is_due:
                return False
            if not endpoint.is_stopped and not self.waits_for(endpoint, provider):
                return False
        return True

    def closed_input(self, endpoint):
        """A closed provider that the endpoint waits for, or None."""
        for provider in self.providers:
            if self.waits_for(endpoint, provider) and self.is_closed(provider):
                return provider
        return None

    def is_unread(self, endpoint):
        """Without a rate, and nobody reads any of its providers any more."""
        if endpoint.plan.rate is not None:
            return False
        targets = self.fed_by(endpoint)
        return bool(targets) and not any(each.is_read() for each in targets)

    def is_through(self, endpoint):
        """Its pattern is over."""
        if self.now >= self.plan.duration_ns:
            return True
        return endpoint.plan.rate is not None and self.last_slot(endpoint, self.now) == \
            self.last_slot(endpoint, self.plan.duration_ns)

    def on_stop(self, endpoint, is_deadlock):
        need(not endpoint.is_stopped, "stops twice")
        is_dry = self.closed_input(endpoint) is not None
        if is_deadlock:
            need(self.deadlocked or not self.can_go_on(), "is called a deadlock and is none")
            self.deadlocked = True
        else:
            need(self.is_through(endpoint) or is_dry or self.is_unread(endpoint) or
                 any(each.deadlocked for each in self.world) or  # Another worker has seen it,
                 (self.is_split and not self.can_go_on()),  # and may have nothing left to stop.
                 endpoint.plan.name, "stops for no reason")
            self.ran_dry |= is_dry
        for since, what in ((self.quiet_since, "there was a deadlock"),
                            (endpoint.closed_since, "its input was closed")):
            need(since is None or self.now - since <= LATE_NS, endpoint.plan.name, "stops",
                 self.now - (since or 0), "ns after", what)
        endpoint.is_stopped = True
        self.quiet_since = None
        for each in self.endpoints:
            each.closed_since = None  # Others may get what it held.
        self.on_ungather(endpoint)

    def on_ungather(self, endpoint):
        """It leaves all lines; only one that has stopped does, or one that another worker needs
        what it holds of."""
        if self.giving_up not in (None, endpoint):
            self.end_giving_up()
        need(endpoint.is_stopped or self.is_split, "gives up and has not stopped")
        for provider in self.providers:
            for kind in "sd":
                if (endpoint, kind) in provider.receivers:
                    provider.receivers.remove((endpoint, kind))
        self.giving_up = endpoint
        endpoint.has_given_up = True

    def on_back(self, provider, value, endpoint):
        """What it holds goes back in front, the first popped the first again."""
        need(endpoint is self.giving_up, "values go back of one that goes on")
        own = [each for each in endpoint.popped if each[0] is provider]
        if own:
            need(own[-1][1] == value, "values go back out of order")
            at = max(i for i, each in enumerate(endpoint.popped) if each[0] is provider)
            endpoint.popped.pop(at)
        else:
            need(provider in endpoint.single, "a value goes back that was not there")
            need(endpoint.single.pop(provider) == value, "another value goes back")
        if provider.holds_same(value):
            provider.dropped += 1
        else:
            provider.queue.appendleft(value)

    def end_giving_up(self):
        """All it had is back."""
        endpoint, self.giving_up = self.giving_up, None
        need(not endpoint.single and not endpoint.popped, "keeps values that it has no use for")
        endpoint.drop_hand()
        if endpoint.is_stopped and not endpoint.has_left:
            endpoint.has_left = True
            for provider in self.popped_by(endpoint):
                provider.readers -= 1

    def on_unread(self, provider):
        """Nobody needs to wait for room where nobody reads."""
        need(not provider.is_read(), "values are dropped that somebody reads")
        while provider.senders:
            first = provider.senders.popleft()
            provider.unread += len(first.values)
            first.values.clear()
            if first.request is not None:
                self.has_sent(first)

    def can_go_on(self):
        """Whether any endpoint may ever begin a request again, or has one in flight: one that has
        all it waits for, or that waits for what such a one may bring."""
        if self.is_split:  # Only what is plain: what workers say to each other is another matter.
            return any(each.model.requests or (each.on_the_way and each.is_read())
                       for provider in self.providers for each in provider.twins)
        alive = {each.endpoint for each in self.requests.values()}
        grows = True
        while grows:
            more = {each for each in self.endpoints if not each.is_stopped and each not in alive
                    and self.may_come(each, alive)}
            alive |= more
            grows = bool(more)
        return bool(alive)

    def may_come(self, endpoint, alive):
        """Whether what an endpoint waits for may come, if `alive` go on."""
        popped = {provider for each in alive for provider in self.popped_by(each)}
        if endpoint.is_gathering and not endpoint.is_complete():
            for provider in self.providers:
                if self.waits_for(endpoint, provider) and not (
                        provider.queue or provider.senders or
                        (provider.source is not None and not provider.source.is_used_up()) or
                        any(self.may_push(each, provider) for each in alive)):
                    return False
            return True
        fed = self.fed_by(endpoint)
        if endpoint.running >= self.running_limit(endpoint) and not any(p in popped for p in fed):
            return False
        return not endpoint.plan.on_demand or endpoint.asked is not None or any(
            provider.demand or provider in popped for provider in fed)

    def is_quiet(self):
        """Nothing can happen any more, for as long as it may last: nothing is in flight, every
        endpoint that has not stopped waits for a value, for room, or to be asked."""
        any_left = False
        if self.requests:
            return False
        for provider in self.providers:
            if (provider.queue and provider.receivers) or (provider.senders and
                                                           provider.has_room()):
                return False
        for endpoint in self.endpoints:
            if endpoint.is_stopped:
                continue
            any_left = True
            if endpoint.is_gathering and not endpoint.is_complete():
                continue
            if endpoint.plan.on_demand and endpoint.asked is None:
                if not any(each.demand for each in self.fed_by(endpoint)):
                    continue
            if endpoint.plan.rate is None and \
                    endpoint.running >= self.running_limit(endpoint):
                continue
            if endpoint.running >= endpoint.running_max:
                continue
            return False
        return any_left

    # What there is once the engine has done all that it could.

    def settle(self, what):
        """Before an event: what follows from the last one, once sources have filled up and what an
        endpoint held that gives up is back."""
        if what in ("fill", "sames", "ungather"):
            return
        if self.sent is not None:
            sent, self.sent = self.sent, None
            self.has_sent(sent)
        if self.giving_up is not None and what != "back":
            self.end_giving_up()

    def need_nothing_expected(self):
        for provider, expected in self.expected.items():
            raise Wrong(f"{expected[0][1]} should have gone into {provider.name}")

    def on_rest(self, idle):
        """Nobody waits for what is there."""
        for provider in self.providers:
            need(not (provider.queue and provider.receivers), "somebody waits for a value of",
                 provider.name, "which has some")
            need(not provider.senders or provider.is_read() or self.is_split,
                 "somebody waits for room in", provider.name, "which nobody reads")
            self.check_starving(provider)
            need(not (provider.senders and provider.has_room()), "somebody waits for room in",
                 provider.name, "which has some")
            if provider.source is not None and provider.has_room() and not provider.plan.unique:
                need(provider.source.is_used_up(), "the source of", provider.name, "lags behind")
        if self.is_split or self.now >= self.plan.duration_ns or not self.is_quiet():
            self.quiet_since = None
        elif self.quiet_since is None:
            self.quiet_since = self.now
        for endpoint in self.endpoints:
            self.check_drive(endpoint, idle)
            if endpoint.is_stopped or endpoint.is_due:
                continue
            if self.is_split or self.closed_input(endpoint) is None:
                endpoint.closed_since = None
            elif endpoint.closed_since is None:
                endpoint.closed_since = self.now

    def check_drive(self, endpoint, idle):
        """It gathers if it may, and begins if it can."""
        plan = endpoint.plan
        if self.is_split and (endpoint.has_given_up or
                              not all(each.is_read() for each in self.fed_by(endpoint))):
            return  # For another worker, and for some time; or others have stopped just now.
        if endpoint.is_stopped or self.now >= self.plan.duration_ns:
            return
        if endpoint.is_gathering:
            for provider in endpoint.missing:
                need((endpoint, "s") in provider.receivers, plan.name, "does not ask for",
                     provider.name)
            for declare in endpoint.declares:
                if declare.wants is not None:
                    need((endpoint, "d") in self.all_providers[declare.wants].receivers, plan.name,
                         "does not ask for", self.all_providers[declare.wants].name)
        may = self.may_gather(endpoint)
        if plan.on_demand and plan.rate is None and not may and endpoint.asked is None and \
                endpoint.running < self.running_limit(endpoint):
            need(not any(each.demand for each in self.fed_by(endpoint)), plan.name,
                 "is asked and does nothing")
        if plan.rate is not None or self.is_unread(endpoint):
            return
        if may and (plan.mentions or plan.declares):
            need(endpoint.is_gathering, plan.name, "may gather and does not")
        can = may and endpoint.is_complete() and endpoint.running < endpoint.running_max
        if can and not endpoint.is_due and not endpoint.is_in_line:
            need(False, plan.name, "could begin and does not")
        if endpoint.is_due and idle > 0 and endpoint.running < endpoint.running_max:
            need(False, plan.name, "is due, connections are idle, and it does not begin")
