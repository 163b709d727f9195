"""The page kernel and Python's json agree on what is a page: the verdict, and the value of every cell.

    Tests/Fuzz/agree.py LIBRARY [PAGES] [SEED]

LIBRARY is the kernel as a shared object (Tests/Fuzz/run.sh makes it). Pages are made up, half of them damaged afterwards. Python's json shares no
code with the kernel. Where it is laxer than RFC 8259 (NaN, other encodings than UTF-8) it is made strict here.
"""

import ctypes
import json
import random
import sys

PADDING = 64
ABSENT, NULL, TRUE, FALSE, INTEGER, NUMBER, PLAIN, ESCAPED, OBJECT, ARRAY = range(10)
ROWS, END, BAD = 1, 2, 3
SLOTS = (("id",), ("amount", "value"), ("name",))


class Cell(ctypes.Structure):
    _fields_ = [("offset", ctypes.c_uint32), ("packed", ctypes.c_uint32)]

    @property
    def length(self):
        return self.packed & 0x0FFF_FFFF

    @property
    def kind(self):
        return self.packed >> 28


class Kernel:
    def __init__(self, path):
        self.c = c = ctypes.CDLL(path)
        for name in ("cogni_shape_new", "cogni_scan_new", "cogni_scan_row"):
            getattr(c, name).restype = ctypes.c_void_p
        c.cogni_shape_add_level.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32]
        c.cogni_shape_add_field.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int32]
        c.cogni_scan_new.argtypes = [ctypes.c_void_p]
        c.cogni_scan_open.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        c.cogni_scan_next.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
        c.cogni_scan_rows.argtypes = [ctypes.c_void_p]
        c.cogni_scan_row.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
        c.cogni_unescape.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p]
        c.cogni_unescape.restype = ctypes.c_size_t
        self.shape = c.cogni_shape_new()
        c.cogni_shape_add_level(self.shape, b"data", 4)
        for slot, keys in enumerate(SLOTS):
            lengths = (ctypes.c_uint32 * 2)(*(len(key) for key in keys))
            c.cogni_shape_add_field(self.shape, 1, "".join(keys).encode(), lengths, len(keys), slot)
        self.scan = c.cogni_scan_new(self.shape)

    def rows(self, page):
        """Each row's cells as (kind, bytes); None when the page is refused."""
        room = page + bytes(PADDING)
        self.c.cogni_scan_open(self.scan, room, len(page))
        found = []
        while True:
            step = self.c.cogni_scan_next(self.scan, 3)
            if step == BAD:
                return None
            if step == END:
                return found
            for number in range(self.c.cogni_scan_rows(self.scan)):
                cells = ctypes.cast(self.c.cogni_scan_row(self.scan, number), ctypes.POINTER(Cell))
                found.append([(cells[slot].kind, page[cells[slot].offset : cells[slot].offset + cells[slot].length]) for slot in range(len(SLOTS))])

    def text(self, raw):
        out = ctypes.create_string_buffer(len(raw) + 3)
        count = self.c.cogni_unescape(raw, len(raw), out)
        return out.raw[:count].decode("utf-8")


class Members(list):
    """An object as its members in order, so that repeats are seen."""


def strict(page):
    """The page by Python's json, or None."""

    def refuse(_):
        raise ValueError

    try:
        text = page.decode("utf-8")
        value = json.loads(text, parse_constant=refuse, parse_int=Literal, parse_float=Literal, object_pairs_hook=Members)
    except (ValueError, RecursionError):
        return None
    return None if text.startswith("\ufeff") else value


class Literal(str):
    """A number as it was written."""


ABSENCE = object()


def member(value, keys):
    """The member's value by the kernel's rule; ABSENCE when it is not there."""
    for key in keys:
        if not isinstance(value, Members):
            return ABSENCE
        found = [each for name, each in value if name == key]
        if not found:
            return ABSENCE
        value = found[-1]
    return value


def wanted(page):
    """Rows as Python sees them, None for a page that must be refused, and ABSENCE where repeated keys leave it open."""
    value = strict(page)
    if not isinstance(value, Members):
        return None
    lists = [each for name, each in value if name == "data"]
    if len(lists) != 1 or not isinstance(lists[0], list) or isinstance(lists[0], Members):
        return None
    if not all(isinstance(row, Members) for row in lists[0]):
        return None
    for row in lists[0]:
        names = [name for name, _ in row]
        inner = [name for key, each in row if key == "amount" and isinstance(each, Members) for name, _ in each]
        if len(set(names)) < len(names) or len(set(inner)) < len(inner):
            return ABSENCE
    return [[member(row, keys) for keys in SLOTS] for row in lists[0]]


def same(kernel, cell, value):
    kind, raw = cell
    if value is ABSENCE:
        return kind == ABSENT
    if value is None:
        return kind in (NULL, ABSENT)
    if value is True or value is False:
        return kind == (TRUE if value else FALSE)
    if isinstance(value, Literal):
        return raw.decode() == value and kind == (INTEGER if value.lstrip("-").isdigit() else NUMBER)
    if isinstance(value, Members):
        return kind == OBJECT and json.loads(raw, object_pairs_hook=Members, parse_int=Literal, parse_float=Literal) == value
    if isinstance(value, list):
        return kind == ARRAY and json.loads(raw, object_pairs_hook=Members, parse_int=Literal, parse_float=Literal) == value
    clean = "".join("\ufffd" if letter == "\0" or 0xD800 <= ord(letter) < 0xE000 else letter for letter in value)
    return kind in (PLAIN, ESCAPED) and kernel.text(raw) == clean


TEXTS = ('"a"', '""', '"\\u00e9"', '"é€😀"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\u0000"', '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"' + "long " * 20 + '"', '"]},{["', '"\u2028"', '"\x7f"')
NUMBERS = ("0", "-0", "1", "-1", "9007199254740993", "1.5", "1e5", "1E+5", "1e-05", "-0.0", "123456789012345678901234567890", "0.1e1")
WRONG = ("01", "+1", ".5", "1.", "1e", "-", "NaN", "Infinity", "0x1", "tru", "nul", "'a'", '"\\x"', '"\\u12"', '"\t"', "", "[1,]", '{"a"}', '{"a":}', "{,}", '"a')
SPACES = ("", "", "", " ", "\n", "\t", "\r\n ")
KEYS = ("id", "amount", "name", "value", "i\\u0064", "other", "data", "", "é", "nam", "names", "has_more")


class Maker:
    def __init__(self, seed):
        self.chance = random.Random(seed)

    def space(self):
        return self.chance.choice(SPACES)

    def value(self, depth=0):
        pick = self.chance.random()
        if pick < 0.3:
            return self.chance.choice(TEXTS)
        if pick < 0.55:
            return self.chance.choice(NUMBERS)
        if pick < 0.7 or depth > 4:
            return self.chance.choice(("null", "true", "false"))
        if pick < 0.72:
            return self.chance.choice(WRONG)
        if pick < 0.86:
            return self.object(depth + 1)
        return "[" + ",".join(self.space() + self.value(depth + 1) + self.space() for _ in range(self.chance.randrange(4))) + "]"

    def object(self, depth):
        members = (f'{self.space()}"{key}"{self.space()}:{self.space()}{self.value(depth)}{self.space()}' for key in self.chance.sample(KEYS, self.chance.randrange(5)))
        return "{" + ",".join(members) + "}"

    def page(self):
        rows = ",".join(self.space() + self.object(0) for _ in range(self.chance.randrange(4)))
        before = self.chance.choice(("", "", '"object":"list",', '"x":' + self.value(2) + ","))
        after = self.chance.choice(("", "", ',"has_more":false', ',"next":' + self.value(2)))
        page = f'{self.space()}{{{before}"data":{self.space()}[{rows}{self.space()}]{after}}}{self.space()}'.encode("utf-8", "surrogatepass")
        return self.damaged(page) if self.chance.random() < 0.5 else page

    def damaged(self, page):
        bytes_ = bytearray(page)
        for _ in range(self.chance.randrange(1, 3)):
            place = self.chance.randrange(len(bytes_))
            pick = self.chance.random()
            if pick < 0.3:
                bytes_[place] ^= 1 << self.chance.randrange(8)
            elif pick < 0.5:
                del bytes_[place]
            elif pick < 0.7:
                bytes_.insert(place, self.chance.choice(b'{}[],:"\\ \n0-eE.\x00\x80\xff\xed\xc0truefalsn'))
            elif pick < 0.8:
                del bytes_[place:]
            elif pick < 0.9:
                end = self.chance.randrange(place, min(len(bytes_), place + 12))
                bytes_[place:place] = bytes_[place:end]
            else:
                bytes_ += self.chance.choice((b"x", b"{}", b"\x00", b" ", b"\xef\xbb\xbf"))
            if not bytes_:
                break
        return bytes(bytes_)


def main(library, count=20_000, seed=20261125):
    sys.setrecursionlimit(20_000)
    kernel, maker = Kernel(library), Maker(seed)
    accepted = refused = open_ = 0
    for number in range(count):
        page = maker.page()
        want, got = wanted(page), kernel.rows(page)
        if want is ABSENCE:
            open_ += 1
            continue
        agree = (want is None) == (got is None) and (
            want is None or len(want) == len(got) and all(same(kernel, cell, value) for row, values in zip(got, want) for cell, value in zip(row, values))
        )
        if not agree:
            print(f"seed {seed}, page {number}: {page!r}\n  python: {want}\n  kernel: {got}")
            return 1
        accepted += want is not None
        refused += want is None
    print(f"seed {seed}: {count} pages, {accepted} accepted and {refused} refused by both, {open_} with repeated keys")
    return 0 if min(accepted, refused) > count // 10 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *(int(word) for word in sys.argv[2:])))
