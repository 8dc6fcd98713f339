-- The small tables of the contract, once for all customers.
create or replace table clean_products as
select product_id, product_name, brand, department, category, quality_tier, is_private_label
from product_list;

create or replace table clean_stores as
select store_list.store_id, store_name, city, region, store_list.country, countries.market, climate
from store_list
inner join countries on store_list.country = countries.country;

-- campaign_messages: how many messages each campaign sent, added up over the buckets.
create or replace table clean_campaigns as
select
    campaign_list.campaign_id,
    campaign_name,
    campaign_type,
    channel,
    starts_on,
    ends_on,
    cast(200 + coalesce(messages.message_count, 0) * parameter('contact_cost')[channel] as decimal(18, 2)) as cost_amount,
    target_audience
from campaign_list
left join (select campaign_id, sum(message_count) as message_count from campaign_messages group by campaign_id) as messages
    on campaign_list.campaign_id = messages.campaign_id;

create or replace table truth_campaigns as
select
    campaign_list.campaign_id,
    campaign_list.is_experiment,
    campaign_list.has_coupon,
    coalesce(sum(counted.treated_count), 0) as treated_count,
    coalesce(sum(counted.control_count), 0) as control_count,
    coalesce(sum(counted.caused_order_count), 0) as caused_order_count,
    cast(sum(counted.treated_uplift_micros) as double) / 1e6 / nullif(sum(counted.treated_count), 0) as mean_true_uplift
from campaign_list
left join campaign_effects as counted on campaign_list.campaign_id = counted.campaign_id
group by all;
