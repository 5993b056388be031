"""Routing tables as JSON, what makes one valid, and which moves need evidence."""

from dataclasses import fields
from typing import Any

from trivet.kernel.digests import Json
from trivet.kernel.refs import check_name
from trivet.serving.errors import BadTable
from trivet.serving.records import RevisionSpec, RoutingTable


def table_to_json(table: RoutingTable) -> dict[str, Json]:
    """Return the table as plain JSON; `table_from_json` turns it back."""
    values = {field.name: getattr(table, field.name) for field in fields(table)}
    values["revisions"] = [
        {field.name: getattr(spec, field.name) for field in fields(spec)}
        for spec in table.revisions
    ]
    return values


def table_from_json(value: dict[str, Any]) -> RoutingTable:
    """Return the table that `table_to_json` wrote."""
    revisions = tuple(RevisionSpec(**spec) for spec in value["revisions"])
    return RoutingTable(**{**value, "revisions": revisions})


def find_revision(table: RoutingTable, number: int | None) -> RevisionSpec | None:
    """Return the revision of this number, if the table keeps it warm."""
    return next((spec for spec in table.revisions if spec.number == number), None)


def check_table(table: RoutingTable) -> None:
    """Raise `BadTable` unless the table can be served as it stands."""
    check_name(table.deployment)
    problem = _problem(table)
    if problem is not None:
        raise BadTable(table.deployment, problem)


def _problem(table: RoutingTable) -> str | None:
    for name, share in (("weight", table.weight), ("shadow", table.shadow)):
        if not 0 <= share <= 1:
            return f"{name} is {share!r}; expected a share from 0 to 1"
    if table.candidate is None and (table.weight or table.shadow):
        return "it has a weight or a shadow but no candidate"
    if table.candidate == table.stable:
        return "its candidate is its stable revision"
    return _revisions_problem(table)


def _revisions_problem(table: RoutingTable) -> str | None:
    numbers = [spec.number for spec in table.revisions]
    if len(set(numbers)) < len(numbers):
        return "a revision is listed twice"
    if any(spec.deployment != table.deployment for spec in table.revisions):
        return "it lists a revision of another deployment"
    for name, number in (("stable", table.stable), ("candidate", table.candidate)):
        if number is not None and number not in numbers:
            return f"its {name} revision {number} is not among its revisions"
    return None


def needs_evidence(before: RoutingTable | None, after: RoutingTable) -> bool:
    """Return whether the move gives a revision more traffic than it had (I3).

    To lower a weight, to drop a candidate, and to return to an older revision that the table in
    force keeps warm is always allowed: the way back must not depend on a judgement.
    """
    if before is None:
        return True
    same_candidate = before.candidate == after.candidate
    if after.weight > (before.weight if same_candidate else 0.0):
        return True
    goes_back = after.stable < before.stable and find_revision(before, after.stable) is not None
    return after.stable != before.stable and not goes_back
