"""Models of customers: who leaves, who may take what, who is a key customer, which pattern each follows."""
