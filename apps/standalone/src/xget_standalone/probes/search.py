"""Elasticsearch, by the health of its cluster: a node with few modules answers that too."""

from __future__ import annotations

from elasticsearch import ApiError, AsyncElasticsearch, AuthenticationException, TransportError

from xget_kernel.engines import EngineSettings, masked
from xget_standalone.probes.answers import Answer, Silent

MAJOR = 9


async def probe(settings: EngineSettings, seconds: float) -> Answer:
    """Ask for health and version. Raises Silent."""
    url = settings.elasticsearch_url.reveal() if settings.elasticsearch_url else ""
    try:
        client = AsyncElasticsearch(url.split(","), request_timeout=seconds, max_retries=0)
    except ValueError as error:
        raise Silent("ELASTICSEARCH_URL is no URL: write it like http://user:password@host:9200.") from error
    try:
        health = await client.cluster.health()
        nodes = await client.nodes.info(filter_path=["nodes.*.version"])
    except AuthenticationException as error:
        raise Silent(
            f"Elasticsearch at {masked(url)} refuses the login: correct the user in ELASTICSEARCH_URL."
        ) from error
    except (ApiError, TransportError, ValueError, OSError) as error:
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
