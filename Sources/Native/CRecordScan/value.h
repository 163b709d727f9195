#ifndef COGNI_VALUE_H
#define COGNI_VALUE_H

#include "scan.h"
#include "text.h"

// How one JSON value is checked and its place noted. Part of scan_steps.h, and inlined there.

// What a cell's length has room for.
#define LONGEST_VALUE (1 << 28)
#define VALUE_IS_TOO_LONG "one value is larger than 256 MiB"

static inline int fail(cogni_scan *scan, const uint8_t *at, const char *reason) {
    scan->fault.reason = at >= scan->end ? "the page ends too early" : reason;
    scan->fault.offset = (size_t)((at > scan->end ? scan->end : at) - scan->bytes);
    scan->phase = AT_FAULT;
    return 0;
}

static inline const uint8_t *skip_space(const uint8_t *at) {
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') at++;
    return at;
}

// After the opening quote. Returns the closing quote, or null after a fault.
static inline const uint8_t *scan_string(cogni_scan *scan, const uint8_t *at, int *has_escapes) {
    *has_escapes = 0;
    for (;;) {
        at = cogni_skip_plain(at);
        uint8_t c = *at;
        if (c == '"') {
            if (at >= scan->end) break;
            return at;
        }
        if (c >= 0x80) {
            unsigned length = cogni_utf8_length(at);
            if (!length) {
                fail(scan, at, "a string is not UTF-8");
                return NULL;
            }
            at += length;
            continue;
        }
        if (c != '\\') {
            fail(scan, at, "a control character in a string");
            return NULL;
        }
        *has_escapes = 1;
        c = at[1];
        if (c == 'u') {
            if (cogni_hex(at[2]) < 0 || cogni_hex(at[3]) < 0 || cogni_hex(at[4]) < 0 || cogni_hex(at[5]) < 0) {
                fail(scan, at, "a \\u escape needs four hex digits");
                return NULL;
            }
            at += 6;
        } else if (c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' || c == 't') {
            at += 2;
        } else {
            fail(scan, at, "not an escape");
            return NULL;
        }
    }
    fail(scan, scan->end, "");
    return NULL;
}

static inline int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static inline const uint8_t *scan_number(cogni_scan *scan, const uint8_t *at, uint32_t *kind) {
    *kind = COGNI_INTEGER;
    if (*at == '-') at++;
    if (*at == '0') {
        at++;
    } else if (is_digit(*at)) {
        at = cogni_skip_digits(at);
    } else {
        fail(scan, at, "not a value");
        return NULL;
    }
    if (*at == '.') {
        *kind = COGNI_NUMBER;
        at++;
        if (!is_digit(*at)) {
            fail(scan, at, "a digit is missing after the point");
            return NULL;
        }
        while (is_digit(*at)) at++;
    }
    if (*at == 'e' || *at == 'E') {
        *kind = COGNI_NUMBER;
        at++;
        if (*at == '+' || *at == '-') at++;
        if (!is_digit(*at)) {
            fail(scan, at, "a digit is missing in the exponent");
            return NULL;
        }
        while (is_digit(*at)) at++;
    }
    return at;
}

// Checks a whole object or array without recursion: hostile depth costs a bit, not a stack frame.
static inline const uint8_t *skip_container(cogni_scan *scan, const uint8_t *at) {
    uint64_t is_object[COGNI_MAX_DEPTH / 64];
    uint32_t depth = 0;
    int escapes;
    uint32_t kind;
    goto open;

value:
    at = skip_space(at);
    switch (*at) {
    case '{':
    case '[': goto open;
    case '"':
        at = scan_string(scan, at + 1, &escapes);
        if (!at) return NULL;
        at++;
        break;
    case 't':
        if (memcmp(at, "true", 4) != 0) goto bad;
        at += 4;
        break;
    case 'f':
        if (memcmp(at, "false", 5) != 0) goto bad;
        at += 5;
        break;
    case 'n':
        if (memcmp(at, "null", 4) != 0) goto bad;
        at += 4;
        break;
    default:
        at = scan_number(scan, at, &kind);
        if (!at) return NULL;
    }
    goto after;

open:
    if (depth == COGNI_MAX_DEPTH) {
        fail(scan, at, "nested more than 512 levels deep");
        return NULL;
    }
    if (*at == '{') {
        is_object[depth / 64] |= 1ull << (depth % 64);
        depth++;
        at = skip_space(at + 1);
        if (*at == '}') goto close;
        goto key;
    }
    is_object[depth / 64] &= ~(1ull << (depth % 64));
    depth++;
    at = skip_space(at + 1);
    if (*at == ']') goto close;
    goto value;

key:
    if (*at != '"') {
        fail(scan, at, "a key must be a string");
        return NULL;
    }
    at = scan_string(scan, at + 1, &escapes);
    if (!at) return NULL;
    at = skip_space(at + 1);
    if (*at != ':') {
        fail(scan, at, "a colon is missing after a key");
        return NULL;
    }
    at++;
    goto value;

close:
    at++;
    depth--;
    if (depth == 0) return at;

after:
    at = skip_space(at);
    if (is_object[(depth - 1) / 64] >> ((depth - 1) % 64) & 1) {
        if (*at == ',') {
            at = skip_space(at + 1);
            goto key;
        }
        if (*at == '}') goto close;
    } else {
        if (*at == ',') {
            at++;
            goto value;
        }
        if (*at == ']') goto close;
    }
    fail(scan, at, "a comma or a closing bracket is missing");
    return NULL;

bad:
    fail(scan, at, "not a value");
    return NULL;
}

// Any value; notes where it stands. Returns what follows it, or null after a fault.
static inline const uint8_t *scan_value(cogni_scan *scan, const uint8_t *at, cogni_cell *cell) {
    const uint8_t *start = at, *stop;
    uint32_t kind;
    int escapes;
    switch (*at) {
    case '"':
        stop = scan_string(scan, at + 1, &escapes);
        if (!stop) return NULL;
        start++;
        kind = escapes ? COGNI_ESCAPED : COGNI_PLAIN;
        at = stop + 1;
        break;
    case '{':
    case '[':
        kind = *at == '{' ? COGNI_OBJECT : COGNI_ARRAY;
        stop = at = skip_container(scan, at);
        if (!at) return NULL;
        break;
    case 't':
        if (memcmp(at, "true", 4) != 0) goto bad;
        kind = COGNI_TRUE;
        stop = at = at + 4;
        break;
    case 'f':
        if (memcmp(at, "false", 5) != 0) goto bad;
        kind = COGNI_FALSE;
        stop = at = at + 5;
        break;
    case 'n':
        if (memcmp(at, "null", 4) != 0) goto bad;
        kind = COGNI_NULL;
        stop = at = at + 4;
        break;
    default:
        stop = at = scan_number(scan, at, &kind);
        if (!at) return NULL;
    }
    if (stop - start >= LONGEST_VALUE) {
        fail(scan, start, VALUE_IS_TOO_LONG);
        return NULL;
    }
    cell->offset = (uint32_t)(start - scan->bytes);
    cell->length = (uint32_t)(stop - start) & 0xFFFFFFF;
    cell->kind = kind & 0xF;
    return at;
bad:
    fail(scan, at, "not a value");
    return NULL;
}

#endif
