"""Pure staffing calculators: Erlang C and A, patience, seats for a target, shift cover. No model library is needed."""

from ml.staffing.cover import Cover, Shift, cover, shift_templates
from ml.staffing.erlang import Service, erlang_a, erlang_b, erlang_c, service
from ml.staffing.patience import Patience, estimate_patience, patience_curve
from ml.staffing.seats import Need, positions, seats_needed, seats_per_interval

__all__ = [
    "Cover",
    "Need",
    "Patience",
    "Service",
    "Shift",
    "cover",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "estimate_patience",
    "patience_curve",
    "positions",
    "seats_needed",
    "seats_per_interval",
    "service",
    "shift_templates",
]
