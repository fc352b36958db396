"""Reads tables from files of every kind into rows of text, and reports what cannot be read."""
