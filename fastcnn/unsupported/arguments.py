"""Arguments of constructors."""

ARGUMENTS = {
    "give learning_rate": "lr",
    "give learning_rate a schedule, such as fc.optimizers.schedules.ExponentialDecay": "decay",
    "layers have one type, dtype": "autocast",
    "fans are those of the last two axes": "input_axes output_axes",
    "a batch may be of any size": "batch_size batch_shape",
    "arrays are dense": "sparse ragged",
    "begin a model with fc.Input(shape)": "input_tensor optional input_spec",
    "set them with layer.set_weights once it is built": "weights",
    "no layer keeps a state between batches": "stateful",
}
