"""Growth curves: what was measured is in docs/pictures/curves.json, `make curves` draws it.

python tests/curves.py series verdict.json ...   take figures from runs of `lab run cardinality --scale ...`
python tests/curves.py small                     such a run with 10,000 series (two minutes)
python tests/curves.py users                     10, 100 and 1,000 users of one service (two minutes)
python tests/curves.py draw
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from waiting import until

from lab.load import Figures, Traffic
from lab.rag.local import running
from lab.registry import Registration
from lab.runtime.native import NativeRuntime
from lab.scenario import Load

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
MEASURED = PICTURES / "curves.json"
SCENARIO = ROOT / "scenarios" / "cardinality"
USERS = (10, 100, 1000)
PER_USER = 3.0
"""Requests a second of one user, as in the main job at its default speed."""
LOAD_S = 25.0
SMALL = 'SCALES["class"] = scaled(Replicas(count=2, series=10_000, minutes=5, top_speed=7.5), 1024, 128)\n'


@dataclass(frozen=True)
class Panel:
    """One small chart: a figure by its key in the measurements, what it is, and how its values are written."""

    key: str
    title: str
    form: str
    factor: float = 1.0


CHARTS = {
    "series": (
        Panel("rss_bytes", "memory of Prometheus, MiB", "{:,.0f}", 1 / 2**20),
        Panel("samples_per_s", "samples stored a second", "{:,.0f}"),
        Panel("scrape_s", "longest scrape, s", "{:.2g}"),
        Panel("bytes_per_series", "bytes a series", "{:,.0f}"),
    ),
    "users": (
        Panel("requests_per_s", "requests answered a second", "{:,.0f}"),
        Panel("p95_s", "95th percentile of their latency, ms", "{:,.0f}", 1000),
        Panel("rss_bytes", "memory of the service, MiB", "{:,.0f}", 1 / 2**20),
        Panel("scrape_s", "time of its metrics page, ms", "{:.0f}", 1000),
    ),
}
"""By what the horizontal axis counts."""


def main(argv: Sequence[str]) -> int:
    """One of the commands above."""
    command, *files = argv or ["draw"]
    known = _known()
    if command == "series":
        for file in files:
            _put(known, "series", _from_run(json.loads(Path(file).read_text(encoding="utf-8"))))
    elif command == "small":
        _put(known, "series", _small())
    elif command == "users":
        for users in USERS:
            _put(known, "users", asdict(measure_users(users)))
    elif command != "draw":
        sys.stderr.write(str(__doc__))
        return 2
    MEASURED.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    for name, panels in CHARTS.items():
        (PICTURES / f"curves-{name}.svg").write_text(svg(name, panels, known[name]), encoding="utf-8")
    return 0


def _known() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {"series": [], "users": []}
    if MEASURED.is_file():
        found.update(json.loads(MEASURED.read_text(encoding="utf-8")))
    return found


def _put(known: dict[str, list[dict[str, Any]]], name: str, row: dict[str, Any]) -> None:
    """Replaces what was measured at about the same size."""
    others = [r for r in known[name] if not 0.5 < r["at"] / row["at"] < 2]
    known[name] = sorted([*others, row], key=lambda r: float(r["at"]))


# Series


def _from_run(run: dict[str, Any]) -> dict[str, Any]:
    """A row from the outcome of a run that passed."""
    assert run["verdict"] == "pass", f"{run['verdict']}: {run['reason']}"
    found = run["measured"]
    keys = ("bytes_per_series", "samples_per_s", "scrape_s", "series_per_s")
    return {
        "at": found["series"], "rss_bytes": found["peak_rss_bytes"]["prometheus"], **{key: found[key] for key in keys},
        "time_to_detect_s": run["time_to_detect_s"], "speed": run["speed"], "versions": run["versions"],
    }  # fmt: skip


def _small() -> dict[str, Any]:
    """The scenario with a scale of its own, run as a user would run a folder of theirs."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, told = Path(temporary, SCENARIO.name), Path(temporary, "told.json")
        shutil.copytree(SCENARIO, folder)
        with (folder / "scenario.py").open("a", encoding="utf-8") as file:
            file.write(SMALL)
        command = [sys.executable, "-m", "lab", "run", str(folder), "--scale", "class", "--runtime", "native"]
        subprocess.run([*command, "--out", str(Path(temporary, "runs")), "--json", str(told)], check=False)
        return _from_run(json.loads(told.read_text(encoding="utf-8")))


# Users


@dataclass(frozen=True)
class Users:
    """So many users of one service for `LOAD_S` seconds: what was answered in the last half, and what it took."""

    at: int
    offered_per_s: float
    requests_per_s: float
    p95_s: float
    rss_bytes: int
    scrape_s: float


def measure_users(users: int) -> Users:
    """One Locust process and one service; its page is fetched once a second, as a Prometheus would."""
    with tempfile.TemporaryDirectory() as temporary, running() as service:
        registration = Registration(f"curves-{os.getpid()}-{users}", Path(temporary))
        runtime = NativeRuntime(registration.entry.run_id, Path(temporary), registration)
        traffic = Traffic(runtime, Path(temporary), f"127.0.0.1:{service.port}", 1)
        try:
            traffic.start(Load(users=users, per_user=PER_USER), SCENARIO / "locustfile.py", 1.0)
            seconds, scrapes = [_second(traffic)], []
            while seconds[-1].t - seconds[0].t < LOAD_S:
                scrapes.append(_fetched(service.metrics_url))
                seconds.append(_second(traffic, seconds[-1].t))
            rss = service.process.memory_info().rss
        finally:
            traffic.stop()
            runtime.close()
            registration.remove()
    seconds = [found for found in seconds if found.t > seconds[-1].t - LOAD_S / 2]
    middle = len(seconds) // 2
    return Users(
        users, users * PER_USER, sum(f.served for f in seconds) / len(seconds),
        sorted(f.p95_s for f in seconds)[middle], int(rss), sorted(scrapes)[len(scrapes) // 2],
    )  # fmt: skip


def _second(traffic: Traffic, after: float = 0.0) -> Figures:
    """What Locust says of its next second, later than Unix time `after`."""

    def fresh() -> Figures | None:
        found = traffic.figures()
        return found if found is not None and found.t > after else None

    told = until(fresh, LOAD_S, "Locust tells of another second")
    assert told is not None
    return told


def _fetched(url: str) -> float:
    """Seconds that the page takes."""
    begun = time.monotonic()
    with urllib.request.urlopen(url, timeout=30) as answer:
        answer.read()
    return time.monotonic() - begun


# Drawing

WIDTH, HEIGHT, LEFT, TOP = 200.0, 130.0, 28.0, 34.0
STEP = WIDTH + 56.0


def svg(name: str, panels: Sequence[Panel], rows: Sequence[dict[str, Any]]) -> str:
    """Small charts side by side; sizes on a logarithmic axis, values from nothing up."""
    parts = [_panel(panel, rows, LEFT + number * STEP) for number, panel in enumerate(panels)]
    width, height = LEFT + len(panels) * STEP, TOP + HEIGHT + 44
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif"'
        f' font-size="11"><title>Growth with {name}</title><rect width="100%" height="100%" fill="#fff"/>\n'
        + "".join(parts)
        + f'<text x="{LEFT}" y="{height - 8:.0f}" fill="#555">{name}</text></svg>\n'
    )


def _panel(panel: Panel, rows: Sequence[dict[str, Any]], left: float) -> str:
    told = [(row["at"], row[panel.key] * panel.factor) for row in rows if row.get(panel.key) is not None]
    most = max((value for _, value in told), default=1.0) or 1.0
    first, last = math.log10(rows[0]["at"]), math.log10(rows[-1]["at"])
    scale = (WIDTH - 40) / (last - first)
    places = [
        (left + 20 + scale * (math.log10(size) - first), TOP + HEIGHT * (1 - value / most)) for size, value in told
    ]
    bottom = TOP + HEIGHT
    lines = [
        f'<text x="{left:.0f}" y="14" font-weight="bold">{panel.title}</text>',
        f'<path d="M{left:.0f} {bottom:.0f}h{WIDTH:.0f}" stroke="#999"/>',
        f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}" fill="none" stroke="#1668a8"'
        ' stroke-width="2"/>',
    ]
    for (size, value), (x, y) in zip(told, places, strict=True):
        lines += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#1668a8"/>',
            f'<text x="{x:.1f}" y="{y - 7:.1f}" text-anchor="middle">{panel.form.format(value)}</text>',
            f'<text x="{x:.1f}" y="{bottom + 15:.1f}" text-anchor="middle" fill="#555">{_short(size)}</text>',
        ]
    return "\n".join(lines) + "\n"


def _short(size: float) -> str:
    """Such as 10k, 105k, 1M."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if size >= 0.95 * unit:
            return f"{size / unit:.0f}{name}"
    return f"{size:.0f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
