"""Values at the edges of every type that is published."""

# A statement that makes a table of them.
TYPES = """
create table {table} as select * from (values
    ('Ærø "quoted" \\ back', true, 32767::smallint, (-2147483648)::integer, 9223372036854775807::bigint, 12345.67::decimal(18,2),
     0.0001::decimal(18,4), 'infinity'::double, date '1583-01-01', timestamp '2018-01-01 23:59:59.999999',
     timestamptz '2018-07-01 00:30:00+02:00', ['b', null, 'a,"'], [1, 2]::bigint[], time '23:59:59'),
    ('', false, -1, 0, 0, -0.01, -99999999999999.9999, -1.5e-300, date '9999-12-31', timestamp '1970-01-01 00:00:00',
     timestamptz '1969-12-31 23:59:59.5+00', []::varchar[], [], time '00:00:00'),
    (null, null, null, null, null, null, null, 'nan'::double, null, null, null, null, null, null)
) as rows (words, flag, small, ordinary, big, money, figure, float, day, moment, instant, list, numbers, clock)
"""
