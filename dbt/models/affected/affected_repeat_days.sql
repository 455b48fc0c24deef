{{ days_that_lead_to(
  ref('fct_ticket'), day='created_date_key', at='created_at', told_by=['ticket_key', 'complaint_type_code'],
  condition=is_complaint_of_a_kind(), after_us=thirty_days_us(),
) }}
