"""Reads lists of staff and pupils."""
