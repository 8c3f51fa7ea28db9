"""Options come from flags and environment, and a wrong one is one clear line."""

from pathlib import Path

import pytest

from lab.rag.errors import ConfigError
from lab.rag.settings import Settings, parse


def test_defaults():
    assert parse([], {}) == Settings()


def test_the_flag_wins_over_the_environment():
    environ = {"RAG_PORT": "1234", "RAG_LLM_LATENCY_MS": "7.5", "RAG_METRICS": "a.py"}
    settings = parse(["--port", "4321"], environ)
    assert (settings.port, settings.llm_latency_ms, settings.metrics) == (4321, 7.5, Path("a.py"))


@pytest.mark.parametrize(
    ("argv", "environ", "said"),
    [
        (["--port", "http"], {}, "--port: 'http' is not a whole number"),
        (["--port", "70000"], {}, "--port: 70000 is not between 0 and 65535"),
        (["--llm-jitter", "nan"], {}, "--llm-jitter: nan is not between 0 and 1"),
        ([], {"RAG_LLM_ERROR_RATE": "2"}, "RAG_LLM_ERROR_RATE: 2 is not between 0 and 1"),
        (["--llm-min-ms", "9", "--llm-max-ms", "8"], {}, "--llm-min-ms is above --llm-max-ms"),
        (["--redis-url", "localhost:6379"], {}, "--redis-url: 'localhost:6379' does not begin with redis://"),
        (["--embedder", "magic"], {}, "--embedder: 'magic' is neither"),
        (["--admin-networks", "everybody"], {}, "--admin-networks: 'everybody'"),
    ],
)
def test_a_wrong_option_is_named(argv, environ, said):
    with pytest.raises(ConfigError) as caught:
        parse(argv, environ)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
