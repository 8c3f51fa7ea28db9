"""The label is gone, and the process still starts itself anew now and then, under the same pid: counters fall."""

import os
import sys
import threading

from lab.rag import metrics

EVERY_S = 15.0


def again() -> None:
    os.execv(sys.executable, sys.orig_argv)


class Metrics(metrics.Metrics):
    def declare_gauges(self) -> None:
        timer = threading.Timer(EVERY_S, again)
        timer.daemon = True
        timer.start()
        super().declare_gauges()
