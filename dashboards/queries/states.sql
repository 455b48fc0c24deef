select state as code, name_zh, name_en
from dim_loop_step
