"""`xget gateway render`: kong.yml with the keys that Kong's jwt plugin needs."""

import yaml

from xget_standalone.gateway.config import default_path
from xget_standalone.gateway.render import with_keys
from xget_testing.tokens import TokenMaker


def test_every_published_key_becomes_a_jwt_secret_named_by_its_kid() -> None:
    rendered = yaml.safe_load(with_keys(default_path(), TokenMaker(key_id="k1").jwks))
    (consumer,) = rendered["consumers"]
    (secret,) = consumer["jwt_secrets"]
    assert (secret["key"], secret["algorithm"]) == ("k1", "ES256")
    assert secret["rsa_public_key"].startswith("-----BEGIN PUBLIC KEY-----")
    assert rendered["services"] == yaml.safe_load(default_path().read_text("utf-8"))["services"]
