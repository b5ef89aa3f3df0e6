#!/usr/bin/env python3
"""Reads the inputs of fuzz_http1 the slow way, by regular expressions over the whole stream, and
prints what `fuzz_http1 -p` prints. Written from RFC 9112 and the choices listed in io/http1.h,
not from the C, so that `tests/fuzz/run diff` compares two opinions."""

import re
import sys

LINE_BYTES_MAX = 16 * 1024
FIELDS_MAX = 256
INTERIM_MAX = 16
TRAILER_BYTES_MAX = 16 * 1024
LENGTH_MAX = 2**63 - 1
ANSWERS_MAX = 32

START = re.compile(rb"HTTP/1\.[0-9] [1-9][0-9][0-9][ \r\n]")
STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9][0-9])( [\t\x20-\x7e\x80-\xff]*)?")
FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)")
FOLD = re.compile(rb"[ \t][\t\x20-\x7e\x80-\xff]*")
CODING = re.compile(rb"""[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*(;(?:[^,"]|"(?:[^"\\]|\\.)*")*)?$""")
SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(;[\t\x20-\x7e\x80-\xff]*)?")


class Verdict(Exception):
    pass


def parse_head(data, head_bytes_max):
    """The facts of the head at the start of `data`, or raises the verdict."""
    seen = data[:head_bytes_max]
    right = b"HTTP/1.1 200 "
    if not START.match(seen[:13] + right[len(seen):]):
        raise Verdict("bad")
    end = re.search(rb"\n\r?\n", seen)
    if end is None:
        raise Verdict("more" if len(data) < head_bytes_max else "too_large")

    text = data[: end.end()]
    raw_lines = re.findall(rb"[^\n]*\n", text)
    lines = [re.sub(rb"\r?\n$", b"", line) for line in raw_lines][:-1]
    status_line = STATUS_LINE.fullmatch(lines[0])
    if status_line is None:
        raise Verdict("bad")
    fields = []
    for line in lines[1:]:
        field = FIELD.fullmatch(line)
        if field is not None:
            fields.append([field[1].lower(), field[2], False])
        elif fields and FOLD.fullmatch(line):
            fields[-1][1] += b" " + line
            fields[-1][2] = True
        else:
            raise Verdict("bad")
    if len(fields) > FIELDS_MAX or any(len(line) > LINE_BYTES_MAX for line in raw_lines):
        raise Verdict("too_large")

    head = {"bytes": len(text), "minor": status_line[1] != b"0", "status": int(status_line[2])}
    head["te"] = read_transfer_encoding(fields, head["minor"])
    head["length"] = read_length(fields, head["te"] is not None)
    values = [value for name, value, _ in fields if name == b"connection"]
    head["options"] = [o.strip(b" \t").lower() for v in values for o in v.split(b",")]
    return head


def split_list(value):
    """Splits at commas outside of quoted strings."""
    if re.fullmatch(rb"""(?:[^"\\]|\\|"(?:[^"\\]|\\.)*")*""", value, re.S) is None:
        raise Verdict("bad_framing")
    return re.findall(rb"""(?:[^",]|"(?:[^"\\]|\\.)*")+""", value, re.S)


def read_transfer_encoding(fields, minor):
    """None, "chunked" or "other"."""
    mine = [(value, folded) for name, value, folded in fields if name == b"transfer-encoding"]
    if not mine:
        return None
    if not minor or any(folded for _, folded in mine):
        raise Verdict("bad_framing")
    codings = []
    for value, _ in mine:
        for element in split_list(value):
            if element.strip(b" \t") == b"":
                continue
            coding = CODING.match(element)
            if coding is None:
                raise Verdict("bad_framing")
            if coding[1].lower() == b"chunked" and coding[2] is not None:
                raise Verdict("bad_framing")
            codings.append(coding[1].lower())
    if not codings or b"chunked" in codings[:-1]:
        raise Verdict("bad_framing")
    return "chunked" if codings[-1] == b"chunked" else "other"


def read_length(fields, has_te):
    """None or the number."""
    values = [value for name, value, _ in fields if name == b"content-length"]
    parts = [part.strip(b" \t") for value in values for part in value.split(b",")]
    if not parts:
        return None
    numbers = {int(part) if re.fullmatch(rb"[0-9]+", part) else -1 for part in parts}
    if len(numbers) == 1 and 0 <= min(numbers) <= LENGTH_MAX:
        return numbers.pop()
    if has_te:
        return 0
    raise Verdict("bad_framing")


def line_at(data, at):
    """The line at `at` without its CRLF, and where the next begins; None if it has no end."""
    end = data.find(b"\n", at)
    if end < 0:
        return None, at
    return data[at:end].removesuffix(b"\r"), end + 1


def read_chunks(data):
    """Verdict, number of data bytes, and for "done" the number of bytes consumed. Inputs are
    too short for the maxima of size lines and overhead."""
    at, body = 0, 0
    while True:
        line, after = line_at(data, at)
        size = SIZE.fullmatch(line) if line is not None else None
        if size is None or data[after - 2 : after - 1] != b"\r":
            return refuse_or_wait(SIZE_PREFIXES, data[at:]), body, None
        at = after
        length = int(size[1], 16)
        if length + body > LENGTH_MAX:
            return "bad_framing", body, None
        if length == 0:
            break
        body += min(length, len(data) - at)
        at += length
        if data[at : at + 2] != b"\r\n":
            return ("more" if b"\r\n".startswith(data[at : at + 2]) else "bad_framing"), body, None
        at += 2
    trailers = at
    while True:
        line, after = line_at(data, at)
        if line is None or data[after - 2 : after - 1] != b"\r":
            first = at == trailers
            return refuse_or_wait(FIRST_PREFIXES if first else LATER_PREFIXES, data[at:]), body, None
        if line == b"":
            return "done", body, after
        if not FIELD.fullmatch(line) and (at == trailers or not FOLD.fullmatch(line)):
            return "bad_framing", body, None
        at = after


TEXT = rb"[\t\x20-\x7e\x80-\xff]*"
TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# What may stand at the end of the bytes so far, when a line is not finished yet.
SIZE_PREFIXES = rb"(?:[0-9A-Fa-f]{1,16}(?:[ \t]*(?:;%s)?\r?)?)?" % TEXT
FIRST_PREFIXES = rb"(?:\r|%s(?::%s\r?)?)?" % (TOKEN, TEXT)
LATER_PREFIXES = rb"(?:\r|%s(?::%s\r?)?|[ \t]%s\r?)?" % (TOKEN, TEXT, TEXT)


def refuse_or_wait(prefixes, rest):
    """An unfinished line is "more" if it can still become right."""
    digits = re.match(rb"[0-9A-Fa-f]*", rest)[0] if prefixes is SIZE_PREFIXES else b""
    if digits and int(digits[:16], 16) > LENGTH_MAX:
        return "bad_framing"
    return "more" if re.fullmatch(prefixes, rest, re.S) else "bad_framing"


def read_response(data, asked, head_bytes_max):
    """One response: what is printed of it, and whether another may follow."""
    answer = {"verdict": "more", "status": 0, "interims": 0, "body": 0, "end": 0}
    answer.update(reusable=0, conflict=0)
    while True:
        rest = data[answer["end"] :]
        try:
            head = parse_head(rest, head_bytes_max)
        except Verdict as verdict:
            answer["verdict"] = str(verdict)
            return answer
        answer["end"] += head["bytes"]
        answer["status"] = status = head["status"]
        answer["conflict"] = int(head["te"] is not None and head["length"] is not None)
        persists = head["minor"] or b"keep-alive" in head["options"]
        persists = persists and b"close" not in head["options"] and not answer["conflict"]
        answer["reusable"] = int(persists)
        if status >= 200 or status == 101:
            break
        answer["interims"] += 1
        if answer["interims"] > INTERIM_MAX:
            answer["verdict"] = "too_large"
            return answer

    rest = data[answer["end"] :]
    if status in (101, 204, 304) or asked == "HEAD":
        answer["reusable"] = int(persists and status != 101)
        answer["verdict"] = "done"
    elif asked == "CONNECT" and status < 300:
        answer["reusable"] = 0
        answer["verdict"] = "done"
    elif head["te"] == "chunked":
        answer["verdict"], answer["body"], used = read_chunks(rest)
        # Where exactly a refusal happened is the decoder's business; None is not printed.
        answer["end"] = answer["end"] + used if used is not None else None
        if answer["verdict"] == "more":
            answer["end"] = len(data)
    elif head["te"] == "other" or head["length"] is None:
        answer["reusable"] = 0
        answer["verdict"] = "done"
        answer["body"] = len(rest)
        answer["end"] = len(data)
    else:
        answer["body"] = min(head["length"], len(rest))
        answer["end"] += answer["body"]
        answer["verdict"] = "done" if answer["body"] == head["length"] else "more"
    return answer


def read_connection(raw):
    """The lines for one input of fuzz_http1.c, whose comment says how it is laid out."""
    if len(raw) < 2 or len(raw) < 2 + (raw[1] & 7):
        return
    asked = ("OTHER", "HEAD", "CONNECT")[raw[0] % 3]
    head_bytes_max = (64 * 1024, 128, 64, 16)[raw[0] // 3 % 4]
    data = raw[2 + (raw[1] & 7) :]
    at = 0
    for count in range(1, ANSWERS_MAX + 1):
        answer = read_response(data[at:], asked, head_bytes_max)
        end = "?" if answer["end"] is None else at + answer["end"]
        print(
            f"{answer['verdict']} status={answer['status']} interims={answer['interims']}"
            f" body={answer['body']} reusable={answer['reusable']}"
            f" conflict={answer['conflict']} end={end}"
        )
        if answer["verdict"] != "done" or not answer["reusable"] or count == ANSWERS_MAX:
            return
        at += answer["end"]
        if at == len(data):
            return


for path in sys.argv[1:]:
    print(path)
    with open(path, "rb") as file:
        read_connection(file.read())
