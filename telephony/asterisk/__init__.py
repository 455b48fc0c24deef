"""A PBX that starts: Asterisk's configuration rendered from the CRM's data, and a private Asterisk to run it."""
