"""Real processes for trials that cross services: a sandbox, a node, a cluster; started and killed as a user would."""

from xget_testing.node.cluster import Cluster, running_cluster
from xget_testing.node.nursery import forked, program
from xget_testing.node.processes import START_SECONDS, XGET, NotStarted, Process, clean_env, free_base, free_port
from xget_testing.node.sandbox import Sandbox, running_sandbox
from xget_testing.node.single import Node, running_node

__all__ = [
    "START_SECONDS",
    "XGET",
    "Cluster",
    "Node",
    "NotStarted",
    "Process",
    "Sandbox",
    "clean_env",
    "forked",
    "free_base",
    "free_port",
    "program",
    "running_cluster",
    "running_node",
    "running_sandbox",
]
