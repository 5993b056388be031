"""The catalogue of texts: every word on a page, in English and in Korean, by one set of keys."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

LANGUAGES = {"en": "English", "ko": "한국어"}
"""The languages there are, by their code, in their own words."""

_FOLDER = Path(__file__).with_name("catalog")


class Words:
    """Says things in one language: `words("home.title")`, `words("runs.count", n=3)`.

    Texts are HTML of ours; the facts put into them are escaped unless they are `Markup`. A text
    that depends on a number has the forms `one` and `other`, chosen by the fact `n`.
    """

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._texts = read_catalogue(self.language)

    def __call__(self, key: str, /, **facts: Any) -> Markup:
        """Return the text of `key` with the facts filled in; an unknown key is a `KeyError`."""
        text = self._texts.get(key)
        if text is None:
            text = self._texts[f"{key}.{'one' if facts['n'] == 1 else 'other'}"]
        return Markup(text).format(**facts)  # noqa: S704 - texts are ours, facts are escaped

    def find(self, key: str, default: str, /, **facts: Any) -> Markup:
        """Return the text of `key`, or `default` escaped where the catalogue has none."""
        return self(key, **facts) if key in self._texts else Markup.escape(default)


@cache
def read_catalogue(language: str) -> Mapping[str, str]:
    """Return the texts of a language by dotted key."""
    texts: dict[str, str] = {}
    for file in sorted(_FOLDER.glob(f"*.{language}.toml")):
        texts |= _flat(tomllib.loads(file.read_text(encoding="utf-8")))
    return texts


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in tree.items():
        key = f"{prefix}{name}"
        flat |= _flat(value, f"{key}.") if isinstance(value, dict) else {key: str(value)}
    return flat


def choose_language(cookie: str | None, accepted: str) -> str:
    """Return the language of the cookie, else the first that the browser accepts, else English."""
    if cookie in LANGUAGES:
        return str(cookie)
    for part in accepted.split(","):
        code = part.partition(";")[0].strip().lower().partition("-")[0]
        if code in LANGUAGES:
            return code
    return "en"
