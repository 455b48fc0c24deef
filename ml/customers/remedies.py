"""What may keep a customer, by the main reason why it may leave."""

from ml.customers.scores import feature_words

#: Remedy -> the columns that call for it; any other column: a friendly contact.
REMEDIES: dict[str, tuple[str, ...]] = {
    "repair": (
        "late_repairs_90d", "late_repairs_365d", "fresh_late_repairs", "mean_hours_to_resolve_365d", "open_tickets",
        "signal_complaints_365d",
    ),
    "apologise": (
        "complaints_30d", "complaints_90d", "complaints_365d", "fresh_complaints", "fresh_complaint_contacts",
        "complaint_contacts_90d", "days_since_complaint", "service_complaints_365d", "low_scores_365d",
        "mean_survey_score_365d", "tickets_90d", "tickets_365d",
    ),
    "answer_sooner": (
        "waited_minutes_90d", "longest_wait_minutes_90d", "fresh_waited_minutes", "fresh_abandoned", "abandoned_90d",
    ),
    "price": (
        "fee_against_usual", "monthly_fee_yuan", "fee_complaints_365d", "fee_queries_90d",
    ),
    "welcome": ("tenure_days", "newest_product_days"),
    "bundle": ("products", "subscriptions", "points", "has_cable_tv", "has_digital_tv", "has_broadband"),
}  # fmt: skip


def remedy_rows() -> list[dict[str, str]]:
    """Every feature with its remedy."""
    by_column = {column: remedy for remedy, columns in REMEDIES.items() for column in columns}
    return [{"column_name": column, "remedy": by_column.get(column, "contact")} for column in feature_words()]
