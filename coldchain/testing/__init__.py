"""Words for tests: series and announcements in one short notation. Shipped, for other people's tests too."""
