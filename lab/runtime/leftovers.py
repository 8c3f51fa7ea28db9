"""What a dead run left at the engine: found by its label, and nothing else is touched."""

from __future__ import annotations

from contextlib import closing

from lab.images.engine import connect, told
from lab.runtime.containers import LABEL, remove


def remove_all(engine_address: str, run_id: str) -> int:
    """Remove containers, then volumes and networks of a run; how many containers. Raises `EngineError`."""
    with closing(connect(engine_address)) as engine, told(f"leftovers of {run_id}"):
        ours = {"label": f"{LABEL}={run_id}"}
        containers = engine.containers.list(all=True, filters=ours, ignore_removed=True)
        for container in containers:
            remove(container)
        for volume in engine.volumes.list(filters=ours):
            volume.remove(force=True)
        for network in engine.networks.list(filters=ours):
            network.remove()
        return len(containers)
