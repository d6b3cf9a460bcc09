"""Inhabitants who act for others: whom they may act for, and the page to choose."""
