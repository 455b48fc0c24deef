-- The newest tickets of a mark, and how many there are; a parameter that is NULL filters nothing.
with picked as (
  select ticket.*
  from fct_ticket as ticket
  inner join dim_service_type as about on ticket.service_type_code = about.service_type_code
  where
    ticket.created_date_key between $first and $last
    and ($city is null or ticket.city_code = $city)
    and ($channel is null or ticket.channel_code = $channel)
    and ($service_type is null or about.top_code = $service_type)
    and ($type is null or starts_with(ticket.complaint_type_code || '.', $type || '.'))
    and ($exact is null or ticket.complaint_type_code = $exact)
    -- Of none of these types, which are separated by bars.
    and (
      $others is null
      or not list_bool_or(
        list_transform(
          string_split($others, '|'), lambda each: starts_with(ticket.complaint_type_code || '.', each || '.')
        )
      )
    )
    and ($township is null or ticket.township_code = $township)
    and ($product is null or ticket.product_code = $product)
    and ($state is null or ticket.state = $state)
    and ($parent is null or ticket.parent_key = (select ticket_key from fct_ticket where code = $parent))
    and ($is_known is null or (ticket.customer_key > 0) = cast($is_known as boolean))
    and ($is_complaint is null or ticket.is_complaint = cast($is_complaint as boolean))
    -- As dbt/models/marts/tickets/kpi_milestone_day.sql counts them.
    and (
      $reached is null
      or ticket.source = 'captured' and case $reached
        when 'answered_at_once' then ticket.is_closed and not ticket.is_dispatched
        when 'returned' then ticket.return_count > 0
        when 'rejected' then ticket.rejection_count > 0
        when 'reopened' then ticket.reopen_count > 0
        when 'cancelled' then ticket.state = 'cancelled'
        when 'dispatched' then ticket.is_dispatched
        when 'accepted' then ticket.is_dispatched and ticket.accepted_at is not null
        when 'started' then ticket.is_dispatched and ticket.is_started
        when 'resolved' then ticket.is_dispatched and ticket.is_resolved
        when 'reviewed' then ticket.is_dispatched and ticket.is_reviewed
        when 'approved' then ticket.is_dispatched and ticket.is_approved
        when 'closed' then ticket.is_dispatched and ticket.is_closed
      end
    )
)

select
  (select count(*) from picked) as total,
  picked.code as ticket,
  picked.customer_key,
  picked.created_at as started_at,
  picked.service_type_code as service_type,
  picked.complaint_type_code as type,
  picked.product_code as product,
  picked.channel_code as channel,
  picked.city_code as city,
  picked.priority,
  picked.state,
  picked.reopen_count,
  picked.rejection_count,
  picked.hours_to_resolve
from picked
order by picked.created_at desc, picked.ticket_key desc
limit 500
