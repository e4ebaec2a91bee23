"""Kafka that asks for a login, over TLS and without, and lets users do what they are allowed only.

Users: `xget` may do everything, `limited` nothing before somebody grants it; both have the password of the URL, by
PLAIN and by SCRAM-SHA-512.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from engines.engine import LOOPBACK, ask
from engines.errors import EngineError
from engines.kinds.kafka import SETTINGS, Kafka, api_versions
from engines.state import write_private

USERS = ("xget", "limited")
LISTENERS = """\
listeners=SASL_SSL://127.0.0.1:{tls},SASL_PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_SSL://127.0.0.1:{tls},SASL_PLAINTEXT://127.0.0.1:{plain}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
inter.broker.listener.name=SASL_PLAINTEXT
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:broker;User:xget;User:ANONYMOUS
"""
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
OURS = tuple(line.partition("=")[0] for line in LISTENERS.splitlines())


class GuardedKafka(Kafka):
    """Ports: SASL_SSL, SASL_PLAINTEXT, and the controller's."""

    name = "kafka-guarded"
    ports_needed = 3
    on_demand = True

    def settings(self) -> str:
        certify(self.data)
        tls, plain, controller = self.ports
        kept = [line for line in SETTINGS.splitlines() if line.partition("=")[0] not in OURS]
        common = "\n".join(kept).format(data=self.data, controller=controller)
        own = LISTENERS.format(tls=tls, plain=plain, controller=controller, keystore=self.data / "broker.pem")
        logins = " ".join(f'user_{name}="{self.password}"' for name in ("broker", *USERS))
        jaas = f'{PLAIN} username="broker" password="{self.password}" {logins};'
        for listener in ("sasl_ssl", "sasl_plaintext"):
            own += f"listener.name.{listener}.plain.sasl.jaas.config={jaas}\n"
            own += f"listener.name.{listener}.scram-sha-512.sasl.jaas.config={SCRAM}\n"
        return f"{common}\n{own}"

    def format_options(self) -> list[str]:
        return [f"--add-scram=SCRAM-SHA-512=[name={name},password={self.password}]" for name in USERS]

    def ready(self) -> bool:
        return ask(self.ports[1], api_versions())[4:8] == api_versions()[8:12]

    def url(self) -> str:
        tls, plain, _ = self.ports
        return f"kafka://xget:{self.password}@{LOOPBACK}:{tls}?plaintext={plain}&ca={self.data / 'ca.pem'}"


def certify(folder: Path) -> None:
    """An authority in `ca.pem`, and the broker's key with its certificate in `broker.pem`; once."""
    if (folder / "broker.pem").exists():
        return
    try:
        from cryptography import x509  # noqa: PLC0415 - only this engine needs more than the standard library
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - as said
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as said
    except ImportError:
        raise EngineError("kafka-guarded needs `cryptography`: run this with .venv/bin/python.") from None

    def signed(subject: str, key: ec.EllipticCurvePrivateKey, *more: x509.ExtensionType) -> x509.Certificate:
        now = datetime.now(UTC)
        name, issuer = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, n)]) for n in (subject, "XGet trials"))
        made = x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
        for extension in more:
            made = made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return made.sign(authority, hashes.SHA256())

    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = signed("XGet trials", authority, x509.BasicConstraints(ca=True, path_length=0))
    broker = signed("broker", own, x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]))
    pem = serialization.Encoding.PEM
    secret = own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(folder / "ca.pem", root.public_bytes(pem).decode())
    write_private(folder / "broker.pem", b"".join([secret, *(c.public_bytes(pem) for c in (broker, root))]).decode())
