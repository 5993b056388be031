import pytest

from trivet.kernel.urls import without_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////srv/trivet.db", "sqlite:////srv/trivet.db"),
        ("/srv/tables", "/srv/tables"),
        ("postgresql://postgres@127.0.0.1/trivet", "postgresql://postgres@127.0.0.1/trivet"),
        ("postgresql://anna:pa:ss@db:5432/trivet", "postgresql://anna:***@db:5432/trivet"),
        ("postgresql://anna:a@b@db/trivet", "postgresql://anna:***@db/trivet"),
        (
            "postgresql://db/trivet?user=anna&password=x",
            "postgresql://db/trivet?user=anna&password=***",
        ),
        ("redis://:hunter2@host:6379/0", "redis://:***@host:6379/0"),
        (
            "s3://b/p?region=eu-west-1&access_key_id=AK&secret_access_key=s%2Fk&session_token=t",
            "s3://b/p?region=eu-west-1&access_key_id=***&secret_access_key=***&session_token=***",
        ),
        ("s3://b/p?AWS_SECRET_ACCESS_KEY=k", "s3://b/p?AWS_SECRET_ACCESS_KEY=***"),
    ],
)
def test_a_url_is_shown_without_what_opens_it(url: str, shown: str) -> None:
    assert without_secrets(url) == shown
