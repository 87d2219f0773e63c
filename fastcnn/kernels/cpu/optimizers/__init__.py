"""Steps of optimizers over flat blocks of parameters, and what is added to a loss for their sake."""
