-- Why: a segmentation puts every customer into exactly one segment. Somebody left out is somebody nobody writes to.
-- Both ways: a customer without a segment, and a segment without a customer.
{{ config(tags=['invariant']) }}

with customers as (

    select customer_id from {{ ref('int_customers') }}

)

{% for segmentation in segmentations() %}
select
    '{{ segmentation }}' as segmentation,
    coalesce(customers.customer_id, segments.customer_id) as customer_id
from customers
full outer join {{ ref(segmentation ~ '_segments') }} as segments on customers.customer_id = segments.customer_id
where
    customers.customer_id is null
    or segments.customer_id is null
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
