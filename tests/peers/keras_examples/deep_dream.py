"""Deep Dream: examples/generative/deep_dream.py. The tape is `keras.gradients`."""

import keras
import numpy as np
from keras import ops
from keras.applications import inception_v3

from tests.peers.keras_examples import material

base_image_path = material.picture("sky.jpg", 200, 180)
layer_settings = {"mixed4": 1.0, "mixed5": 1.5, "mixed6": 2.0, "mixed7": 2.5}
step, num_octave, octave_scale, iterations, max_loss = 0.01, 2, 1.4, 2, 15.0


def preprocess_image(image_path):
    img = keras.utils.load_img(image_path)
    img = keras.utils.img_to_array(img)
    img = np.expand_dims(img, axis=0)
    return inception_v3.preprocess_input(img)


def deprocess_image(x):
    x = x.reshape((x.shape[1], x.shape[2], 3))
    return np.clip((x / 2.0 + 0.5) * 255.0, 0, 255).astype("uint8")


model = inception_v3.InceptionV3(weights=None, include_top=False)
outputs_dict = {name: model.get_layer(name).output for name in layer_settings}
feature_extractor = keras.Model(inputs=model.inputs, outputs=outputs_dict)


def compute_loss(input_image):
    features = feature_extractor(input_image)
    loss = ops.zeros(shape=())
    for name in features:
        coeff = layer_settings[name]
        activation = features[name]
        scaling = float(np.prod([n or 1 for n in activation.shape]))
        loss += coeff * ops.sum(ops.square(activation[:, 2:-2, 2:-2, :])) / scaling
    return loss


def gradient_ascent_step(img, learning_rate):
    loss, grads = keras.gradients(compute_loss, img)
    grads = grads / np.maximum(np.mean(np.abs(grads)), 1e-6)
    return loss, img + learning_rate * grads


def gradient_ascent_loop(img, iterations, learning_rate, max_loss=None):
    for i in range(iterations):
        loss, img = gradient_ascent_step(img, learning_rate)
        if max_loss is not None and loss > max_loss:
            break
        print(f"... loss at step {i}: {float(loss):.2f}")
    return img


original_img = preprocess_image(base_image_path)
original_shape = original_img.shape[1:3]
shapes = [original_shape] + [tuple(int(dim / octave_scale**i) for dim in original_shape)
                             for i in range(1, num_octave)]
shapes = shapes[::-1]


def resized(image, shape):
    return np.asarray(ops.image.resize(image, shape))


shrunk_original_img = resized(original_img, shapes[0])
img = np.copy(original_img)
for shape in shapes:
    img = resized(img, shape)
    img = gradient_ascent_loop(img, iterations=iterations, learning_rate=step, max_loss=max_loss)
    lost_detail = resized(original_img, shape) - resized(shrunk_original_img, shape)
    img += lost_detail
    shrunk_original_img = resized(original_img, shape)
keras.utils.save_img("sky_dream.png", deprocess_image(np.array(img)))
