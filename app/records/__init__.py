"""What comes in from outside, checked into rows."""
