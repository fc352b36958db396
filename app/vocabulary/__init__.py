"""The words that the whole program shares: each list once, with its labels."""
