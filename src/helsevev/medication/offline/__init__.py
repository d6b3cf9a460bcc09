"""The round without contact: what a phone takes along, and what it brings back."""
