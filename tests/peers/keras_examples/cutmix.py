"""CutMix data augmentation for image classification: examples/vision/cutmix.py. NumPy stands for `tf.data`."""

import keras
import numpy as np

from tests.peers.keras_examples import material

keras.utils.set_random_seed(42)
(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
y_train = keras.utils.to_categorical(y_train, num_classes=10)
y_test = keras.utils.to_categorical(y_test, num_classes=10)
side = 32


def preprocess_image(image):
    image = keras.ops.image.resize(image, (side, side))
    return np.asarray(keras.ops.cast(image, "float32") / 255.0)


def cutmix(image1, label1, image2, label2):
    share = np.random.beta(0.25, 0.25)
    cut = int(side * np.sqrt(1 - share))
    x, y = np.random.randint(0, side, 2)
    left, top, right, bottom = np.clip([x - cut // 2, y - cut // 2, x + cut // 2, y + cut // 2], 0, side)
    image = image1.copy()
    image[top:bottom, left:right] = image2[top:bottom, left:right]
    share = 1 - (right - left) * (bottom - top) / side**2
    return image, (share * label1 + (1 - share) * label2).astype("float32")


x_train, x_test = preprocess_image(x_train.astype("float32")), preprocess_image(x_test.astype("float32"))
order = np.random.permutation(len(x_train))
mixed = [cutmix(*one) for one in zip(x_train, y_train, x_train[order], y_train[order])]
train_ds_cmu = material.batches(np.stack([one for one, _ in mixed]), np.stack([one for _, one in mixed]))
train_ds_simple = material.batches(x_train, y_train)
test_ds = material.batches(x_test, y_test)


class Batches(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, idx):
        return self.batches[idx]


def resnet_layer(inputs, num_filters=16, kernel_size=3, strides=1, activation="relu", batch_normalization=True,
                 conv_first=True):
    conv = keras.layers.Conv2D(num_filters, kernel_size=kernel_size, strides=strides, padding="same",
                               kernel_initializer="he_normal", kernel_regularizer=keras.regularizers.L2(1e-4))
    x = conv(inputs) if conv_first else inputs
    if batch_normalization:
        x = keras.layers.BatchNormalization()(x)
    if activation is not None:
        x = keras.layers.Activation(activation)(x)
    return x if conv_first else conv(x)


def resnet_v20(input_shape, depth, num_classes=10):
    filters = 16
    inputs = keras.layers.Input(shape=input_shape)
    x = resnet_layer(inputs=inputs)
    for stack in range(3):
        for block in range((depth - 2) // 6):
            first = stack > 0 and block == 0
            y = resnet_layer(inputs=x, num_filters=filters, strides=2 if first else 1)
            y = resnet_layer(inputs=y, num_filters=filters, activation=None)
            if first:
                x = resnet_layer(inputs=x, num_filters=filters, kernel_size=1, strides=2, activation=None,
                                 batch_normalization=False)
            x = keras.layers.add([x, y])
            x = keras.layers.Activation("relu")(x)
        filters *= 2
    x = keras.layers.AveragePooling2D(pool_size=8)(x)
    y = keras.layers.Flatten()(x)
    outputs = keras.layers.Dense(num_classes, activation="softmax", kernel_initializer="he_normal")(y)
    return keras.models.Model(inputs=inputs, outputs=outputs)


def training_model():
    return resnet_v20((32, 32, 3), 20)


initial_model = training_model()
initial_model.save_weights("initial_weights.weights.h5")
for train in (train_ds_cmu, train_ds_simple):
    model = training_model()
    model.load_weights("initial_weights.weights.h5")
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(Batches(train), validation_data=Batches(test_ds), epochs=1)
    test_loss, test_accuracy = model.evaluate(Batches(test_ds))
    print(f"Test accuracy: {test_accuracy * 100:.2f}%")
