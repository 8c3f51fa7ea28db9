import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.timescale import Duration, InputError
from lab.timescale.durations import check_speed

YEAR_MS = 365 * 86_400_000


@pytest.mark.parametrize(
    ("text", "ms", "printed"),
    [
        ("0", 0, "0s"),
        ("0s", 0, "0s"),
        ("250ms", 250, "250ms"),
        ("1h30m", 5_400_000, "1h30m"),
        ("90m", 5_400_000, "1h30m"),
        ("1d", 86_400_000, "1d"),
        ("36h", 129_600_000, "36h"),
        ("1y2w3d4h5m6s7ms", YEAR_MS + 17 * 86_400_000 + 4 * 3_600_000 + 306_007, "9172h5m6s7ms"),
        ("2w", 14 * 86_400_000, "2w"),
        ("1s667ms", 1667, "1s667ms"),
    ],
)
def test_durations_are_read_and_printed_as_prometheus_does(text: str, ms: int, printed: str) -> None:
    assert Duration.parse(text).milliseconds == ms
    assert str(Duration.parse(text)) == printed


@pytest.mark.parametrize(
    "text", ["", "5", "1.5s", "-1m", "1m1h", "1 m", "m", "1M", "1s ", "1m2m", "９s", "300y", "9" * 200 + "s"]
)
def test_what_prometheus_refuses_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        Duration.parse(text)


@given(st.integers(0, 200 * YEAR_MS))
def test_printing_loses_nothing(ms: int) -> None:
    assert Duration.parse(str(Duration(ms))) == Duration(ms)


@pytest.mark.parametrize(
    ("text", "speed", "short"), [("10s", 15, "667ms"), ("2m", 15, "8s"), ("1ms", 60, "1ms"), ("0s", 60, "0s")]
)
def test_compression_is_exact_to_the_millisecond_and_never_reaches_zero(text: str, speed: float, short: str) -> None:
    assert str(Duration.parse(text).compressed(speed)) == short


def test_seconds_both_ways() -> None:
    assert Duration.of_seconds(0.6666) == Duration(667)
    assert Duration(1500).seconds == 1.5


@pytest.mark.parametrize("speed", [0, 0.5, -1, float("nan"), float("inf")])
def test_a_speed_below_one_or_not_finite_is_refused(speed: float) -> None:
    with pytest.raises(InputError, match="speed"):
        check_speed(speed)
    with pytest.raises(InputError, match="speed"):
        Duration(1).compressed(speed)
