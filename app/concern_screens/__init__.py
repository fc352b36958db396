"""The screens of both registers of concerns, by the same code for each: raise one, the lists, and one opened."""

from app.concern_screens.lists import show_children, show_conduct
from app.concern_screens.one import show_one
from app.concern_screens.raising import raise_one

__all__ = ["raise_one", "show_children", "show_conduct", "show_one"]
