"""In Redis (or Valkey), version 7 or newer: one truth for all processes, by the server's clock.

After kill -9 of a process its locks end with their TTL and its counts stay. After kill -9 of Redis everything since its
last save may be gone: values are made again, windows begin anew, and locks may be taken while an old holder still
works; their tokens grow all the same, so that fenced writes of the old holder are refused.
"""
