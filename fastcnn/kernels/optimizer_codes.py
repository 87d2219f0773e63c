"""The steps of `adaptive_step` by number, as kernels of every device take them."""

ADAGRAD, ADADELTA, RMSPROP, NADAM, ADAMAX, LION, FTRL, LAMB, SCHEDULE_FREE = range(9)
