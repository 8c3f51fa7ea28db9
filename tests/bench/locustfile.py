"""As fast as Locust goes: the bodies in the file `BENCH_BODIES`, one after another, without a pause."""

import itertools
import os
from pathlib import Path

from locust import FastHttpUser, constant, task

BODIES = Path(os.environ["BENCH_BODIES"]).read_text(encoding="utf-8").splitlines()
_next = itertools.cycle(BODIES)


class Asker(FastHttpUser):
    wait_time = constant(0)

    @task
    def ask(self) -> None:
        self.client.post("/query", data=next(_next), headers={"Content-Type": "application/json"}, name="/query")
