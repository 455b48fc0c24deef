"""Scheduled KPI reports: one document from the published marts, rendered as e-mail, PDF and workbook."""
