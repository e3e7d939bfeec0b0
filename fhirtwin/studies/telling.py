"""Says in words what a study asks of a site and what comes out, for people who decide whether to take part."""

from __future__ import annotations

from collections.abc import Iterator

from fhirtwin.studies.plan import Plan
from fhirtwin.studies.study import Study

_OPENED = {
    "count": "the number of rows of all contributors together",
    "mean": "mean and standard deviation of each column over all contributors together",
    "histogram": "for each cell the number of rows of all contributors together, also when it is 1",
    "ridge": "sums, and sums of products of all pairs of columns, over all contributors together",
    "logistic": "in each round loss, gradient and curvature over all contributors together",
}
_NOISY_LOGISTIC = "in each round gradient and curvature over all contributors together, and no number of rows"


def lines(study: Study) -> Iterator[str]:
    """A study, line by line."""
    plan = study.plan
    yield f"study {plan.name}: {plan.kind}"
    yield f"digest {study.digest.hex()} (compare it with the coordinator's)"
    yield f"sites: {', '.join(plan.sites)}; a total needs {plan.minimum_contributors} of them"
    yield f"rows of a site: {plan.least_rows} to {plan.most_rows}; with a value missing: {plan.missing}"
    for column in plan.variables:
        role = "outcome" if column is plan.outcome else "column"
        yield f"{role} {column.name}: {column.low} to {column.high} in steps of {column.step}"
    yield f"the coordinator learns: {_NOISY_LOGISTIC if plan.is_noisy_logistic else _OPENED[plan.kind]}"
    yield f"in at most {plan.rounds} round{'s' if plan.rounds > 1 else ''} of {len(study.statistics)} numbers"
    yield _noise(plan)
    yield f"a contribution has {study.contribution_bytes:,} bytes of ciphertext"


def _noise(plan: Plan) -> str:
    if plan.noise is None:
        return "no noise is added: the totals are exact"
    over = "of all rounds together, " if plan.rounds > 1 else ""
    return (
        f"noise: epsilon {plan.noise.epsilon:g}, {over}as long as {plan.honest} contributors keep theirs to themselves"
    )
