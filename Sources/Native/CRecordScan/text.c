#include "record_scan.h"
#include "text.h"

#include <string.h>

static uint32_t hex4(const uint8_t *at) {
    return (uint32_t)(cogni_hex(at[0]) << 12 | cogni_hex(at[1]) << 8 | cogni_hex(at[2]) << 4 | cogni_hex(at[3]));
}

static size_t put_utf8(uint32_t code, uint8_t *out) {
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xC0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xE0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}

// The scanner has checked the escapes, so that none is cut and every \u has its four digits.
size_t cogni_unescape(const uint8_t *text, size_t length, uint8_t *out) {
    const uint8_t *end = text + length;
    uint8_t *start = out;
    while (text < end) {
        if (*text != '\\') {
            *out++ = *text++;
            continue;
        }
        uint8_t letter = text[1];
        text += 2;
        switch (letter) {
        case 'b': *out++ = 8; break;
        case 'f': *out++ = 12; break;
        case 'n': *out++ = 10; break;
        case 'r': *out++ = 13; break;
        case 't': *out++ = 9; break;
        case 'u': {
            uint32_t code = hex4(text);
            text += 4;
            if (code >= 0xD800 && code < 0xDC00 && end - text >= 6 && text[0] == '\\' && text[1] == 'u') {
                uint32_t low = hex4(text + 2);
                if (low >= 0xDC00 && low < 0xE000) {
                    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                    text += 6;
                }
            }
            if (code == 0 || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
            out += put_utf8(code, out);
            break;
        }
        default: *out++ = letter; break;
        }
    }
    return (size_t)(out - start);
}
