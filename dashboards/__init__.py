"""Streamlit pages over the published marts."""
