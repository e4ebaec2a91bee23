"""Which engine each concern runs on: one selector per concern, unset means embedded (DESIGN §1)."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import IPv6Address
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from xget_kernel.errors import StartupError
from xget_kernel.secrets import MASK, Secret

Concern = Literal["tables", "documents", "search", "events", "cache"]
CONCERNS: Final[tuple[Concern, ...]] = ("tables", "documents", "search", "events", "cache")
SELECTORS: Final[dict[Concern, str]] = {
    "tables": "POSTGRES_SERVER",
    "documents": "MONGODB_URL",
    "search": "ELASTICSEARCH_URL",
    "events": "KAFKA_BOOTSTRAP_SERVERS",
    "cache": "REDIS_URL",
}
"""The environment variable that selects a concern's real engine."""
_ENGINES: Final[dict[Concern, tuple[str, str]]] = {
    "tables": ("sqlite", "postgresql"),
    "documents": ("sqlite", "mongodb"),
    "search": ("sqlite", "elasticsearch"),
    "events": ("sqlite", "kafka"),
    "cache": ("memory", "redis"),
}
_SERVER: Final = re.compile(r"(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>\d{1,5}))?", re.ASCII)
_SECRET_PARAMETERS: Final = frozenset({"password", "sslpassword", "sasl_password", "token", "api_key", "apikey"})


class EngineSettings(BaseSettings):
    """The selectors and what belongs to them. URLs hold credentials, so they do not show themselves."""

    model_config = SettingsConfigDict(env_ignore_empty=True, populate_by_name=True, frozen=True)

    home: Path = Field(Path(".xget"), validation_alias="XGET_HOME")
    """Folder of all data files and keys."""
    replicas: int = Field(1, ge=1, le=1000, validation_alias="XGET_REPLICAS")
    """How many processes like this one share its engines; more than one needs real engines."""

    database_url: Secret | None = Field(None, validation_alias="DATABASE_URL")
    """SQLAlchemy URL of the service's tables (sqlite or postgresql); wins over `POSTGRES_SERVER`."""
    postgres_server: str | None = Field(None, validation_alias="POSTGRES_SERVER")
    """Host of PostgreSQL, or host:port; unset keeps the tables in SQLite files."""
    postgres_port: int = Field(5432, ge=1, le=65535, validation_alias="POSTGRES_PORT")
    """Port of PostgreSQL, when `POSTGRES_SERVER` names none."""
    postgres_user: str = Field("xget", validation_alias="POSTGRES_USER")
    """User of PostgreSQL."""
    postgres_password: Secret | None = Field(None, validation_alias="POSTGRES_PASSWORD")
    """Password of PostgreSQL."""
    postgres_db: str = Field("xget", validation_alias="POSTGRES_DB")
    """Database of PostgreSQL; each service has a schema of its own name in it."""
    mongodb_url: Secret | None = Field(None, validation_alias="MONGODB_URL")
    """URL of MongoDB; unset keeps documents in a SQLite file."""
    mongodb_db: str = Field("xget", validation_alias="MONGODB_DB")
    """Database of MongoDB, when the URL names none."""
    elasticsearch_url: Secret | None = Field(None, validation_alias="ELASTICSEARCH_URL")
    """URL of Elasticsearch (several by commas); unset searches in a SQLite file."""
    elasticsearch_index: str = Field(
        "xget", pattern=r"^[a-z0-9][a-z0-9._-]{0,100}$", validation_alias="ELASTICSEARCH_INDEX"
    )
    """First part of the names of all indexes and aliases."""
    redis_url: Secret | None = Field(None, validation_alias="REDIS_URL")
    """URL of Redis; unset keeps cache and limits in the process."""
    redis_prefix: str = Field("xget", validation_alias="REDIS_PREFIX")
    """First part of the names of all keys."""
    kafka_bootstrap_servers: str | None = Field(None, validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    """host:port of Kafka (several by commas); unset keeps events in a SQLite file."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", validation_alias="KAFKA_SECURITY_PROTOCOL"
    )
    """How to talk to Kafka."""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", validation_alias="KAFKA_SASL_MECHANISM"
    )
    """How to log in to Kafka, when the protocol says so."""
    kafka_sasl_username: str | None = Field(None, validation_alias="KAFKA_SASL_USERNAME")
    """User of Kafka."""
    kafka_sasl_password: Secret | None = Field(None, validation_alias="KAFKA_SASL_PASSWORD")
    """Password of Kafka."""
    kafka_replication: int = Field(1, ge=1, le=9, validation_alias="KAFKA_REPLICATION")
    """Copies of each topic that XGet makes."""
    kafka_prefix: str = Field("", pattern=r"^[A-Za-z0-9._-]{0,80}$", validation_alias="KAFKA_PREFIX")
    """First part of the names of all topics and groups, for several installations on one Kafka."""

    def tables(self, service: str) -> str:
        """SQLAlchemy URL of the tables of `service`; with PostgreSQL its `search_path` is the service's name.

        Holds the password: mask it before it is shown. Raises StartupError for another kind of database.
        """
        if self.database_url:
            return _normal(self.database_url.reveal(), service)
        if not self.postgres_server:
            return self.sqlite_url(service)
        host, port = _host_and_port(self.postgres_server)
        user = quote(self.postgres_user, safe="")
        password = f":{quote(self.postgres_password.reveal(), safe='')}" if self.postgres_password else ""
        place = f"{host}:{port or self.postgres_port}"
        return _normal(f"postgresql://{user}{password}@{place}/{quote(self.postgres_db, safe='')}", service)

    def kafka_servers(self) -> list[str]:
        """`host:port` of each server of `KAFKA_BOOTSTRAP_SERVERS`; none when it is not set. Raises StartupError."""
        given = self.kafka_bootstrap_servers
        servers = [one.strip() for one in given.split(",") if one.strip()] if given else []
        if given and not (servers and all(_is_server(server) for server in servers)):
            raise StartupError(
                "KAFKA_BOOTSTRAP_SERVERS needs servers: write it like localhost:9092, several by commas (user and "
                "password have settings of their own)."
            )
        return [server if server.rpartition(":")[2].isdigit() else f"{server}:9092" for server in servers]

    def sqlite_url(self, name: str) -> str:
        """URL of the SQLite file `<home>/<name>.db`."""
        return f"sqlite+aiosqlite:///{self.home / name}.db"

    def engine_of(self, concern: Concern) -> str:
        """`sqlite`, `memory`, `postgresql`, `mongodb`, `elasticsearch`, `kafka` or `redis`."""
        embedded, real = _ENGINES[concern]
        return real if self.is_real(concern) else embedded

    def is_real(self, concern: Concern) -> bool:
        """Whether a server holds this concern, and not this process."""
        match concern:
            case "tables":
                return not self.tables("any").startswith("sqlite")
            case "documents":
                return bool(self.mongodb_url)
            case "search":
                return bool(self.elasticsearch_url)
            case "events":
                return bool(self.kafka_bootstrap_servers)
            case _:
                return bool(self.redis_url)

    def refuse_lies(self, concerns: tuple[Concern, ...] = CONCERNS) -> None:
        """Raise StartupError when several replicas would each have an engine of their own for one of `concerns`."""
        for concern in concerns:
            if self.replicas > 1 and not self.is_real(concern):
                raise StartupError(
                    f"XGET_REPLICAS is {self.replicas}, but the {concern} are embedded in each process: "
                    f"set {SELECTORS[concern]}, or run one replica."
                )


def masked(url: str) -> str:
    """`url` without its credentials: for logs, errors and reports. Text that is no URL is masked whole."""
    return ",".join(_masked(part) for part in url.split(","))


def _masked(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return MASK
    if "@" in url and not parts.netloc:
        return MASK
    netloc = f"{MASK}@{host}" if "@" in parts.netloc else host
    query = [(k, MASK if k.lower() in _SECRET_PARAMETERS else v) for k, v in parse_qsl(parts.query)]
    return urlunsplit((parts.scheme, netloc, parts.path, urlencode(query, safe="*,"), ""))


def _is_server(text: str) -> bool:
    found = _SERVER.fullmatch(text)
    return found is not None and 0 < int(found["port"] or 1) < 65536


def _host_and_port(server: str) -> tuple[str, str]:
    """As POSTGRES_SERVER says them, the port perhaps empty. Raises StartupError."""
    server = server.strip()
    with suppress(ValueError):
        return f"[{IPv6Address(server)}]", ""
    found = _SERVER.fullmatch(server)
    if found is None or not _is_server(server):
        raise StartupError(
            "POSTGRES_SERVER is no host: write it like localhost or localhost:5432 (user, password and database have "
            "settings of their own), or set DATABASE_URL."
        )
    return found["host"], found["port"] or ""


def _normal(url: str, service: str) -> str:
    scheme = url.partition(":")[0].lower()
    if scheme.partition("+")[0] == "sqlite":
        return url
    if scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise StartupError("DATABASE_URL names neither SQLite nor PostgreSQL: correct or unset it.")
    try:
        parts = urlsplit(url)
        valid = all((parts.hostname or "").split(",")) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise StartupError("DATABASE_URL needs a host: write it like postgresql://user:password@host:5432/xget.")
    query = dict(parse_qsl(parts.query))
    query.setdefault("search_path", service)
    return urlunsplit(("postgresql+asyncpg", parts.netloc, parts.path or "/xget", urlencode(query), ""))
