"""The operator's switches: loopback clients that know the token may change how the service behaves."""

import hmac
import ipaddress
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse

from lab.rag.errors import ForbiddenError
from lab.rag.schemas import BODY_PROBLEMS, Problem, SwitchesChange, SwitchesState
from lab.rag.service import Service


def admin_router(service: Service) -> APIRouter:
    """`/admin/switches`, guarded by the address and the token."""
    router = APIRouter(
        prefix="/admin", tags=["admin"], responses={403: {"model": Problem, "description": "Not allowed"}}
    )
    networks = [ipaddress.ip_network(network.strip()) for network in service.settings.admin_networks.split(",")]
    token = service.settings.admin_token.encode()

    def guard(request: Request, x_admin_token: Annotated[str, Header()] = "") -> None:
        if not token:
            raise ForbiddenError("the switches are off: start the service with --admin-token")
        if not _within(request, networks):
            raise ForbiddenError("the switches are for local clients only")
        if not hmac.compare_digest(x_admin_token.encode("utf-8", "surrogatepass"), token):
            raise ForbiddenError("wrong X-Admin-Token")

    @router.get("/switches", response_model=SwitchesState, dependencies=[Depends(guard)])
    async def read_switches() -> JSONResponse:
        """The current positions."""
        return JSONResponse(_state(service).model_dump())

    @router.post("/switches", response_model=SwitchesState, responses=BODY_PROBLEMS, dependencies=[Depends(guard)])
    async def turn_switches(change: SwitchesChange) -> JSONResponse:
        """Change some switches; answers with all of them."""
        turn(service, change)
        return JSONResponse(_state(service).model_dump())

    return router


def turn(service: Service, change: SwitchesChange) -> None:
    """Apply a change to the running service."""
    switches = service.pipeline.switches
    for name in change.model_fields_set:
        value = getattr(change, name)
        setattr(switches, name, getattr(type(switches)(), name) if value is None else value)
    if change.wander_from_s is not None:
        service.pipeline.model.wander_from(change.wander_from_s)
    service.pipeline.prices.set_factor(switches.cost_factor)
    configured = service.settings.quota_per_minute
    service.pipeline.model.quota.calls = configured if switches.quota is None else switches.quota


def _state(service: Service) -> SwitchesState:
    switches = service.pipeline.switches
    return SwitchesState(
        latency_ms=switches.latency_ms,
        error_rate=switches.error_rate,
        quota=switches.quota,
        quality=switches.quality,
        cost_factor=switches.cost_factor,
        wander_from_s=switches.wander_from_s,
        cache=switches.cache,
    )


def _within(request: Request, networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return any(address in network for network in networks)
