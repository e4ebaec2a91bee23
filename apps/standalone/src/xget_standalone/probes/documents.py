"""MongoDB."""

from __future__ import annotations

import warnings
from datetime import UTC

from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError

from xget_kernel.engines import EngineSettings, masked
from xget_standalone.probes.answers import Answer, Silent


async def probe(settings: EngineSettings, seconds: float) -> Answer:
    """Ask for version and time. Raises Silent."""
    url = settings.mongodb_url.reveal() if settings.mongodb_url else ""
    limit = int(seconds * 1000)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # the driver only warns of options that it will not heed
            client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
                url, serverSelectionTimeoutMS=limit, connectTimeoutMS=limit, socketTimeoutMS=limit, tz_aware=True
            )
    except UserWarning as error:
        raise Silent(f"MONGODB_URL has a wrong option ({str(error).partition('. ')[0]}): correct it.") from error
    except (PyMongoError, ValueError) as error:
        raise Silent("MONGODB_URL is no URL of MongoDB: write it like mongodb://user:password@host:27017.") from error
    try:
        hello = await client.admin.command("hello")
        build = await client.admin.command("buildInfo")
        await client.get_default_database(settings.mongodb_db).command("ping")
    except OperationFailure as error:
        raise Silent(f"MongoDB at {masked(url)} refuses ({error.code}): correct the user in MONGODB_URL.") from error
    except (PyMongoError, ConfigurationError, OSError) as error:
        raise Silent(f"MongoDB at {masked(url)} does not answer: start it, or correct MONGODB_URL.") from error
    finally:
        await client.close()
    now = hello.get("localTime")
    return Answer(version=str(build.get("version", "")), now=now.astimezone(UTC) if now else None)
