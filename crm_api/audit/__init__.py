"""The append-only record of logins, views of personal data, changes and exports."""
