"""An adviser: is handed a patient's facts, medicines and an order, and hands back cards."""
