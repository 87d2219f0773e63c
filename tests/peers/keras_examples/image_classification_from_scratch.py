"""Image classification from scratch: examples/vision/image_classification_from_scratch.py."""

import os

import keras
import numpy as np
from keras import layers

from tests.peers.keras_examples import material

for folder in ("Cat", "Dog"):
    for k in range(10):
        material.picture(f"PetImages/{folder}/{k}.jpg", 50 + k, 44, seed=k)
with open("PetImages/Dog/bad.jpg", "wb") as file:
    file.write(b"no picture")
skipped = 0
for folder in ("Cat", "Dog"):
    for name in os.listdir(os.path.join("PetImages", folder)):
        path = os.path.join("PetImages", folder, name)
        with open(path, "rb") as file:
            is_jfif = b"JFIF" in file.peek(10)
        if not is_jfif:
            skipped += 1
            os.remove(path)
assert skipped == 1

image_size, batch_size = (48, 48), 4
train_ds, val_ds = keras.utils.image_dataset_from_directory(
    "PetImages", validation_split=0.2, subset="both", seed=1337, image_size=image_size, batch_size=batch_size)
for images, labels in train_ds:
    assert tuple(images.shape[1:]) == (48, 48, 3)
    np.asarray(images[0]).astype("uint8")
    int(labels[0])
    break

data_augmentation_layers = [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)]


def data_augmentation(images):
    for layer in data_augmentation_layers:
        images = layer(images)
    return images


for images, _ in train_ds:
    np.array(data_augmentation(images)[0]).astype("uint8")
    break


def make_model(input_shape, num_classes):
    inputs = keras.Input(shape=input_shape)
    x = layers.Rescaling(1.0 / 255)(data_augmentation(inputs))
    x = layers.Conv2D(128, 3, strides=2, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    before = x
    for size in [256, 512, 728]:
        x = layers.Activation("relu")(x)
        x = layers.SeparableConv2D(size, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
        x = layers.SeparableConv2D(size, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        residual = layers.Conv2D(size, 1, strides=2, padding="same")(before)
        x = layers.add([x, residual])
        before = x
    x = layers.SeparableConv2D(1024, 3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    units = 1 if num_classes == 2 else num_classes
    x = layers.Dropout(0.25)(x)
    outputs = layers.Dense(units, activation=None)(x)
    return keras.Model(inputs, outputs)


model = make_model(input_shape=(*image_size, 3), num_classes=2)
keras.utils.plot_model(model, show_shapes=True)
callbacks = [keras.callbacks.ModelCheckpoint("save_at_{epoch}.keras")]
model.compile(optimizer=keras.optimizers.Adam(3e-4), loss=keras.losses.BinaryCrossentropy(from_logits=True),
              metrics=[keras.metrics.BinaryAccuracy(name="acc")])
model.fit(train_ds, epochs=1, callbacks=callbacks, validation_data=val_ds)

img = keras.utils.load_img("PetImages/Cat/6.jpg", target_size=image_size)
img_array = keras.utils.img_to_array(img)
img_array = keras.ops.expand_dims(img_array, 0)
predictions = model.predict(img_array)
score = float(np.asarray(keras.ops.sigmoid(predictions[0][0])))
assert 0 <= score <= 1
assert os.path.exists("save_at_1.keras")
