select channel_code as code, name_zh, name_en from dim_channel order by sort_order
