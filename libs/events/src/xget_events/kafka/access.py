"""How this process reaches Kafka, and what Kafka's answers mean."""

from __future__ import annotations

import logging
import ssl
from typing import Any

from aiokafka import errors as kafka
from aiokafka.conn import create_conn
from aiokafka.helpers import create_ssl_context

from xget_events.errors import MessageTooLarge, UnknownTopic
from xget_kernel.engines import EngineSettings
from xget_kernel.errors import StartupError, Unavailable, XGetError

REQUEST_SECONDS = 10.0
START_SECONDS = 10.0
"""How long Kafka may take to answer when a process starts."""
REASON_SECONDS = 5.0
"""How long Kafka may take, when no client could start, to say why."""
RETRY_AFTER = {"Retry-After": "5"}

_REFUSALS = (
    kafka.AuthenticationFailedError,
    kafka.AuthenticationMethodNotSupported,
    kafka.SaslAuthenticationFailed,
    kafka.UnsupportedSaslMechanismError,
    kafka.IllegalSaslStateError,
)
_NO_RIGHT = (
    kafka.TopicAuthorizationFailedError,
    kafka.GroupAuthorizationFailedError,
    kafka.ClusterAuthorizationFailedError,
)
_NO_LEADER = (
    TimeoutError,
    kafka.KafkaTimeoutError,
    kafka.UnknownTopicOrPartitionError,
    kafka.NotLeaderForPartitionError,
    kafka.LeaderNotAvailableError,
)
_TOO_LARGE = (kafka.MessageSizeTooLargeError, kafka.RecordListTooLargeError, kafka.RecordTooLargeError)


class Access:
    """Address and credentials, as the settings give them. Raises StartupError for settings that cannot work."""

    def __init__(self, settings: EngineSettings) -> None:
        if not settings.kafka_bootstrap_servers:
            raise StartupError("KAFKA_BOOTSTRAP_SERVERS is not set: name host:port of Kafka, or use the SQLite log.")
        self.servers = settings.kafka_servers()
        self.prefix = settings.kafka_prefix
        self.replication = settings.kafka_replication
        self._settings = settings
        self._context: ssl.SSLContext | None = None
        # Its errors come back as exceptions, and its retries are told once by our own events.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)

    @property
    def where(self) -> str:
        """The address for people; it holds no credentials."""
        return ",".join(self.servers)

    def options(self, *, request_seconds: float = REQUEST_SECONDS) -> dict[str, Any]:
        """Keyword arguments that every client of aiokafka takes."""
        return {
            "bootstrap_servers": self.servers,
            "request_timeout_ms": int(request_seconds * 1000),
            "retry_backoff_ms": 200,
            "metadata_max_age_ms": 30_000,
        } | self._security()

    def _security(self) -> dict[str, Any]:
        settings, protocol = self._settings, self._settings.kafka_security_protocol
        found: dict[str, Any] = {"security_protocol": protocol}
        if protocol.endswith("SSL"):
            # The system's authorities and those of SSL_CERT_FILE.
            self._context = self._context or create_ssl_context()
            found["ssl_context"] = self._context
        if protocol.startswith("SASL"):
            if not settings.kafka_sasl_username or not settings.kafka_sasl_password:
                raise StartupError(
                    f"KAFKA_SECURITY_PROTOCOL is {protocol}, which needs a login: set KAFKA_SASL_USERNAME and"
                    " KAFKA_SASL_PASSWORD."
                )
            found["sasl_mechanism"] = settings.kafka_sasl_mechanism
            found["sasl_plain_username"] = settings.kafka_sasl_username
            found["sasl_plain_password"] = settings.kafka_sasl_password.reveal()
        return found

    async def refusal(self) -> StartupError:
        """Why no client could start, found by connecting to the first server once more."""
        host, _, port = self.servers[0].rpartition(":")
        protocol = self._settings.kafka_security_protocol
        options = self._security()
        try:
            connection = await create_conn(
                host.strip("[]"),
                int(port),
                request_timeout_ms=int(REASON_SECONDS * 1000),
                **options,
            )
        except _REFUSALS as error:
            return StartupError(
                f"Kafka at {self.where} refuses the login ({type(error).__name__}): correct KAFKA_SASL_USERNAME,"
                " KAFKA_SASL_PASSWORD, KAFKA_SASL_MECHANISM and KAFKA_SECURITY_PROTOCOL."
            )
        except kafka.IncompatibleBrokerVersion:
            return StartupError(f"Kafka at {self.where} is too old for this release: use Kafka 2.8 or newer.")
        except ssl.SSLCertVerificationError as error:
            return StartupError(
                f"Kafka at {self.where} shows a certificate that is not trusted ({error.verify_message}): name the file"
                " of its authority in SSL_CERT_FILE, or correct KAFKA_BOOTSTRAP_SERVERS to the name that it is for."
            )
        except (OSError, kafka.KafkaError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            return StartupError(
                f"Kafka at {self.where} does not answer ({reason}): start it, or correct KAFKA_BOOTSTRAP_SERVERS or"
                f" KAFKA_SECURITY_PROTOCOL ({protocol})."
            )
        connection.close()
        return StartupError(
            f"Kafka at {self.where} answers, but not all that it is asked: correct KAFKA_SECURITY_PROTOCOL ({protocol})"
            " if it wants a login or TLS, else KAFKA_BOOTSTRAP_SERVERS or its advertised.listeners."
        )

    def explained(self, error: BaseException, doing: str) -> XGetError:
        """What a failed call means. `doing` is what was tried, as in "publish to xget.pages"."""
        if isinstance(error, XGetError):
            return error
        if isinstance(error, _TOO_LARGE):
            return MessageTooLarge(f"Kafka refuses to {doing}: the message is larger than the topic's limit.")
        if isinstance(error, kafka.UnknownTopicOrPartitionError):
            return UnknownTopic(f"Kafka could not {doing}: there is no such topic, create it first.")
        if isinstance(error, _NO_RIGHT):
            return Unavailable(f"Kafka does not allow to {doing}: grant that right.", headers=RETRY_AFTER)
        reason = "it does not answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        return Unavailable(f"Kafka at {self.where} could not {doing} ({reason}).", headers=RETRY_AFTER)


def lacks_topic(error: BaseException | None) -> bool:
    """Whether a call may have failed like this because its topic is no more; Kafka says so in several ways."""
    return isinstance(error, _NO_LEADER)
