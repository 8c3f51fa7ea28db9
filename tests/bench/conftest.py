"""Each benchmark stands in a group with a reference: the machine's speed is the same for both, their ratio is ours."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))
