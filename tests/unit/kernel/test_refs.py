import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import Kind, Ref

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True)


@given(kind=st.sampled_from([k for k in Kind if k is not Kind.BLOB]), name=NAMES, version=NAMES)
def test_what_a_ref_writes_it_reads(kind: Kind, name: str, version: str) -> None:
    ref = Ref(kind, name, version)

    assert Ref.parse(str(ref)) == ref


def test_a_deployment_marks_its_revision_with_a_hash_sign() -> None:
    assert str(Ref(Kind.DEPLOYMENT, "delay", "12")) == "deployment:delay#12"


def test_a_blob_is_named_by_algorithm_and_digest() -> None:
    assert Ref.parse("blob:sha256:9f86") == Ref(Kind.BLOB, "sha256:9f86")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("delay", "kind:name@version"),
        ("banana:delay", "names no kind"),
        ("model:delay#7", "'@' a version"),
        ("deployment:delay@7", "'#' marks"),
        ("model:../../etc/passwd@1", "is no name"),
        ("model:a//b", "is no name"),
        ("model:", "kind:name@version"),
        ("model:a@b@c", "kind:name@version"),
        ("model:" + "a" * 101, "is no name"),
        ("model:a b", "is no name"),
        ("model:a\n", "is no name"),
    ],
)
def test_what_is_no_ref_is_refused_with_the_part_that_is_wrong(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        Ref.parse(text)
