-- Why: a segmentation puts every customer into exactly one segment. Somebody left out is somebody nobody writes to.
-- Both ways, a customer without a segment and a segment without a customer: by number and fingerprint of the customers (checksum).
{{ config(tags=['invariant']) }}

with customers as (

    select
        count(*) as customers,
        {{ checksum('customer_id') }} as fingerprint
    from {{ ref('int_customers') }}

),

segmented as (

    {% for segmentation in segmentations() %}
    select
        '{{ segmentation }}' as segmentation,
        count(*) as customers,
        {{ checksum('customer_id') }} as fingerprint
    from {{ ref(segmentation ~ '_segments') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    segmented.segmentation,
    segmented.customers as customers_in_segments,
    customers.customers
from segmented
cross join customers
where
    segmented.customers <> customers.customers
    or segmented.fingerprint is distinct from customers.fingerprint
