"""What the leadership decides: the protocol in force, remote learning, confirmations and spot checks."""
