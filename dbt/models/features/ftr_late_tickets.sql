{{ late_arrivals('tickets') }}
