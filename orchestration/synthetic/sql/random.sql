-- Chance without state: a draw is a hash of what it is for, so that a row never depends on how many rows were made before it.

-- A uniform draw in (0, 1): for the use `stream`, the `entity` (below 2^43) and its `k`-th time (below 2^20).
-- One packed value is hashed: hash() of several arguments is not uniform.
create or replace macro draw(stream, entity, k) as (
    ((hash(xor(hash(stream || '/' || getvariable('seed')), (entity * 1048576 + k)::ubigint)) >> 12)::double + 0.5) / 4503599627370496.0
);

-- A whole number from 0 to below `most`, each as likely.
create or replace macro draw_below(stream, entity, k, most) as cast(floor(draw(stream, entity, k) * most) as bigint);

-- A whole number that is exponentially distributed with this mean: the wait for a thing that may come at any time.
create or replace macro draw_waiting(stream, entity, k, mean) as cast(floor(-ln(draw(stream, entity, k)) * mean) as bigint);

-- A uniform draw for a thing that is named by a text.
create or replace macro text_draw(stream, name) as (
    ((hash(stream || '/' || getvariable('seed') || '/' || name) >> 12)::double + 0.5) / 4503599627370496.0
);

-- One number of parameters.yml; a map where it differs by group.
create or replace macro parameter(name) as getvariable('parameter_' || name);

-- One option of parameters.yml, by its percentage: 100 slots stand behind each choice, and behind a choice by group 100 for each group.
create or replace macro pick(choice, u) as getvariable('choice_' || choice)[1 + cast(floor(u * 100) as integer)];
create or replace macro pick_given(choice, given, u) as getvariable('choice_' || choice)[
    (list_position(getvariable('groups_' || choice), given) - 1) * 100 + 1 + cast(floor(u * 100) as integer)
];

-- Standard normal (Box and Muller 1958).
create or replace macro normal_draw(stream, entity, k) as (
    sqrt(-2 * ln(draw(stream || '/radius', entity, k))) * cos(2 * pi() * draw(stream || '/angle', entity, k))
);

-- Gamma with mean `shape` and scale 1, from a normal (Wilson and Hilferty 1931); good from shape 1 up.
create or replace macro gamma_from_normal(shape, z) as (
    shape * power(greatest(1 - 1 / (9 * shape) + z / (3 * sqrt(shape)), 1e-3), 3)
);

-- Gamma of any shape: below 1 the draw of shape + 1 is scaled by u^(1 / shape) (Marsaglia and Tsang 2000).
create or replace macro gamma_draw(shape, stream, entity, k) as (
    if(
        shape >= 1,
        gamma_from_normal(shape, normal_draw(stream, entity, k)),
        gamma_from_normal(shape + 1, normal_draw(stream, entity, k)) * power(draw(stream || '/boost', entity, k), 1 / shape)
    )
);

-- A count with this mean that is as even as possible: the whole part, and one more with the probability of the rest.
create or replace macro count_draw(mean, u) as cast(floor(mean + u) as bigint);

-- The calendar day of a day number, which counts from the first day of the window.
create or replace macro day_of(day_number) as cast(getvariable('start_date') + cast(day_number as integer) as date);

-- Its first moment.
create or replace macro midnight_of(day_number) as getvariable('start_date')::timestamp + to_days(cast(day_number as integer));

-- A UTC time from a day number, local seconds and the day's offset from UTC.
create or replace macro utc_time(day_number, local_seconds, offset_seconds) as (
    midnight_of(day_number) + to_seconds(cast(local_seconds as bigint) - offset_seconds)
);
