"""The twelve reports: buckets of usage and of costs, a few rows a working day, empty on weekends."""

from .organization import (
    ADA,
    ATLAS,
    BORIS,
    DELETED_KEY,
    FAMILY,
    GONE,
    KEYS,
    LEAKY,
    NOA,
    PEOPLE,
    PILOT,
    ROBOT,
    TRANSLATION,
)
from .replies import bucket_pages
from .text import Number, identifier, noise, unix

DAY, HOUR = 86_400, 3_600
FROM, TO = unix("2025-11-01"), unix("2025-12-01")
NOW = unix("2025-12-01T06:00")

MODELS = ["gpt-5", "gpt-5-mini", "gpt-4.1-2025-04-14"]
# Who uses what: project, user, key.
CALLERS = [
    (ATLAS, ADA, KEYS["atlas-web"]),
    (ATLAS, ROBOT, KEYS["atlas-batch"]),
    (FAMILY, NOA, KEYS["family-app"]),
    (TRANSLATION, NOA, KEYS["translation-ci"]),
    (LEAKY, BORIS, KEYS["leaky-dev"]),
]


def dimensions(grouped, **values):
    """Every dimension of a report; those that were not asked for are null."""
    return {name: value if name in grouped else None for name, value in values.items()}


def is_working_day(start):
    # 1970-01-01 was a Thursday.
    return (start // DAY + 3) % 7 < 5


def buckets(width, start, end, rows):
    return [
        {"object": "bucket", "start_time": at, "end_time": at + width, "results": rows(at)}
        for at in range(start, end, width)
    ]


def paged(items, size):
    return [items[i : i + size] for i in range(0, len(items), size)]


def merged(rows, counters):
    """Rows with equal dimensions become one, as the API would have summed them."""
    out = {}
    for row in rows:
        key = tuple((k, v) for k, v in row.items() if k not in counters)
        if key in out:
            for name in counters:
                if isinstance(row.get(name), int):
                    out[key][name] += row[name]
        else:
            out[key] = dict(row)
    return list(out.values())


def token_counters(name, at, index):
    seen = noise(name, at, index)
    uncached, cached, written, output = 500 + seen % 9000, seen % 4096, seen % 300, 100 + seen % 2000
    return {
        "input_tokens": uncached + cached + written,
        "output_tokens": output,
        "num_model_requests": 1 + seen % 40,
        "input_uncached_tokens": uncached,
        "input_cached_tokens": cached,
        "input_cached_text_tokens": cached,
        "input_cached_image_tokens": 0,
        "input_cached_audio_tokens": 0,
        "input_cache_write_tokens": written,
        "input_cache_write_30m_tokens": written,
        "input_cache_write_12h_tokens": 0,
        "input_text_tokens": uncached + cached + written,
        "input_image_tokens": 0,
        "input_audio_tokens": 0,
        "output_text_tokens": output,
        "output_image_tokens": 0,
        "output_audio_tokens": 0,
    }


def token_row(name, grouped, at, index, **overrides):
    project, user, key = CALLERS[(index + noise(name, at) % 5) % 5]
    where = dict(
        project_id=project,
        user_id=user,
        api_key_id=key,
        model=MODELS[index % 3],
        batch=index % 4 == 3,
        service_tier="default",
        api_source="unlabeled",
    )
    where.update({k: v for k, v in overrides.items() if k in where})
    row = {
        "object": f"organization.usage.{name}.result",
        **token_counters(name, at, index),
        **dimensions(grouped, **where),
    }
    row.update({k: v for k, v in overrides.items() if k not in where})
    return row


def completions(grouped, width):
    """Hourly or daily, with the oddities of real rows on known days."""
    odd = {
        # Beyond what a double can count: 2^53 + 1.
        unix("2025-11-03T09:00"): lambda at: [
            token_row("completions", grouped, at, 0, input_tokens=9_007_199_254_740_993)
        ],
        # A key that was deleted, a user who left, a project that is archived: ids outlive what they name.
        unix("2025-11-04T09:00"): lambda at: [
            token_row("completions", grouped, at, 1, project_id=PILOT, user_id=GONE, api_key_id=DELETED_KEY)
        ],
        # Grouped, and still null: usage nobody is charged with.
        unix("2025-11-05T09:00"): lambda at: [
            token_row("completions", grouped, at, 0, user_id=None, api_key_id=None, service_tier=None),
            token_row("completions", grouped, at, 0, user_id=None, api_key_id=None, service_tier=""),
        ],
        # Fields that no schema has: a counter and a text.
        unix("2025-11-06T09:00"): lambda at: [
            token_row(
                "completions", grouped, at, 2, output_reasoning_tokens=512, workspace_label="invented by a newer API"
            ),
        ],
        unix("2025-11-07T09:00"): lambda at: [old_row(grouped, at)],
    }

    def rows(at):
        out = []
        hours = [at] if width == HOUR else range(at, at + width, HOUR)
        for hour in hours:
            if hour in odd:
                out += odd[hour](hour)
            elif is_working_day(hour) and hour % DAY in (9 * HOUR, 14 * HOUR):
                out += [token_row("completions", grouped, hour, i) for i in range(1 + noise("rows", hour) % 2)]
        return merged(out, {k for k in token_counters("", 0, 0)} | {"output_reasoning_tokens"})

    return rows


def old_row(grouped, at):
    """A row as the API wrote it before the newer counters and dimensions existed: their keys are absent."""
    row = token_row("completions", grouped, at, 0)
    gone = [
        k
        for k in row
        if k.startswith("input_cache_write") or k.endswith("_image_tokens") or k in ("service_tier", "api_source")
    ]
    return {k: v for k, v in row.items() if k not in gone}


def simple(name, object_name, counters, extra=None, per_day=2):
    """A report with one or two counters: `counters` maps each to its largest usual value."""

    def make(grouped):
        def rows(at):
            if not is_working_day(at):
                return []
            out = []
            for index in range(per_day):
                project, user, key = CALLERS[(index * 2 + at // DAY) % 5]
                where = dict(
                    project_id=project, user_id=user, api_key_id=key, model=f"{name.split('_')[0]}-model-{index}"
                )
                where.update({k: values[index % len(values)] for k, values in (extra or {}).items()})
                if name in ("vector_stores", "code_interpreter_sessions"):
                    where = dict(project_id=project)
                elif name == "file_search_calls":
                    del where["model"]
                row = {"object": f"organization.usage.{object_name}.result"}
                row.update({c: 1 + noise(name, c, at, index) % top for c, top in counters.items()})
                row.update(dimensions(grouped, **where))
                out.append(row)
            return merged(out, set(counters))

        return rows

    return make


SIMPLE = {
    "embeddings": simple("embeddings", "embeddings", {"input_tokens": 200_000, "num_model_requests": 300}),
    "moderations": simple("moderations", "moderations", {"input_tokens": 20_000, "num_model_requests": 90}),
    "images": simple(
        "images",
        "images",
        {"images": 30, "num_model_requests": 30},
        {"size": ["1024x1024", "1536x1024"], "source": ["image.generation", "image.edit"]},
    ),
    "audio_speeches": simple("audio_speeches", "audio_speeches", {"characters": 90_000, "num_model_requests": 50}),
    "audio_transcriptions": simple(
        "audio_transcriptions", "audio_transcriptions", {"seconds": 7_200, "num_model_requests": 50}
    ),
    "vector_stores": simple("vector_stores", "vector_stores", {"usage_bytes": 5_000_000_000}),
    "code_interpreter_sessions": simple("code_interpreter_sessions", "code_interpreter_sessions", {"num_sessions": 20}),
    # The object's name does not match the path in these two.
    "file_search_calls": simple(
        "file_search_calls",
        "file_searches",
        {"num_requests": 60},
        {"vector_store_id": [identifier("vs_", "handbook"), identifier("vs_", "tickets")]},
    ),
    "web_search_calls": simple(
        "web_search_calls",
        "web_searches",
        {"num_requests": 60, "num_model_requests": 60},
        {"context_level": ["low", "high"], "api_source": ["agents_api", "unlabeled"]},
    ),
}

# Every way in which money has been seen, and a credit.
AMOUNTS = [
    Number("12.5"),
    "0.0042",
    Number("1e-05"),
    Number("0.8958740000000000"),
    Number("0.34090000000000000"),
    "12.50",
    Number("0"),
    "0",
    Number("7"),
    Number("1.0E+2"),
    Number("0.10000000000000000555"),
    Number("123456789012345678.12"),
]
LINE_ITEMS = [
    "gpt-5, input",
    "gpt-5, output",
    'fine-tuning "support, v2"',
    "gpt-5-mini, cached input",
    "web search | tool calls",
    "=SUM(A1:A2) storage",
    "embeddings: text",
]
UNITS = ["tokens", "1000_tokens", "gibibyte_hours", None]


def costs(grouped):
    def row(at, index, project, line_item, value, **more):
        seen = noise("costs", at, index)
        out = {
            "object": "organization.costs.result",
            "amount": {"value": value, "currency": "usd"},
            "quantity": Number(["1234.0", "0.5", "17", "3e2"][seen % 4]) if "line_item" in grouped else None,
            "quantity_unit": UNITS[seen % 4] if "line_item" in grouped else None,
        }
        out.update(
            dimensions(
                grouped, project_id=project, line_item=line_item, user_id=None, api_key_id=None, api_source="unlabeled"
            )
        )
        # Undocumented, and seen in real replies.
        out.update(
            organization_id="org-Invented", organization_name="Quillfeather Labs", project_name=None, user_email=None
        )
        out.update(more)
        return out

    def rows(at):
        day = (at - FROM) // DAY
        if not is_working_day(at):
            return []
        out = []
        for index in range(2 + day % 3):
            project = [ATLAS, FAMILY, TRANSLATION, LEAKY][index % 4]
            more = {"user_email": PEOPLE[ADA][1], "project_name": "Atlas Search"} if project == ATLAS else {}
            out.append(row(at, index, project, LINE_ITEMS[(day + index) % 7], AMOUNTS[(day * 3 + index) % 12], **more))
        if day == 9:  # a credit, charged to nobody, in a currency of its own spelling
            out.append(row(at, 8, None, None, Number("-3.25"), quantity=None, quantity_unit=None))
        if day == 10:  # an archived project still costs
            out.append(row(at, 8, PILOT, "storage, residual", "0.01"))
        if day == 11:  # money without an amount
            out.append(row(at, 8, ATLAS, "free tier", Number("0"), amount={"currency": "usd", "value": None}))
            out.append(row(at, 9, FAMILY, "free tier", Number("0"), amount={}))
        return out

    return rows


# Which dimensions each report knows, in the order in which the client names them.
USUAL = ["project_id", "user_id", "api_key_id", "model"]
DIMENSIONS = {
    "usage_completions": USUAL + ["batch", "service_tier", "api_source"],
    "usage_decisions": USUAL + ["batch", "service_tier", "api_source"],
    "usage_embeddings": USUAL,
    "usage_moderations": USUAL,
    "usage_images": USUAL + ["size", "source"],
    "usage_audio_speeches": USUAL,
    "usage_audio_transcriptions": USUAL,
    "usage_vector_stores": ["project_id"],
    "usage_code_interpreter_sessions": ["project_id"],
    "usage_file_search_calls": ["project_id", "user_id", "api_key_id", "vector_store_id"],
    "usage_web_search_calls": USUAL + ["context_level", "api_source"],
    "costs": ["project_id", "line_item", "api_source"],  # the others may be refused
}


def decisions(grouped):
    def rows(at):
        return [token_row("decisions", grouped, at, 0)] if is_working_day(at) and at % (2 * DAY) == 0 else []

    return rows


def walk(stream, width, grouped, end):
    """All pages of one question: `width` is 1h or 1d, `grouped` the dimensions asked for.

    Two seams overlap: a page of embeddings begins with the bucket that ended the page before, unchanged; one of
    moderations does, too, but there a row has been restated in the meantime.
    """
    name = stream.removeprefix("usage_")
    seconds = HOUR if width == "1h" else DAY
    if stream == "costs":
        path, rows = "/organization/costs", costs(grouped)
    else:
        path = f"/organization/usage/{name}"
        if name == "completions":
            rows = completions(grouped, seconds)
        else:
            rows = decisions(grouped) if name == "decisions" else SIMPLE[name](grouped)
    items = buckets(seconds, FROM, end, rows)
    if name == "vector_stores":
        items[2]["results"][0]["usage_bytes"] = 9_223_372_036_854_775_807  # the largest Int64
    pages = paged(items, 168 if seconds == HOUR else 11)
    if name == "embeddings":
        pages[1].insert(0, pages[0][-1])
    if name == "moderations":
        again = dict(pages[0][-1], results=[dict(row) for row in pages[0][-1]["results"]])
        again["results"][0]["input_tokens"] += 1
        pages[1].insert(0, again)
    query = [("start_time", str(FROM)), ("end_time", str(end)), ("bucket_width", width)]
    query += [("group_by[]", dimension) for dimension in grouped]
    return bucket_pages(stream, path, pages, query)


def everything():
    out = []
    for stream, grouped in DIMENSIONS.items():
        out += walk(stream, "1d", grouped, TO)
    # What pipelines/usage-and-costs.yaml asks otherwise.
    out += walk("usage_completions", "1h", USUAL + ["batch", "service_tier"], NOW)
    out += walk("costs", "1d", ["project_id", "line_item"], TO)
    return out
