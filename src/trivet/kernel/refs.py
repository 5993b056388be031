"""Refs: the one form of address for everything, used alike in the CLI, the API, the UI and logs.

dataset:flights@main      model:delay@champion     a pointer, which resolves to a version
dataset:flights@4f0c…     model:delay@7            a version, which is what is stored
deployment:delay#12       features:by_carrier@3    a revision; a feature view's version
run:0193…  prediction:0193…  alert:0193…  evidence:0193…  blob:sha256:9f86…
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from trivet.kernel.errors import InvalidInput


class Kind(StrEnum):
    """What a ref may name."""

    DATASET = "dataset"
    FEATURES = "features"
    EXPERIMENT = "experiment"
    RUN = "run"
    PIPELINE = "pipeline"
    MODEL = "model"
    DEPLOYMENT = "deployment"
    ROLLOUT = "rollout"
    PREDICTION = "prediction"
    ALERT = "alert"
    EVIDENCE = "evidence"
    BLOB = "blob"
    GATEWAY = "gateway"


NAME_RULE = "a letter or digit, then letters, digits, '_', '.', '-' or '/', 100 at most"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}")
_REF = re.compile(r"(?P<kind>[a-z]+):(?P<name>[^@#]+)(?:(?P<mark>[@#])(?P<version>[^@#]+))?")


@dataclass(frozen=True, slots=True)
class Ref:
    """The address of one thing.

    Attributes:
        kind: What is named.
        name: Its name, or its id where it has no name.
        version: A version, a pointer to one, or None where the thing has no versions.
    """

    kind: Kind
    name: str
    version: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the ref that `text` writes.

        Raises:
            InvalidInput: The text is no ref; the message says which part is wrong.

        Example:
            >>> Ref.parse("model:delay@7")
            Ref(kind=<Kind.MODEL: 'model'>, name='delay', version='7')
        """
        match = _REF.fullmatch(text)
        if match is None:
            raise InvalidInput(f"{text!r} is no ref; write kind:name@version: 'model:delay@7'.")
        kind, name, version = match["kind"], match["name"], match["version"]
        if kind not in {str(known) for known in Kind}:
            raise InvalidInput(f"{text!r} names no kind; the kinds are {', '.join(Kind)}.")
        if match["mark"] and (match["mark"] == "#") != (kind == Kind.DEPLOYMENT):
            raise InvalidInput(f"{text!r}: '#' marks a deployment's revision, '@' a version.")
        if kind != Kind.BLOB:
            check_name(name)
            if version is not None:
                check_name(version)
        return cls(Kind(kind), name, version)

    def __str__(self) -> str:
        mark = "#" if self.kind is Kind.DEPLOYMENT else "@"
        tail = "" if self.version is None else f"{mark}{self.version}"
        return f"{self.kind}:{self.name}{tail}"


def check_name(name: str) -> str:
    """Return the name, or raise `InvalidInput` if it may not name a thing."""
    if not _NAME.fullmatch(name) or ".." in name or "//" in name or name.endswith("/"):
        raise InvalidInput(f"{name!r} is no name; a name is {NAME_RULE}.")
    return name
