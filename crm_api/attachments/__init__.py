"""Files that belong to a ticket or a contact: checked by content, kept once by their hash."""
