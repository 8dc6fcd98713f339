with rhythm as (

    select * from {{ ref('customer_rhythm_features') }}

),

seasons as (

    select * from {{ ref('customer_season_features') }}

),

limits as (

    select
        {{ threshold('purchase_rhythm_permanent_minimum_periods') }} as permanent_periods,
        {{ threshold('purchase_rhythm_permanent_active_share') }} as permanent_active_share,
        {{ threshold('purchase_rhythm_regular_minimum_gaps') }} as regular_gaps,
        {{ threshold('purchase_rhythm_regular_variation') }} as regular_variation,
        {{ threshold('purchase_rhythm_regular_gap_days') }} as regular_gap_days,
        {{ threshold('purchase_rhythm_regular_silence') }} as regular_silence,
        {{ threshold('purchase_rhythm_season_minimum_span_days') }} as season_span_days,
        {{ threshold('purchase_rhythm_season_concentration') }} as season_concentration,
        {{ threshold('purchase_rhythm_season_evidence') }} as season_evidence,
        {{ threshold('purchase_rhythm_short_season_concentration') }} as short_season_concentration,
        {{ threshold('purchase_rhythm_short_season_days') }} as short_season_days

),

measured as (

    select
        rhythm.customer_id,
        rhythm.as_of_date,
        rhythm.purchase_days,
        rhythm.gap_count,
        rhythm.usual_gap_days,
        rhythm.silence_ratio,
        {{ ratio('rhythm.gap_deviation_days', 'rhythm.mean_gap_days') }} as gap_variation,
        seasons.observed_periods,
        seasons.active_periods,
        seasons.season_months,
        seasons.season_days,
        seasons.season_span_days,
        seasons.season_concentration,
        seasons.season_evidence,
        seasons.season_peak_month
    from rhythm
    inner join seasons on rhythm.customer_id = seasons.customer_id

),

final as (

    select
        measured.customer_id,
        measured.as_of_date,
        case
            when measured.purchase_days = 0 then 'none'
            when measured.purchase_days = 1 then 'one_off'
            when
                measured.observed_periods >= limits.permanent_periods
                and measured.active_periods >= limits.permanent_active_share * measured.observed_periods
                then 'permanent'
            when
                measured.season_span_days >= limits.season_span_days
                and measured.season_concentration >= limits.season_concentration
                and measured.season_evidence >= limits.season_evidence
                then 'seasonal'
            -- One month a year, the same or the next in two years (Christmas, Easter), and several purchases in it: months alone are too
            -- few to show it, purchase days that all lie there are not.
            when
                measured.season_span_days >= limits.season_span_days
                and measured.season_months = 2
                and measured.season_concentration >= limits.short_season_concentration
                and measured.season_days >= limits.short_season_days
                then 'seasonal'
            -- Rarely, and by the clock: every third month the same box of contact lenses.
            when
                measured.gap_count >= limits.regular_gaps
                and measured.gap_variation <= limits.regular_variation
                and measured.usual_gap_days <= limits.regular_gap_days
                and measured.silence_ratio <= limits.regular_silence
                then 'permanent'
            else 'occasional'
        end as segment,
        measured.purchase_days,
        measured.observed_periods,
        measured.active_periods,
        measured.gap_variation,
        measured.season_months,
        measured.season_days,
        measured.season_concentration,
        measured.season_evidence,
        measured.season_peak_month
    from measured
    cross join limits

)

select * from final
