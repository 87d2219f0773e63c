"""Image super-resolution using an efficient sub-pixel CNN: examples/vision/super_resolution_sub_pixel.py."""

import math
import os

import keras
import numpy as np
from keras import layers, ops
from keras.utils import array_to_img, image_dataset_from_directory, img_to_array, load_img
from PIL import Image

from tests.peers.keras_examples import material

root_dir = "BSDS500/data"
for k in range(10):
    material.picture(f"{root_dir}/images/{'test' if k < 3 else 'train'}/{k}.jpg", 72, 66, seed=k)
crop_size, upscale_factor, batch_size = 60, 3, 4
told = {"batch_size": batch_size, "image_size": (crop_size, crop_size), "validation_split": 0.2, "seed": 1337,
        "label_mode": None}
train_ds = image_dataset_from_directory(root_dir, subset="training", **told)
valid_ds = image_dataset_from_directory(root_dir, subset="validation", **told)


def scaling(input_image):
    return np.asarray(input_image) / 255.0


train_ds, valid_ds = [scaling(one) for one in train_ds], [scaling(one) for one in valid_ds]
for img in train_ds[0]:
    array_to_img(img)
test_path = os.path.join(root_dir, "images", "test")
test_img_paths = sorted(os.path.join(test_path, name) for name in os.listdir(test_path) if name.endswith(".jpg"))


def luminance(images):
    return images @ np.array([[0.299], [0.587], [0.114]], "float32")


def process_input(images, crop_size, upscale_factor):
    small = crop_size // upscale_factor
    return np.asarray(ops.image.resize(luminance(images), (small, small), antialias=True))


class Pairs(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self.pairs = [(process_input(one, crop_size, upscale_factor), luminance(one)) for one in batches]

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, idx):
        return self.pairs[idx]


def get_model(upscale_factor=3, channels=1):
    conv_args = {"activation": "relu", "kernel_initializer": "orthogonal", "padding": "same"}
    inputs = keras.Input(shape=(None, None, channels))
    x = layers.Conv2D(64, 5, **conv_args)(inputs)
    x = layers.Conv2D(64, 3, **conv_args)(x)
    x = layers.Conv2D(32, 3, **conv_args)(x)
    x = layers.Conv2D(channels * (upscale_factor**2), 3, **conv_args)(x)
    outputs = DepthToSpace(upscale_factor)(x)
    return keras.Model(inputs, outputs)


class DepthToSpace(layers.Layer):
    def __init__(self, block_size):
        super().__init__()
        self.block_size = block_size

    def call(self, input):
        batch, height, width, depth = ops.shape(input)
        depth = depth // (self.block_size**2)
        x = ops.reshape(input, [batch, height, width, self.block_size, self.block_size, depth])
        x = ops.transpose(x, [0, 1, 3, 2, 4, 5])
        return ops.reshape(x, [batch, height * self.block_size, width * self.block_size, depth])


def get_lowres_image(img, upscale_factor):
    return img.resize((img.size[0] // upscale_factor, img.size[1] // upscale_factor), Image.BICUBIC)


def upscale_image(model, img):
    y, cb, cr = img.convert("YCbCr").split()
    y = img_to_array(y).astype("float32") / 255.0
    out = model.predict(np.expand_dims(y, axis=0), verbose=0)
    out_y = (out[0] * 255.0).clip(0, 255)
    out_y = Image.fromarray(np.uint8(out_y.reshape(out_y.shape[:2])), mode="L")
    return Image.merge("YCbCr", (out_y, cb.resize(out_y.size, Image.BICUBIC),
                                 cr.resize(out_y.size, Image.BICUBIC))).convert("RGB")


class ESPCNCallback(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.test_img = get_lowres_image(load_img(test_img_paths[0]), upscale_factor)

    def on_epoch_begin(self, epoch, logs=None):
        self.psnr = []

    def on_epoch_end(self, epoch, logs=None):
        print(f"mean PSNR of the epoch: {np.mean(self.psnr):.2f}")
        upscale_image(self.model, self.test_img)

    def on_test_batch_end(self, batch, logs=None):
        self.psnr.append(10 * math.log10(1 / logs["loss"]))


early_stopping_callback = keras.callbacks.EarlyStopping(monitor="loss", patience=10)
checkpoint_filepath = "checkpoint.weights.h5"
model_checkpoint_callback = keras.callbacks.ModelCheckpoint(
    filepath=checkpoint_filepath, save_weights_only=True, monitor="loss", mode="min", save_best_only=True)
model = get_model(upscale_factor=upscale_factor, channels=1)
model.summary()
callbacks = [ESPCNCallback(), early_stopping_callback, model_checkpoint_callback]
loss_fn = keras.losses.MeanSquaredError()
optimizer = keras.optimizers.Adam(learning_rate=0.001)
model.compile(optimizer=optimizer, loss=loss_fn)
model.fit(Pairs(train_ds), epochs=2, callbacks=callbacks, validation_data=Pairs(valid_ds), verbose=2)
model.load_weights(checkpoint_filepath)

for path in test_img_paths:
    img = load_img(path)
    lowres_input = get_lowres_image(img, upscale_factor)
    w, h = lowres_input.size[0] * upscale_factor, lowres_input.size[1] * upscale_factor
    prediction = upscale_image(model, lowres_input)
    high, predicted = img_to_array(img.resize((w, h))), img_to_array(prediction)
    print(f"PSNR of the prediction: {float(ops.psnr(predicted, high, max_val=255)):.2f}")
