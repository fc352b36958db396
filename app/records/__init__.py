"""Checks data from outside and reads it into rows."""
