"""What those outside of the stack read of the live deployment: viewers its dashboard, clients their own code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab.deployment import Deployment


@dataclass(frozen=True)
class Published:
    """Files in a folder of the run; each is replaced at once, so that nobody reads half of one."""

    folder: Path

    @property
    def dashboard(self) -> Path:
        """The dashboard that is live."""
        return self.folder / "dashboard.json"

    @property
    def client(self) -> Path:
        """The client that is live; see `lab.loadgen.client`."""
        return self.folder / "client.py"

    def env(self) -> dict[str, str]:
        """Where the files are, as those who read them find it in their environment."""
        return {"LAB_DASHBOARD": str(self.dashboard), "LAB_CLIENT": str(self.client)}

    def show(self, live: Deployment) -> None:
        """Put the files of a deployment there."""
        for text, place in ((live.dashboard_text(), self.dashboard), (live.client_text(), self.client)):
            temporary = place.with_suffix(".tmp")
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(place)
