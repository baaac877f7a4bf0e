"""What runs on the board: the standard library alone, sent there as one file at every command.

Only the link `current` decides what a board runs. It leads to a generation: a folder that names one
release, one bundle, one configuration and one unit, and that never changes once it is there. All
else is written beside what runs, and a journal tells the next command (and the next boot) what was
left unfinished.
"""
