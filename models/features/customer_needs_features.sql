with customers as (

    select * from {{ ref('int_customers') }}

),

needs as (

    select * from {{ ref('int_customer_needs') }}

),

limits as (

    select
        {{ threshold('needs_minimum_purchase_lines') }} as minimum_purchase_lines,
        {{ threshold('needs_prior_lines') }} as prior_lines

),

-- The need stated last; of several at once the first by name.
stated as (

    select
        customer_id,
        need,
        row_number() over (partition by customer_id order by last_at desc, need asc) as need_rank
    from needs
    where evidence = 'stated'

),

-- The need most tickets are about; of equals the one asked about last, then the first by name.
asked as (

    select
        customer_id,
        need,
        times,
        sum(times) over (partition by customer_id) as tickets,
        row_number() over (partition by customer_id order by times desc, last_at desc, need asc) as need_rank
    from needs
    where evidence = 'tickets'

),

bought as (

    select
        customer_id,
        need,
        times,
        sum(times) over (partition by customer_id) as customer_lines,
        sum(times) over (partition by need) as need_lines,
        sum(times) over () as all_lines
    from needs
    where evidence = 'purchases'

),

-- How much more of a need's categories than everybody: few lines are pulled towards the population, so that chance does not lead.
lifted as (

    select
        bought.customer_id,
        bought.need,
        bought.times,
        {{ ratio(
            '(bought.times * bought.all_lines + limits.prior_lines * bought.need_lines)',
            '((bought.customer_lines + limits.prior_lines) * bought.need_lines)'
        ) }} as lift
    from bought
    cross join limits
    where
        bought.need is not null
        and bought.times >= limits.minimum_purchase_lines

),

implied as (

    select
        customer_id,
        need,
        times,
        lift,
        row_number() over (partition by customer_id order by lift desc, times desc, need asc) as need_rank
    from lifted

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        stated.need as stated_need,

        asked.need as ticket_need,
        coalesce(asked.times, 0) as ticket_need_tickets,
        cast(coalesce(asked.tickets, 0) as bigint) as tickets_about_needs,

        implied.need as purchase_need,
        coalesce(implied.times, 0) as purchase_need_lines,
        implied.lift as purchase_need_lift
    from customers
    left join stated on customers.customer_id = stated.customer_id and stated.need_rank = 1
    left join asked on customers.customer_id = asked.customer_id and asked.need_rank = 1
    left join implied on customers.customer_id = implied.customer_id and implied.need_rank = 1

)

select * from final
