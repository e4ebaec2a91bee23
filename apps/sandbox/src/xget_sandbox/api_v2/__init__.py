"""X's official API, version 2, from the same world: api.x.com/2 and api.twitter.com/2."""
