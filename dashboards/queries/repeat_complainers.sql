-- Complaints of the period by type below the drilled one, and the repeated ones among them.
with

-- part: repeated_complaints

select
  complaint_type_code as code,
  complaints,
  repeats
from repeated_complaints
