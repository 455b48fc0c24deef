"""Segmentation, propensity, uplift, text, volume and staffing models."""
