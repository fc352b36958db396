"""Reads tables from files of every kind into rows of text, and names what cannot be read."""
