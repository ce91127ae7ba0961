"""The registries whose addresses a person trusts, under names of their own: the file `registries.toml`.

    [studio]
    address = "0x…"
    url = "https://deeds.example.com"

A section is a registry; `url` may be missing. People may edit the file: what a change does not concern is left as it
is. The functions here read and edit its text; the command `deedlog trust` writes it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deedlog.api.client.home import home
from deedlog.registry.errors import DeedlogError, InvalidData
from deedlog.registry.files import read_file
from deedlog.registry.hexadecimal import account_from_any_case, to_checksum

if TYPE_CHECKING:
    from pathlib import Path

MAXIMUM_FILE = 256 * 1024
MAXIMUM_NAME = 64
MAXIMUM_URL = 2048

_HEADING = "# Registries whose addresses you trust. deedlog trust adds and removes them.\n"
_BARE = re.compile("[A-Za-z0-9_-]+", re.ASCII)
_HEX = re.compile("[0-9A-Fa-f]{32,}", re.ASCII)
_URL = re.compile(r"https?://[^\s/?#]+[^\s?#]*", re.ASCII)
_LINE = re.compile(r"\(at line ([0-9]+)")


@dataclass(frozen=True, slots=True)
class TrustedRegistry:
    """A registry that a person trusts to be the one they mean: its address (20 bytes) and, maybe, its URL."""

    name: str
    address: bytes
    url: str | None = None


def trusted_file() -> Path:
    """Return the path of the file, which need not exist."""
    return home() / "registries.toml"


def looks_like_address(text: str) -> bool:
    """Whether a person who typed this meant an address, perhaps a mistyped one. No name does."""
    return text[:2].lower() == "0x" or _HEX.fullmatch(text) is not None


def check_name(name: str, field: str | None = None) -> str:
    """Return a name; raise `InvalidData` (`registries.name`) for one that could be taken for an address or an option.

    It has 1 to 64 letters and digits of any script, dots, dashes and underscores, and begins with a letter or a digit.
    """
    plain = all(character.isalnum() or character in "-_." for character in name)
    known_form = unicodedata.normalize("NFKC", name) == name  # full-width letters would look like others
    if not (1 <= len(name) <= MAXIMUM_NAME and plain and known_form and name[0].isalnum()) or looks_like_address(name):
        raise InvalidData("registries.name", field=field, name=name[:MAXIMUM_NAME], maximum=MAXIMUM_NAME)
    return name


def check_url(url: str, field: str | None = None) -> str:
    """Return the URL of a registry, without a slash at its end; raise `InvalidData` (`fetch.url`)."""
    if len(url) > MAXIMUM_URL or _URL.fullmatch(url) is None:
        raise InvalidData("fetch.url", field=field, url=url[:MAXIMUM_URL])
    return url.rstrip("/")


def read_text(path: Path) -> str | None:
    """Return the text of the file; None if there is none. Raises `InvalidData` (`registries.syntax`) if not UTF-8."""
    try:
        data = read_file(path, MAXIMUM_FILE)
    except DeedlogError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidData("registries.syntax", path=str(path), line=line, reason="UTF-8") from error


def read(path: Path) -> dict[str, TrustedRegistry]:
    """Return the registries of the file by name, in its order; none if there is no file. Raises `InvalidData`."""
    text = read_text(path)
    return {} if text is None else parse(text, path)


def parse(text: str, path: Path) -> dict[str, TrustedRegistry]:
    """Return the registries that the text of the file at `path` names.

    Raises `InvalidData`: `registries.syntax` for what is not TOML, `registries.entry` for a section that is no
    registry. Both name the line.
    """
    import tomllib  # noqa: PLC0415 - `verify` need not pay for it

    try:
        sections = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        at = _LINE.search(str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        reason = "nesting" if isinstance(error, RecursionError) else _LINE.split(str(error))[0].strip()
        raise InvalidData("registries.syntax", path=str(path), line=line, reason=reason) from error
    return {name: _entry(name, section, text, path) for name, section in sections.items()}


def _entry(name: str, section: Any, text: str, path: Path) -> TrustedRegistry:
    def wrong(member: str | None = None) -> InvalidData:
        where = _line_of(text, name, member)
        return InvalidData("registries.entry", path=str(path), line=where, maximum=MAXIMUM_NAME)

    try:
        check_name(name)
    except InvalidData as error:
        raise wrong() from error
    if not isinstance(section, dict) or "address" not in section:
        raise wrong()
    for member in section:
        if member not in ("address", "url"):
            raise wrong(member)
    try:
        address = account_from_any_case(section["address"], None)
    except InvalidData as error:
        raise wrong("address") from error
    url = section.get("url")
    try:
        return TrustedRegistry(name, address, None if url is None else check_url(url))
    except (InvalidData, TypeError) as error:
        raise wrong("url") from error


def with_registry(text: str | None, registry: TrustedRegistry, path: Path) -> str:
    """Return the text of the file with a registry added, or put in place of the one with its name."""
    before = {} if text is None else parse(text, path)
    kept = text or _HEADING
    if registry.name in before:
        kept = _without_section(kept, registry.name)
    if kept.strip():
        kept = kept.rstrip("\r\n") + "\n\n"
    return _checked(kept + _section(registry), before | {registry.name: registry}, path)


def without_registry(text: str, name: str, path: Path) -> str:
    """Return the text of the file without the registry of that name, which it has."""
    after = {other: registry for other, registry in parse(text, path).items() if other != name}
    return _checked(_without_section(text, name), after, path)


def _checked(text: str, meant: dict[str, TrustedRegistry], path: Path) -> str:
    """Return an edited text if it says what is meant. TOML has other ways to write a section: then write it anew."""
    with suppress(InvalidData):
        if parse(text, path) == meant:
            return text
    return "\n".join([_HEADING, *map(_section, meant.values())])


def _section(registry: TrustedRegistry) -> str:
    # A JSON string is a TOML string.
    key = registry.name if _BARE.fullmatch(registry.name) else json.dumps(registry.name, ensure_ascii=False)
    url = "" if registry.url is None else f"url = {json.dumps(registry.url)}\n"
    return f'[{key}]\naddress = "{to_checksum(registry.address)}"\n{url}'


def _without_section(text: str, name: str) -> str:
    """Return the text without a section: its heading, and all lines from there to its last member."""
    lines = text.split("\n")
    at = [number for number, section, _ in _members(text) if section == name]
    return "\n".join(lines[: at[0] - 1] + lines[at[-1] :]) if at else text


def _line_of(text: str, name: str, member: str | None) -> int:
    """Return the number of the line with a member of a section, or else with its heading."""
    lines = [(number, key) for number, section, key in _members(text) if section == name]
    return next((number for number, key in lines if key == member), lines[0][0] if lines else 1)


def _members(text: str) -> list[tuple[int, str, str | None]]:
    """Return (line number, section, member) of the lines with a heading (member: None) or a member."""
    import tomllib  # noqa: PLC0415 - as above

    found: list[tuple[int, str, str | None]] = []
    section = None
    for number, line in enumerate(text.split("\n"), 1):
        try:
            keys = list(tomllib.loads(line.rstrip("\r")))
        except (tomllib.TOMLDecodeError, RecursionError):
            continue  # a part of a longer value
        if not keys:
            continue
        if line.lstrip().startswith("["):
            section = keys[0]
            found.append((number, section, None))
        else:
            found.append((number, keys[0], None) if section is None else (number, section, keys[0]))
    return found
