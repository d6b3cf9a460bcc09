"""Figures of how medicines are given: right time, stops, lists that agree; by unit and week."""
