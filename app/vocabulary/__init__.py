"""The vocabularies that the whole program shares: each list of words once, with labels."""
