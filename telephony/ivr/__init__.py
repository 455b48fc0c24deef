"""The IVR: who calls, what for, how soon; menus and prompts are data. It never keeps a call from an agent."""
