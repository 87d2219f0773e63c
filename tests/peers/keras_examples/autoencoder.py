"""Convolutional autoencoder for image denoising: examples/vision/autoencoder.py."""

import numpy as np
from keras import layers
from keras.datasets import mnist
from keras.models import Model


def prepared(images):
    return np.reshape(images.astype("float32") / 255.0, (len(images), 28, 28, 1))


def noisy(images):
    return np.clip(images + 0.4 * np.random.normal(loc=0.0, scale=1.0, size=images.shape), 0.0, 1.0)


(train, _), (test, _) = mnist.load_data()
train, test = prepared(train), prepared(test)
noisy_train, noisy_test = noisy(train), noisy(test)

image = layers.Input(shape=(28, 28, 1))
x = layers.Conv2D(32, (3, 3), activation="relu", padding="same")(image)
x = layers.MaxPooling2D((2, 2), padding="same")(x)
x = layers.Conv2D(32, (3, 3), activation="relu", padding="same")(x)
x = layers.MaxPooling2D((2, 2), padding="same")(x)
x = layers.Conv2DTranspose(32, (3, 3), strides=2, activation="relu", padding="same")(x)
x = layers.Conv2DTranspose(32, (3, 3), strides=2, activation="relu", padding="same")(x)
x = layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)
autoencoder = Model(image, x)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
autoencoder.summary()

autoencoder.fit(x=train, y=train, epochs=1, batch_size=32, shuffle=True, validation_data=(test, test))
predictions = autoencoder.predict(test)
autoencoder.fit(x=noisy_train, y=train, epochs=1, batch_size=32, shuffle=True, validation_data=(noisy_test, test))
predictions = autoencoder.predict(noisy_test)
assert predictions[[0, 5, 3], :].reshape(3, 28, 28).max() <= 1
