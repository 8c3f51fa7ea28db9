"""Whether a notification in Slack's or Discord's webhook format says what whoever is woken needs. Pure."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from lab.exercises.anomaly import Anomaly
from lab.exercises.points import Point, point

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
TOLERANCE = 0.02
SLACK_LIMIT = 40_000
DISCORD_LIMIT, DISCORD_EMBEDS, DISCORD_DESCRIPTION = 2_000, 10, 4_096
SHOWN = ("title", "description", "fields")
"""Of an embed: without any of them Discord shows nothing, and refuses it."""
RUNBOOK = "https://github.com/monitoring-failure-lab/lab/blob/main/docs/exercises.md"
EXAMPLE = Anomaly("rag_queries_total", 1_728_615_600.0, 12.83, 31.47, 28.91, 34.02, -21.86, RUNBOOK)
HOSTILE = Anomaly("queries of <!channel> @everyone", 1_728_615_600.0, 12.83, 31.47, 28.91, 34.02, -21.86, RUNBOOK)
"""A metric's labels come from outside: nobody may ping a whole channel by asking a query."""


def slack(ordinary: Any, hostile: Any) -> list[Point]:
    """Points of what was made of both anomalies for Slack."""
    shape = isinstance(ordinary, dict) and isinstance(ordinary.get("text"), str) and bool(ordinary["text"])
    size = len(json.dumps(ordinary))
    observed = f"{size} characters" if shape else "no `text`"
    pinged = "<!channel>" in " ".join(_texts(hostile))
    return [
        point(
            "Slack: format", shape and size <= SLACK_LIMIT, observed,
            "Slack wants an object with `text`, which is also what a phone shows",
        ),
        _context("Slack: context", ordinary, "<!date^"),
        point(
            "Slack: nobody is pinged", not pinged, "pings the channel" if pinged else "escaped",
            "a metric's name is text from outside: Slack wants &, < and > as &amp;, &lt; and &gt;",
        ),
    ]  # fmt: skip


def discord(ordinary: Any, hostile: Any) -> list[Point]:
    """Points of what was made of both anomalies for Discord."""
    refusal = _refusal(ordinary)
    mentions = hostile.get("allowed_mentions") if isinstance(hostile, dict) else None
    silent = mentions == {"parse": []} or "@everyone" not in " ".join(_texts(hostile))
    return [
        point(
            "Discord: format", not refusal, refusal or "content or embeds",
            f"Discord knows no `text`: it wants `content` ({DISCORD_LIMIT} characters at most) or `embeds` (a list of "
            f"{DISCORD_EMBEDS} objects at most, with title, description or fields)",
        ),
        _context("Discord: context", ordinary, "<t:"),
        point(
            "Discord: nobody is pinged", silent, "mentions are off" if silent else "pings everyone",
            'a metric\'s name is text from outside: "allowed_mentions": {"parse": []} turns mentions off',
        ),
    ]  # fmt: skip


def _refusal(payload: Any) -> str:
    """Why Discord would not take it; nothing where it would."""
    if not isinstance(payload, dict):
        return "no object"
    content, embeds = payload.get("content") or "", payload.get("embeds") or []
    if not isinstance(content, str) or not isinstance(embeds, list):
        return "content is no text" if isinstance(embeds, list) else "embeds is no list"
    if not content and not embeds:
        return "neither content nor embeds"
    if len(content) > DISCORD_LIMIT:
        return f"content has {len(content)} characters, more than {DISCORD_LIMIT}"
    if len(embeds) > DISCORD_EMBEDS:
        return f"{len(embeds)} embeds, more than {DISCORD_EMBEDS}"
    return next((refusal for embed in embeds if (refusal := _embed_refusal(embed))), "")


def _embed_refusal(embed: Any) -> str:
    if not isinstance(embed, dict):
        return "an embed is no object"
    if not any(embed.get(key) for key in SHOWN):
        return f"an embed without any of {', '.join(SHOWN)}"
    title, description, fields = (embed.get(key) or empty for key, empty in zip(SHOWN, ("", "", []), strict=True))
    if not isinstance(title, str) or not isinstance(description, str):
        return "title and description of an embed are texts"
    if len(description) > DISCORD_DESCRIPTION:
        return f"a description has {len(description)} characters, more than {DISCORD_DESCRIPTION}"
    named = isinstance(fields, list) and all(isinstance(f, dict) and f.get("name") and f.get("value") for f in fields)
    return "" if named else "fields of an embed are a list of objects with name and value"


def _context(name: str, payload: Any, own_time: str) -> Point:
    text = " ".join(_texts(payload))
    clock = time.strftime("%H:%M", time.gmtime(EXAMPLE.time))
    numbers = [float(number) for number in NUMBER.findall(text.replace("\u2212", "-"))]
    wanted = {"value": EXAMPLE.value, "expected value": EXAMPLE.expected, "low end of the band": EXAMPLE.low,
              "high end of the band": EXAMPLE.high, "z-score": abs(EXAMPLE.z)}  # fmt: skip
    missing = [what for what, number in wanted.items() if not _near(number, numbers)]
    missing += ["name of the metric"] * (EXAMPLE.metric not in text)
    missing += ["time (UTC)"] * (clock not in text and f"{own_time}{EXAMPLE.time:.0f}" not in text)
    missing += ["runbook's URL"] * (EXAMPLE.runbook_url not in text)
    observed = f"missing: {', '.join(missing)}" if missing else "value, band, z-score, time, runbook"
    return point(name, not missing, observed, "who is woken asks: what, when, how far from usual, and what do I do?")


def _near(number: float, numbers: list[float]) -> bool:
    return any(abs(abs(one) - number) <= TOLERANCE * number for one in numbers)


def _texts(found: Any) -> Iterator[str]:
    """All texts of a payload, keys left out."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, Mapping):
        for value in found.values():
            yield from _texts(value)
    elif isinstance(found, list):
        for value in found:
            yield from _texts(value)
