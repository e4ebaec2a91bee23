"""The gateway of a single node: does what `gateway/kong.yml` says, in this process."""
