"""Models that are fitted: when a fit is due, what it gave, and how that is written down for the SQL that applies it."""
