"""Knowledge articles and scripts, found by service type and words."""
