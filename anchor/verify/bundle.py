"""The bundle: one file that proves one statement, offline. `docs/formats.md` specifies every byte.

Parsing verifies nothing: a parsed bundle only claims. A bundle has no unsigned copies of signed values.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.verify.evidence.anchor import read_tlog_proof
from deedlog.anchor.verify.evidence.table import parse_anchor
from deedlog.registry import strict_json
from deedlog.registry.errors import InvalidData
from deedlog.registry.statements.entry import MAXIMUM_SIZE as MAXIMUM_ENTRY
from deedlog.registry.strict_json import members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedlog.anchor.evm.identity import Contract
    from deedlog.anchor.verify.evidence.anchor import Anchor

VERSION = 1
MEDIA_TYPE = "application/vnd.deedlog.bundle+json"
MAXIMUM_BUNDLE = 4 * 1024 * 1024
"""In bytes, for reading and writing. A statement with 64 shares and some anchors needs less."""

MAXIMUM_ANCHORS = 16

ABOUT = (
    "本文件是一份 Deedlog 存证包：它证明文件中的声明由所列账户签名，并已写入一个只能追加的日志，"
    "日志的摘要锚定在公有链的合约里。验证无需联系登记处：安装 deedlog，运行 deedlog verify 本文件 原视频 "
    "--registry 登记处地址 --block-hash 区块哈希。请保存原始视频文件本身；"
    "聊天软件或平台转存的副本字节已变，无法通过验证。"
    " This file is a Deedlog bundle. It proves that the accounts named in it signed this statement and that the "
    "statement is in an append-only log, whose head is anchored in a contract on a public chain. To check it without "
    "asking the registry, install deedlog and run: deedlog verify THIS_FILE ORIGINAL_VIDEO --registry ADDRESS "
    "--block-hash HASH. Keep the original video: never the copy that a chat application or a platform made, whose "
    "bytes differ."
)


_ENCODER = json.JSONEncoder(ensure_ascii=False, indent=2)


class BundleError(InvalidData):
    """The bytes are not a bundle of this version."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Typed data, entry, the registry's identity, and anchors, a tlog-proof in the newest checkpoint, or both."""

    typed_data: dict[str, Any]
    entry: bytes
    registry: RegistryIdentity
    anchors: tuple[Anchor, ...]
    tlog_proof: bytes | None

    def format(self) -> bytes:
        """Return the file's bytes: JSON in UTF-8, indented by two spaces, with a newline at the end."""
        return (_ENCODER.encode(self._to_json()) + "\n").encode("utf-8")

    def _to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "about": ABOUT,
            "version": VERSION,
            "typed_data": self.typed_data,
            "entry": self.entry.decode("utf-8"),
            "registry": self.registry.to_json(),
        }
        if self.anchors:
            value["anchors"] = [anchor.to_json() for anchor in self.anchors]
        if self.tlog_proof is not None:
            value["tlog_proof"] = self.tlog_proof.decode("utf-8")
        return value

    def check_written(self) -> None:
        """Raise `BundleError` (`bundle.too_large`) if `format` would exceed `MAXIMUM_BUNDLE`, with its indentation."""
        sizes = accumulate(len(part.encode("utf-8")) for part in _ENCODER.iterencode(self._to_json()))
        if any(size >= MAXIMUM_BUNDLE for size in sizes):
            raise BundleError("bundle.too_large", maximum=MAXIMUM_BUNDLE)


def parse(data: bytes, contracts: Mapping[int, Contract]) -> Bundle:
    """Parse a bundle's bytes. Raises `BundleError` (`bundle.…`, `json.…`, `hex.…`, `list.…`, `registry.…`).

    `contracts` has the compiled contract of each known version. The registry address commits to one of them.
    """
    try:
        return _read(strict_json.loads(data, MAXIMUM_BUNDLE), contracts)
    except BundleError:
        raise
    except InvalidData as error:
        raise BundleError(error.code, field=error.field, **error.params) from error


def _read(value: Any, contracts: Mapping[int, Contract]) -> Bundle:
    if not isinstance(value, dict):
        raise BundleError("bundle.not_a_bundle")
    if value.get("version") is not None and value["version"] != VERSION:
        raise BundleError("bundle.version", field="version", expected=VERSION, actual=str(value["version"])[:32])
    proofs = tuple(name for name in ("anchors", "tlog_proof") if name in value) or ("anchors",)
    data = members(value, ("about", "version", "typed_data", "entry", "registry", *proofs), "")
    if data["about"] != ABOUT:
        # People read this text first. If it could be changed, a forger would change it.
        raise BundleError("bundle.about", field="about")
    if isinstance(data["version"], bool) or not isinstance(data["typed_data"], dict):
        raise BundleError("bundle.not_a_bundle")
    bundle = Bundle(
        typed_data=data["typed_data"],
        entry=_entry(data["entry"]),
        registry=RegistryIdentity.from_json(data["registry"], contracts),
        anchors=_anchors(data["anchors"]) if "anchors" in proofs else (),
        tlog_proof=read_tlog_proof(data["tlog_proof"], "tlog_proof") if "tlog_proof" in proofs else None,
    )
    bundle.check_written()
    return bundle


def _anchors(value: object) -> tuple[Anchor, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAXIMUM_ANCHORS:
        raise BundleError("list.length", field="anchors", minimum=1, maximum=MAXIMUM_ANCHORS)
    return tuple(parse_anchor(item, f"anchors[{position}]") for position, item in enumerate(value))


def _entry(value: object) -> bytes:
    if not isinstance(value, str):
        raise BundleError("json.not_a_string", field="entry")
    data = value.encode("utf-8")
    if len(data) > MAXIMUM_ENTRY:
        raise BundleError("json.too_large", field="entry", maximum=MAXIMUM_ENTRY, length=len(data))
    return data
