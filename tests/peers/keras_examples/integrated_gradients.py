"""Model interpretability with Integrated Gradients: examples/vision/integrated_gradients.py.

The tape is `keras.gradients`.
"""

import keras
import numpy as np
from keras import ops
from keras.applications import xception

from tests.peers.keras_examples import material

keras.config.disable_traceback_filtering()
img_size = (299, 299, 3)
model = xception.Xception(weights=None)
img_path = material.picture("elephant.jpg", 320, 300)


def get_img_array(img_path, size=(299, 299)):
    img = keras.utils.load_img(img_path, target_size=size)
    return np.expand_dims(keras.utils.img_to_array(img), axis=0)


def get_gradients(img_input, top_pred_idx):
    images = np.asarray(ops.cast(img_input, "float32"))
    _, grads = keras.gradients(lambda images: model(images)[:, top_pred_idx], images)
    return grads


def get_integrated_gradients(img_input, top_pred_idx, baseline=None, num_steps=2):
    baseline = np.zeros(img_size, "float32") if baseline is None else baseline.astype(np.float32)
    img_input = img_input.astype(np.float32)
    interpolated = [baseline + (step / num_steps) * (img_input - baseline) for step in range(num_steps + 1)]
    interpolated = xception.preprocess_input(np.array(interpolated).astype(np.float32))
    grads = [get_gradients(ops.expand_dims(img, axis=0), top_pred_idx=top_pred_idx)[0] for img in interpolated]
    grads = ops.convert_to_tensor(np.array(grads), dtype="float32")
    grads = (grads[:-1] + grads[1:]) / 2.0
    return (img_input - baseline) * np.asarray(ops.mean(grads, axis=0))


def random_baseline_integrated_gradients(img_input, top_pred_idx, num_steps=2, num_runs=2):
    found = [get_integrated_gradients(img_input, top_pred_idx, np.random.random(img_size) * 255, num_steps)
             for _ in range(num_runs)]
    return ops.mean(ops.convert_to_tensor(np.array(found)), axis=0)


img = get_img_array(img_path)
orig_img = np.copy(img[0]).astype(np.uint8)
img_processed = xception.preprocess_input(img)
preds = model.predict(img_processed)
top_pred_idx = int(ops.argmax(preds[0]))
print("Predicted:", top_pred_idx, xception.decode_predictions(preds, top=1)[0])
grads = get_gradients(img_processed, top_pred_idx=top_pred_idx)
igrads = random_baseline_integrated_gradients(np.copy(orig_img), top_pred_idx=top_pred_idx, num_steps=1, num_runs=1)
assert grads[0].shape == tuple(igrads.shape) == img_size
