"""Ports to systems beside ours: SMS, office automation, foreign databases; each with a file-drop adapter."""
