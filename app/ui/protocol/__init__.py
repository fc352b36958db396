"""Parts of the page Protocol."""
