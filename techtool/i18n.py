"""Two languages from the first string: gettext at run time, phrases that keep their parameters.

A text that is shown at once goes through :func:`_`. A text that is recorded (a verdict, an error, a step's result)
is a :class:`Phrase`: the English sentence with named placeholders plus its values, so that the same journal can be
read in either language years later.
"""

from __future__ import annotations

import gettext as _gettext
import locale as _locale
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Union

LANGUAGES: Final = ("en", "zh")
"""The languages a person may choose, by the short names used in settings and on the command line."""

DOMAIN: Final = "techtool"
CATALOGUE_OF: Final = {"en": "en", "zh": "zh_CN"}
LOCALE_DIR: Final = Path(__file__).parent / "locale"


_active = "en"


@cache
def _translations(language: str) -> _gettext.NullTranslations:
    if language not in LANGUAGES:
        raise ValueError(f"unknown language: {language}")
    return _gettext.translation(DOMAIN, LOCALE_DIR, languages=[CATALOGUE_OF[language]], fallback=True)


def set_language(language: str) -> None:
    """Choose the language of :func:`_`; call it before ``techtool.tui`` is imported (bindings freeze their labels)."""
    global _active  # noqa: PLW0603 - gettext's own way: one language a process
    _translations(language)
    _active = language


def language() -> str:
    """The language chosen last: ``en`` or ``zh``."""
    return _active


def system_language() -> str:
    """The language this computer is set up for, ``en`` when it is neither of ours."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    name = (_locale.getlocale()[0] or "").lower()
    return "zh" if name.startswith(("zh", "chinese")) else "en"


def _(msgid: str) -> str:
    """``msgid`` in the active language."""
    return translate(msgid)


def N_(msgid: str) -> str:  # noqa: N802 - gettext's own name for "mark, do not translate yet"
    """Mark a string for extraction without translating it."""
    return msgid


def translate(msgid: str, language: str | None = None) -> str:
    """``msgid`` in ``language`` (default: the active one)."""
    return _translations(language or _active).gettext(msgid) if msgid else ""


PhraseValue = Union[str, int, float, "Phrase"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence and its values: recorded once, shown in any language."""

    msgid: str
    params: Mapping[str, PhraseValue] = field(default_factory=dict)

    def text(self, language: str | None = None) -> str:
        """The sentence in ``language`` with its values put in; a value is never itself a template."""
        values = {key: v.text(language) if isinstance(v, Phrase) else v for key, v in self.params.items()}
        if not self.msgid:
            return str(values.get(language or _active) or values.get("en") or next(iter(values.values()), ""))
        template = translate(self.msgid, language)
        return template.format(**values) if values else template

    def __str__(self) -> str:
        return self.text()

    def to_json(self) -> dict[str, object]:
        """``{"text": English sentence, "msgid": …, "params": …}`` for journals and ``--json``."""
        return {
            "text": self.text("en"),
            "msgid": self.msgid,
            "params": {k: v.to_json() if isinstance(v, Phrase) else v for k, v in self.params.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Phrase:
        """The phrase that :meth:`to_json` wrote."""
        params: dict[str, PhraseValue] = {}
        raw = data.get("params", {})
        if isinstance(raw, Mapping):
            for key, value in raw.items():
                if isinstance(value, Mapping):
                    params[str(key)] = cls.from_json(value)
                elif isinstance(value, str | int | float):
                    params[str(key)] = value
        return cls(str(data.get("msgid", "")), params)


def phrase(msgid: str, **params: PhraseValue) -> Phrase:
    """Build a :class:`Phrase`; ``msgid`` is a literal, extracted into the catalogue."""
    return Phrase(msgid, params)


def bilingual(texts: Mapping[str, str]) -> Phrase:
    """Data that brings its own texts per language (``{"en": …, "zh": …}``), such as the test catalogue's titles.

    It has no message id and so no entry in the message catalogues; where a language is missing, English is shown, and
    where there is no English either, whatever there is.
    """
    return Phrase("", dict(texts))


def raw(text: str) -> Phrase:
    """Text from a device, file or person as a phrase: shown as it is in every language."""
    return Phrase("{text}", {"text": text})
