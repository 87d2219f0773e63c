"""Image similarity estimation using a Siamese network with a contrastive loss.

examples/vision/siamese_contrastive.py
"""

import random

import keras
import numpy as np
from keras import layers, ops

epochs, batch_size, margin = 1, 16, 1
(x_train_val, y_train_val), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train_val, x_test = x_train_val.astype("float32"), x_test.astype("float32")
x_train, x_val = x_train_val[:32], x_train_val[32:]
y_train, y_val = y_train_val[:32], y_train_val[32:]


def make_pairs(x, y):
    classes = int(max(y)) + 1
    places = [np.where(y == k)[0] for k in range(classes)]
    pairs, labels = [], []
    for one, label in zip(x, y):
        other = random.choice([k for k in range(classes) if k != label])
        pairs += [[one, x[random.choice(places[label])]], [one, x[random.choice(places[other])]]]
        labels += [0, 1]
    return np.array(pairs), np.array(labels).astype("float32")


pairs_train, labels_train = make_pairs(x_train, y_train)
pairs_val, labels_val = make_pairs(x_val, y_val)
pairs_test, labels_test = make_pairs(x_test, y_test)
x_train_1, x_train_2 = pairs_train[:, 0], pairs_train[:, 1]
x_val_1, x_val_2 = pairs_val[:, 0], pairs_val[:, 1]
x_test_1, x_test_2 = pairs_test[:, 0], pairs_test[:, 1]


def euclidean_distance(vects):
    x, y = vects
    sum_square = ops.sum(ops.square(x - y), axis=1, keepdims=True)
    return ops.sqrt(ops.maximum(sum_square, keras.backend.epsilon()))


image = layers.Input((28, 28, 1))
x = layers.BatchNormalization()(image)
x = layers.Conv2D(4, (5, 5), activation="tanh")(x)
x = layers.AveragePooling2D(pool_size=(2, 2))(x)
x = layers.Conv2D(16, (5, 5), activation="tanh")(x)
x = layers.AveragePooling2D(pool_size=(2, 2))(x)
x = layers.Flatten()(x)
x = layers.BatchNormalization()(x)
x = layers.Dense(10, activation="tanh")(x)
embedding_network = keras.Model(image, x)

input_1 = layers.Input((28, 28, 1))
input_2 = layers.Input((28, 28, 1))
tower_1 = embedding_network(input_1)
tower_2 = embedding_network(input_2)
merge_layer = layers.Lambda(euclidean_distance, output_shape=(1,))([tower_1, tower_2])
normal_layer = layers.BatchNormalization()(merge_layer)
output_layer = layers.Dense(1, activation="sigmoid")(normal_layer)
siamese = keras.Model(inputs=[input_1, input_2], outputs=output_layer)


def loss(margin=1):
    def contrastive_loss(y_true, y_pred):
        square_pred = ops.square(y_pred)
        margin_square = ops.square(ops.maximum(margin - (y_pred), 0))
        return ops.mean((1 - y_true) * square_pred + (y_true) * margin_square)

    return contrastive_loss


siamese.compile(loss=loss(margin=margin), optimizer="RMSprop", metrics=["accuracy"])
siamese.summary()
history = siamese.fit([x_train_1, x_train_2], labels_train, validation_data=([x_val_1, x_val_2], labels_val),
                      batch_size=batch_size, epochs=epochs)
for metric in ("accuracy", "loss"):
    print(history.history[metric], history.history["val_" + metric])
results = siamese.evaluate([x_test_1, x_test_2], labels_test)
print("test loss, test acc:", results)
predictions = siamese.predict([x_test_1, x_test_2])
assert predictions.shape == (len(labels_test), 1)
