"""Reads what Microsoft Graph and Teams hold about calls: call records, attendance, calendars and recordings."""
