import warnings

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from trivet.kernel.errors import InvalidInput
from trivet.registry.golden import GoldenRows, choose_golden_rows, read_golden, write_golden
from trivet.registry.onnx_export import export_onnx
from trivet.registry.onnx_session import OnnxModel

RNG = np.random.default_rng(11)
INPUTS = RNG.normal(size=(3000, 4)).astype(np.float32)
INPUTS[:, 3] = RNG.integers(0, 5, 3000)
INPUTS[RNG.random(INPUTS.shape) < 0.05] = np.nan
LABELS = (np.nan_to_num(INPUTS[:, 0]) + RNG.normal(size=3000) > 0).astype(int)

IMPUTED = [("impute", SimpleImputer()), ("scale", StandardScaler())]


def boosted() -> LGBMClassifier:
    return LGBMClassifier(n_estimators=40, num_leaves=31, num_threads=2, verbose=-1)


MODELS = {
    "logistic regression": Pipeline([*IMPUTED, ("classify", LogisticRegression())]),
    "random forest": Pipeline([*IMPUTED, ("classify", RandomForestClassifier(10, max_depth=5))]),
    "boosted trees": boosted(),
    "boosted trees in a pipeline": Pipeline([*IMPUTED, ("classify", boosted())]),
}


def original(model: object, rows: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        answers: np.ndarray = model.predict_proba(rows)[:, 1]  # type: ignore[attr-defined]  # four classes share it
        return answers


@pytest.mark.parametrize("name", MODELS)
def test_an_export_answers_as_the_original_also_where_values_are_missing(name: str) -> None:
    model = MODELS[name].fit(INPUTS, LABELS)
    exported = OnnxModel(export_onnx(model, 4))
    assert exported.outputs == ("probability",)
    assert exported.features == 4
    assert exported.predict(INPUTS) == pytest.approx(original(model, INPUTS), abs=1e-6)


def test_a_value_that_is_next_to_a_threshold_keeps_to_its_side() -> None:
    # Neighbouring float32 values: their midpoint, a double, would round to one of the two.
    low = np.float32(1.1)
    values = [low]
    for _ in range(60):
        values.append(np.nextafter(values[-1], np.float32(2)))
    inputs = np.repeat(np.array(values, np.float32), 20)[:, None]
    labels = (np.arange(len(inputs)) // 20 % 2).astype(int)
    model = LGBMClassifier(n_estimators=5, num_leaves=61, min_child_samples=5, verbose=-1)
    model.fit(inputs, labels)
    exported = OnnxModel(export_onnx(model, 1))
    assert exported.predict(inputs) == pytest.approx(original(model, inputs), abs=1e-6)


def test_equal_models_give_equal_bytes() -> None:
    first, second = (export_onnx(boosted().fit(INPUTS, LABELS), 4) for _ in range(2))
    assert first == second


def test_what_is_no_fitted_binary_classifier_is_refused() -> None:
    regression = LinearRegression().fit(np.zeros((3, 1)), [1.0, 2.0, 3.0])
    three = LogisticRegression().fit(np.arange(6)[:, None], [0, 1, 2, 0, 1, 2])
    for model in (regression, three, LogisticRegression()):
        with pytest.raises(InvalidInput, match="0 and 1"):
            export_onnx(model, 1)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no ONNX model"):
        OnnxModel(b"hello")


def test_golden_rows_are_read_as_they_were_written() -> None:
    golden = GoldenRows(
        names=("a", "b", "c", "d"), inputs=INPUTS[:20], expected=np.linspace(0, 1, 20)
    )
    again = read_golden(write_golden(golden))
    assert again.names == golden.names
    assert again.output == "probability"
    np.testing.assert_array_equal(again.inputs, golden.inputs)
    np.testing.assert_array_equal(again.expected, golden.expected)


def test_half_of_the_golden_rows_lack_a_value() -> None:
    whole = np.ones((50, 3), np.float32)
    chosen = choose_golden_rows(whole, 20, np.random.default_rng(1))
    assert np.isnan(chosen).sum() == 10
    assert np.isnan(chosen).any(axis=1).sum() == 10
    np.testing.assert_array_equal(chosen, choose_golden_rows(whole, 20, np.random.default_rng(1)))
    assert not np.isnan(whole).any()


def test_other_bytes_are_no_golden_rows() -> None:
    with pytest.raises(InvalidInput, match="golden rows"):
        read_golden(b"hello")
