"""Image segmentation with a U-Net-like architecture: examples/vision/oxford_pets_image_segmentation.py."""

import os
import random

import keras
import numpy as np
from keras import layers
from keras.utils import load_img
from PIL import Image, ImageOps

from tests.peers.keras_examples import material

img_size, num_classes, batch_size = (32, 32), 3, 4
for k in range(12):
    material.picture(f"images/{k:02}.jpg", 40, 36, seed=k)
    os.makedirs("annotations/trimaps", exist_ok=True)
    mask = 1 + (np.arange(36 * 40).reshape(36, 40) * (k + 1) // 7) % 3
    Image.fromarray(mask.astype("uint8")).save(f"annotations/trimaps/{k:02}.png")
input_img_paths = sorted(os.path.join("images", name) for name in os.listdir("images") if name.endswith(".jpg"))
target_img_paths = sorted(os.path.join("annotations/trimaps", name) for name in os.listdir("annotations/trimaps")
                          if name.endswith(".png") and not name.startswith("."))
img = ImageOps.autocontrast(load_img(target_img_paths[9]))


def loaded(path, target_path):
    image = np.asarray(load_img(path, target_size=img_size), "float32") / 255
    target = np.asarray(load_img(target_path, target_size=img_size, color_mode="grayscale"), "uint8")[..., None]
    return image, target - 1  # 1, 2, 3 in the files


class Pets(keras.utils.PyDataset):
    def __init__(self, batch_size, input_img_paths, target_img_paths):
        super().__init__()
        self.batch_size, self.paths = batch_size, list(zip(input_img_paths, target_img_paths))

    def __len__(self):
        return len(self.paths) // self.batch_size

    def __getitem__(self, idx):
        pairs = [loaded(*one) for one in self.paths[idx * self.batch_size:(idx + 1) * self.batch_size]]
        return np.stack([one for one, _ in pairs]), np.stack([one for _, one in pairs])


def get_model(img_size, num_classes):
    inputs = keras.Input(shape=(*img_size, 3))
    x = layers.Conv2D(32, 3, strides=2, padding="same")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    before = x
    for filters in [64, 128, 256]:
        x = layers.Activation("relu")(x)
        x = layers.SeparableConv2D(filters, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
        x = layers.SeparableConv2D(filters, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        residual = layers.Conv2D(filters, 1, strides=2, padding="same")(before)
        x = layers.add([x, residual])
        before = x
    for filters in [256, 128, 64, 32]:
        x = layers.Activation("relu")(x)
        x = layers.Conv2DTranspose(filters, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
        x = layers.Conv2DTranspose(filters, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.UpSampling2D(2)(x)
        residual = layers.UpSampling2D(2)(before)
        residual = layers.Conv2D(filters, 1, padding="same")(residual)
        x = layers.add([x, residual])
        before = x
    outputs = layers.Conv2D(num_classes, 3, activation="softmax", padding="same")(x)
    return keras.Model(inputs, outputs)


model = get_model(img_size, num_classes)
model.summary()
val_samples = 4
random.Random(1337).shuffle(input_img_paths)
random.Random(1337).shuffle(target_img_paths)
train = Pets(batch_size, input_img_paths[:-val_samples], target_img_paths[:-val_samples])
valid = Pets(batch_size, input_img_paths[-val_samples:], target_img_paths[-val_samples:])
model.compile(optimizer=keras.optimizers.Adam(1e-4), loss="sparse_categorical_crossentropy")
callbacks = [keras.callbacks.ModelCheckpoint("oxford_segmentation.keras", save_best_only=True)]
model.fit(train, epochs=1, validation_data=valid, callbacks=callbacks, verbose=2)
val_preds = model.predict(valid)
mask = np.expand_dims(np.argmax(val_preds[2], axis=-1), axis=-1)
img = ImageOps.autocontrast(keras.utils.array_to_img(mask))
assert img.size == img_size
assert os.path.exists("oxford_segmentation.keras")
