#!/usr/bin/env python3
"""Makes tests/data/json.jsonl: texts, right and wrong, and what Python's json module makes of them,
written as pelt writes values. A line each: {"t": TEXT, "r": CANONICAL or null when it is wrong}."""

import json
import random
import re
import sys

MAX = 1.7976931348623157e308
PIECES = ['{', '}', '[', ']', ',', ':', '"', '"a"', '""', '"\\n"', '"\\u00e9"', '"\\ud83d\\ude00"',
          '"\\ud83d"', '"\\ude00\\ud83d"', '"\\ud83d\\n"', '0', '-0', '1', '-1', '1.5', '1e5', '1E-5',
          '0.1', '01', '1.', '.5', '+1', '-', '1e', '1e+', '123456789012345678901234567890',
          '9223372036854775807', '9223372036854775808', '-9223372036854775808',
          '-9223372036854775809', '1e400', '-1e400', '1e-400', '5e-324', '2.2250738585072011e-308',
          'true', 'false', 'null', 'NaN', 'Infinity', 'tru', 'nul', ' ', '\n', '\t', '\r', '\f',
          '\u00a0', '\\', '\\u12', '"\t"', '"\x7f"', '"é漢😀"', "'a'", '//', '/**/', '"\\x"', '"\\/"',
          '"\\u0000"', '0.30000000000000004', '123456.789e3', '1e16', '1e15', '0.00001', '0.000001']


def double(value):
    """As ryu's pretty printer writes it: the shortest digits, exponents from 1e17 and below 1e-5."""
    value = max(-MAX, min(MAX, value))
    sign = "-" if str(value).startswith("-") else ""
    digits, exponent = (f"{abs(value)!r}".lower().split("e") + ["0"])[:2]
    whole, _, part = digits.partition(".")
    part = "" if part == "0" else part
    text = (whole + part).lstrip("0")
    point = len(whole) + int(exponent) - (len(whole + part) - len(text))
    text = text.rstrip("0")
    if not text:
        return sign + "0.0"
    if point > 16 or point < -4:
        return sign + text[0] + ("." + text[1:] if len(text) > 1 else "") + f"e{point - 1}"
    if point <= 0:
        return sign + "0." + "0" * -point + text
    if len(text) <= point:
        return sign + text + "0" * (point - len(text)) + ".0"
    return sign + text[:point] + "." + text[point:]


def canonical(value):
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int):
        if -2**63 <= value < 2**63:
            return str(value)
        return double(float(value)) if abs(value) < 10**308 else double(MAX if value > 0 else -MAX)
    if isinstance(value, float):
        return double(value)
    if isinstance(value, str):
        value = re.sub("[\ud800-\udfff]", "\ufffd", value)
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    merged = {}
    for key, item in value.items():
        merged[re.sub("[\ud800-\udfff]", "\ufffd", key)] = item
    return "{" + ",".join(canonical(k) + ":" + canonical(v) for k, v in merged.items()) + "}"


def refuse(word):
    raise ValueError(word)


def verdict(text):
    try:
        return canonical(json.loads(text, parse_constant=refuse))
    except ValueError:
        return None


def grow(rng, depth):
    kind = rng.random()
    if depth == 0 or kind < 0.5:
        return rng.choice(PIECES[7:])
    space = rng.choice(["", "", " ", "\n"])
    count = rng.choice([0, 1, 2, 3])
    if kind < 0.75:
        return "[" + ("," + space).join(grow(rng, depth - 1) for _ in range(count)) + space + "]"
    keys = ['"a"', '"b"', '"a"', '"\\u0061"', '""', '"é"']
    return "{" + ("," + space).join(rng.choice(keys) + space + ":" + grow(rng, depth - 1)
                                    for _ in range(count)) + "}"


def mutate(rng, text):
    at = rng.randrange(len(text) + 1)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1:]
    if kind == 1:
        return text[:at] + rng.choice(PIECES) + text[at:]
    if kind == 2:
        return text[:at]
    return text[:at] + rng.choice(PIECES) + text[at + 1:]


def main():
    rng = random.Random(8259)
    texts = dict.fromkeys(PIECES + ["", " ", "[" * 100 + "]" * 100, '{"a":1,"a":2,"b":3,"a":4}'])
    while len(texts) < 3000:
        text = grow(rng, 4)
        if rng.random() < 0.5:
            text = mutate(rng, text)
        if len(text) <= 200:
            texts[text] = None
    for _ in range(500):
        texts[repr(rng.uniform(-1, 1) * 10.0**rng.randrange(-320, 309))] = None
        texts[str(rng.randrange(-2**70, 2**70) >> rng.randrange(70))] = None
    right = 0
    for text in texts:
        if any("\ud800" <= c <= "\udfff" for c in text):
            continue
        result = verdict(text)
        right += result is not None
        print(json.dumps({"t": text, "r": result}, ensure_ascii=True))
    print(f"{len(texts)} texts, {right} right", file=sys.stderr)


main()
