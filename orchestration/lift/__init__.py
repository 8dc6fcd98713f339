"""Lift: what contacting an audience brought, from the sums that dbt made of the two sides."""
