import pytest

from lab.timescale import InputError, Meaning, TimescaleError, compress_expr


@pytest.mark.parametrize(
    "expr",
    [
        "increase(a[20s]) / increase(b[20s]) > 0.05",
        "sum(increase(a[20s])) / sum(sum_over_time(b[20s])) > 0.05",
        "increase(a[20s]) > 0",
        "0 < increase(a[20s])",
        "increase(a[20s]) or vector(0)",
        "increase(a[20s]) > increase(b[20s]) * 2",
        "count(increase(a[20s]) > 0) > 3",
        "sgn(delta(a[20s])) < 1",
        "histogram_quantile(0.9, sum by (le) (increase(a_bucket[20s]))) > 0.5",
        "rate(a[20s]) * 300 > 10",
        "rate(a[20s]) - rate(a[20s] offset 20s) > 1",
        "deriv(a[20s]) > 1",
        "irate(a[20s]) > 1",
        "changes(a[20s]) > 3",
        "resets(a[20s]) > 3",
        "count_over_time(a[20s]) < 15",
        "avg_over_time(a[20s]) > 1",
        "quantile_over_time(0.9, a[20s]) > 1",
        "max_over_time(a[20s]) - min_over_time(a[20s]) > 1",
        "absent_over_time(a[20s])",
        "double_exponential_smoothing(a[20s], 0.5, 0.5) > 1",
        "time() - a > 0",
        "timestamp(a) > timestamp(b offset 20s)",
        "time() > a offset 20s",
        'label_replace(rate(a[20s]), "x", "$1", "y", "(.*)") > 1',
        "stdvar(rate(a[20s])) > 1",
        "scalar(rate(a[20s])) ^ 2 > bool 1",
        "(increase(a[20s]) > bool 0) > 0.5",
        "increase(a[20s]) and rate(b[20s]) > 5",
        "avg_over_time(increase(a[20s])[20s:20s]) / increase(b[20s]) > 2",
    ],
)
def test_what_keeps_its_meaning_passes_without_annotation(expr: str) -> None:
    assert compress_expr(expr.replace("20s", "5m"), 15) == expr


E_, T, H, A = Meaning.EVENT, Meaning.TRAFFIC, Meaning.HORIZON, Meaning.AGE


@pytest.mark.parametrize(
    ("expr", "meaning", "scaled"),
    [
        ("increase(a[5m]) > 30", T, "increase(a[20s]) > 2"),
        ("30 < increase(a[5m])", T, "2 < increase(a[20s])"),
        ("sum by (x) (increase(a[5m])) >= bool 30", T, "sum by (x) (increase(a[20s])) >= bool 2"),
        ("-delta(a[5m]) < -30", T, "-delta(a[20s]) < -2"),
        ("idelta(a[5m]) > 30", T, "idelta(a[20s]) > 2"),
        ("sum_over_time(a[5m]) > 10 * 3", T, "sum_over_time(a[20s]) > 2"),
        ("(increase(a[5m]) > increase(b[5m])) > 30", T, "(increase(a[20s]) > increase(b[20s])) > 2"),
        ("increase(a[5m]) > 20 + 10", T, "increase(a[20s]) > 2"),
        ("increase(a[5m]) > 40 - 10", T, "increase(a[20s]) > 2"),
        ("increase(a[5m]) > 60 / 2", T, "increase(a[20s]) > 2"),
        ("increase(a[5m]) > 30 / 0", T, "increase(a[20s]) > ((30 / 0) / 15)"),
        ("increase(a[5m]) > -(-30)", T, "increase(a[20s]) > 2"),
        ("increase(a[5m]) * 2 > 30", T, "increase(a[20s]) * 2 > 2"),
        ("increase(a[5m]) * increase(b[5m]) > 225", T, "increase(a[20s]) * increase(b[20s]) > 1"),
        ("1 / increase(a[5m]) < 2", T, "1 / increase(a[20s]) < 30"),
        ("a / (increase(b[5m]) + 30)", T, "a / (increase(b[20s]) + 2)"),
        ("stdvar(increase(a[5m])) > 225", T, "stdvar(increase(a[20s])) > 1"),
        ("clamp(increase(a[5m]), 0, 30)", T, "clamp(increase(a[20s]), 0, 2)"),
        ("clamp_min(increase(a[5m]), 30)", T, "clamp_min(increase(a[20s]), 2)"),
        ("clamp_max(increase(a[5m]), 30)", T, "clamp_max(increase(a[20s]), 2)"),
        ("abs(a) - abs(a offset 5m) > 30", T, "abs(a) - abs(a offset 20s) > 2"),
        ("(a + b) - (a + b offset 5m) > 30", T, "(a + b) - (a + b offset 20s) > 2"),
        (
            "rate(a[5m]) + b - (rate(a[5m] offset 5m) + b) > 30",
            T,
            "rate(a[20s]) + b - (rate(a[20s] offset 20s) + b) > 30",
        ),
        ("-a - -(a offset 5m) > 30", T, "-a - -(a offset 20s) > 2"),
        ("increase(a[5m]) or vector(30)", T, "increase(a[20s]) or vector(2)"),
        ("increase(a[5m]) > -scalar(b)", T, "increase(a[20s]) > ((-scalar(b)) / 15)"),
        ("increase(a[5m]) > on () b", T, "increase(a[20s]) > on () ((b) / 15)"),
        ("increase(a[5m]) > 30 and rate(b[5m]) > 30", T, "increase(a[20s]) > 2 and rate(b[20s]) > 30"),
        ("a - a offset 5m > 30", T, "a - a offset 20s > 2"),
        ("sum(a) - sum(a offset 5m) > 30", T, "sum(a) - sum(a offset 20s) > 2"),
        ("sum_over_time(increase(a[5m])[1h:5m]) > 30", T, "sum_over_time(increase(a[20s])[4m:20s]) > 2"),
        (
            "max(quantile_over_time(0.5, increase(a[5m])[1h:5m])) > 30",
            T,
            "max(quantile_over_time(0.5, increase(a[20s])[4m:20s])) > 2",
        ),
        ("increase(a[5m]) > 30", E_, "increase(a[20s]) > 30"),
        ("a - a offset 5m > 30", E_, "a - a offset 20s > 30"),
        ("round(increase(a[5m])) > 3", E_, "round(increase(a[20s])) > 3"),
        ("predict_linear(a[1h], 4 * 3600) < 0", H, "predict_linear(a[4m], 960) < 0"),
        ("predict_linear(a[1h], 4h) < 9", H, "predict_linear(a[4m], 960) < 9"),
        ("predict_linear(a[1h], scalar(b)) < 0", H, "predict_linear(a[4m], (scalar(b) / 15)) < 0"),
        ("time() - a > 600", A, "time() - a > 40"),
        ("a - time() < 86400 * 30", A, "a - time() < 172800"),
        ("(time() - a) / 60 > 30", A, "(time() - a) / 60 > 2"),
        ("time() * 1000 - a > 60000", A, "time() * 1000 - a > 4000"),
        ("1000 * time() - a > 60000", A, "1000 * time() - a > 4000"),
        ("a - max(ts_of_max_over_time(b[5m])) > 600", A, "a - max(ts_of_max_over_time(b[20s])) > 40"),
        ("time() - 600 > a", A, "time() - 40 > a"),
        ("time() - max(timestamp(a)) > 10m", A, "time() - max(timestamp(a)) > 40"),
        ("timestamp(a) - timestamp(b) > 60", A, "timestamp(a) - timestamp(b) > 4"),
        ("time() - (time() - a) > b", A, "time() - (time() - a) > b"),
    ],
)
def test_declared_meanings_scale_the_numbers(expr: str, meaning: Meaning, scaled: str) -> None:
    assert compress_expr(expr, 15, meanings=[meaning]) == scaled


@pytest.mark.parametrize("function", ["abs({})", "vector(scalar({}))", "sort({})", "sort_desc({})", "histogram_sum({})",
    "histogram_count({})", 'label_replace({}, "a", "b", "c", "d")', 'label_join({}, "a", "b", "c")',
    'sort_by_label({}, "a")', 'sort_by_label_desc({}, "a")', "info({})", "avg_over_time(({})[4m:4s])",
    "first_over_time(({})[4m:4s])", "last_over_time(({})[4m:4s])", "mad_over_time(({})[4m:4s])",
    "max_over_time(({})[4m:4s])", "min_over_time(({})[4m:4s])", "stddev_over_time(({})[4m:4s])",
    "sum_over_time(({})[4m:4s])", "quantile_over_time(0.5, ({})[4m:4s])",
    "double_exponential_smoothing(({})[4m:4s], 0.5, 0.5)", "sum({})", "avg({})", "min({})", "max({})", "stddev({})",
    "topk(3, {})", "bottomk(3, {})", "limitk(3, {})", "limit_ratio(0.5, {})", "quantile(0.5, {})",
    "({})", "-{}"])  # fmt: skip
def test_functions_that_hand_on_a_count_hand_on_its_threshold(function: str) -> None:
    expr = function.replace("4m:4s", "1h:1m").format("increase(a[5m])") + " > 30"
    faster = function.format("increase(a[20s])") + " > 2"
    assert compress_expr(expr, 15, meanings=[T]) == faster
    with pytest.raises(TimescaleError, match="traffic"):
        compress_expr(expr, 15)


@pytest.mark.parametrize("function", ["absent({})", "sgn({})", "histogram_avg({})", "histogram_quantile(0.5, {})",
    "histogram_fraction(0, 1, {})", "changes(({})[4m:4s])", "resets(({})[4m:4s])", "count_over_time(({})[4m:4s])",
    "present_over_time(({})[4m:4s])", "absent_over_time(({})[4m:4s])", "count({})", "group({})"])  # fmt: skip
def test_functions_that_leave_no_time_in_their_value_need_nothing(function: str) -> None:
    expr = function.replace("4m:4s", "1h:1m").format("increase(a[5m])") + " > 30"
    assert compress_expr(expr, 15) == function.format("increase(a[20s])") + " > 30"


def test_two_meanings_in_one_rule() -> None:
    expr = "increase(a[5m]) > 30 and time() - b > 30"
    assert compress_expr(expr, 15, meanings=[T, A]) == "increase(a[20s]) > 2 and time() - b > 2"
    assert (
        compress_expr("increase(a[5m]) / (time() - b) > 3", 15, meanings=[T, A])
        == "increase(a[20s]) / (time() - b) > 3"
    )


REFUSED = [
    ("increase(a[5m]) > 10", "increase(a[5m]) > 10", '"traffic"'),
    ("x > 0 and sum(delta(a[5m])) < -10", "sum(delta(a[5m])) < -10", "event"),
    ("sum_over_time(a[5m]) > 10", "sum_over_time(a[5m]) > 10", "traffic"),
    ("increase(a[5m]) > b", "increase(a[5m]) > b", "traffic"),
    ("increase(a[5m]) > time() - b", "increase(a[5m]) > time() - b", "ratio"),
    ("a - a offset 5m > 30", "a - a offset 5m > 30", "traffic"),
    ("predict_linear(a[1h], 3600) < 0", "predict_linear(a[1h], 3600)", '"horizon"'),
    ("time() - a > 600", "time() - a > 600", '"age"'),
    ("timestamp(a) - timestamp(b) > 60", "timestamp(a) - timestamp(b) > 60", '"age"'),
    ("round(increase(a[5m])) > 3", "round(increase(a[5m]))", "speed 1"),
    ("increase(a[5m]) ^ 2 > 3", "increase(a[5m]) ^ 2", "speed 1"),
    ("rate(increase(a[5m])[1h:5m]) > 3", "rate(increase(a[5m])[1h:5m])", "speed 1"),
    ("increase(increase(a[5m])[1h:5m]) / 3", "increase(increase(a[5m])[1h:5m])", "speed 1"),
    ('count_values("v", increase(a[5m]))', 'count_values("v", increase(a[5m]))', "speed 1"),
    ("predict_linear(increase(a[5m])[1h:5m], 3) < 0", "predict_linear(increase(a[5m])[1h:5m], 3)", ""),
    ("hour() > 8", "hour()", "speed 1"),
    ("minute(a) > 8", "minute(a)", "speed 1"),
    ("day_of_week() == 0", "day_of_week()", "speed 1"),
    ("day_of_month(a) == 1", "day_of_month(a)", "speed 1"),
    ("day_of_year() == 1", "day_of_year()", "speed 1"),
    ("days_in_month() == 30", "days_in_month()", "speed 1"),
    ("month() == 1 and a", "month()", "speed 1"),
    ("year() == 1", "year()", "speed 1"),
    ("time() % 86400 > bool 1", "time() % 86400", "speed 1"),
    ("time() > bool 1700000000", "time() > bool 1700000000", "speed 1"),
    ("time() + time()", "time() + time()", "speed 1"),
    ("time() + a", "time() + a", "speed 1"),
    ("a / time()", "a / time()", "speed 1"),
    ("time() % a", "time() % a", "speed 1"),
    ("stddev(timestamp(a))", "stddev(timestamp(a))", "speed 1"),
    ("x / step()", "step()", "leave it out"),
    ("x > end()", "end()", "leave it out"),
    ("x > start()", "start()", "leave it out"),
    ("sum(timestamp(a))", "sum(timestamp(a))", "speed 1"),
    ("x @ 5", "x @ 5.000", "offset"),
    ("rate(x[5m] @ end())", "x @ end()", "offset"),
    ("max_over_time(x[5m:1m] @ start())", "x[5m:1m] @ start()", "offset"),
    ("x / range()", "range()", "leave it out"),
]


@pytest.mark.parametrize(("expr", "construct", "remedy"), REFUSED)
def test_what_changes_meaning_is_refused_by_name_with_a_remedy(expr: str, construct: str, remedy: str) -> None:
    with pytest.raises(TimescaleError) as caught:
        compress_expr(expr, 15)
    assert not isinstance(caught.value, InputError)
    assert caught.value.construct == construct
    assert remedy in caught.value.remedy
    assert caught.value.remedy
    assert str(caught.value).startswith(construct) and "\n" not in str(caught.value)


@pytest.mark.parametrize("meaning", [E_, T, H, A])
@pytest.mark.parametrize("expr", ["hour() > 8", "x @ 5", "time() % 86400 > bool 1"])
def test_no_annotation_excuses_the_calendar(expr: str, meaning: Meaning) -> None:
    with pytest.raises(TimescaleError):
        compress_expr(expr, 15, meanings=[meaning])


def test_a_horizon_over_a_count_is_refused_even_when_declared() -> None:
    with pytest.raises(TimescaleError, match="shrink differently"):
        compress_expr("predict_linear(increase(a[5m])[1h:5m], 3) < 0", 15, meanings=[H])


def test_a_recording_may_hold_no_value_that_shrinks() -> None:
    with pytest.raises(TimescaleError, match="records a count"):
        compress_expr("increase(a[5m])", 15, recorded=True)
    assert compress_expr("increase(a[5m])", 15) == "increase(a[20s])"
    assert compress_expr("max(timestamp(a offset 5m))", 15, recorded=True) == "max(timestamp(a offset 20s))"
    assert compress_expr("increase(a[5m]) / increase(b[5m])", 15, recorded=True)
    assert compress_expr("time() > a offset 5m", 15, recorded=True) == "time() > a offset 20s"


# Windows that can't shrink by the whole speed


@pytest.mark.parametrize(
    ("expr", "scrapes", "scaled"),
    [
        ("increase(a[1m]) > 60", 5, "increase(a[5s]) > 5"),  # one a second, as written
        ("increase(a[30s]) > 30", 3, "increase(a[3s]) > 3"),
        ("delta(a[1m]) > 60", 5, "delta(a[5s]) > 5"),
        ("sum_over_time((a)[20s:10s]) > 30", 5, "sum_over_time((a)[2s:667ms]) > 3"),
        ("increase(a[1m]) * increase(b[1h]) > 180", 5, "increase(a[5s]) * increase(b[4m]) > 1"),
        ("clamp(increase(a[1m]), 0, 60)", 5, "clamp(increase(a[5s]), 0, 5)"),
        ("increase(a[1m]) > on () b", 5, "increase(a[5s]) > on () ((b) / 12)"),
        ("idelta(a[1m]) > 60", 5, "idelta(a[5s]) > 4"),  # of two scrapes, whatever the window
        ("increase(a[1m]) > 60", 3, "increase(a[4s]) > 4"),
    ],
)
def test_a_count_is_scaled_by_what_became_of_its_own_range(expr: str, scrapes: int, scaled: str) -> None:
    assert compress_expr(expr, 15, min_scrapes=scrapes, meanings=[T]) == scaled


UNEVEN = [
    ("count_over_time(up[1m]) < 4", []),
    ("changes(a[1m]) > 3", []),
    ("resets(a[1m]) >= 1", []),
    ("clamp_max(changes(a[1m]), 3)", []),
    ("count_over_time(up[1m]) + 1", []),
    ("increase(a[1m]) > 3", [E_]),
    ("increase(a[1m]) / increase(b[1h]) > 0.05", []),
    ("increase(a[1m]) > 0.1 * increase(b[1h])", [T]),
]


@pytest.mark.parametrize(("expr", "meanings"), UNEVEN)
def test_a_count_that_no_number_makes_up_for_is_refused_by_name(expr: str, meanings: list[Meaning]) -> None:
    with pytest.raises(TimescaleError, match="5 scrapes and whole seconds") as caught:
        compress_expr(expr, 15, min_scrapes=5, meanings=meanings)
    assert caught.value.construct == expr
    assert "at least 1m15s that are multiples of 15s" in caught.value.remedy
    longer = expr.replace("[1m]", "[1m15s]")
    assert compress_expr(longer, 15, min_scrapes=5, meanings=meanings), "the remedy is one"
    assert compress_expr(expr, 15, min_scrapes=3, meanings=meanings)


@pytest.mark.parametrize(
    "expr",
    [
        "changes(a[1m]) > 0",
        "0 < count_over_time(a[1m])",
        "increase(a[1m]) / increase(b[1m]) > 0.05",
        "count_over_time(a[1m]) < count_over_time(a[1m] offset 1h)",
        "rate(a[1m]) > 3",
    ],
)
def test_a_longer_window_does_no_harm(expr: str) -> None:
    assert compress_expr(expr, 15, min_scrapes=5) == expr.replace("1m", "5s").replace("1h", "4m")


def test_rounding_to_whole_seconds_is_passed_over_where_it_is_small() -> None:
    assert compress_expr("count_over_time(a[5m]) < 15", 7) == "count_over_time(a[43s]) < 15"
    assert compress_expr("increase(a[10m]) > 4", 19, min_scrapes=5, meanings=[E_]) == "increase(a[32s]) > 4"
    with pytest.raises(TimescaleError, match="whole seconds"):
        compress_expr("count_over_time(a[50s]) < 3", 15)


def test_a_recording_may_hold_no_count_of_a_window_too_long() -> None:
    assert compress_expr("changes(a[1m])", 15, recorded=True)
    with pytest.raises(TimescaleError, match="5 scrapes"):
        compress_expr("changes(a[1m])", 15, recorded=True, min_scrapes=5)


# The same, written the other way round

MOVED_AGES = [
    "backup + 3600 < time()",
    "time() > backup + 3600",
    "time() - (backup + 3600) > 0",
    "backup + 3600 - time() < 0",
    "backup - -3600 < time()",
    "max(backup + 3600) < time()",
    "(backup_ms + 3600000) / 1000 < time()",
    "max_over_time((backup + 3600)[5m:1m]) < time()",
    "backup + max_age < time()",
    "timestamp(a) > backup + 3600",
]
MOVED_DIFFERENCES = [
    "a > a offset 1h + 1000",
    "a - 1000 > a offset 1h",
    "1000 + a offset 1h < a",
    "sum(a) > sum(a offset 1h) + 1000",
    "a - (a offset 1h + 1000) > 0",
    "a - 1000 - a offset 1h > 0",
    "-(a offset 1h) + a > 1000",
    "a > a offset 1h + slack",
]


@pytest.mark.parametrize("declared", [[], [A]])
@pytest.mark.parametrize("expr", MOVED_AGES)
def test_an_age_whose_number_is_moved_to_the_time_stamp_is_refused(expr: str, declared: list[Meaning]) -> None:
    with pytest.raises(TimescaleError, match="length of time") as caught:
        compress_expr(expr, 15, meanings=declared)
    assert "time() - x > 3600" in caught.value.remedy and '"age"' in caught.value.remedy


@pytest.mark.parametrize("declared", [[], [T]])
@pytest.mark.parametrize("expr", MOVED_DIFFERENCES)
def test_a_difference_whose_number_is_moved_is_refused(expr: str, declared: list[Meaning]) -> None:
    with pytest.raises(TimescaleError, match="its own past") as caught:
        compress_expr(expr, 15, meanings=declared)
    assert "x - x offset 1h > 30" in caught.value.remedy
    assert compress_expr(expr, 15, meanings=[E_]), "where thresholds stay, so does this one"


@pytest.mark.parametrize(
    "expr",
    [
        "time() > a",
        "time() > a + 0",
        "time() > max(a / 1000)",
        "time() - (a unless b + 1 > 2) > 0",
        "a > a offset 5m",
        "a > a offset 5m + 0",
        "a + b > a offset 5m + b offset 5m",
        "a > 1.5 * a offset 5m",
        "a + a offset 5m > 30",
        "rate(a[5m]) - 3 > rate(a[5m] offset 5m)",
    ],
)
def test_what_has_no_number_to_scale_passes(expr: str) -> None:
    assert compress_expr(expr, 15) == expr.replace("5m", "20s")
