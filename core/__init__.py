"""The ground floor: settings, time, errors, engines, scope, KPI dictionary, texts. Imports nothing of ours."""
