"""HTTP to one registry: send JSON, accept only JSON, and turn problems into errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deedlog.api.texts import catalogue
from deedlog.registry import strict_json
from deedlog.registry.bounded_http import BoundedHttp
from deedlog.registry.errors import DeedlogError, InvalidData, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


MAXIMUM_ANSWER = 8 * 1024 * 1024
"""Maximum bytes of an answer. A page of a hundred statements or the results of a batch take a quarter of this."""

_NOT_YET = "statement.not_logged_yet"
"""The one conflict (409) that passes by itself; all others are permanent."""


class Connection:
    """Requests to one registry. `bearer` is the token they carry: an API key or a session's token."""

    def __init__(
        self,
        url: str,
        language: str,
        seconds: float | None,
        pauses: Sequence[float],
        on_pause: Callable[[float], None] | None = None,
    ) -> None:
        """Set the registry's URL; nothing is sent yet.

        `seconds` is the total time of a request (None: the default), `pauses` are the seconds between its tries,
        `on_pause` is called with the seconds of each pause before it. Raises `InvalidData` (`http.header_value`) for a
        `language` that a header cannot carry.
        """
        self.url = url.rstrip("/")
        headers = {"Accept-Language": language}
        self._http = BoundedHttp(self.url, seconds=seconds, pauses=pauses, headers=headers, on_pause=on_pause)
        self._bearer: str | None = None

    @property
    def bearer(self) -> str | None:
        """The token that requests carry."""
        return self._bearer

    @bearer.setter
    def bearer(self, token: str | None) -> None:
        self._http.set_header("Authorization", None if token is None else f"Bearer {token}")
        self._bearer = token

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, **query: str | None) -> dict[str, Any]:
        """Return the JSON answer to a GET. Parameters that are None are left out. Raises as `send` does."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._json(self.send("GET", path, query=given))

    def post(self, path: str, body: object = None, *, repeat: bool) -> dict[str, Any]:
        """Return the JSON answer to a POST. `repeat`: sending it twice has no second effect. Raises as `send` does."""
        return self._json(self.send("POST", path, body=body, repeat=repeat))

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, str] | None = None,
        repeat: bool | None = None,
    ) -> bytes:
        """Return the body of a successful answer.

        Raises the registry's refusal: `Unavailable` if the same request may succeed later, else `Refused`. Raises
        `FetchError` if no complete answer arrives, and `Unavailable` (`registry.answered`, `registry.refused`) if the
        answer is not one that a registry gives.
        """
        answer = self._http.request(method, path, body=body, query=query, maximum=MAXIMUM_ANSWER, repeat=repeat)
        if answer.ok:
            return answer.content
        with self.reading(answer.status):
            refusal = self.refusal(strict_json.loads(answer.content, MAXIMUM_ANSWER), may_pass=answer.may_pass)
        raise refusal

    def refusal(self, problem: Any, *, may_pass: bool) -> DeedlogError:
        """Return a registry's problem as an error; raise `KeyError` and the like if it is not a problem."""
        code, params, field = problem["code"], problem["params"], problem["field"]
        known = {name: value for name, value in params.items() if isinstance(value, str | int)}
        if not isinstance(code, str) or code not in catalogue("en"):
            return Unavailable("registry.refused", url=self.url, refusal=str(code)[:64])
        kind = Unavailable if may_pass or code == _NOT_YET else Refused
        refusal = kind(code, field=None if field is None else str(field))
        refusal.params.update(known)
        return refusal

    @contextmanager
    def reading(self, status: int = 200) -> Iterator[None]:
        """Wrap the parsing of an answer: any malformed answer raises `Unavailable` (`registry.answered`)."""
        try:
            yield
        except (InvalidData, LookupError, TypeError, ValueError, AttributeError) as error:
            raise Unavailable("registry.answered", url=self.url, status=status) from error

    def _json(self, content: bytes) -> dict[str, Any]:
        with self.reading():
            value = strict_json.loads(content, MAXIMUM_ANSWER)
            if not isinstance(value, dict):
                raise TypeError
        return value
