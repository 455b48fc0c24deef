{{ late_arrivals('contacts') }}
