"""RandAugment for image classification for improved robustness: examples/vision/randaugment.py."""

import keras
import numpy as np
from keras import layers

from tests.peers.keras_examples import material

keras.utils.set_random_seed(42)
(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
side, batch_size = 40, 16
rand_augment = layers.RandAugment(value_range=(0, 255), num_ops=3, factor=0.7)
simple_aug = keras.Sequential([
    layers.Resizing(side, side), layers.RandomFlip("horizontal"), layers.RandomRotation(factor=0.02),
    layers.RandomZoom(height_factor=0.2, width_factor=0.2)])
resize = layers.Resizing(side, side)


class Batches(keras.utils.PyDataset):
    def __init__(self, batches, change):
        super().__init__()
        self.batches, self.change = batches, change

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, idx):
        x, y = self.batches[idx]
        return np.asarray(self.change(x.astype("float32"))), y


train = material.batches(x_train[:32], y_train[:32], size=batch_size)
train_ds_rand = Batches(train, lambda x: rand_augment(resize(x)))
train_ds_simple = Batches(train, simple_aug)
test_ds = Batches(material.batches(x_test, y_test), resize)
sample_images, _ = train_ds_rand[0]
sample_images[0].astype("int")


def get_training_model():
    resnet50_v2 = keras.applications.ResNet50V2(weights=None, include_top=True, input_shape=(side, side, 3),
                                                classes=10)
    return keras.Sequential([layers.Input((side, side, 3)), layers.Rescaling(scale=1.0 / 127.5, offset=-1),
                             resnet50_v2])


get_training_model().summary()
initial_model = get_training_model()
initial_model.save_weights("initial.weights.h5")
for train_ds in (train_ds_rand, train_ds_simple):
    model = get_training_model()
    model.load_weights("initial.weights.h5")
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(train_ds, validation_data=test_ds, epochs=1)
    _, test_acc = model.evaluate(test_ds)
    print(f"Test accuracy: {test_acc * 100:.2f}%")
    _, test_acc = model.evaluate(test_ds, verbose=0)  # in the place of CIFAR-10-C
