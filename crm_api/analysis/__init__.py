"""What analysts leave on the pages: annotations of days on the timelines, and views that they keep."""
