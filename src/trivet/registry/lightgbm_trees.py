"""LightGBM's trees as skl2onnx is to see them; `onnx_export` imports this, given such a model.

To import it registers the converter of LightGBM's classifier.
"""

from copy import copy
from typing import Any

import numpy as np

from trivet.kernel.extras import extra

with extra("lightgbm", "The export of a LightGBM model"):
    from lightgbm import Booster, LGBMClassifier
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

update_registered_converter(
    LGBMClassifier,
    "LightGbmLGBMClassifier",
    calculate_linear_classifier_output_shapes,
    convert_lightgbm,
    options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
)


def with_float32_thresholds(model: Any) -> Any:
    """Return the model with the thresholds of its LightGBM trees rounded down to float32.

    ONNX holds thresholds as float32. Rounded to the nearest, some would come to lie on the next
    value of the feature, and send its rows the other way; rounded down, `x <= threshold` says
    the same of every float32 `x`.
    """
    if isinstance(model, LGBMClassifier):
        rounded = copy(model)
        text = model.booster_.model_to_string()
        rounded._Booster = Booster(model_str=_round_thresholds(text))
        return rounded
    if hasattr(model, "steps"):
        pipeline = copy(model)
        pipeline.steps = [(name, with_float32_thresholds(step)) for name, step in model.steps]
        return pipeline
    return model


def _round_thresholds(text: str) -> str:
    """Return a LightGBM model text in which every threshold is rounded down to float32.

    The sizes of the trees' texts, which are then others, are left out; they are optional.
    """
    lines = [line for line in text.split("\n") if not line.startswith("tree_sizes=")]
    for position, line in enumerate(lines):
        if line.startswith("threshold="):
            exact = np.array(line.removeprefix("threshold=").split(), dtype=np.float64)
            near = exact.astype(np.float32)
            down = np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near)
            lines[position] = "threshold=" + " ".join(repr(float(value)) for value in down)
    return "\n".join(lines)
