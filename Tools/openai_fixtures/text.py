"""JSON with the freedom a recorded reply needs: number text as written, escapes where wanted."""

import hashlib
import json

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Number(str):
    """Number text that goes into the JSON as it is: 1e-05, 0.8958740000000000."""


class Escaped(str):
    r"""A string whose every character outside ASCII letters and digits is written as \uXXXX.

    For text that must not stand readable in the repository (an invented key), and to have replies that
    escape what others write plainly.
    """


def render(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Escaped):
        units = value.encode("utf-16-be")
        out = []
        for i in range(0, len(units), 2):
            code = units[i] << 8 | units[i + 1]
            char = chr(code)
            plain = code < 128 and (char.isalnum() or char == " ")
            out.append(char if plain else "\\u%04x" % code)
        return '"' + "".join(out) + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(json.dumps(k) + ": " + render(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(render(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def envelope(value):
    """As render, with one line for each element of `data`, so that a diff of a fixture can be read."""
    parts = []
    for key, member in value.items():
        if key == "data" and isinstance(member, list) and member:
            body = "[\n" + ",\n".join("    " + bucket(item) for item in member) + "\n  ]"
        else:
            body = render(member)
        parts.append("  " + json.dumps(key) + ": " + body)
    return "{\n" + ",\n".join(parts) + "\n}\n"


def bucket(item):
    """A bucket's rows on lines of their own; any other item on one line."""
    rows = item.get("results") if isinstance(item, dict) else None
    if not rows:
        return render(item)
    head = {k: v for k, v in item.items() if k != "results"}
    lines = ",\n".join("      " + render(row) for row in rows)
    return render(head)[:-1] + ', "results": [\n' + lines + "\n    ]}"


def noise(*parts):
    """A whole number that looks random and is the same on every machine and for every Python."""
    digest = hashlib.sha256("/".join(str(p) for p in parts).encode()).digest()
    return int.from_bytes(digest[:6], "big")


def identifier(prefix, name, length=24):
    """`proj_`, `atlas` -> proj_Xy…: looks like the API's, stays the same, says nothing."""
    value = int.from_bytes(hashlib.sha256((prefix + name).encode()).digest(), "big")
    out = ""
    for _ in range(length):
        value, rest = divmod(value, len(ALPHABET))
        out += ALPHABET[rest]
    return prefix + out


def unix(text):
    """2025-11-01 or 2025-11-01T09:30 (UTC) to Unix seconds."""
    import datetime

    form = "%Y-%m-%dT%H:%M" if "T" in text else "%Y-%m-%d"
    moment = datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp())
