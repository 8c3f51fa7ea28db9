"""Writes the dashboards that Grafana is provisioned with: `python compose/grafana/source [FOLDER]`.

The JSON is committed; a test writes it anew and compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

import monitoring
import service
from sections import render

FOLDER = Path(__file__).resolve().parents[1] / "dashboards"

DASHBOARDS = {
    "service.json": render("rag-service", "RAG service", "What users get, and what it costs.", service.SECTIONS),
    "monitoring.json": render(
        "rag-monitoring", "Monitoring of the monitoring", "Prometheus and Alertmanager, seen from outside.",
        monitoring.SECTIONS,
    ),
}  # fmt: skip


def main(folder: Path) -> None:
    """Write each file."""
    for name, text in DASHBOARDS.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
