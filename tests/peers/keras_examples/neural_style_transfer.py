"""Neural style transfer: examples/generative/neural_style_transfer.py. The tape is `keras.gradients`."""

import keras
import numpy as np
from keras import ops
from keras.applications import vgg19

from tests.peers.keras_examples import material

base_image_path = material.picture("paris.jpg", 80, 64)
style_reference_image_path = material.picture("starry_night.jpg", 70, 70, seed=3)
total_variation_weight, style_weight, content_weight = 1e-6, 1e-6, 2.5e-8
width, height = keras.utils.load_img(base_image_path).size
img_nrows = 40
img_ncols = int(width * img_nrows / height)


def preprocess_image(image_path):
    img = keras.utils.load_img(image_path, target_size=(img_nrows, img_ncols))
    img = keras.utils.img_to_array(img)
    img = np.expand_dims(img, axis=0)
    return ops.convert_to_tensor(vgg19.preprocess_input(img))


def deprocess_image(x):
    x = x.reshape((img_nrows, img_ncols, 3)) + np.array([103.939, 116.779, 123.68])
    return np.clip(x[:, :, ::-1], 0, 255).astype("uint8")


def gram_matrix(x):
    x = ops.transpose(x, (2, 0, 1))
    features = ops.reshape(x, (ops.shape(x)[0], -1))
    return ops.matmul(features, ops.transpose(features))


def style_loss(style, combination):
    size = img_nrows * img_ncols
    return ops.sum(ops.square(gram_matrix(style) - gram_matrix(combination))) / (4.0 * (3**2) * (size**2))


def content_loss(base, combination):
    return ops.sum(ops.square(combination - base))


def total_variation_loss(x):
    a = ops.square(x[:, : img_nrows - 1, : img_ncols - 1, :] - x[:, 1:, : img_ncols - 1, :])
    b = ops.square(x[:, : img_nrows - 1, : img_ncols - 1, :] - x[:, : img_nrows - 1, 1:, :])
    return ops.sum(ops.power(a + b, 1.25))


model = vgg19.VGG19(weights=None, include_top=False)
outputs_dict = {layer.name: layer.output for layer in model.layers}
feature_extractor = keras.Model(inputs=model.inputs, outputs=outputs_dict)
style_layer_names = ["block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1"]
content_layer_name = "block5_conv2"


def compute_loss(combination_image, base_image, style_reference_image):
    input_tensor = ops.concatenate([base_image, style_reference_image, combination_image], axis=0)
    features = feature_extractor(input_tensor)
    loss = ops.zeros(shape=())
    layer_features = features[content_layer_name]
    loss = loss + content_weight * content_loss(layer_features[0, :, :, :], layer_features[2, :, :, :])
    for layer_name in style_layer_names:
        layer_features = features[layer_name]
        sl = style_loss(layer_features[1, :, :, :], layer_features[2, :, :, :])
        loss += (style_weight / len(style_layer_names)) * sl
    loss += total_variation_weight * total_variation_loss(combination_image)
    return loss


def compute_loss_and_grads(combination_image, base_image, style_reference_image):
    return keras.gradients(lambda image: compute_loss(image, base_image, style_reference_image), combination_image)


optimizer = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(
    initial_learning_rate=100.0, decay_steps=100, decay_rate=0.96))
base_image = preprocess_image(base_image_path)
style_reference_image = preprocess_image(style_reference_image_path)
combination_image = keras.Variable(preprocess_image(base_image_path))
for i in range(1, 4):
    loss, grads = compute_loss_and_grads(np.asarray(combination_image), base_image, style_reference_image)
    optimizer.apply_gradients([(ops.convert_to_tensor(grads), combination_image)])
    if i % 2 == 0:
        print(f"iteration {i}: loss {float(loss):.2f}")
        keras.utils.save_img(f"paris_generated_at_iteration_{i}.png", deprocess_image(np.array(combination_image)))
