"""Grad-CAM class activation visualization: examples/vision/grad_cam.py. The tape is `keras.gradients`."""

import keras
import numpy as np
from keras import ops

from tests.peers.keras_examples import material

keras.config.disable_traceback_filtering()
model_builder = keras.applications.xception.Xception
img_size = (299, 299)
preprocess_input = keras.applications.xception.preprocess_input
decode_predictions = keras.applications.xception.decode_predictions
last_conv_layer_name = "block14_sepconv2_act"
img_path = material.picture("african_elephant.jpg", 320, 300)


def get_img_array(img_path, size):
    img = keras.utils.load_img(img_path, target_size=size)
    return np.expand_dims(keras.utils.img_to_array(img), axis=0)


def make_gradcam_heatmap(img_array, model, last_conv_layer_name, pred_index=None):
    # The layers after the last convolution, as a model of its activations: what a tape watches.
    last = model.get_layer(last_conv_layer_name)
    activations = keras.models.Model(model.inputs, last.output)
    scores = keras.models.Model(last.output, model.output)
    last_conv_layer_output = activations.predict(img_array)
    preds = scores.predict(last_conv_layer_output)
    if pred_index is None:
        pred_index = int(ops.argmax(preds[0]))
    _, grads = keras.gradients(lambda x: scores(x)[:, pred_index], last_conv_layer_output)
    pooled_grads = ops.mean(grads, axis=(0, 1, 2))
    heatmap = last_conv_layer_output[0] @ np.asarray(pooled_grads)[..., None]
    heatmap = np.squeeze(heatmap)
    return np.maximum(heatmap, 0) / max(np.max(heatmap), 1e-9)


def save_gradcam(img_path, heatmap, cam_path="cam.jpg", alpha=0.4):
    img = keras.utils.img_to_array(keras.utils.load_img(img_path))
    heatmap = np.uint8(255 * heatmap)
    jet = np.stack([np.linspace(0, 1, 256), np.sin(np.linspace(0, 3, 256)), np.linspace(1, 0, 256)], -1)
    jet_heatmap = keras.utils.array_to_img(jet[heatmap])
    jet_heatmap = jet_heatmap.resize((img.shape[1], img.shape[0]))
    jet_heatmap = keras.utils.img_to_array(jet_heatmap)
    superimposed = keras.utils.array_to_img(jet_heatmap * alpha + img)
    superimposed.save(cam_path)


img_array = preprocess_input(get_img_array(img_path, size=img_size))
model = model_builder(weights=None)
model.layers[-1].activation = None
preds = model.predict(img_array)
print("Predicted:", decode_predictions(preds, top=1)[0])
heatmap = make_gradcam_heatmap(img_array, model, last_conv_layer_name)
save_gradcam(img_path, heatmap)
img_path = material.picture("cat_and_dog.jpg", 310, 330, seed=2)
img_array = preprocess_input(get_img_array(img_path, size=img_size))
print("Predicted:", decode_predictions(model.predict(img_array), top=2)[0])
for k in (260, 285):
    save_gradcam(img_path, make_gradcam_heatmap(img_array, model, last_conv_layer_name, pred_index=k))
