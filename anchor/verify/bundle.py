"""The bundle: one file that proves one statement, offline. `docs/formats.md` has it to the byte.

Nothing here is verified: a parsed bundle is what somebody says. Unsigned copies of signed values are not in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.tlog.proof import MAXIMUM_PROOF
from deedlog.registry import strict_json
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import from_hex, to_hex
from deedlog.registry.statements.entry import MAXIMUM_SIZE as MAXIMUM_ENTRY
from deedlog.registry.strict_json import members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedlog.anchor.evm.identity import Contract

VERSION = 1
MEDIA_TYPE = "application/vnd.deedlog.bundle+json"
MAXIMUM_BUNDLE = 4 * 1024 * 1024
"""Bytes: a statement with 64 shares, some anchors, room to spare."""

MAXIMUM_ANCHORS = 16
MAXIMUM_NODES = 65
MAXIMUM_NODE = 16 * 1024

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


class BundleError(InvalidData):
    """The bytes are not a bundle of this version."""


@dataclass(frozen=True, slots=True)
class ChainProof:
    """One anchor: the tlog-proof of the anchored checkpoint, and the proof of its slot in a block of one chain."""

    chain_id: int
    tlog_proof: bytes
    header: bytes
    account_proof: tuple[bytes, ...]
    storage_proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Typed data, entry, the registry's identity, and either anchors or one tlog-proof to the newest checkpoint."""

    typed_data: dict[str, Any]
    entry: bytes
    registry: RegistryIdentity
    anchors: tuple[ChainProof, ...]
    tlog_proof: bytes | None

    def format(self) -> bytes:
        """Return the file's bytes: JSON, UTF-8, two spaces, a newline at the end."""
        value: dict[str, Any] = {
            "about": ABOUT,
            "version": VERSION,
            "typed_data": self.typed_data,
            "entry": self.entry.decode("ascii"),
            "registry": self.registry.to_json(),
        }
        if self.tlog_proof is None:
            value["anchors"] = [_show(anchor) for anchor in self.anchors]
        else:
            value["tlog_proof"] = self.tlog_proof.decode("utf-8")
        return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def parse(data: bytes, contracts: Mapping[int, Contract]) -> Bundle:
    """Return what a bundle's bytes say; raise `BundleError` (`bundle.…`, `json.…`, `hex.…`).

    `contracts` are the compiled contracts of the versions that are known: the registry address commits to one.
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
    proof_member = "tlog_proof" if "tlog_proof" in value else "anchors"
    data = members(value, ("about", "version", "typed_data", "entry", "registry", proof_member), "")
    if data["about"] != ABOUT:
        # A text for people that anybody could rewrite would be the first thing that a forger changes.
        raise BundleError("bundle.about", field="about")
    if isinstance(data["version"], bool) or not isinstance(data["typed_data"], dict):
        raise BundleError("bundle.not_a_bundle")
    tlog_proof = _text(data["tlog_proof"], MAXIMUM_PROOF, "tlog_proof") if proof_member == "tlog_proof" else None
    anchors = () if tlog_proof is not None else _anchors(data["anchors"])
    return Bundle(
        typed_data=data["typed_data"],
        entry=_text(data["entry"], MAXIMUM_ENTRY, "entry"),
        registry=RegistryIdentity.from_json(data["registry"], contracts),
        anchors=anchors,
        tlog_proof=tlog_proof,
    )


def _anchors(value: object) -> tuple[ChainProof, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAXIMUM_ANCHORS:
        raise BundleError("list.length", field="anchors", minimum=1, maximum=MAXIMUM_ANCHORS)
    return tuple(_anchor(item, f"anchors[{position}]") for position, item in enumerate(value))


def _anchor(value: object, field: str) -> ChainProof:
    data = members(value, ("chain_id", "tlog_proof", "header", "account_proof", "storage_proof"), field)
    chain_id = data["chain_id"]
    if not isinstance(chain_id, int) or isinstance(chain_id, bool) or chain_id < 1:
        raise BundleError("bundle.chain_id", field=f"{field}.chain_id")
    return ChainProof(
        chain_id=chain_id,
        tlog_proof=_text(data["tlog_proof"], MAXIMUM_PROOF, f"{field}.tlog_proof"),
        header=from_hex(data["header"], None, f"{field}.header"),
        account_proof=_nodes(data["account_proof"], f"{field}.account_proof"),
        storage_proof=_nodes(data["storage_proof"], f"{field}.storage_proof"),
    )


def _nodes(value: object, field: str) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > MAXIMUM_NODES:
        raise BundleError("list.length", field=field, minimum=0, maximum=MAXIMUM_NODES)
    nodes = tuple(from_hex(item, None, field) for item in value)
    if any(len(node) > MAXIMUM_NODE for node in nodes):
        raise BundleError("bundle.node_too_large", field=field, maximum=MAXIMUM_NODE)
    return nodes


def _text(value: object, maximum: int, field: str) -> bytes:
    if not isinstance(value, str):
        raise BundleError("json.not_a_string", field=field)
    data = value.encode("utf-8")
    if len(data) > maximum:
        raise BundleError("json.too_large", field=field, maximum=maximum, length=len(data))
    return data


def _show(anchor: ChainProof) -> dict[str, Any]:
    return {
        "chain_id": anchor.chain_id,
        "tlog_proof": anchor.tlog_proof.decode("utf-8"),
        "header": to_hex(anchor.header),
        "account_proof": [to_hex(node) for node in anchor.account_proof],
        "storage_proof": [to_hex(node) for node in anchor.storage_proof],
    }
