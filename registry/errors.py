"""The errors that all of Deedlog raises: a stable code with parameters, never a text.

The texts for people, in English and Chinese, are in one catalogue (`api.texts`).
"""

from __future__ import annotations


class DeedlogError(Exception):
    """The base of all errors, identified by a stable code.

    `code` consists of lower-case words with dots (`signature.high_s`). `field` names the member at fault, or is None.
    `params` are the values for the catalogue's text.
    """

    def __init__(self, code: str, *, field: str | None = None, **params: str | int) -> None:
        """Create an error with this code; `params` are the values that its text shows."""
        super().__init__(code)
        self.code = code
        self.field = field
        self.params = params

    def __str__(self) -> str:
        """Return code, field and parameters as one line for logs."""
        parts = [self.code]
        if self.field is not None:
            parts.append(f"field={self.field}")
        parts += [f"{name}={value}" for name, value in self.params.items()]
        return " ".join(parts)


class InvalidData(DeedlogError):  # noqa: N818 - reads better where it is raised than "...Error"
    """Data from outside is invalid. Trying again does not help."""


class Refused(InvalidData):
    """A registry refused what was sent to it. The code and its parameters are the registry's."""


class Unavailable(DeedlogError):  # noqa: N818 - see InvalidData
    """Something could not be fetched or done now. Trying again may help."""


class VerificationError(InvalidData):
    """A proof or a signature is not valid."""
