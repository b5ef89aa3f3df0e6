"""JSON Schema, as far as docs/report.schema.json needs it. A keyword that is not known here is an
error, so that nothing in the schema is silently ignored."""

import re

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}
NOTES = {"$schema", "$defs", "title", "description"}


def has_type(value, name):
    if isinstance(value, bool) and name != "boolean":
        return False
    return isinstance(value, TYPES[name])


def _type(value, names, _schema):
    names = [names] if isinstance(names, str) else names
    if not any(has_type(value, name) for name in names):
        yield f"is no {' or '.join(names)}: {value!r:.80}"


def _enum(value, allowed, _schema):
    if value not in allowed:
        yield f"is none of {allowed}: {value!r:.80}"


def _minimum(value, least, _schema):
    if has_type(value, "number") and value < least:
        yield f"is below {least}: {value}"


def _maximum(value, most, _schema):
    if has_type(value, "number") and value > most:
        yield f"is above {most}: {value}"


def _pattern(value, pattern, _schema):
    if isinstance(value, str) and not re.search(pattern, value):
        yield f"does not match {pattern}: {value!r:.80}"


def _required(value, names, _schema):
    for name in names if isinstance(value, dict) else ():
        if name not in value:
            yield f"lacks '{name}'"


def _additional(value, allowed, schema):
    assert allowed is False, "additionalProperties is only known as false"
    for name in value if isinstance(value, dict) else ():
        patterns = schema.get("patternProperties", {})
        if name not in schema.get("properties", {}) and not any(re.search(p, name) for p in patterns):
            yield f"has a key that docs/report.schema.json and docs/report.md do not know: '{name}'"


FLAT = {
    "type": _type,
    "enum": _enum,
    "minimum": _minimum,
    "maximum": _maximum,
    "pattern": _pattern,
    "required": _required,
    "additionalProperties": _additional,
}


def inner(value, schema):
    """The parts of `value` with a schema of their own: (path, part, schema)."""
    if isinstance(value, dict):
        for name, one in schema.get("properties", {}).items():
            if name in value:
                yield f".{name}", value[name], one
        for pattern, one in schema.get("patternProperties", {}).items():
            for name in value:
                if re.search(pattern, name):
                    yield f".{name}", value[name], one
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield f"[{index}]", item, schema["items"]


def errors(value, schema, root, path=""):
    """What is wrong with `value`, a line each."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        schema = root["$defs"][name]
    for keyword, wanted in schema.items():
        if keyword in FLAT:
            for error in FLAT[keyword](value, wanted, schema):
                yield f"{path or 'the report'} {error}"
        else:
            known = NOTES | {"properties", "patternProperties", "items"}
            assert keyword in known, f"a keyword that schema.py does not know: {keyword}"
    for name, part, one in inner(value, schema):
        yield from errors(part, one, root, path + name)


def keys(schema, root, path=""):
    """Every key that a schema names, with its path."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    for name, one in schema.get("properties", {}).items():
        yield f"{path}.{name}".lstrip(".")
        yield from keys(one, root, f"{path}.{name}")
    for one in (*schema.get("patternProperties", {}).values(), schema.get("items")):
        if one:
            yield from keys(one, root, path)
