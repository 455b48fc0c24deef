"""What the models say of each customer: the latest scores with their reasons, and proposals for a person to decide."""
