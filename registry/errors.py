"""The errors that all of Deedlog raises: a stable code with parameters, never a text.

The texts stand in one catalogue, in English and Chinese, at the edge (`api.texts`).
"""

from __future__ import annotations


class DeedlogError(Exception):
    """Something is wrong, named by a stable code.

    `code` is dotted lower-case words (`signature.high_s`), `field` names the member at fault where there is one,
    `params` fill the catalogue's text.
    """

    def __init__(self, code: str, *, field: str | None = None, **params: str | int) -> None:
        """Name the error `code`; `params` are the values its text shows."""
        super().__init__(code)
        self.code = code
        self.field = field
        self.params = params

    def __str__(self) -> str:
        """Return code, field and parameters on one line, for logs."""
        parts = [self.code]
        if self.field is not None:
            parts.append(f"field={self.field}")
        parts += [f"{name}={value}" for name, value in self.params.items()]
        return " ".join(parts)


class InvalidData(DeedlogError):  # noqa: N818 - the two roots are named for what they say, not "...Error"
    """What came from outside is bad: asking again does not help."""


class Unavailable(DeedlogError):  # noqa: N818 - see InvalidData
    """Something could not be fetched or done now: asking again may help."""


class VerificationError(InvalidData):
    """A proof or a signature does not hold."""
