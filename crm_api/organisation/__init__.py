"""Organisation units, townships, calendars."""
