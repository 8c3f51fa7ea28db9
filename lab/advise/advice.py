"""The whole advice on a case: decision, prices, resources, what to do past one server."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lab.advise.case import Case
from lab.advise.decide import Decision, decide
from lab.advise.footprint import Footprint
from lab.advise.growth import steps, wants_store
from lab.advise.money import Price, prices
from lab.advise.remote_write import config
from lab.advise.sizing import Resources, resources


@dataclass(frozen=True)
class Advice:
    """`remote_write`: part of a prometheus.yml, empty where no store is needed."""

    case: Case
    decision: Decision
    prices: tuple[Price, ...]
    resources: Resources
    footprint: Footprint
    steps: tuple[str, ...]
    remote_write: str


def advise(case: Case, footprint: Footprint) -> Advice:
    """Pure: the same case and figures give the same advice."""
    price = prices(case)
    need = resources(case, footprint)
    return Advice(
        case=case,
        decision=decide(case, price),
        prices=tuple(price.values()),
        resources=need,
        footprint=footprint,
        steps=tuple(steps(case, need)),
        remote_write=config() if wants_store(case, need) else "",
    )


def to_json(found: Advice) -> dict[str, Any]:
    """Plain data; sizes in bytes, money in USD a month, durations as Prometheus writes them."""
    case = found.case
    told = {**asdict(case), "scrape_interval": str(case.scrape_interval), "retention": str(case.retention)}
    return {
        "case": told,
        "recommendation": found.decision.option.value,
        "reasons": list(found.decision.reasons),
        "cautions": list(found.decision.cautions),
        "options": [_price(price) for price in found.prices],
        "resources": {name: round(value, 1) for name, value in asdict(found.resources).items()},
        "footprint": asdict(found.footprint),
        "past_one_server": list(found.steps),
        "remote_write": found.remote_write,
    }


def _price(price: Price) -> dict[str, Any]:
    return {
        "option": price.option.value,
        "usd_a_month": [round(price.usd.low, 2), round(price.usd.high, 2)],
        "setup_hours": [price.setup_h.low, price.setup_h.high] if price.setup_h else None,
        "hours_a_month": [price.upkeep_h.low, price.upkeep_h.high] if price.upkeep_h else None,
        "extrapolated": price.extrapolated,
    }
