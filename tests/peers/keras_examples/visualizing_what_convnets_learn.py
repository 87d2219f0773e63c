"""Visualizing what convnets learn: examples/vision/visualizing_what_convnets_learn.py.

The tape is `keras.gradients`.
"""

import keras
import numpy as np
from keras import ops

width, height, layer_name = 80, 80, "conv3_block4_out"
model = keras.applications.ResNet50V2(weights=None, include_top=False)
layer = model.get_layer(name=layer_name)
feature_extractor = keras.Model(inputs=model.inputs, outputs=layer.output)


def compute_loss(input_image, filter_index):
    activation = feature_extractor(input_image)
    return ops.mean(activation[:, 2:-2, 2:-2, filter_index])


def gradient_ascent_step(img, filter_index, learning_rate):
    loss, grads = keras.gradients(lambda img: compute_loss(img, filter_index), img)
    grads = grads / max(float(ops.norm(grads)), 1e-6)
    return loss, img + learning_rate * grads


def initialize_image():
    img = np.random.uniform(size=(1, width, height, 3)).astype("float32")
    return (img - 0.5) * 0.25


def visualize_filter(filter_index):
    img = initialize_image()
    for _ in range(2):
        loss, img = gradient_ascent_step(img, filter_index, 10.0)
    return loss, deprocess_image(np.array(img[0]))


def deprocess_image(img):
    img -= img.mean()
    img /= img.std() + 1e-5
    img *= 0.15
    img = img[25:-25, 25:-25, :]
    img = np.clip(img + 0.5, 0, 1) * 255
    return np.clip(img, 0, 255).astype("uint8")


loss, img = visualize_filter(0)
keras.utils.save_img("0.png", img)
n, margin = 2, 5
all_imgs = [visualize_filter(k)[1] for k in range(n * n)]
across, down = width - 25 * 2, height - 25 * 2
stitched = np.zeros((n * across + (n - 1) * margin, n * down + (n - 1) * margin, 3))
for i in range(n):
    for j in range(n):
        stitched[(across + margin) * i:(across + margin) * i + across,
                 (down + margin) * j:(down + margin) * j + down, :] = all_imgs[i * n + j]
keras.utils.save_img("stitched_filters.png", stitched)
