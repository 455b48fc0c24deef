"""Refused rows of imported foreign history."""
