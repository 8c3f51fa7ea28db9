"""What `lab costs` shows: the costs of a running service, or those booked in a Redis."""

import asyncio
import sys
from datetime import UTC, datetime

import httpx
from pydantic import ValidationError

from lab.rag.costs import Report, report
from lab.rag.errors import ConfigError, CostsUnavailableError
from lab.rag.schemas import Amount, CostReport

DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT_S = 5.0
BODY_LIMIT = 256 * 1024  # bytes


def show_costs(url: str = DEFAULT_URL, redis_url: str = "", *, as_json: bool = False) -> int:
    """Print the report of the service at `url`, or of `redis_url` when it is given.

    Returns 0, 2 for a bad URL, 3 when there is no answer; the reason is one line on stderr.
    """
    try:
        found = asyncio.run(_from_redis(redis_url)) if redis_url else _from_service(url)
    except ConfigError as error:
        return _complain(str(error), 2)
    except (CostsUnavailableError, httpx.HTTPError, ValidationError) as error:
        return _complain(f"no costs from {redis_url or url}: {' '.join(str(error).split())}", 3)
    except httpx.InvalidURL as error:
        return _complain(f"{url}: {error}", 2)
    sys.stdout.write((found.model_dump_json(indent=2) if as_json else render(found)) + "\n")
    return 0


def render(found: CostReport) -> str:
    """The report as lines for a terminal."""

    def line(name: str, amount: Amount | None, note: str = "") -> str:
        return f"{name:<24}{amount.usd if amount else 'no data':>20}{note}"

    days = f"{found.days_with_data} of the last 7 days" if found.days_with_data else "no day yet"
    lines = [
        f"{'period':<24}{'USD':>20}",
        line("last hour", found.last_hour),
        line("last 24 hours", found.last_24h),
        line("last 7 days", found.last_7d),
        "",
        *(line(model, share, f"{share.share:>8.1%}") for model, share in found.by_model.items()),
        "",
        f"projected (average over days with data: {days})",
        line("day", found.projected_day),
        line("month", found.projected_month),
        line("year", found.projected_year),
    ]
    if found.store == "memory":
        lines += ["", "Kept in the service's own process; gone when it ends (start it with --redis-url)."]
    return "\n".join(lines)


def _from_service(url: str) -> CostReport:
    with httpx.stream("GET", url.rstrip("/") + "/costs", timeout=TIMEOUT_S) as response:
        response.raise_for_status()
        body = b""
        for part in response.iter_bytes():
            body += part
            if len(body) > BODY_LIMIT:
                raise ConfigError(f"{url}: the answer is larger than {BODY_LIMIT // 1024} KiB")
    return CostReport.model_validate_json(body)


async def _from_redis(url: str) -> CostReport:
    from lab.rag.cost_report import cost_report
    from lab.rag.redis_costs import RedisCosts
    from lab.rag.redis_link import RedisLink

    store = RedisCosts(RedisLink(url))
    try:
        found: Report = await report(store, datetime.now(UTC))
    finally:
        await store.close()
    return cost_report(found)


def _complain(message: str, code: int) -> int:
    sys.stderr.write(f"lab: {message}\n")
    return code
