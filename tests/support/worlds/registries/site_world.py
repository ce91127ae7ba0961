"""A registry as its users meet it: its own processes, over HTTP."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass

import httpx
from ports import free_port
from support.worlds.registries.forked_registry import ForkedRegistry, forked_registry
from support.worlds.session.waiting import until

from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.registry import sign_in
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.statements.typed_data import typed_data


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
        sender, body = client or self.anyone, self.body(statement, *keys, **more)

        def send():
            answer = sender.post(path, json=body, headers=headers or {})
            late = answer.status_code == 503 and answer.json()["code"] == "statement.not_logged_yet"
            return None if late else answer

        return until(send, "it is logged")

    def sign_in(self, key, client=None):
        """Sign in at a web process; return the headers of who has signed in."""
        begun = begin_session(client or self.anyone, key)
        return {"Authorization": f"Bearer {begun['token']}"}


def asked_to_sign(client, key):
    """Return what a web process gives to be signed by a key's account."""
    answer = client.post("/v1/sessions/nonce", json={"account": to_checksum(account_of_private_key(key))})
    assert answer.status_code == 201, answer.text
    return answer.json()


def signed_message(text, key):
    return {"message": text, "signature": to_hex(sign(sign_in.digest(text), key).signature)}


def begin_session(client, key):
    answer = client.post("/v1/sessions", json=signed_message(asked_to_sign(client, key)["message"], key))
    assert answer.status_code == 201, answer.text
    return answer.json()


@contextlib.contextmanager
def running_site(folder, fork_server, database_url=None):
    local = forked_registry(folder, fork_server, database_url)
    # Many tests share one network address and a few accounts; quotas have tests of their own.
    local.settings = {"DEEDLOG_QUOTA_PER_ADDRESS": "1000000/hour", "DEEDLOG_QUOTA_PER_ACCOUNT": "1000000/hour"}
    try:
        identity = local.start()
        made = json.loads(local.deedlog("api-key", "new", "tests", "--scope", "upload", "--scope", "batch", "--json"))
        with (
            httpx.Client(base_url=local.url) as anyone,
            httpx.Client(base_url=local.url, headers={"Authorization": f"Bearer {made['secret']}"}) as platform,
        ):
            yield Site(local, identity, anyone, platform)
    finally:
        local.stop()


@contextlib.contextmanager
def beside(site, **settings):
    """Another web process of the same registry."""
    port = free_port()
    process = site.local.begin(f"serve-{port}", "serve", "--port", str(port), **settings)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        until(lambda: client.get("/healthz").is_success, process.tail, not_yet=httpx.TransportError)
        yield client
