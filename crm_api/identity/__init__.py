"""Who uses the system: users, sessions, tokens, permissions and the scope of what each one sees."""
