#ifndef COGNI_TIMES_H
#define COGNI_TIMES_H

#include <stdint.h>

// Unix seconds as RFC 3339 text, and the calendar behind it. Part of encode.c.

static inline void put_two(uint8_t *out, int64_t value) {
    out[0] = (uint8_t)('0' + value / 10);
    out[1] = (uint8_t)('0' + value % 10);
}

// Days since 1970-01-01 to a civil date; the inverse stands in Model's Instant, and a test holds both together.
static inline void civil(int64_t day, int64_t *year, int64_t *month, int64_t *day_of_month) {
    int64_t shifted = day + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    *month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
    *day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;
}

#define LAST_SECOND 253402300799ll /* 9999-12-31T23:59:59Z */

// `"2025-11-03T04:05:06Z"` with its quotes: 22 bytes.
static inline void time_text(int64_t seconds, uint8_t *out) {
    int64_t day = seconds / 86400, rest = seconds % 86400, year, month, day_of_month;
    civil(day, &year, &month, &day_of_month);
    out[0] = '"';
    put_two(out + 1, year / 100);
    put_two(out + 3, year % 100);
    out[5] = '-';
    put_two(out + 6, month);
    out[8] = '-';
    put_two(out + 9, day_of_month);
    out[11] = 'T';
    put_two(out + 12, rest / 3600);
    out[14] = ':';
    put_two(out + 15, rest / 60 % 60);
    out[17] = ':';
    put_two(out + 18, rest % 60);
    out[20] = 'Z';
    out[21] = '"';
}

// Unix seconds of a non-negative integer cell up to the year 9999; -1 for anything else.
static inline int64_t seconds_of(const uint8_t *text, uint32_t length) {
    if (length == 0 || length > 12) return -1;
    int64_t value = 0;
    for (uint32_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value <= LAST_SECOND ? value : -1;
}

#endif
