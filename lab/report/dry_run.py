"""What a run would do: services, bounds, and the budget of its waits in simulated and real time."""

from __future__ import annotations

from lab.bill import STACK_MIB, bill_lines, bill_of, gib
from lab.budget import longest_s, waits
from lab.endpoints import ENDPOINTS
from lab.plan import Plan


def dry_run_text(plan: Plan) -> str:
    """The whole text, with a newline at its end."""
    return "\n".join([*_head(plan), *bill_lines(plan), *_services(plan), *_bounds(plan), *_waits(plan)]) + "\n"


def _head(plan: Plan) -> list[str]:
    header = plan.header
    kind = "control run" if header.control else "run"
    how = f"{header.runtime}, speed {header.speed:g}, seed {header.seed}"
    scale = f" at scale {header.scale}" if plan.scenario.replicas else ""
    return [f"{kind} of {plan.scenario.label}{scale}, {how}; nothing is started"]


def _services(plan: Plan) -> list[str]:
    servers = {
        "prometheus": plan.servers.prometheus,
        "observer": plan.servers.prometheus,
        "alertmanager": plan.servers.alertmanager,
    }
    lines = ["", "services (127.0.0.1, ports chosen by the kernel at the start)"]
    for name in dict.fromkeys(endpoint.partition(":")[0] for endpoint in ENDPOINTS):
        ports = [e.partition(":")[2] for e in ENDPOINTS if e.startswith(f"{name}:")]
        binary = servers.get(name)
        what = f"{binary.path} {'.'.join(map(str, binary.version))}" if binary else "part of the lab"
        lines.append(f"  {name:13} {what} (in containers :{', :'.join(ports)})")
    load = plan.scenario.load
    rate = plan.header.users * load.per_user * plan.header.speed
    lines.append(f"  {'load':13} Locust, {plan.header.users} users, {rate:,.0f} requests a second in all")
    return lines


def _bounds(plan: Plan) -> list[str]:
    storage = plan.scenario.storage
    disk = (
        f"{storage.size_mib:g} MiB, after the fix {storage.healed_mib:g} MiB (tmpfs)"
        if storage.size_mib
        else "not bounded"
    )
    bill = bill_of(plan)
    memory = f"about {STACK_MIB:.0f} MiB in all" if bill is None else f"{gib(bill.memory_mib)} at most"
    lines = ["", "bounds", f"  patient's volume  {disk}", f"  memory            {memory}"]
    if past := plan.scenario.backfill:
        lines.append(
            f"  patient's past    {past.series} series of {past.counter} over {past.hours} h, back-filled by promtool"
        )
    if flags := plan.scenario.patient.flags:
        lines.append(f"  patient's flags   {' '.join(f'--{name}={value}' for name, value in flags.items())}")
    return lines


def _waits(plan: Plan) -> list[str]:
    speed = plan.header.speed
    lines = ["", f"waits at most     {'simulated':>10} {'+ real':>7} {'= at this speed':>16}"]
    for wait in waits(plan.scenario, plan.header):
        total = wait.deadline + wait.hold
        times = f"{total.simulated_s / 60:6.1f} min {total.real_s:5.0f} s {wait.seconds(speed):14.1f} s"
        lines.append(f"  {wait.phase:7} {times}  {wait.check}")
    lines.append(f"  all phases, whose waits run side by side: {longest_s(plan.scenario, plan.header):.0f} s at most")
    lines.append(f"  pipeline of the alert: {plan.header.pipeline_budget_s:.1f} s")
    return lines
