"""Whether results can be reproduced, from the certificates of those who tried. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from trivet.ledger import Evidence, Verdict, Verification
from trivet.scorecard.records import Certificate, Versioning


def versioning(
    certificates: Sequence[Evidence],
    *,
    runs_at: Mapping[str, datetime],
    runs_of: Mapping[str, Iterable[str]],
    facts: int,
    verification: Verification | None,
) -> Versioning:
    """Return the answer to the third question.

    Args:
        certificates: Evidence of reproduction, newest first.
        runs_at: When each run started, by its ref.
        runs_of: The runs that each model version came of, by the version's ref.
        facts: How many facts the ledger holds.
        verification: What recomputing the ledger found, if it was.
    """
    passed = [c for c in certificates if c.verdict is Verdict.PASSED]
    failed = [c for c in certificates if c.verdict is Verdict.FAILED]
    tried = {certificate.subject for certificate in certificates}
    oldest = min((runs_at[c.subject] for c in passed if c.subject in runs_at), default=None)
    intact = None if verification is None else verification.is_intact
    return Versioning(
        summary=_summary(len(passed), len(failed), oldest, intact),
        passed=len(passed),
        failed=len(failed),
        certificates=tuple(
            Certificate(
                evidence=f"evidence:{found.id}",
                subject=found.subject,
                at=found.at,
                verdict=found.verdict,
                summary=found.summary,
            )
            for found in certificates
        ),
        oldest_run_at=oldest,
        never_tried=tuple(sorted(v for v, runs in runs_of.items() if not tried & set(runs))),
        facts=facts,
        is_intact=intact,
    )


def _summary(passed: int, failed: int, oldest: datetime | None, intact: bool | None) -> str:
    ledger = {
        True: "the ledger verifies",
        False: "THE LEDGER DOES NOT VERIFY",
        None: "the ledger was not verified just now",
    }[intact]
    if passed + failed == 0:
        tries = "Nobody has tried to reproduce a run yet ('trivet reproduce run:ID')"
    elif failed:
        tries = f"{passed} of {passed + failed} reproductions gave the same result"
    else:
        since = f", the oldest of a run of {oldest:%Y-%m-%d %H:%M}" if oldest else ""
        tries = f"Yes: {passed} of {passed} reproductions gave the same result{since}"
    return f"{tries}; {ledger}."
