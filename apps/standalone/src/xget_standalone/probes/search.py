"""Elasticsearch, by the health of its cluster: a node with few modules answers that too."""

from __future__ import annotations

from urllib.parse import urlsplit

from elasticsearch import (
    ApiError,
    AsyncElasticsearch,
    AuthenticationException,
    TransportError,
    UnsupportedProductError,
)

from xget_kernel.engines import EngineSettings, masked
from xget_standalone.probes.answers import Answer, Silent

MAJOR = 9


async def probe(settings: EngineSettings, seconds: float) -> Answer:
    """Ask for health and version. Raises Silent."""
    url = settings.elasticsearch_url.reveal() if settings.elasticsearch_url else ""
    try:
        client = AsyncElasticsearch(_hosts(url), request_timeout=seconds, max_retries=0)
    except ValueError as error:
        raise Silent("ELASTICSEARCH_URL is no URL: write it like http://user:password@host:9200.") from error
    try:
        health = await client.cluster.health()
        nodes = await client.nodes.info(filter_path=["nodes.*.version"])
    except AuthenticationException as error:
        raise Silent(
            f"Elasticsearch at {masked(url)} refuses the login: correct the user in ELASTICSEARCH_URL."
        ) from error
    except UnsupportedProductError as error:
        raise Silent(f"What answers at {masked(url)} is not Elasticsearch: correct ELASTICSEARCH_URL.") from error
    except ApiError as error:
        raise Silent(_refusal(error, masked(url))) from error
    except (TransportError, ValueError, OSError) as error:
        raise Silent(
            f"Elasticsearch at {masked(url)} does not answer: start it, or correct ELASTICSEARCH_URL."
        ) from error
    finally:
        await client.close()
    versions = {str(node["version"]) for node in nodes.get("nodes", {}).values()}
    version = min(versions, default="")
    facts = {"health": health["status"]}
    if version and int(version.split(".")[0]) != MAJOR:
        return Answer(
            version=version, facts=facts, problem=f"It is not of version {MAJOR}.", advice=f"Run Elasticsearch {MAJOR}."
        )
    if health["status"] == "red":
        advice = "Look at GET _cluster/allocation/explain."
        return Answer(version=version, facts=facts, problem="Its health is red.", advice=advice)
    return Answer(version=version, facts=facts)


def _refusal(error: ApiError, address: str) -> str:
    if "media_type_header_exception" in str(error.body):
        return f"Elasticsearch at {address} is older than {MAJOR}: upgrade it, or name another in ELASTICSEARCH_URL."
    if error.status_code == 403:
        return f"Elasticsearch at {address} gives the user too few rights: let it monitor the cluster."
    return f"Elasticsearch at {address} answers {error.status_code}: look into its log."


def _hosts(url: str) -> list[str]:
    """As the adapter of the storage reads them: several by commas, port 9200 where none is named."""
    hosts = [urlsplit(one.strip()) for one in url.split(",") if one.strip()]
    ports = {"http": 9200, "https": 443}
    return [(h if h.port else h._replace(netloc=f"{h.netloc}:{ports.get(h.scheme, '')}")).geturl() for h in hosts]
