{{ days_that_lead_to(
  ref('fct_contact'), day='date_key', at='started_at', told_by=['contact_key', 'channel_code'],
  condition=is_on_a_journey(), before_us=seven_days_us(),
) }}
