"""The report of costs as JSON."""

from lab.rag.costs import Report, usd
from lab.rag.schemas import Amount, CostReport, ModelShare


def cost_report(report: Report) -> CostReport:
    """A report as JSON."""

    def amount(nano: int) -> Amount:
        return Amount(nano_usd=nano, usd=usd(nano))

    def projected(days: int) -> Amount | None:
        return None if report.projected_day is None else amount(report.projected_day * days)

    total = sum(report.by_model.values())
    return CostReport(
        store=report.store,
        last_hour=amount(report.last_hour),
        last_24h=amount(report.last_24h),
        last_7d=amount(report.last_7d),
        by_model={
            model: ModelShare(nano_usd=nano, usd=usd(nano), share=round(nano / total, 4))
            for model, nano in report.by_model.items()
        },
        days_with_data=report.days_with_data,
        projected_day=projected(1),
        projected_month=projected(30),
        projected_year=projected(365),
    )
