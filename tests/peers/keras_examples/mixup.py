"""MixUp augmentation for image classification: examples/vision/mixup.py. NumPy stands for `tf.data`."""

import keras
import numpy as np
from keras import layers

from tests.peers.keras_examples import material

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
x_train = x_train.astype("float32") / 255.0
x_train = np.reshape(x_train, (-1, 28, 28, 1))
y_train = np.asarray(keras.ops.one_hot(y_train, 10))
x_test = x_test.astype("float32") / 255.0
x_test = np.reshape(x_test, (-1, 28, 28, 1))
y_test = np.asarray(keras.ops.one_hot(y_test, 10))
x_val, y_val = x_train[:16], y_train[:16]
x_train, y_train = x_train[16:], y_train[16:]


def mix_up(images_one, labels_one, images_two, labels_two, alpha=0.2):
    share = np.random.beta(alpha, alpha, len(images_one)).astype("float32")
    x_l = np.asarray(keras.ops.reshape(share, (-1, 1, 1, 1)))
    y_l = np.asarray(keras.ops.reshape(share, (-1, 1)))
    return images_one * x_l + images_two * (1 - x_l), labels_one * y_l + labels_two * (1 - y_l)


class Batches(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, idx):
        return self.batches[idx]


order = np.random.permutation(len(x_train))
train_ds_one = material.batches(x_train, y_train)
train_ds_two = material.batches(x_train[order], y_train[order])
train_ds_mu = [mix_up(*one, *two, alpha=0.2) for one, two in zip(train_ds_one, train_ds_two)]
val_ds, test_ds = material.batches(x_val, y_val), material.batches(x_test, y_test)


def get_training_model():
    return keras.Sequential([
        layers.Conv2D(16, (5, 5), activation="relu", input_shape=(28, 28, 1)),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Conv2D(32, (5, 5), activation="relu"),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Dropout(0.2),
        layers.GlobalAveragePooling2D(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])


initial_model = get_training_model()
initial_model.save_weights("initial_weights.weights.h5")
for train in (train_ds_mu, train_ds_one):
    model = get_training_model()
    model.load_weights("initial_weights.weights.h5")
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(Batches(train), validation_data=Batches(val_ds), epochs=1)
    _, test_acc = model.evaluate(Batches(test_ds))
    print(f"Test accuracy: {test_acc * 100:.2f}%")
