"""The demonstration: a fictional school, with two terms of sessions up to a given day.

Nobody in it is real. It is generated as files of the kind that a real school has (rosters, logs, registers, and call
records in Graph's format), and these are imported in the same way. They contain a story that a leader could discover:
see `story`.
"""
