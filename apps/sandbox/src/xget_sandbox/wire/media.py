"""Media entities and cards of a post."""

from __future__ import annotations

from typing import Any

from xget_sandbox.world.ids import iso_time
from xget_sandbox.world.model import Author, Media, Poll, Post, Preview

Json = dict[str, Any]

KEY_PREFIX = {"photo": "3", "video": "13", "animated_gif": "16"}
PLATFORM = {"platform": {"audience": {"name": "production"}, "device": {"name": "Swift", "version": "12"}}}


def render_media(media: Media, post: Post, author: Author, start: int) -> Json:
    """One entry of `extended_entities.media`; `start` is where its link begins in `full_text`."""
    key = f"{KEY_PREFIX[media.type]}_{media.id}"
    page = "video" if media.type == "video" else "photo"
    entity: Json = {
        "display_url": media.tco.replace("https://t.co", "pic.x.com"),
        "expanded_url": f"https://x.com/{author.handle}/status/{post.id}/{page}/1",
        "ext_media_availability": {"status": "Available"},
        "id_str": str(media.id),
        "indices": [start, start + len(media.tco)],
        "media_key": key,
        "media_results": {"result": {"media_key": key}},
        "media_url_https": _address(media),
        "original_info": {"focus_rects": [], "height": media.height, "width": media.width},
        "sizes": _sizes(media),
        "type": media.type,
        "url": media.tco,
    }
    if media.type == "photo":
        entity["features"] = {size: {"faces": []} for size in ("large", "medium", "orig", "small")}
        entity["allow_download_status"] = {"allow_download": True}
    else:
        entity["video_info"] = _video(media)
    if media.type == "video":
        entity["additional_media_info"] = {"monetizable": False}
    return entity


def render_poll(poll: Poll, post: Post, *, final: bool = True, now_ms: int | None = None) -> Json:
    """A poll's card, votes not final while the poll runs."""
    name = f"poll{len(poll.options)}choice_text_only"
    end = post.created_ms + poll.minutes * 60_000
    values: list[Json] = []
    for number, (label, votes) in enumerate(poll.options, 1):
        values.append(string(f"choice{number}_label", label))
        values.append(string(f"choice{number}_count", str(votes)))
    values += [
        string("end_datetime_utc", iso_time(end)),
        {"key": "counts_are_final", "value": {"boolean_value": final, "type": "BOOLEAN"}},
        string("last_updated_datetime_utc", iso_time(min(end, now_ms or end))),
        string("duration_minutes", str(poll.minutes)),
        string("api", "capi://passthrough/1"),
        string("card_url", "https://twitter.com"),
    ]
    return card(name, f"card://{post.id - 1}", values)


def render_preview(preview: Preview) -> Json:
    """The summary card of a linked page."""
    image = f"https://pbs.twimg.com/card_img/{preview.tco.rsplit('/', 1)[1]}?format=jpg&name="
    sizes = (("photo_image_full_size_large", 419, 800, "800x419"), ("thumbnail_image_small", 69, 100, "100x100"))
    values: list[Json] = [
        {"key": key, "value": {"image_value": {"height": h, "url": image + name, "width": w}, "type": "IMAGE"}}
        for key, h, w, name in sizes
    ]
    palette = [{"percentage": 82.53, "rgb": {"blue": 22, "green": 22, "red": 21}}]
    values += [
        string("description", preview.description),
        string("domain", preview.domain),
        {"key": "thumbnail_image_color", "value": {"image_color_value": {"palette": palette}, "type": "IMAGE_COLOR"}},
        string("title", preview.title),
        string("vanity_url", preview.domain, scribe=True),
        string("card_url", preview.tco, scribe=True),
    ]
    return card("summary_large_image", preview.tco, values)


def card(name: str, url: str, values: list[Json]) -> Json:
    """A card of values."""
    legacy = {"binding_values": values, "card_platform": PLATFORM, "name": name, "url": url, "user_refs_results": []}
    return {"legacy": legacy, "rest_id": url}


def string(key: str, value: str, *, scribe: bool = False) -> Json:
    """One text of a card."""
    scribed = {"scribe_key": key} if scribe else {}
    return {"key": key, "value": {**scribed, "string_value": value, "type": "STRING"}}


def _address(media: Media) -> str:
    if media.type == "photo":
        return f"https://pbs.twimg.com/media/{media.token}.jpg"
    if media.type == "video":
        return f"https://pbs.twimg.com/amplify_video_thumb/{media.id}/img/{media.token}.jpg"
    return f"https://pbs.twimg.com/tweet_video_thumb/{media.token}.jpg"


def _video(media: Media) -> Json:
    ratio = {"aspect_ratio": [16, 9] if media.width > media.height else [1, 1]}
    base = "https://video.twimg.com"
    if media.type == "animated_gif":
        url = f"{base}/tweet_video/{media.token}.mp4"
        return {**ratio, "variants": [{"bitrate": 0, "content_type": "video/mp4", "url": url}]}
    folder = f"{base}/amplify_video/{media.id}"
    variants: list[Json] = [
        {"content_type": "application/x-mpegURL", "url": f"{folder}/pl/{media.token}.m3u8?tag=28"},
    ]
    for rate, size in ((432_000, "320x320"), (832_000, "540x540"), (1_280_000, "720x720")):
        url = f"{folder}/vid/avc1/{size}/{media.token}.mp4?tag=28"
        variants.append({"bitrate": rate, "content_type": "video/mp4", "url": url})
    return {**ratio, "duration_millis": media.duration_ms, "variants": variants}


def _sizes(media: Media) -> Json:
    sizes: Json = {"thumb": {"h": 150, "resize": "crop", "w": 150}}
    for name, limit in (("large", 2048), ("medium", 1200), ("small", 680)):
        scale = min(1.0, limit / max(media.width, media.height))
        sizes[name] = {"h": round(media.height * scale), "resize": "fit", "w": round(media.width * scale)}
    return sizes
