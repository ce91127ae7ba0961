"""The settings of the registry's processes: environment variables `DEEDLOG_…`, read here and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from limits import parse as parse_rate
from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from deedlog.anchor.rpc.networks import chain_named
from deedlog.registry.errors import InvalidData
from deedlog.registry.files import expanded
from deedlog.registry.passphrases import read_passphrase
from deedlog.registry.sign_in import Site, site_at

if TYPE_CHECKING:
    from deedlog.anchor.evm.network import Chain


def _rate(value: str) -> str:
    parse_rate(value)  # raises ValueError
    return value


def _public_url(value: str) -> str:
    try:
        return site_at(value).uri
    except InvalidData as error:
        raise ValueError("it must be http(s)://HOST, perhaps with a port and a path") from error


Rate = Annotated[str, AfterValidator(_rate)]
TypedPath = Annotated[Path, AfterValidator(expanded)]


class Settings(BaseSettings):
    """What an operator can set. The variable of each field is `DEEDLOG_` and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="DEEDLOG_", extra="ignore")

    data: TypedPath = Field(default=Path("data"), description="folder for the database, identity, keys and deployments")
    database_url: str | None = Field(default=None, description="SQLAlchemy URL; default: SQLite in the data folder")
    chain: str = Field(default="local", description="name of the chain to anchor on, in the file of chains")
    chains: TypedPath | None = Field(default=None, description="file of chains; default: the packaged one")
    rpc_url: str | None = Field(default=None, description="RPC node; default: the chain's in the file of chains")
    anchor_interval: int = Field(default=600, ge=1, description="seconds between anchors")
    operator_keyfile: TypedPath | None = Field(default=None, description="default: operator.json in the data folder")
    operator_passphrase_file: TypedPath | None = None
    log_keyfile: TypedPath | None = Field(default=None, description="default: log.pem in the data folder")
    log_passphrase_file: TypedPath | None = None
    writers: Literal["open", "keys"] = Field(default="open", description="whether writing needs an API key")
    quota_per_account: Rate = Field(default="200/day", description="statements that an account may send without a key")
    quota_per_address: Rate = Field(
        default="600/hour", description="statements without a key, and steps of signing in, from a network address"
    )
    trusted_proxies: str = Field(
        default="", description="addresses of proxies, comma-separated, whose X-Forwarded-For is believed"
    )
    public_url: Annotated[str, AfterValidator(_public_url)] | None = Field(
        default=None, description="URL at which people reach this registry, and sign in; default: of host and port"
    )
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)

    @property
    def database(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.data / 'deedlog.sqlite'}"

    @property
    def site(self) -> Site:
        """The site at which people reach this registry. A message to sign in must name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return site_at(self.public_url or f"http://{host}:{self.port}")

    @property
    def identity_file(self) -> Path:
        """The path of the registry's identity, which is public and never changes."""
        return self.data / "identity.json"

    @property
    def operator_key(self) -> Path:
        """The path of the operator's key file."""
        return self.operator_keyfile or self.data / "operator.json"

    @property
    def log_key(self) -> Path:
        """The path of the log's key file."""
        return self.log_keyfile or self.data / "log.pem"

    def operator_passphrase(self) -> str:
        """Return the passphrase of the operator's key file."""
        return _passphrase(self.operator_passphrase_file, "DEEDLOG_OPERATOR_PASSPHRASE_FILE")

    def log_passphrase(self) -> str:
        """Return the passphrase of the log's key file."""
        return _passphrase(self.log_passphrase_file, "DEEDLOG_LOG_PASSPHRASE_FILE")

    def chosen_chain(self) -> Chain:
        """Return the chain to anchor on."""
        return chain_named(self.chain, self.chains)

    def chosen_rpc_url(self) -> str:
        """Return the RPC node's URL; raise `InvalidData` (`settings.rpc_url`) if neither setting nor chain name one."""
        url = self.rpc_url or self.chosen_chain().rpc_url
        if url is None:
            raise InvalidData("settings.rpc_url", chain=self.chain)
        return url

    def deployment_file(self, chain_id: int) -> Path:
        """Return the path of the record of the contract on a chain."""
        return self.data / "deployments" / f"{chain_id}.json"


def read_settings() -> Settings:
    """Return the settings from the environment; raise `InvalidData` (`settings.invalid`) naming a wrong variable."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        variable = "DEEDLOG_" + "_".join(str(part) for part in first["loc"]).upper()
        raise InvalidData("settings.invalid", variable=variable, reason=first["msg"]) from error


def _passphrase(path: Path | None, variable: str) -> str:
    if path is None:
        raise InvalidData("settings.passphrase_file", variable=variable)
    passphrase = read_passphrase(path)
    if not passphrase:
        raise InvalidData("key.empty_passphrase")
    return passphrase
