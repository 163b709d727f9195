"""What a correct run must count: rows fetched, repeats, rows kept. Worked out here from the replies alone."""

import json


def counts(replies):
    """One entry for each stream and grouping, in order of name."""
    walks = {}
    for reply in replies:
        asked = dict(reply.query)
        grouped = [value for name, value in reply.query if name == "group_by[]"]
        entry = walks.setdefault(
            (reply.stream, asked.get("bucket_width"), tuple(grouped)),
            {"requests": 0, "fetched": 0, "identical": 0, "conflicts": 0, "rows": {}},
        )
        entry["requests"] += 1
        if reply.status != 200:
            continue
        for key, row in keyed(reply, grouped):
            entry["fetched"] += 1
            before = entry["rows"].setdefault(key, row)
            if before is not row:
                entry["identical" if before == row else "conflicts"] += 1
    out = []
    for (stream, width, grouped), entry in sorted(walks.items(), key=lambda item: str(item[0])):
        kept = len(entry.pop("rows"))
        more = {"bucket_width": width, "group_by": list(grouped)} if width else {}
        out.append({"stream": stream, **more, **entry, "kept": kept})
    return out


def keyed(reply, grouped):
    """Rows with what identifies them. Numbers stay text, so that no two become equal by rounding."""
    body = json.loads(reply.body, parse_int=str, parse_float=str)
    if "data" not in body:
        return [(reply.path, body)]
    if any(name == "bucket_width" for name, _ in reply.query):
        return [
            ((bucket["start_time"],) + tuple(row.get(name) for name in grouped), row)
            for bucket in body["data"]
            for row in bucket["results"]
        ]
    return [((reply.path, row.get("id") or row.get("group_id")), row) for row in body["data"]]
