"""The certificate of a reproduction: what was compared, bit for bit, and what came of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from trivet.ledger import Verdict
from trivet.pipelines.records import StoredValue
from trivet.tracking import Run


class StepGave(Protocol):
    """What one step gave."""

    @property
    def output(self) -> StoredValue:
        """Its output."""
        ...

    @property
    def metrics(self) -> Mapping[str, float]:
        """Its metrics."""
        ...


def certify(
    original: Run,
    again: Run,
    *,
    at: datetime,
    code: dict[str, Any],
    environment: list[str],
    then: Mapping[str, StepGave],
    now: Mapping[str, StepGave],
    left_out: Mapping[str, str],
) -> dict[str, Any]:
    """Return the certificate as JSON.

    Floats are compared and written as their hexadecimal form, which is exact. Pickled objects
    may differ in bytes and be equal, so they are listed and not held against the run.
    """
    steps = sorted(name for name in then if name not in left_out)
    metrics = {
        f"{step}/{key}": _pair(_hex(then[step].metrics, key), _hex_of(now, step, key))
        for step in steps
        for key in sorted({*then[step].metrics, *(now[step].metrics if step in now else ())})
    }
    outputs = {step: _outputs(then[step].output, now.get(step)) for step in steps}
    differences = [f"metric {name}" for name, pair in metrics.items() if not pair["same"]]
    differences += [
        f"output of step {name}"
        for name, pair in outputs.items()
        if pair["compared"] and not pair["same"]
    ]
    verdict = _verdict(metrics, outputs, differences)
    return {
        "certificate": "reproduction",
        "verdict": str(verdict),
        "summary": _summary(verdict, len(metrics), len(outputs), len(differences)),
        "run": original.ref,
        "again": again.ref,
        "pipeline": original.detail["pipeline"],
        "at": at.isoformat(),
        "by": again.actor,
        "code": {**code, "commit": original.code.get("commit"), "diff": original.code.get("diff")},
        "environment": {"digest": original.environment, "differences": environment},
        "data": sorted(set(original.detail.get("pins", {}).values())),
        "params": original.detail["params"],
        "metrics": metrics,
        "outputs": outputs,
        "left_out": dict(left_out),
        "differences": differences,
    }


def word_certificate(certificate: Mapping[str, Any]) -> str:
    """Return the certificate as a text for a person."""
    code, environment = certificate["code"], certificate["environment"]
    lines = [
        f"CERTIFICATE OF REPRODUCTION: {certificate['verdict'].upper()}",
        "",
        certificate["summary"],
        "",
        f"run           {certificate['run']} of pipeline {certificate['pipeline']}",
        f"run again as  {certificate['again']} on {certificate['at']} by {certificate['by']}",
        f"code          {code['state']}; commit {code['commit'] or 'none'}",
        *(f"              changed since: {name}" for name in code["changed"]),
        f"environment   {'the same' if not environment['differences'] else 'differs'}",
        *(f"              {line}" for line in environment["differences"]),
        *(f"data          {ref}" for ref in certificate["data"]),
        "",
    ]
    for name, pair in certificate["metrics"].items():
        mark = "same" if pair["same"] else "DIFFERS"
        lines.append(f"metric  {name}  {_number(pair['then'])}  {_number(pair['now'])}  {mark}")
    for name, pair in certificate["outputs"].items():
        mark = "same" if pair["same"] else "DIFFERS" if pair["compared"] else "not comparable"
        lines.append(f"output  {name}  {pair['then'][:12]}  {(pair['now'] or '-')[:12]}  {mark}")
    lines += [f"left out  {name}: {why}" for name, why in certificate["left_out"].items()]
    return "\n".join(lines) + "\n"


def _verdict(metrics: object, outputs: object, differences: list[str]) -> Verdict:
    if differences:
        return Verdict.FAILED
    return Verdict.PASSED if metrics or outputs else Verdict.NO_DATA


def _summary(verdict: Verdict, metrics: int, outputs: int, differences: int) -> str:
    if verdict is Verdict.PASSED:
        return f"All {metrics} metrics and the outputs of {outputs} steps are the same to the bit."
    if verdict is Verdict.NO_DATA:
        return "The run gave nothing that can be compared."
    return f"{differences} of {metrics} metrics and {outputs} outputs are not the same."


def _outputs(then: StoredValue, now: StepGave | None) -> dict[str, Any]:
    other = None if now is None else now.output.digest
    compared = then.is_stored and (then.digest == other or not then.is_code)
    return {**_pair(then.digest, other), "codec": then.codec, "compared": compared}


def _pair(then: str | None, now: str | None) -> dict[str, Any]:
    return {"then": then, "now": now, "same": then == now}


def _hex(metrics: Mapping[str, float], key: str) -> str | None:
    return float(metrics[key]).hex() if key in metrics else None


def _hex_of(now: Mapping[str, StepGave], step: str, key: str) -> str | None:
    return _hex(now[step].metrics, key) if step in now else None


def _number(text: str | None) -> str:
    return "-" if text is None else repr(float.fromhex(text))
