"""The demonstration: an invented school, with two terms of sessions up to a day.

Nobody in it is real. What it makes are files as a real school has them — rosters, logs, call records in
Graph's shape, registers — and they come in by the same import. They hold a story that a leader could
discover: see `story`.
"""

from app.demo.calendar import NAME, demonstration
from app.demo.filling import DemoSchool, fill, generate, was_cut_off

__all__ = ["NAME", "DemoSchool", "demonstration", "fill", "generate", "was_cut_off"]
