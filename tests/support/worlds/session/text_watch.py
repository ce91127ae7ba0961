"""A watch over texts: whatever a test meets by a code has a text in each language, and the parameters for it.

An error, an answer of a verdict and a standing are a code with parameters; their words are in `api/texts`. While the
watch runs, each one that is made, in this process, is looked up at once. So a code without words is found wherever a
test makes it, and not only where one reads its words.
"""

from __future__ import annotations

import string
from functools import cache

from deedlog.anchor.verify.verdict import Finding
from deedlog.api.texts import LANGUAGES, catalogue
from deedlog.registry.errors import DeedlogError
from deedlog.registry.rules.state import Standing


class TextWatch:
    """Notes errors, answers and standings that lack a text, or parameters for it; it lasts as long as the process."""

    def __init__(self) -> None:
        self._suspects = []
        for kind in (DeedlogError, Finding, Standing):
            self._watch(kind)

    def complaints(self) -> list[str]:
        """Return what is missing for what was made since the last call; each complaint once."""
        # Looked at again: some code gives an error its parameters after it is made.
        found = {complaint for members in self._suspects for complaint in _lacking(members)}
        self._suspects.clear()
        return sorted(found)

    def _watch(self, kind) -> None:
        plain = kind.__init__

        def watched(made, *arguments, **members):
            plain(made, *arguments, **members)
            # Not the error itself: its traceback would keep alive all that it has seen.
            kept = getattr(made, "__dict__", None) or {"code": made.code, "params": made.params}
            if any(_lacking(kept)):
                self._suspects.append(kept)

        kind.__init__ = watched


def _lacking(members):
    """Yield what the text of an error, answer or standing lacks, in words; `members` are its attributes."""
    code, given = members["code"], members["params"].keys()
    if "." not in code:  # one word is no code of the catalogue: tests make such errors up
        return
    for language in LANGUAGES:
        named = _parameters(language, code)
        if named is None:
            yield f"{code} has no text in {language}.json"
        elif not named <= given:
            yield f"{code} lacks {sorted(named - given)} for its text in {language}.json"


@cache
def _parameters(language, code):
    """Return the names of the parameters in a text; None where there is no text."""
    text = catalogue(language).get(code)
    return None if text is None else {name for _, name, _, _ in string.Formatter().parse(text) if name}
