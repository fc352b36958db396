"""The tabs of the page Administration."""
