"""Microsoft Graph: asking it for call records and recordings, and keeping what it sends."""
