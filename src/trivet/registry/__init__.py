"""The registry: models, their immutable versions, and the aliases that point at them.

What makes the parts of a version is in modules of its own, since it needs heavy libraries:
`registry.onnx_export`, `registry.golden`, `registry.reference`.
"""

from trivet.registry.errors import (
    DuplicateVersion,
    EvidenceMissing,
    IncompleteVersion,
    ModelNotFound,
    NotAdmitted,
    VersionNotFound,
)
from trivet.registry.json_form import signature_from_json, signature_to_json
from trivet.registry.records import Alias, Model, ModelVersion, NewVersion, Signature
from trivet.registry.sql_store import SqlModelStore
from trivet.registry.store import ModelStore

__all__ = [
    "Alias",
    "DuplicateVersion",
    "EvidenceMissing",
    "IncompleteVersion",
    "Model",
    "ModelNotFound",
    "ModelStore",
    "ModelVersion",
    "NewVersion",
    "NotAdmitted",
    "Signature",
    "SqlModelStore",
    "VersionNotFound",
    "signature_from_json",
    "signature_to_json",
]
