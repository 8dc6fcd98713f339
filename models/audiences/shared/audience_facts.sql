-- All that any audience asks about a customer, computed for all of them together: windows of about one length in one pass of their events.
-- What is asked is in the files of the folder above.
{{ audience_facts() }}
