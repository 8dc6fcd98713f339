-- What stands in the files beside the conditions, as rows: who answers for an audience, and how it may be contacted.
with final as (

    {{ audience_rule_rows() }}

)

select * from final
