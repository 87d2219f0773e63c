"""Matrix units: the instructions of tiles, and whether this machine has a unit that runs them right."""
