from typing import Any

import pytest

from lab.timescale import InputError, compress_expr

LEAK = (
    'deriv(prometheus_tsdb_head_series{job="prometheus"}[1m])'
    " > scalar(0.25 * (sum(rate(rag_tokens_used_count[1m])) or vector(0)))"
)


@pytest.mark.parametrize(
    ("expr", "faster"),
    [
        (LEAK, LEAK.replace("[1m]", "[4s]")),
        (
            "histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m]))) > 2",
            "histogram_quantile(0.95, sum by (le) (rate(x_bucket[20s]))) > 2",
        ),
        ("max_over_time(rate(x[5m])[1h:1m])", "max_over_time(rate(x[20s])[4m:4s])"),
        ("max_over_time(x[1h:])", "max_over_time(x[4m:])"),
        ("max_over_time(x[1h:10s])", "max_over_time(x[4m:667ms])"),
        ("rate(x[5m] offset 10s)", "rate(x[20s] offset 667ms)"),
        ("x offset -5m", "x offset -20s"),
        ("max_over_time(x[1h:1m] offset 1d)", "max_over_time(x[4m:4s] offset 1h36m)"),
        (r'rate(x{path=~"/api/v1/.+\\.x"}[5m])', r'rate(x{path=~"/api/v1/.+\\.x"}[20s])'),
        (r"""rate(x{a='q"\\\n\t', b!~`\d+`}[5m])""", r'rate(x{a="q\"\\\n\t", b!~"\\d+"}[20s])'),
        (r'rate(x{a="é\x07"}[5m])', r'rate(x{a="é\x07"}[20s])'),
        ('sum by ("a.b", c) (rate(x{"d.e"="f"}[5m]))', 'sum by ("a.b", c) (rate(x{"d.e"="f"}[20s]))'),
        ('rate({"x.y"}[5m])', 'rate({__name__="x.y"}[20s])'),
        ("rate({__name__=~'a.*'}[5m])", 'rate({__name__=~"a.*"}[20s])'),
        (
            "rate(a[5m]) * on (x) group_left (y) b",
            "rate(a[20s]) * on (x) group_left (y) b",
        ),
        ("a / ignoring () group_right rate(b[5m])", "a / ignoring () group_right () rate(b[20s])"),
        ("a unless on () rate(b[5m])", "a unless on () rate(b[20s])"),
        ("rate(a[5m]) > bool 1", "rate(a[20s]) > bool 1"),
        ("topk without (b) (3, rate(a[5m]))", "topk without (b) (3, rate(a[20s]))"),
        ("-(rate(a[5m]) + 1e-10) ^ 2", "-(rate(a[20s]) + 1e-10) ^ 2"),
        ("rate(a[5m]) < Inf", "rate(a[20s]) < Inf"),
        ("rate(a[5m]) > -Inf", "rate(a[20s]) > -Inf"),
        ("rate(a[5m]) == NaN", "rate(a[20s]) == NaN"),
        ("rate(a[5m]) > 1e300", "rate(a[20s]) > 1e+300"),
        ("rate(a[5m]) > 2.5", "rate(a[20s]) > 2.5"),
        ('count_values("v", rate(a[5m]))', 'count_values("v", rate(a[20s]))'),
        (r'rate(x{a=`b\`, c="d"}[5m])', r'rate(x{a="b\\", c="d"}[20s])'),
        ("x offset 1ms - rate(a[5m] offset -1ms)", "x offset 1ms - rate(a[20s] offset -1ms)"),
        ("rate(a[5m]) # the rate", "rate(a[20s])"),
    ],
)
def test_times_shrink_and_everything_else_stays(expr: str, faster: str) -> None:
    assert compress_expr(expr, 15) == faster


@pytest.mark.parametrize("expr", ['absent(up{job="x"})', "up == 0  # down", "x{a='b'} > 0x1F"])
def test_an_expression_without_time_comes_back_as_written(expr: str) -> None:
    assert compress_expr(expr, 15) == expr


def test_at_speed_one_the_text_is_not_even_read() -> None:
    assert compress_expr("holt_winters(x[5m], 1, 1) @ 5  # any", 1) == "holt_winters(x[5m], 1, 1) @ 5  # any"


@pytest.mark.parametrize(
    ("window", "speed", "options", "short"),
    [
        ("100s", 15, {}, "7s"),  # 6.67 s, rounded up
        ("21s", 1.4, {"scrape_interval_s": 1}, "15s"),
        ("1s400ms", 1.4, {"scrape_interval_s": 0.1}, "1s"),  # 1.0000000000000002 in floating point
        ("1m", 20, {}, "3s"),  # 60 / 20 exactly, in spite of floating point
        ("30s", 15, {}, "3s"),  # three scrapes of 1 s
        ("30s", 15, {"min_scrapes": 5}, "5s"),  # left-open windows
        ("1m", 15, {"scrape_interval_s": 30}, "6s"),  # three scrapes of 2 s
        ("1m", 60, {}, "1s"),
        ("30s", 1.1, {}, "30s"),  # never longer than it was
        ("1ms", 2, {}, "1ms"),
        ("5m", 7, {}, "43s"),
    ],
)
def test_ranges_are_whole_seconds_and_hold_enough_scrapes(window: str, speed: float, options: Any, short: str) -> None:
    assert compress_expr(f"rate(x[{window}])", speed, **options) == f"rate(x[{short}])"


def test_the_points_of_a_subquery_come_from_its_step_not_from_scrapes() -> None:
    assert compress_expr("max_over_time(x[30s:10s])", 15, min_scrapes=5) == "max_over_time(x[2s:667ms])"


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        ("rate(x[5m", "does not parse"),
        ("rate(metric[5m]) by (model)", "does not parse"),
        ("holt_winters(x[5m], 0.1, 0.1)", "double_exponential_smoothing"),
        ("rate(x[5m] smoothed)", "smoothed"),
        ("rate(x[5m + 1m])", "arithmetic on durations"),
        ('x{a="1" or b="2"}', "not PromQL"),
        ("+".join(["x"] * 5000), "operators"),
        (" and ".join(["x"] * 5000), "operators"),
        ("-" * 500 + "x", "nested too deeply"),
        ('{a="' + "x" * 40_000 + '"}', "characters"),
        ("x * fill(0) y", "fill"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(expr: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        compress_expr(expr, 15)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_a_speed_below_one_is_refused() -> None:
    with pytest.raises(InputError, match="at least 1"):
        compress_expr("x", 0.5)
