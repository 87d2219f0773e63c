"""The examples and guides of keras.io for CNNs, a script each: their calls and features, in their order, on small data.

A script is written for Keras: ``import keras``. Arrays of the right shape stand for downloads and for ``tf.data``,
random weights for those of ImageNet, and ``keras.gradients`` for TensorFlow's tape. `running` runs it on fastcnn, or on
Keras itself, with nothing changed but what ``keras`` means.
"""
