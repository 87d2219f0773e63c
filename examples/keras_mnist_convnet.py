"""Keras's MNIST convnet, https://keras.io/examples/vision/mnist_convnet/, as a Keras user writes it: about 99 %.

    python examples/keras_mnist_convnet.py

Only the two import lines know of fastcnn: with `import keras` and `from keras import layers` in their place the same
lines run on Keras. The data is read from the folder that the environment variable FASTCNN_DATA names, or downloaded
once (11 MB). Its 15 epochs take about a minute on two cores.
"""

import numpy as np

import fastcnn as keras
from fastcnn import layers

num_classes = 10
input_shape = (28, 28, 1)

# Digits with values 0 to 1 and one channel, and a row of ten targets for each.
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = np.expand_dims(x_train.astype("float32") / 255, -1)
x_test = np.expand_dims(x_test.astype("float32") / 255, -1)
y_train = keras.utils.to_categorical(y_train, num_classes)
y_test = keras.utils.to_categorical(y_test, num_classes)
print("x_train shape:", x_train.shape)
print(x_train.shape[0], "train samples")
print(x_test.shape[0], "test samples")

model = keras.Sequential([
    keras.Input(shape=input_shape),
    layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
    layers.MaxPooling2D(pool_size=(2, 2)),
    layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
    layers.MaxPooling2D(pool_size=(2, 2)),
    layers.Flatten(),
    layers.Dropout(0.5),
    layers.Dense(num_classes, activation="softmax"),
])
model.summary()

model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=128, epochs=15, validation_split=0.1)

score = model.evaluate(x_test, y_test, verbose=0)
print("Test loss:", score[0])
print("Test accuracy:", score[1])
