"""Writing your own callbacks: guides/writing_your_own_callbacks.py."""

import keras
import numpy as np


def get_model():
    model = keras.Sequential()
    model.add(keras.layers.Dense(1))
    model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=0.1), loss="mean_squared_error",
                  metrics=["mean_absolute_error"])
    return model


(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = x_train.reshape(-1, 784).astype("float32") / 255.0
x_test = x_test.reshape(-1, 784).astype("float32") / 255.0
x_train, y_train, x_test, y_test = x_train[:1000], y_train[:1000], x_test[:1000], y_test[:1000]


class CustomCallback(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        print("training begins", list(logs.keys()))

    def on_train_end(self, logs=None):
        print("training ends", list(logs.keys()))

    def on_epoch_begin(self, epoch, logs=None):
        print("epoch", epoch, "begins", list(logs.keys()))

    def on_epoch_end(self, epoch, logs=None):
        print("epoch", epoch, "ends", list(logs.keys()))

    def on_test_begin(self, logs=None):
        print("testing begins", list(logs.keys()))

    def on_test_end(self, logs=None):
        print("testing ends", list(logs.keys()))

    def on_predict_begin(self, logs=None):
        print("predicting begins", list(logs.keys()))

    def on_predict_end(self, logs=None):
        print("predicting ends", list(logs.keys()))

    def on_train_batch_begin(self, batch, logs=None):
        print("batch", batch, list(logs.keys()))

    def on_train_batch_end(self, batch, logs=None):
        print("batch", batch, list(logs.keys()))

    def on_test_batch_begin(self, batch, logs=None):
        print("batch of a test", batch, list(logs.keys()))

    def on_test_batch_end(self, batch, logs=None):
        print("batch of a test", batch, list(logs.keys()))

    def on_predict_batch_begin(self, batch, logs=None):
        print("batch to predict", batch, list(logs.keys()))

    def on_predict_batch_end(self, batch, logs=None):
        print("batch to predict", batch, list(logs.keys()))


model = get_model()
model.fit(x_train, y_train, batch_size=16, epochs=1, verbose=0, validation_split=0.5, callbacks=[CustomCallback()])
res = model.evaluate(x_test, y_test, batch_size=16, verbose=0, callbacks=[CustomCallback()])
res = model.predict(x_test, batch_size=16, callbacks=[CustomCallback()])


class LossAndErrorPrintingCallback(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        print("up to batch {}, loss {:7.2f}".format(batch, logs["loss"]))

    def on_test_batch_end(self, batch, logs=None):
        print("up to batch {}, loss {:7.2f}".format(batch, logs["loss"]))

    def on_epoch_end(self, epoch, logs=None):
        print("epoch {}: loss {:7.2f}, error {:7.2f}".format(epoch, logs["loss"], logs["mean_absolute_error"]))


model = get_model()
model.fit(x_train, y_train, batch_size=16, epochs=2, verbose=0, callbacks=[LossAndErrorPrintingCallback()])
res = model.evaluate(x_test, y_test, batch_size=16, verbose=0, callbacks=[LossAndErrorPrintingCallback()])


class EarlyStoppingAtMinLoss(keras.callbacks.Callback):
    def __init__(self, patience=0):
        super().__init__()
        self.patience = patience
        self.best_weights = None

    def on_train_begin(self, logs=None):
        self.wait = 0
        self.stopped_epoch = 0
        self.best = np.inf

    def on_epoch_end(self, epoch, logs=None):
        current = logs.get("loss")
        if np.less(current, self.best):
            self.best = current
            self.wait = 0
            self.best_weights = self.model.get_weights()
        else:
            self.wait += 1
            if self.wait >= self.patience:
                self.stopped_epoch = epoch
                self.model.stop_training = True
                self.model.set_weights(self.best_weights)

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0:
            print(f"epoch {self.stopped_epoch + 1}: stopped")


model = get_model()
model.fit(x_train, y_train, batch_size=16, epochs=30, verbose=0,
          callbacks=[LossAndErrorPrintingCallback(), EarlyStoppingAtMinLoss()])


class CustomLearningRateScheduler(keras.callbacks.Callback):
    def __init__(self, schedule):
        super().__init__()
        self.schedule = schedule

    def on_epoch_begin(self, epoch, logs=None):
        if not hasattr(self.model.optimizer, "learning_rate"):
            raise ValueError('Optimizer must have a "learning_rate" attribute.')
        rate = self.model.optimizer.learning_rate
        scheduled = self.schedule(epoch, rate)
        self.model.optimizer.learning_rate = scheduled
        print(f"epoch {epoch}: learning rate {float(np.array(scheduled))}")


RATES = {3: 0.05, 6: 0.01, 9: 0.005, 12: 0.001}


def lr_schedule(epoch, rate):
    return RATES.get(epoch, rate)


model = get_model()
model.fit(x_train, y_train, batch_size=16, epochs=15, verbose=0,
          callbacks=[LossAndErrorPrintingCallback(), CustomLearningRateScheduler(lr_schedule)])
assert float(np.array(model.optimizer.learning_rate)) == np.float32(0.001)
