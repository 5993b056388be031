"""The cache key of a step: the digest of its code, inputs, params and environment."""

from collections.abc import Callable
from typing import Any

from trivet.kernel.digests import Digest, digest_json
from trivet.pipelines.codecs import part_of, store_value
from trivet.pipelines.graph import Node, Output, outputs_in
from trivet.pipelines.records import StoredValue
from trivet.storage.blobs.store import BlobStore


def step_key(
    node: Node,
    stored: Callable[[Node], StoredValue],
    *,
    blobs: BlobStore,
    environment: str,
    code: Digest,
) -> Digest:
    """Return the key under which the node's result is found again.

    Args:
        node: The call of the step.
        stored: Gives the record of what a node that is needed gave.
        blobs: Where arguments that are no JSON are kept.
        environment: The digest of the environment.
        code: The digest of the step's code.
    """
    return digest_json(
        {
            "step": node.step.name,
            "code": code,
            "environment": environment,
            "arguments": {
                name: _token(value, stored, blobs) for name, value in node.arguments.items()
            },
        }
    )


def _token(value: Any, stored: Callable[[Node], StoredValue], blobs: BlobStore) -> Any:
    """Return JSON that is equal for equal arguments."""
    if isinstance(value, Output):
        whole = stored(value.node)
        part = part_of(whole, value.path)
        if part is None:
            return ["part", whole.codec, whole.digest, list(value.path)]
        return ["value", part.codec, part.digest]
    if next(outputs_in(value), None) is None:
        given = store_value(value, blobs)
        return ["value", given.codec, given.digest]
    if isinstance(value, dict):
        return {str(key): _token(item, stored, blobs) for key, item in value.items()}
    return [type(value).__name__, *(_token(item, stored, blobs) for item in value)]
