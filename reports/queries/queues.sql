select code, name_zh, name_en from dim_queue
