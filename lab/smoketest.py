"""The smoke test of a release, made once when it is live, beside the checks: `lab lint smoke` on the metrics page."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from lab.errors import LabError
from lab.events import Deployed, SmokeTested, Unmeasured
from lab.history import History
from lab.journal import Journal
from lab.names import NO_NAMES, Names
from lab.stack import Stack

TIMEOUT_S = 2.0
"""Real seconds for the whole page."""


@dataclass
class SmokeTests:
    """`require`: metrics that the page must have; without any, no test is made."""

    require: tuple[str, ...]
    stack: Stack
    journal: Journal
    names: Names = NO_NAMES
    """Under which `fixed/` exposes them."""
    _made: int = field(default=0, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def step(self, history: History) -> None:
        """Make the test of a release that is live and was not tested yet; does not wait for it."""
        live = list(history.of(Deployed))
        if self.require and len(live) > self._made:
            self._made = len(live)
            fixed = live[-1].what == "fixed"
            require = tuple(self.names.metrics.get(name, name) if fixed else name for name in self.require)
            self._thread = threading.Thread(target=self._test, args=(require,), name="smoke-test", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Wait for a test that still goes on."""
        if self._thread is not None:
            self._thread.join(2 * TIMEOUT_S)

    def _test(self, require: tuple[str, ...]) -> None:
        from lab.lint.smoke import smoke

        url = f"http://{self.stack.address('rag:8001')}/metrics"
        try:
            found = smoke(url, require=require, timeout_s=TIMEOUT_S)
        except LabError as error:
            self.journal.record(Unmeasured(time.time(), f"the smoke test could not be made: {error}"))
            return
        said = " | ".join(found.to_text().splitlines())
        self.journal.record(SmokeTested(time.time(), found.exit_code, said))
