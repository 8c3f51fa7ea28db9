"""The operator's switches: who may turn them, and what they do."""

import pytest

PATH = "/admin/switches"
AS_CONFIGURED = {
    "latency_ms": None,
    "error_rate": None,
    "quota": None,
    "quality": 1.0,
    "cost_factor": 1.0,
    "wander_from_s": None,
    "cache": True,
}


def test_switches_are_read_back(start):
    seen = start()
    assert seen.turn().json() == AS_CONFIGURED
    assert seen.turn(latency_ms=12.5, cache=False).json() == {
        **AS_CONFIGURED,
        "latency_ms": 12.5,
        "cache": False,
    }
    assert seen.turn(quality=0.5).json()["latency_ms"] == 12.5
    assert seen.turn(latency_ms=None, quality=None, cache=None).json() == AS_CONFIGURED


@pytest.mark.parametrize("headers", [{}, {"X-Admin-Token": "guess"}, {"X-Admin-Token": b"\xff\xe9"}])
def test_a_wrong_token_is_refused(start, headers):
    client = start().client
    assert client.get(PATH, headers=headers).status_code == 403
    assert client.post(PATH, json={"quota": 0}, headers=headers).status_code == 403


def test_without_a_token_the_switches_are_off(start):
    answer = start(admin_token="").client.get(PATH, headers={"X-Admin-Token": ""})
    assert answer.status_code == 403
    assert "--admin-token" in answer.json()["message"]


@pytest.mark.parametrize(
    ("host", "networks", "status"),
    [
        ("127.0.0.1", "127.0.0.0/8,::1/128", 200),
        ("::1", "127.0.0.0/8,::1/128", 200),
        ("192.0.2.7", "127.0.0.0/8,::1/128", 403),
        ("not an address", "127.0.0.0/8", 403),
        ("172.17.0.1", "127.0.0.0/8, 172.16.0.0/12", 200),
    ],
)
def test_only_clients_of_the_named_networks(start, host, networks, status):
    seen = start(host=host, admin_networks=networks)
    assert seen.turn().status_code == status
    answer = seen.client.get(PATH, headers={"X-Admin-Token": "let-me-in", "X-Forwarded-For": "127.0.0.1"})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "change",
    [
        {"wander_from_s": -1},
        {"wander_from_s": 1e9},
        {"latency_ms": -1},
        {"latency_ms": 60_001},
        {"error_rate": 1.1},
        {"quota": -1},
        {"quota": 1.5},
        {"quality": 2},
        {"cost_factor": -1},
        {"cache": "perhaps"},
        {"no_such_switch": 1},
    ],
)
def test_out_of_range_is_refused_and_changes_nothing(start, change):
    seen = start()
    assert seen.turn(**change).status_code == 422
    assert seen.turn().json() == AS_CONFIGURED


def test_the_error_rate_fails_queries(start):
    seen = start()
    seen.turn(error_rate=1)
    assert seen.ask().status_code == 502
    seen.turn(error_rate=0)
    assert seen.ask().status_code == 200


def test_the_latency_is_that_of_each_call(start):
    seen = start(llm_jitter=0.0)
    seen.turn(latency_ms=80)
    assert seen.ask().json()["latency_ms"] >= 80
    assert seen.service.pipeline.model._latency.draw_s(0.0) == 0  # and the configured level is untouched


def test_the_wandering_latency_goes_on_from_where_it_is_told(start):
    seen = start(llm_latency_ms=200.0, llm_swing_ms=200.0, llm_swing_period_s=400.0, llm_jitter=0.0)
    seen.turn(wander_from_s=100)
    assert seen.ask("at the crest").json()["latency_ms"] >= 390
    seen.turn(wander_from_s=300)
    assert seen.ask("in the trough").json()["latency_ms"] < 200
    seen.turn(wander_from_s=100)
    assert seen.ask("at the crest again").json()["latency_ms"] >= 390
    seen.turn(wander_from_s=None)
    assert seen.ask("it goes on").json()["latency_ms"] >= 390


def test_the_quota_applies_at_once_and_goes_back(start):
    seen = start()
    seen.turn(quota=500)
    assert seen.total("rag_rate_limit_remaining") == 500
    seen.turn(quota=0)
    assert seen.ask().status_code == 429
    seen.turn(quota=None)
    assert seen.ask().status_code == 200


def test_the_quality_sinks_also_for_cached_answers(start):
    seen = start()
    good = seen.ask().json()["quality"]
    seen.turn(quality=0.5)
    poor = seen.ask().json()
    assert poor["cached"] is True
    assert poor["quality"] == pytest.approx(good / 2, abs=0.001)
    assert seen.ask("another").json()["quality"] < 0.6


def test_the_cost_factor_multiplies_prices(start):
    plain, dear = start(cost_scale=1.0), start(cost_scale=1.0)
    dear.turn(cost_factor=100)
    normal, raised = plain.ask().json()["cost_usd"], dear.ask().json()["cost_usd"]
    assert raised == pytest.approx(100 * normal, rel=0.01)


def test_without_the_cache_every_query_is_a_miss(start):
    seen = start()
    seen.ask()
    seen.turn(cache=False)
    assert seen.ask().json()["cached"] is False
    seen.turn(cache=True)
    assert seen.ask().json()["cached"] is True
