"""What every route shares: dependencies, errors, middleware, paging, idempotency, health and metrics."""
