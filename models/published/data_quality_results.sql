with standing as (

    {{ standing_builds() }}

),

check_results as (

    select * from {{ ref('stg_check_results') }}

),

final as (

    select
        check_results.build_id,
        check_results.as_of_date,
        check_results.suite,
        check_results.expectation,
        check_results.column_name,
        check_results.expected,
        check_results.observed,
        check_results.passed,
        check_results.severity,
        check_results.error,
        check_results.checked_at
    from check_results
    inner join standing on check_results.build_id = standing.build_id

)

select * from final
