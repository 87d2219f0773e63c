"""Metric learning for image similarity search: examples/vision/metric_learning.py. The tape is `keras.gradients`."""

import random
from collections import defaultdict

import keras
import numpy as np
from keras import layers, ops
from keras.datasets import cifar10

(x_train, y_train), (x_test, y_test) = cifar10.load_data()
x_train = x_train.astype("float32") / 255.0
y_train = np.squeeze(y_train)
x_test = x_test.astype("float32") / 255.0
y_test = np.squeeze(y_test)
side, classes = 32, 10
train_places = defaultdict(list)
for place, y in enumerate(y_train):
    train_places[y].append(place)


class AnchorPositivePairs(keras.utils.Sequence):
    def __init__(self, count):
        super().__init__()
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, _idx):
        x = np.empty((2, classes, side, side, 3), dtype=np.float32)
        for k in range(classes):
            x[0, k], x[1, k] = (x_train[one] for one in random.sample(train_places[k], 2))
        return x


class EmbeddingModel(keras.Model):
    def train_step(self, data):
        if isinstance(data, tuple):
            data = data[0]
        anchors, positives = data[0], data[1]
        sparse_labels = np.arange(classes)

        def loss_of(pair):
            anchor_embeddings = self(pair[0], training=True)
            positive_embeddings = self(pair[1], training=True)
            similarities = ops.einsum("ae,pe->ap", anchor_embeddings, positive_embeddings)
            similarities /= 0.2
            return self.compute_loss(y=sparse_labels, y_pred=similarities), ops.stop_gradient(similarities)

        (loss, similarities), gradients = keras.gradients(loss_of, [anchors, positives], self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(sparse_labels, similarities)
        return {m.name: m.result() for m in self.metrics}


inputs = layers.Input(shape=(side, side, 3))
x = layers.Conv2D(filters=32, kernel_size=3, strides=2, activation="relu")(inputs)
x = layers.Conv2D(filters=64, kernel_size=3, strides=2, activation="relu")(x)
x = layers.Conv2D(filters=128, kernel_size=3, strides=2, activation="relu")(x)
x = layers.GlobalAveragePooling2D()(x)
embeddings = layers.Dense(units=8, activation=None)(x)
embeddings = layers.UnitNormalization()(embeddings)
model = EmbeddingModel(inputs, embeddings)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-3),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
history = model.fit(AnchorPositivePairs(count=4), epochs=2)
assert len(history.history["loss"]) == 2
embeddings = model.predict(x_test)
gram_matrix = np.einsum("ae,be->ab", embeddings, embeddings)
neighbours = np.argsort(gram_matrix.T)[:, -11:]
np.testing.assert_allclose(np.diag(gram_matrix), 1, rtol=1e-4)
