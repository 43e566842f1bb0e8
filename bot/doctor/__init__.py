"""`numlet doctor`: the settings, the connections, and what is around the program."""
