select channel_code as code, name_zh, name_en, is_written, sort_order
from dim_channel
order by sort_order
