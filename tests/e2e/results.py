"""A reader of the results files of `pelt run`, written after docs/results.md and nothing else."""

import base64
import json
import re
import struct
import zlib

TAIL = re.compile(rb',"crc":"([0-9a-f]{8})"}')
TAIL_LEN = 18


def value_of(line):
    """The object of a line without its line feed; None if the line is not right."""
    tail = TAIL.fullmatch(line[-TAIL_LEN:])
    if not tail or len(line) <= TAIL_LEN:
        return None
    if zlib.crc32(line[:-TAIL_LEN]) != int(tail[1], 16):
        return None
    return json.loads(line)


class Results:
    """What a file holds: `header`, `groups` (tags by index), `buckets`, `end` (None: it has none);
    `lines`, all objects in their order; `torn`, bytes of a torn last line; `damaged`, numbers of
    other lines that are not right."""

    def __init__(self, data):
        self.header, self.groups, self.buckets, self.end = None, {}, [], None
        self.lines, self.torn, self.damaged = [], 0, []
        pieces = data.split(b"\n")
        for number, line in enumerate(pieces):
            value = value_of(line)
            if value is not None:
                self.take(value)
            elif number == len(pieces) - 1:
                self.torn = len(line)
            else:
                self.damaged.append(number)

    def take(self, value):
        self.lines.append(value)
        if value["type"] == "header":
            self.header = value
        elif value["type"] == "group":
            self.groups[value["index"]] = value["tags"]
        elif value["type"] == "bucket":
            self.buckets.append(value)
        elif value["type"] == "end":
            self.end = value

    def figures(self):
        """(tags, figures) of every group in every bucket."""
        for bucket in self.buckets:
            for figures in bucket["groups"]:
                yield self.groups[figures["index"]], figures

    def total(self, key):
        return sum(figures[key] for _, figures in self.figures())

    def counts(self, key):
        """The sums of a member that counts by name."""
        sums = {}
        for _, figures in self.figures():
            for name, count in figures[key].items():
                sums[name] = sums.get(name, 0) + count
        return sums


def read(path):
    with open(path, "rb") as file:
        return Results(file.read())


def objects(text):
    """The objects of a text that has nothing between them."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        yield value


def take_number(data, at):
    """A ZigZag LEB128 number of at most nine bytes, and where the next one is."""
    value, shift = 0, 0
    while shift < 56:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return (value >> 1) ^ -(value & 1), at
    value |= data[at] << 56
    return (value >> 1) ^ -(value & 1), at + 1


def counts_of(data, at):
    """The counts of a histogram, which begin at `at`, as {lowest value of a bucket: count}."""
    counts, bucket = {}, 0
    while at < len(data):
        count, at = take_number(data, at)
        if count < 0:
            bucket += -count
            continue
        if count:
            shift = max(0, (bucket >> 10) - 1)
            counts[(bucket - (shift << 10)) << shift] = count
        bucket += 1
    return counts


def decode(text):
    """The counts of a histogram, compressed or not, as {lowest value of a bucket: count}."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    if data[:4] == b"\x1c\x84\x93\x14":
        assert struct.unpack_from(">I", data, 4)[0] == len(data) - 8
        data = zlib.decompress(data[8:])
    cookie, length, offset, digits, low, high, ratio = struct.unpack_from(">IIIIQQd", data)
    assert (cookie, length, offset) == (0x1C849313, len(data) - 40, 0)
    assert (digits, low, ratio) == (3, 1, 1.0) and high > 2**35
    return counts_of(data, 40)
