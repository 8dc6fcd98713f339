-- All that any audience asks about a customer, computed for all of them together: each table of events is read once.
-- What is asked is in the files of the folder above.
{{ audience_facts() }}
