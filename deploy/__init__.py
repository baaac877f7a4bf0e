"""From the workstation to boards and back: what a board is, what goes there, and how."""
