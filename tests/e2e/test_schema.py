"""The schema of the report. lib.load() holds every report that any test makes against it; here it
is held against the documentation and the golden reports, and the checker against another one."""

import glob
import json
import os
import re

import lib
import schema
from lib import check, equal


def read_schema():
    return json.loads(lib.read_file(os.path.join(lib.ROOT, "docs", "report.schema.json")))


def golden_reports():
    for path in sorted(glob.glob(os.path.join(lib.ROOT, "tests", "golden", "report_*.json"))):
        yield os.path.basename(path), json.loads(lib.read_file(path))


def test_golden_reports_are_as_the_schema_says():
    root, count = read_schema(), 0
    for name, report in golden_reports():
        found = list(schema.errors(report, root, root))
        check(not found, f"{name}:", *found)
        count += 1
    check(count >= 6, "golden reports:", count)


def test_what_the_schema_does_not_know_is_refused():
    root = read_schema()
    _, good = next(golden_reports())

    def refused(path, value):
        report = json.loads(json.dumps(good))
        at = report
        for key in path[:-1]:
            at = at[key]
        if value is None:
            del at[path[-1]]
        else:
            at[path[-1]] = value
        found = list(schema.errors(report, root, root))
        check(found, f"not refused: {path} = {value!r}")

    for path, value in (
        (("surprise",), 1),
        (("ledger", "surprise"), 1),
        (("ledger", "failed", "surprise"), 1),
        (("status", "20"), 1),
        (("ledger", "due"), None),
        (("ledger", "due"), -1),
        (("ledger", "due"), 1.5),
        (("ledger", "due"), True),
        (("ledger", "closes"), 1),
        (("left_out",), 1.1),
        (("engine",), "select"),
        (("verdict", "reasons"), [1]),
        (("latency_us", "from_due", "p50"), "fast"),
        (("per_worker", 0, "cpu"), "first"),
        (("per_worker", 0, "surprise"), 1),
    ):
        refused(path, value)


def test_every_key_of_the_schema_is_documented():
    root = read_schema()
    text = lib.read_file(os.path.join(lib.ROOT, "docs", "report.md"))
    words = set(re.findall(r"[a-z_0-9]+", " ".join(re.findall(r"`([^`]*)`", text))))
    classes = root["$defs"]["ledger"]["properties"]["failed"]["properties"]
    for key in schema.keys(root, root):
        name = key.rpartition(".")[2]
        if key.startswith("ledger.failed.") and name in classes:
            continue  # Those have a table of their own, below.
        check(name in words, f"docs/report.md does not know `{name}` ({key})")


def test_the_classes_of_failure_are_those_of_the_program():
    source = lib.read_file(os.path.join(lib.ROOT, "io", "failed.h"))
    classes = re.findall(r"X\(\w+, (\w+),", source)
    source = lib.read_file(os.path.join(lib.ROOT, "tls", "tls_err.h"))
    classes += [f"tls_{name}" for name in re.findall(r"X\(\w+, (\w+),", source)]
    named = read_schema()["$defs"]["ledger"]["properties"]["failed"]["properties"]
    equal(sorted(named), sorted(classes), "classes in the schema and in the headers")


def test_another_checker_agrees():
    try:
        import jsonschema
    except ImportError as error:
        raise lib.Skip("there is no python3-jsonschema") from error
    root = read_schema()
    name = "Draft202012Validator" if hasattr(jsonschema, "Draft202012Validator") else "Draft7Validator"
    validator = getattr(jsonschema, name)
    validator.check_schema(root)
    for name, report in golden_reports():
        found = [error.message for error in validator(root).iter_errors(report)]
        check(not found, f"{name}:", *found)
        report["surprise"] = 1
        check(not validator(root).is_valid(report), "an unknown key is not refused")
