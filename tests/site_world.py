"""A registry as its users meet it: its own processes, over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass

import httpx
from forked_registry import ForkedRegistry, forked_registry

from anchor.identity import RegistryIdentity
from registry.eip712 import domain_separator
from registry.hexadecimal import to_checksum, to_hex
from registry.signatures import sign
from registry.statements import typed_data


@dataclass
class Site:
    """A running registry, a client without a key, and a platform's client."""

    local: ForkedRegistry
    identity: RegistryIdentity
    anyone: httpx.Client
    platform: httpx.Client

    def body(self, statement, *keys: bytes, **more):
        signatures = [sign(statement.digest(domain_separator(self.identity.address)), key) for key in keys]
        return {
            "typed_data": typed_data(statement, self.identity.address),
            "signatures": [
                {"account": to_checksum(signature.account), "signature": to_hex(signature.signature)}
                for signature in signatures
            ],
            **more,
        }

    def post(self, statement, *keys, client=None, headers=None, wait=False, **more):
        path = "/v1/statements?wait=logged" if wait else "/v1/statements"
        sender = client or self.anyone
        return sender.post(path, json=self.body(statement, *keys, **more), headers=headers or {})


@contextlib.contextmanager
def running_site(folder, nursery, database_url=None):
    # Many tests share one network address and a few accounts; quotas have tests of their own.
    os.environ |= {"DEEDLOG_QUOTA_PER_ADDRESS": "1000000/hour", "DEEDLOG_QUOTA_PER_ACCOUNT": "1000000/hour"}
    local = forked_registry(folder, nursery, database_url)
    try:
        identity = local.start()
        made = json.loads(local.deedlog("api-key", "new", "tests", "--scope", "upload", "--scope", "batch", "--json"))
        with (
            httpx.Client(base_url=local.url, timeout=30) as anyone,
            httpx.Client(
                base_url=local.url, timeout=30, headers={"Authorization": f"Bearer {made['secret']}"}
            ) as platform,
        ):
            yield Site(local, identity, anyone, platform)
    finally:
        local.stop()
