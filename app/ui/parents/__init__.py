"""The tabs of the page Parents."""
