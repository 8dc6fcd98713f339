-- Filled bucket by bucket (campaign_totals.sql).
create or replace table campaign_messages (campaign_id varchar, message_count bigint);

create or replace table campaign_effects (
    campaign_id varchar,
    treated_count bigint,
    control_count bigint,
    caused_order_count bigint,
    treated_uplift_micros hugeint
);
