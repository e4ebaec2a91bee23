"""Settings that every service reads from the environment."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import SettingsConfigDict

from xget_kernel.engines import EngineSettings
from xget_kernel.errors import StartupError
from xget_kernel.files import read_or_create
from xget_kernel.secrets import Secret

GRPC_OFFSET: Final = 1000
_BY_DEFAULT = -1


def grpc_target(url: str) -> str:
    """`host:port` of a service's gRPC server, from the URL of its HTTP server. Raises StartupError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port:
        raise StartupError(f"The service URL {url!r} needs a host and a port: write it like http://127.0.0.1:8003.")
    return f"[{host}]:{port + GRPC_OFFSET}" if ":" in host else f"{host}:{port + GRPC_OFFSET}"


class ServiceSettings(EngineSettings):
    """Read once at the start and handed down. Making it reads the environment and touches no file.

    A service's class sets `default_port` and adds fields; each field `abc` is read from `XGET_ABC` unless it names an
    alias. Keyword arguments go by field name and win over the environment. Raises StartupError for wrong values.
    """

    model_config = SettingsConfigDict(
        env_prefix="XGET_", env_ignore_empty=True, populate_by_name=True, extra="forbid", frozen=True
    )

    default_port: ClassVar[int] = 8000

    host: str = Field("127.0.0.1", validation_alias="XGET_HOST")
    """Address to listen on."""
    port: int = Field(_BY_DEFAULT, ge=_BY_DEFAULT, le=65535, validation_alias="XGET_PORT")
    """HTTP port; 0 takes a free one."""
    grpc_port: int = Field(_BY_DEFAULT, ge=_BY_DEFAULT, le=65535, validation_alias="XGET_GRPC_PORT")
    """gRPC port; by default the HTTP port + 1000; 0 takes a free one."""
    open_mode: bool = Field(False, validation_alias="XGET_OPEN")
    """Requests without a token come from the local administrator."""
    member: str | None = Field(None, max_length=100, validation_alias="XGET_MEMBER")
    """Name of this process among those like it, kept over restarts: what it was at is taken up again at once."""
    max_body_bytes: int = Field(1_048_576, ge=1024, validation_alias="XGET_MAX_BODY_BYTES")
    """Longest request body that is read, in bytes."""
    given_internal_token: Secret | None = Field(None, validation_alias="XGET_INTERNAL_TOKEN")
    """Token between services, if it is given; read it as `internal_token`."""

    auth_service_url: str = Field("http://127.0.0.1:8001", validation_alias="AUTH_SERVICE_URL")
    scraper_service_url: str = Field("http://127.0.0.1:8003", validation_alias="SCRAPER_SERVICE_URL")
    account_service_url: str = Field("http://127.0.0.1:8004", validation_alias="ACCOUNT_SERVICE_URL")
    proxy_service_url: str = Field("http://127.0.0.1:8005", validation_alias="PROXY_SERVICE_URL")
    processing_service_url: str = Field("http://127.0.0.1:8006", validation_alias="PROCESSING_SERVICE_URL")
    storage_service_url: str = Field("http://127.0.0.1:8007", validation_alias="STORAGE_SERVICE_URL")

    kafka_topic_tasks: str = Field("xget.tasks", validation_alias="KAFKA_TOPIC_TASKS")
    kafka_topic_pages: str = Field("xget.pages", validation_alias="KAFKA_TOPIC_PAGES")
    kafka_topic_results: str = Field("xget.results", validation_alias="KAFKA_TOPIC_RESULTS")
    kafka_topic_stored: str = Field("xget.stored", validation_alias="KAFKA_TOPIC_STORED")
    kafka_topic_parser_events: str = Field("xget.parser-events", validation_alias="KAFKA_TOPIC_PARSER_EVENTS")
    kafka_topic_forgotten: str = Field("xget.forgotten", validation_alias="KAFKA_TOPIC_FORGOTTEN")
    kafka_topic_account_events: str = Field("xget.account-events", validation_alias="KAFKA_TOPIC_ACCOUNT_EVENTS")
    kafka_topic_proxy_events: str = Field("xget.proxy-events", validation_alias="KAFKA_TOPIC_PROXY_EVENTS")

    def __init__(self, **values: Any) -> None:
        if "internal_token" in values:
            values["given_internal_token"] = values.pop("internal_token")
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise StartupError(_sentence(error, self.model_config.get("env_prefix", ""))) from error

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if not cls.model_config.get("env_prefix", "").startswith("XGET_"):
            raise TypeError(
                f"The env_prefix of {cls.__name__} must start with XGET_: else it reads HOME, HOST and PORT."
            )

    @model_validator(mode="after")
    def _fill_ports(self) -> ServiceSettings:
        if self.port == _BY_DEFAULT:
            object.__setattr__(self, "port", self.default_port)
        if self.grpc_port == _BY_DEFAULT:
            object.__setattr__(self, "grpc_port", self.port + GRPC_OFFSET if self.port else 0)
        return self

    @property
    def internal_token(self) -> Secret:
        """The token between services; made in `<home>/internal.token` by the first who asks. Raises StartupError."""
        if self.given_internal_token:
            return self.given_internal_token
        fresh = secrets.token_urlsafe(32).encode("ascii")
        token = read_or_create(self.home / "internal.token", fresh).decode("ascii", "replace").strip()
        if not token:
            raise StartupError(f"The token file {self.home / 'internal.token'} is empty: delete it and start again.")
        return Secret(token)

    @staticmethod
    def grpc_target(url: str) -> str:
        """`host:port` of the gRPC server of the service at `url`."""
        return grpc_target(url)


def _sentence(error: ValidationError, prefix: str) -> str:
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    # A field with an alias is reported by it, another one by its own name; a misspelt argument is none of both.
    of_env = field and not field.isupper() and first["type"] != "extra_forbidden"
    name = f"{prefix}{field.upper()}" if of_env else field
    return f"The setting {name} is wrong ({first['msg']}): correct or unset it."
