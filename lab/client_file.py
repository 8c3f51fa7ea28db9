"""`client.py` of a deployment: how the service's clients go on when a question is refused. Looked at, not run."""

from __future__ import annotations

import ast
from pathlib import Path

from lab.errors import ScenarioError

FUNCTION = "wait_s"
PARAMETERS = 3


def check_client(path: Path) -> None:
    """Raises `ScenarioError`, with file, line and remedy, where it does not define `wait_s` as it is called."""
    remedy = f"define {FUNCTION}(attempt, status, retry_after_s), as lab/loadgen/client.py does"
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise ScenarioError(f"{path}:{error.lineno or 1}: {error.msg}; {remedy}") from error
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path}: {getattr(error, 'strerror', None) or 'is no UTF-8 text'}; {remedy}") from error
    defined = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == FUNCTION), None)
    if defined is None:
        raise ScenarioError(f"{path}: has no {FUNCTION}; {remedy}")
    if len(defined.args.posonlyargs) + len(defined.args.args) != PARAMETERS:
        raise ScenarioError(f"{path}:{defined.lineno}: {FUNCTION} takes other parameters; {remedy}")
