-- What each campaign sent and did in this bucket, added to the totals; whole numbers, whose sum is the same in any order of the buckets.
insert into campaign_messages
select campaign_id, count(*)
from chosen
where not is_control
group by campaign_id;

insert into campaign_effects
select
    campaign_id,
    count(*) filter (where assigned_group = 'treated'),
    count(*) filter (where assigned_group = 'control'),
    count(caused_order_id),
    sum(cast(round(true_uplift * 1e6) as bigint)) filter (where assigned_group = 'treated')
from truth_campaign_assignments
group by campaign_id;
