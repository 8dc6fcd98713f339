-- Whether a customer may be written to, for each purpose and channel that anybody has ever said something about, at the opening of the day.
-- Whoever has no row here has allowed nothing.
{{ contactability(as_of_date()) }}
