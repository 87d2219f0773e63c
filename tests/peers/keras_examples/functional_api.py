"""The Functional API: guides/functional_api.py."""

import keras
import numpy as np
from keras import layers, ops

inputs = keras.Input(shape=(784,))
img_inputs = keras.Input(shape=(32, 32, 3))
print(inputs.shape, inputs.dtype)
dense = layers.Dense(64, activation="relu")
x = dense(inputs)
x = layers.Dense(64, activation="relu")(x)
outputs = layers.Dense(10)(x)
model = keras.Model(inputs=inputs, outputs=outputs, name="mnist_model")
model.summary()
keras.utils.plot_model(model, "my_first_model.png")
keras.utils.plot_model(model, "my_first_model_with_shape_info.png", show_shapes=True)

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = x_train.reshape(-1, 784).astype("float32") / 255
x_test = x_test.reshape(-1, 784).astype("float32") / 255
model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
              optimizer=keras.optimizers.RMSprop(), metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=64, epochs=2, validation_split=0.2)
test_scores = model.evaluate(x_test, y_test, verbose=2)
print("Test loss:", test_scores[0], "accuracy:", test_scores[1])
model.save("my_model.keras")
del model
model = keras.models.load_model("my_model.keras")

# One graph of layers, two models.
encoder_input = keras.Input(shape=(28, 28, 1), name="img")
x = layers.Conv2D(16, 3, activation="relu")(encoder_input)
x = layers.Conv2D(32, 3, activation="relu")(x)
x = layers.MaxPooling2D(3)(x)
x = layers.Conv2D(32, 3, activation="relu")(x)
x = layers.Conv2D(16, 3, activation="relu")(x)
encoder_output = layers.GlobalMaxPooling2D()(x)
encoder = keras.Model(encoder_input, encoder_output, name="encoder")
encoder.summary()


def decoded(code):
    x = layers.Reshape((4, 4, 1))(code)
    x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
    x = layers.Conv2DTranspose(32, 3, activation="relu")(x)
    x = layers.UpSampling2D(3)(x)
    x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
    return layers.Conv2DTranspose(1, 3, activation="relu")(x)


autoencoder = keras.Model(encoder_input, decoded(encoder_output), name="autoencoder")
autoencoder.summary()

# Models called as layers.
decoder_input = keras.Input(shape=(16,), name="encoded_img")
decoder = keras.Model(decoder_input, decoded(decoder_input), name="decoder")
autoencoder_input = keras.Input(shape=(28, 28, 1), name="img")
autoencoder = keras.Model(autoencoder_input, decoder(encoder(autoencoder_input)), name="autoencoder")
autoencoder.summary()


def get_model():
    inputs = keras.Input(shape=(128,))
    return keras.Model(inputs, layers.Dense(1)(inputs))


models = [get_model() for _ in range(3)]
inputs = keras.Input(shape=(128,))
ensemble = keras.Model(inputs=inputs, outputs=layers.average([model(inputs) for model in models]))

# Several inputs and outputs, of text.
tags, words, departments = 12, 100, 4
title_input = keras.Input(shape=(None,), name="title")
body_input = keras.Input(shape=(None,), name="body")
tags_input = keras.Input(shape=(tags,), name="tags")
title_features = layers.Embedding(words, 64)(title_input)
body_features = layers.Embedding(words, 64)(body_input)
title_features = layers.LSTM(128)(title_features)
body_features = layers.LSTM(32)(body_features)
x = layers.concatenate([title_features, body_features, tags_input])
priority = layers.Dense(1, name="priority")(x)
department = layers.Dense(departments, name="department")(x)
model = keras.Model(inputs=[title_input, body_input, tags_input],
                    outputs={"priority": priority, "department": department})
keras.utils.plot_model(model, "multi_input_and_output_model.png", show_shapes=True)
model.compile(optimizer=keras.optimizers.RMSprop(1e-3),
              loss=[keras.losses.BinaryCrossentropy(from_logits=True),
                    keras.losses.CategoricalCrossentropy(from_logits=True)], loss_weights=[1.0, 0.2])
model.compile(optimizer=keras.optimizers.RMSprop(1e-3),
              loss={"priority": keras.losses.BinaryCrossentropy(from_logits=True),
                    "department": keras.losses.CategoricalCrossentropy(from_logits=True)},
              loss_weights={"priority": 1.0, "department": 0.2})
model.fit({"title": np.random.randint(words, size=(64, 10)), "body": np.random.randint(words, size=(64, 100)),
           "tags": np.random.randint(2, size=(64, tags)).astype("float32")},
          {"priority": np.random.random(size=(64, 1)), "department": np.random.randint(2, size=(64, departments))},
          epochs=2, batch_size=32)

# A small ResNet.
inputs = keras.Input(shape=(32, 32, 3), name="img")
x = layers.Conv2D(32, 3, activation="relu")(inputs)
x = layers.Conv2D(64, 3, activation="relu")(x)
block_1 = layers.MaxPooling2D(3)(x)
x = layers.Conv2D(64, 3, activation="relu", padding="same")(block_1)
x = layers.Conv2D(64, 3, activation="relu", padding="same")(x)
block_2 = layers.add([x, block_1])
x = layers.Conv2D(64, 3, activation="relu", padding="same")(block_2)
x = layers.Conv2D(64, 3, activation="relu", padding="same")(x)
block_3 = layers.add([x, block_2])
x = layers.Conv2D(64, 3, activation="relu")(block_3)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dense(256, activation="relu")(x)
x = layers.Dropout(0.5)(x)
model = keras.Model(inputs, layers.Dense(10)(x), name="toy_resnet")
model.summary()
keras.utils.plot_model(model, "mini_resnet.png", show_shapes=True)
(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
x_train = x_train.astype("float32") / 255.0
y_train = keras.utils.to_categorical(y_train, 10)
model.compile(optimizer=keras.optimizers.RMSprop(1e-3),
              loss=keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["acc"])
model.fit(x_train[:1000], y_train[:1000], batch_size=64, epochs=1, validation_split=0.2)

# Shared layers.
shared_embedding = layers.Embedding(1000, 128)
encoded_a = shared_embedding(keras.Input(shape=(None,), dtype="int32"))
encoded_b = shared_embedding(keras.Input(shape=(None,), dtype="int32"))

# Nodes of the graph used again.
vgg19 = keras.applications.VGG19(weights=None)
extraction = keras.Model(inputs=vgg19.input, outputs=[layer.output for layer in vgg19.layers])
features = extraction(np.random.random((1, 224, 224, 3)).astype("float32"))


class CustomDense(layers.Layer):
    def __init__(self, units=32):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer="random_normal", trainable=True)

    def call(self, inputs):
        return ops.matmul(inputs, self.w) + self.b

    def get_config(self):
        return {"units": self.units}


inputs = keras.Input((4,))
model = keras.Model(inputs, CustomDense(10)(inputs))
new_model = keras.Model.from_config(model.get_config(), custom_objects={"CustomDense": CustomDense})

# Functional models within layers of one's own.
units, steps, dim, batch = 32, 10, 5, 16
inputs = keras.Input((None, units))
x = layers.GlobalAveragePooling1D()(inputs)
classifier = keras.Model(inputs, layers.Dense(1)(x))


class CustomRNN(layers.Layer):
    def __init__(self, classifier):
        super().__init__()
        self.units = units
        self.projection_1 = layers.Dense(units=units, activation="tanh")
        self.projection_2 = layers.Dense(units=units, activation="tanh")
        self.classifier = classifier

    def call(self, inputs):
        outputs = []
        state = ops.zeros(shape=(inputs.shape[0], self.units))
        for t in range(inputs.shape[1]):
            y = self.projection_1(inputs[:, t, :]) + self.projection_2(state)
            state = y
            outputs.append(y)
        return self.classifier(ops.stack(outputs, axis=1))


_ = CustomRNN(classifier)(ops.zeros((1, steps, dim)))
inputs = keras.Input(batch_shape=(batch, steps, dim))
x = layers.Conv1D(32, 3)(inputs)
model = keras.Model(inputs, CustomRNN(layers.Dense(1))(x))
_ = CustomRNN(layers.Dense(1))(ops.zeros((1, 10, 5)))
