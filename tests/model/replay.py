"""Reads what tests/model/trace tells of a run, and holds it against the reference."""

import json

import plans
from reference import Crews, Wrong, need, world


def parse(values):
    """The values of a request: "s0=1", "d1=[2]" → {"s0": 1, "d1": [2]}"""
    pairs = (each.split("=", 1) for each in values)
    return {name: json.loads(value) for name, value in pairs}


class Replay:
    def __init__(self, plan):
        self.plan = plan
        self.models = None  # By worker.
        self.crews = Crews([], [])
        self.begun = []  # X-Request-Ids.
        self.is_resting = True
        self.events = 0
        self.ended = False

    def line(self, line):
        """One line of the trace."""
        what, *words = line.split("\t")
        if what == "at" and self.models is None:
            self.models = world(self.plan, self.crews)
        if what in ("crew", "at", "seen", "end"):
            getattr(self, "on_" + what)(words)
            return
        if self.models is None:
            raise Wrong("the run did not begin")
        model = self.models[int(words[0])]
        for each in self.models:
            each.settle(what if each is model else "")
        if what not in ("in", "same", "fill", "sames"):
            model.need_nothing_expected()
        self.events += 1
        getattr(self, "on_" + what)(model, words[1:])

    def on_crew(self, words):
        crews = self.crews.providers if words[0] == "p" else self.crews.endpoints
        need(len(crews) == int(words[1]), "crews come in order")
        crews.append((int(words[2]), int(words[3])))

    def on_at(self, words):
        for model in self.models:
            model.now = int(words[0])

    # Events: the words of a line into what they name.

    def on_fill(self, model, words):
        model.on_fill(model.all_providers[int(words[0])], json.loads(words[1]))

    def on_in(self, model, words, what="in"):
        model.on_in(what, model.all_providers[int(words[0])], json.loads(words[1]))

    def on_same(self, model, words):
        self.on_in(model, words, "same")

    def on_sames(self, model, words):
        model.on_sames(model.all_providers[int(words[0])], int(words[1]))

    def on_out(self, model, words):
        model.on_out(model.all_providers[int(words[0])], json.loads(words[1]),
                     model.all_endpoints[int(words[2])], words[3])

    def on_sent(self, model, words):
        model.on_sent(model.all_providers[int(words[0])], json.loads(words[1]))

    def on_got(self, model, words, is_same=False):
        model.on_got(model.all_providers[int(words[0])], json.loads(words[1]), is_same)

    def on_got_same(self, model, words):
        self.on_got(model, words, True)

    def on_ungather(self, model, words):
        model.on_ungather(model.all_endpoints[int(words[0])])

    def on_unread(self, model, words):
        model.on_unread(model.all_providers[int(words[0])])

    def on_none(self, model, words):
        model.on_none(model.all_providers[int(words[0])], model.all_endpoints[int(words[1])], words[2])

    def on_back(self, model, words):
        model.on_back(model.all_providers[int(words[0])], json.loads(words[1]),
                      model.all_endpoints[int(words[2])])

    def on_asked(self, model, words):
        model.on_asked(model.all_endpoints[int(words[0])], model.all_providers[int(words[1])])

    def on_due(self, model, words):
        model.on_due(model.all_endpoints[int(words[0])])

    def on_begin(self, model, words):
        request = model.on_begin(model.all_endpoints[int(words[0])], int(words[1]), int(words[2]),
                                 parse(words[3:]))
        names = request.endpoint.plan.header
        self.begun.append("".join([words[0]] + [f"-{plans.as_text(request.values[name])}"
                                                for name in names]))

    def on_ok(self, model, words):
        model.on_answer(int(words[0]), int(words[1]))

    def on_failed(self, model, words):
        model.on_answer(int(words[0]), 0)

    def on_stop(self, model, words):
        model.on_stop(model.all_endpoints[int(words[0])], words[1] == "1")

    # What there is after a turn.

    def on_turn(self, model, words):
        self.is_resting = words[0] == "0"
        if self.is_resting:
            model.on_rest(int(words[1]))

    def on_queue(self, model, words):
        provider = model.all_providers[int(words[0])]
        theirs = tuple(int(each) for each in words[1:9]) + tuple(
            json.loads(each) for each in words[9:])
        if len(provider.twins) > 1:  # Others ask, and drop what they get and do not want.
            provider.unread, provider.demand = theirs[5], theirs[7]
        ours = (len(provider.queue), provider.limit, len(provider.receivers),
                len(provider.senders), provider.refused, provider.unread, provider.dropped,
                provider.demand, *provider.queue)
        need(theirs == ours, provider.name, "is", theirs, "and should be", ours,
             "(len limit receivers senders refused unread dropped demand values)")

    def on_endpoint(self, model, words):
        endpoint = model.all_endpoints[int(words[0])]
        running, pending, multiplier, in_line, is_stopped, started = (
            int(each) for each in words[1:])
        theirs = (running, multiplier, bool(is_stopped), started)
        ours = (endpoint.running, endpoint.multiplier, endpoint.is_stopped, endpoint.begun)
        need(theirs == ours, endpoint.plan.name, "is", theirs, "and should be", ours,
             "(running m is_stopped started)")
        if endpoint.plan.rate is None or endpoint.plan.on_demand:
            endpoint.is_due = pending > 0
        endpoint.is_in_line = in_line > 0

    # The end.

    def on_seen(self, words):
        """The server got no request that was not begun."""
        cut = words[0]
        for index, each in enumerate(self.begun):
            if each[:47] == cut:
                del self.begun[index]
                return
        raise Wrong(f"the server has got {cut}, which nobody sent")

    def on_end(self, words):
        self.ended = True
        cut_off = int(words[1])
        for model in self.models:
            need(len(model.requests) <= cut_off, "requests have neither ended nor been cut off")
        if not self.plan.faults:
            need(len(self.begun) <= cut_off, "requests did not come to the server:", self.begun)
