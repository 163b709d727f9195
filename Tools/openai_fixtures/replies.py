"""Requests and the replies to them: paging in each of the API's styles."""

from dataclasses import dataclass

from .text import envelope, identifier


@dataclass
class Reply:
    stream: str
    path: str
    query: list  # of (name, value), in the order the client sends them; without the page limit
    body: str
    status: int = 200


def reply(stream, path, query, value, status=200):
    return Reply(stream, path, query, envelope(value), status)


def after_last_id(stream, path, pages, query=()):
    """`after` is the envelope's last_id, which is filled on the last page too."""
    out, cursor = [], None
    for index, items in enumerate(pages):
        last = items[-1]["id"] if items else None
        value = {
            "object": "list",
            "data": items,
            "first_id": items[0]["id"] if items else None,
            "last_id": last,
            "has_more": index + 1 < len(pages),
        }
        out.append(reply(stream, path, list(query) + ([("after", cursor)] if cursor else []), value))
        cursor = last
    return out


def after_item_id(stream, path, pages, query=()):
    """`after` is the last item's id; the envelope has no ids of its own."""
    out, cursor = [], None
    for index, items in enumerate(pages):
        value = {"object": "list", "data": items, "has_more": index + 1 < len(pages)}
        out.append(reply(stream, path, list(query) + ([("after", cursor)] if cursor else []), value))
        cursor = items[-1]["id"] if items else None
    return out


def after_next(stream, path, pages, query=()):
    """`after` is `next`, opaque. An empty page with another `next` is followed, not taken for the end."""
    out, cursor = [], None
    for index, items in enumerate(pages):
        has_more = index + 1 < len(pages)
        following = identifier("", f"{path}/{list(query)}/{index}", 20) + "+/=" if has_more else None
        value = {"object": "list", "data": items, "has_more": has_more, "next": following}
        out.append(reply(stream, path, list(query) + ([("after", cursor)] if cursor else []), value))
        cursor = following
    return out


def bucket_pages(stream, path, pages, query=()):
    """`page` is `next_page`, which here is filled on the last page too: `has_more` decides."""
    out, cursor = [], None
    for index, buckets in enumerate(pages):
        following = "page_" + identifier("", f"{path}/{list(query)}/{index}", 27) + "="
        value = {"object": "page", "data": buckets, "has_more": index + 1 < len(pages), "next_page": following}
        out.append(reply(stream, path, list(query) + ([("page", cursor)] if cursor else []), value))
        cursor = following
    return out


def single(stream, path, value):
    return [reply(stream, path, [], value)]


def unset(stream, path):
    error = {"message": "No such object.", "type": "invalid_request_error", "param": None, "code": None}
    return [reply(stream, path, [], {"error": error}, status=404)]
