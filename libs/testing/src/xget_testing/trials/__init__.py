"""Trials of a cluster on real engines: a collection that goes on while things die, and the judgement at its end."""

from xget_testing.trials.collection import Collection, Wanted
from xget_testing.trials.evidence import Evidence
from xget_testing.trials.groups import Groups, Place
from xget_testing.trials.judging import judge
from xget_testing.trials.replica import Replica
from xget_testing.trials.working import done_by

__all__ = ["Collection", "Evidence", "Groups", "Place", "Replica", "Wanted", "done_by", "judge"]
