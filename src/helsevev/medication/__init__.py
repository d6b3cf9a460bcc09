"""What the patient takes: the list of medicines, read from orders and statements."""
