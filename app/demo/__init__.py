"""The demonstration: a fictional school, with two terms of sessions up to a day.

Nobody in it is real. What it makes are files as a real school has them — rosters, logs, call records in
Graph's shape, registers — and they are imported in the same way. They contain a story that a leader could
discover: see `story`.
"""
