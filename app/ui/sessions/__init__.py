"""The views of the page Sessions."""
