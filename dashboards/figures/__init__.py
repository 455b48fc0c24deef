"""Pure chart builders: a table and its texts in, an Altair chart out. No query, no Streamlit."""
