"""Networks that are known by a name: functions that return a fresh `fastcnn.Sequential`."""

from fastcnn.applications.convnet import ConvNet
from fastcnn.applications.lenet import LeNet, LeNet5

__all__ = ["ConvNet", "LeNet", "LeNet5", "by_name"]

#: The names that the command line takes.
by_name = {"lenet": LeNet, "lenet5": LeNet5, "convnet": ConvNet}
