"""PostgreSQL."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from xget_kernel.engines import EngineSettings, masked
from xget_standalone.probes.answers import Answer, Silent

OLDEST = 14


async def probe(settings: EngineSettings, seconds: float) -> Answer:
    """Log in and ask for version and time. Raises Silent."""
    url = settings.tables("xget")
    parts = urlsplit(url)
    plain = urlunsplit(("postgresql", parts.netloc, parts.path, "", ""))
    try:
        connection = await asyncpg.connect(plain, timeout=seconds)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise Silent(
            f"PostgreSQL at {masked(plain)} refuses the login: correct POSTGRES_USER and POSTGRES_PASSWORD."
        ) from error
    except asyncpg.InvalidCatalogNameError as error:
        raise Silent(
            f"PostgreSQL at {masked(plain)} has no such database: create it, or correct POSTGRES_DB."
        ) from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Silent(f"PostgreSQL at {masked(plain)} does not answer: start it, or correct POSTGRES_SERVER.") from error
    try:
        async with asyncio.timeout(seconds):
            row = await connection.fetchrow(
                "SELECT current_setting('server_version'), now(), has_database_privilege(current_database(), 'CREATE')"
            )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Silent(f"PostgreSQL at {masked(plain)} does not answer: look into its log.") from error
    finally:
        connection.terminate()
    assert row is not None  # noqa: S101 - the query has one row
    version, now, may_create = row
    if int(str(version).split(".")[0]) < OLDEST:
        return Answer(version=version, now=now, problem=f"It is older than {OLDEST}.", advice="Upgrade PostgreSQL.")
    if not may_create:
        return Answer(
            version=version,
            now=now,
            problem="The user may not make schemas.",
            advice="GRANT CREATE ON DATABASE … TO the user, or make the schemas and grant them.",
        )
    return Answer(version=str(version), now=now)
