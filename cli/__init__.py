"""The `crm` command: each package's commands, imported only when called."""
