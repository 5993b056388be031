"""Take in a model that was made elsewhere, as far as it can be known."""

import numpy as np

from trivet.kernel.errors import InvalidInput
from trivet.registry.golden import PARITY, GoldenRows
from trivet.registry.onnx_session import OnnxModel
from trivet.registry.packaging import VersionParts, pack_version
from trivet.registry.records import NewVersion, Signature
from trivet.storage.blobs import BlobStore

_UNKNOWN = ("run", "datasets", "code", "environment", "seed", "reference")


def import_version(
    blobs: BlobStore,
    model: bytes,
    signature: Signature,
    *,
    golden: GoldenRows | None = None,
    description: str = "",
) -> NewVersion:
    """Return the content to register, with all that is not known of the model marked missing.

    Raises:
        InvalidInput: It is no ONNX model of one float32 input, takes another number of columns
            than the signature names, or does not give the golden rows' answers.
    """
    loaded = OnnxModel(model)
    if loaded.features not in (None, len(signature.inputs)):
        raise InvalidInput(
            f"The model takes {loaded.features} columns; the signature names "
            f"{len(signature.inputs)}."
        )
    if golden is not None:
        if golden.names != signature.inputs:
            raise InvalidInput("The golden rows have other columns than the signature.")
        off = float(np.max(np.abs(loaded.predict(golden.inputs) - golden.expected)))
        if not off <= PARITY:
            raise InvalidInput(
                f"The model's answers to the golden rows are off by {off:.1e}; {PARITY:.0e} is "
                "allowed."
            )
    features = ("features",) if signature.plan is not None else ()
    return pack_version(
        blobs,
        VersionParts(
            model=model,
            signature=signature,
            golden=golden,
            missing=(*_UNKNOWN, *features, *(() if golden else ("golden",))),
            description=description,
        ),
        run=None,
    )
