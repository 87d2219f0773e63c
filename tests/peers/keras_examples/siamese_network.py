"""Image similarity estimation using a Siamese network with a triplet loss: examples/vision/siamese_network.py.

The tape is `keras.gradients`.
"""

import keras
import numpy as np
from keras import Model, layers, metrics, ops, optimizers
from keras.applications import resnet

from tests.peers.keras_examples import material

target_shape = (64, 64)
rng = np.random.default_rng(0)
triplets = [rng.random((6, *target_shape, 3)).astype("float32") for _ in range(3)]
train = material.batches(*(one[:4] for one in triplets), size=2)
validation = material.batches(*(one[4:] for one in triplets), size=2)


class Triplets(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, idx):
        return (self.batches[idx],)


base_cnn = resnet.ResNet50(weights=None, input_shape=(*target_shape, 3), include_top=False)
flatten = layers.Flatten()(base_cnn.output)
dense1 = layers.Dense(512, activation="relu")(flatten)
dense1 = layers.BatchNormalization()(dense1)
dense2 = layers.Dense(256, activation="relu")(dense1)
dense2 = layers.BatchNormalization()(dense2)
output = layers.Dense(256)(dense2)
embedding = Model(base_cnn.input, output, name="Embedding")
trainable = False
for layer in base_cnn.layers:
    if layer.name == "conv5_block1_out":
        trainable = True
    layer.trainable = trainable


class DistanceLayer(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def call(self, anchor, positive, negative):
        ap_distance = ops.sum(ops.square(anchor - positive), -1)
        an_distance = ops.sum(ops.square(anchor - negative), -1)
        return (ap_distance, an_distance)


anchor_input = layers.Input(name="anchor", shape=(*target_shape, 3))
positive_input = layers.Input(name="positive", shape=(*target_shape, 3))
negative_input = layers.Input(name="negative", shape=(*target_shape, 3))
distances = DistanceLayer()(
    embedding(resnet.preprocess_input(anchor_input)),
    embedding(resnet.preprocess_input(positive_input)),
    embedding(resnet.preprocess_input(negative_input)),
)
siamese_network = Model(inputs=[anchor_input, positive_input, negative_input], outputs=distances)


class SiameseModel(Model):
    def __init__(self, siamese_network, margin=0.5):
        super().__init__()
        self.siamese_network = siamese_network
        self.margin = margin
        self.loss_tracker = metrics.Mean(name="loss")

    def call(self, inputs):
        return self.siamese_network(inputs)

    def train_step(self, data):
        loss, gradients = keras.gradients(self._compute_loss, self.images(data),
                                          self.siamese_network.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.siamese_network.trainable_weights))
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}

    def test_step(self, data):
        self.loss_tracker.update_state(self._compute_loss(self.images(data)))
        return {"loss": self.loss_tracker.result()}

    def images(self, data):
        """As a list: a batch may come with a place for targets."""
        return list(data[0] if len(data) == 1 or data[1] is None else data)

    def _compute_loss(self, data):
        ap_distance, an_distance = self.siamese_network(data)
        return ops.maximum(ap_distance - an_distance + self.margin, 0.0)

    @property
    def metrics(self):
        return [self.loss_tracker]


siamese_model = SiameseModel(siamese_network)
siamese_model.compile(optimizer=optimizers.Adam(0.0001))
siamese_model.fit(Triplets(train), epochs=1, validation_data=Triplets(validation))

anchor, positive, negative = train[0]
anchor_embedding, positive_embedding, negative_embedding = (
    embedding(resnet.preprocess_input(anchor)),
    embedding(resnet.preprocess_input(positive)),
    embedding(resnet.preprocess_input(negative)),
)
cosine_similarity = metrics.CosineSimilarity()
print("Positive similarity:", float(cosine_similarity(anchor_embedding, positive_embedding)))
print("Negative similarity:", float(cosine_similarity(anchor_embedding, negative_embedding)))
