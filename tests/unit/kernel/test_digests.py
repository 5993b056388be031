import hashlib
import math

import pytest

from trivet.kernel.digests import (
    canonical_json,
    digest_bytes,
    digest_chunks,
    digest_json,
    finite_or_none,
)
from trivet.kernel.errors import InvalidInput


def test_a_digest_is_the_sha_256_of_the_content() -> None:
    # The test vector of FIPS 180-2, appendix B.1.
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    assert digest_bytes(b"abc") == known
    assert digest_chunks([b"a", b"", memoryview(b"bc")]) == known


def test_equal_values_have_one_json_text_whatever_their_order() -> None:
    assert digest_json({"b": 1, "a": [1.5, None]}) == digest_json({"a": [1.5, None], "b": 1})
    assert digest_json("é") == hashlib.sha256('"é"'.encode()).hexdigest()


@pytest.mark.parametrize("value", [math.nan, math.inf, b"bytes", {1, 2}])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match="cannot be kept as JSON"):
        canonical_json({"value": value})


def test_only_finite_numbers_have_a_json_form() -> None:
    assert finite_or_none(1.5) == 1.5
    assert finite_or_none(math.nan) is None
    assert finite_or_none(-math.inf) is None
