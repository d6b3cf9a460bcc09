"""The design of every screen: layout, components, theme and the living style page."""
