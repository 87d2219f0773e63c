"""Transfer learning and fine-tuning: guides/transfer_learning.py."""

import keras
import numpy as np
from keras import layers

from tests.peers.keras_examples import material

for layer, counts in ((keras.layers.Dense(3), (2, 2, 0)), (keras.layers.BatchNormalization(), (4, 2, 2))):
    layer.build((None, 4))
    assert (len(layer.weights), len(layer.trainable_weights), len(layer.non_trainable_weights)) == counts
layer = keras.layers.Dense(3)
layer.build((None, 4))
layer.trainable = False
assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == (0, 2)

layer1 = keras.layers.Dense(3, activation="relu")
layer2 = keras.layers.Dense(3, activation="sigmoid")
model = keras.Sequential([keras.Input(shape=(3,)), layer1, layer2])
layer1.trainable = False
initial = layer1.get_weights()
model.compile(optimizer="adam", loss="mse")
model.fit(np.random.random((2, 3)), np.random.random((2, 3)))
final = layer1.get_weights()
np.testing.assert_allclose(initial[0], final[0])
np.testing.assert_allclose(initial[1], final[1])

inner_model = keras.Sequential([keras.Input(shape=(3,)), keras.layers.Dense(3, activation="relu"),
                                keras.layers.Dense(3, activation="relu")])
model = keras.Sequential([keras.Input(shape=(3,)), inner_model, keras.layers.Dense(3, activation="sigmoid")])
model.trainable = False
assert inner_model.trainable is False
assert inner_model.layers[0].trainable is False

# Cats and dogs of different sizes.
size = 75
rng = np.random.default_rng(0)
pictures = [rng.integers(0, 256, (60 + k, 80, 3), "uint8") for k in range(8)]
labels = np.arange(8) % 2
resize_fn = keras.layers.Resizing(size, size)
resized = np.stack([np.asarray(resize_fn(one.astype("float32"))) for one in pictures])
augmentation_layers = [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)]


def data_augmentation(x):
    for layer in augmentation_layers:
        x = layer(x)
    return x


train = np.stack([np.asarray(data_augmentation(one)) for one in resized[:4]])
train_ds = material.batches(train, labels[:4], size=2)
validation_ds = material.batches(resized[4:6], labels[4:6], size=2)
test_ds = material.batches(resized[6:], labels[6:], size=2)
augmented = data_augmentation(np.expand_dims(train[0], 0))
np.array(augmented[0]).astype("int32")


class Batches(keras.utils.PyDataset):
    def __init__(self, batches, **kwargs):
        super().__init__(**kwargs)
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, idx):
        return self.batches[idx]


base_model = keras.applications.Xception(weights=None, input_shape=(size, size, 3), include_top=False)
base_model.trainable = False
inputs = keras.Input(shape=(size, size, 3))
scale_layer = keras.layers.Rescaling(scale=1 / 127.5, offset=-1)
x = scale_layer(inputs)
x = base_model(x, training=False)
x = keras.layers.GlobalAveragePooling2D()(x)
x = keras.layers.Dropout(0.2)(x)
outputs = keras.layers.Dense(1)(x)
model = keras.Model(inputs, outputs)
model.summary(show_trainable=True)
model.compile(optimizer=keras.optimizers.Adam(), loss=keras.losses.BinaryCrossentropy(from_logits=True),
              metrics=[keras.metrics.BinaryAccuracy()])
model.fit(Batches(train_ds), epochs=1, validation_data=Batches(validation_ds))
base_model.trainable = True
model.summary(show_trainable=True)
model.compile(optimizer=keras.optimizers.Adam(1e-5), loss=keras.losses.BinaryCrossentropy(from_logits=True),
              metrics=[keras.metrics.BinaryAccuracy()])
model.fit(Batches(train_ds), epochs=1, validation_data=Batches(validation_ds))
model.evaluate(Batches(test_ds))
