"""Kernels beside PyTorch in float64: another team's reading of the same formulas."""

import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels import codes, cpu, loss_codes
from tests.kernels.checking import random, unwritten

torch = pytest.importorskip("torch")
F = torch.nn.functional

pytestmark = pytest.mark.peers

LINEAR = np.array([-np.inf, np.inf])


def _tensor(array, channels_first=False):
    tensor = torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 1) if channels_first else array).copy())
    return tensor.requires_grad_(tensor.is_floating_point())


def _agree(got, tensor, channels_first=False):
    expected = tensor.detach().numpy()
    expected = np.moveaxis(expected, 1, -1) if channels_first else expected
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-10 * max(1, np.abs(expected).max(initial=0)))


ACTIVATIONS = {
    "LINEAR": lambda x: x * 1, "RELU": F.relu, "SIGMOID": torch.sigmoid, "TANH": torch.tanh,
    "LEAKY_RELU": lambda x: F.leaky_relu(x, 0.3), "ELU": lambda x: F.elu(x, 0.3), "SELU": F.selu, "SILU": F.silu,
    "GELU": F.gelu, "GELU_TANH": lambda x: F.gelu(x, approximate="tanh"),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name):
    code = getattr(codes, name)
    x, dy = 3 * random(200), random(200, seed=1)
    y, dx = unwritten(200), unwritten(200)
    cpu.activation_forward(y, x, code, 0.3, 0.0)
    cpu.activation_backward(dx, dy, x if codes.saves_input(code) else y, code, 0.3, 0.0)
    input_ = _tensor(x)
    output = ACTIVATIONS[name](input_)
    output.backward(torch.from_numpy(dy))
    _agree(y, output)
    _agree(dx, input_.grad)


@pytest.mark.parametrize("log_of_it", [False, True])
def test_softmax(log_of_it):
    x, dy = random(5, 7), random(5, 7, seed=1)
    y, dx = unwritten(5, 7), unwritten(5, 7)
    cpu.softmax_forward(y, x, log_of_it)
    cpu.softmax_backward(dx, dy, y, log_of_it)
    input_ = _tensor(x)
    output = (F.log_softmax if log_of_it else F.softmax)(input_, dim=1)
    output.backward(torch.from_numpy(dy))
    _agree(y, output)
    _agree(dx, input_.grad)


@pytest.mark.parametrize(("window", "strides", "padding"), [
    ((2, 2), (2, 2), (0, 0)), ((3, 3), (2, 2), (1, 1)), ((3, 2), (1, 2), (1, 0)), ((8, 9), (8, 9), (0, 0))])
def test_pooling(window, strides, padding):
    shape = (2, 8, 9, 5)
    x = random(*shape)
    geometry = shapes.pool2d(shape, window, strides, padding)
    sizes = tuple(int(geometry[0][name]) for name in ("n", "oh", "ow", "c"))
    dy, y, dx = random(*sizes, seed=1), unwritten(*sizes), unwritten(*shape)
    argmax = np.empty(sizes, cpu.max_pool2d_index_type(geometry))

    cpu.max_pool2d_forward(y, argmax, x, geometry)
    cpu.max_pool2d_backward(dx, dy, argmax, geometry)
    input_ = _tensor(x, channels_first=True)
    output = F.max_pool2d(input_, window, strides, padding)
    output.backward(torch.from_numpy(np.moveaxis(dy, -1, 1).copy()))
    _agree(y, output, channels_first=True)
    _agree(dx, input_.grad, channels_first=True)

    cpu.average_pool2d_forward(y, x, geometry)
    cpu.average_pool2d_backward(dx, dy, geometry)
    input_ = _tensor(x, channels_first=True)
    output = F.avg_pool2d(input_, window, strides, padding, count_include_pad=False)
    output.backward(torch.from_numpy(np.moveaxis(dy, -1, 1).copy()))
    _agree(y, output, channels_first=True)
    _agree(dx, input_.grad, channels_first=True)


def test_batch_norm():
    x, dy, gamma, beta = random(50, 6), random(50, 6, seed=1), 1 + random(6, seed=2) / 4, random(6, seed=3)
    y, mean, rstd, dx = unwritten(50, 6), unwritten(6), unwritten(6), unwritten(50, 6)
    moving_mean, moving_variance, dgamma, dbeta = np.zeros(6), np.ones(6), np.zeros(6), np.zeros(6)
    scratch = unwritten(cpu.batch_norm_forward_scratch(x.shape, x.dtype))
    cpu.batch_norm_forward(y, mean, rstd, moving_mean, moving_variance, scratch, x, x[:0, 0], gamma, beta, 0.9, 1e-3,
                           1.0, np.inf)
    scratch = unwritten(cpu.batch_norm_backward_scratch(x.shape, x.dtype))
    cpu.batch_norm_backward(dx, dgamma, dbeta, scratch, dy, x, mean, rstd, gamma, beta, 1.0, np.inf)

    input_, weight, bias = _tensor(x), _tensor(gamma), _tensor(beta)
    running_mean, running_variance = torch.zeros(6, dtype=torch.float64), torch.ones(6, dtype=torch.float64)
    output = F.batch_norm(input_, running_mean, running_variance, weight, bias, training=True, momentum=0.1, eps=1e-3)
    output.backward(torch.from_numpy(dy))
    _agree(y, output)
    _agree(dx, input_.grad)
    _agree(dgamma, weight.grad)
    _agree(dbeta, bias.grad)
    _agree(moving_mean, running_mean)
    # PyTorch's moving variance takes the unbiased one of the batch, Keras's the biased one.
    _agree((moving_variance - 0.9) * 50 / 49 + 0.9, running_variance)


def _losses(kernel, x, targets, *settings):
    losses, dx = unwritten(len(x)), unwritten(*x.shape)
    kernel(losses, dx, x, targets, np.empty(0), *settings, 1 / len(x))
    return losses.mean(), dx


def _elementwise(kernel, code, x, targets):
    losses, dx = unwritten(len(x)), unwritten(*x.shape)
    kernel(losses, dx, x, targets, np.empty(0), code, 0.0, 0.0, 0.0, 1 / x.shape[1], 1 / len(x), True)
    return losses.mean(), dx


def test_losses_from_logits():
    x, labels, soft = random(6, 5), np.array([0, 4, 2, 2, 1, 3]), np.random.default_rng(0).random((6, 5))
    for kernel, target in ((cpu.softmax_sparse_categorical_crossentropy, labels),
                           (cpu.softmax_categorical_crossentropy, soft)):
        losses, dx, probabilities = unwritten(len(x)), unwritten(*x.shape), unwritten(*x.shape)
        kernel(losses, dx, probabilities, x, target, np.empty(0), 1 / len(x))
        input_ = _tensor(x)
        output = F.cross_entropy(input_, torch.from_numpy(target))
        output.backward()
        _agree(losses.mean(), output)
        _agree(dx, input_.grad)
        _agree(probabilities, F.softmax(input_, dim=1))
    for kernel, code, peer in ((cpu.binary_loss, loss_codes.BINARY_LOGITS, F.binary_cross_entropy_with_logits),
                                (cpu.elementwise_loss, loss_codes.SQUARED, F.mse_loss),
                                (cpu.elementwise_loss, loss_codes.ABSOLUTE, F.l1_loss)):
        value, dx = _elementwise(kernel, code, x, soft)
        input_ = _tensor(x)
        output = peer(input_, torch.from_numpy(soft))
        output.backward()
        _agree(value, output)
        _agree(dx, input_.grad)


def test_losses_from_probabilities():
    x, labels, soft = np.random.default_rng(1).random((6, 5)), np.array([0, 4, 2, 2, 1, 3]), random(6, 5) ** 2
    x[0, 0], x[1] = 0, [0, 0, 0, 0, 1]  # what the clip changes
    for kernel, settings, target, peer in (
            (cpu.sparse_categorical_crossentropy, (), labels,
             lambda q: F.nll_loss(torch.log(q), _tensor(labels))),
            (cpu.categorical_crossentropy, (0.0,), soft,
             lambda q: -(_tensor(soft) * torch.log(q)).sum(dim=1).mean())):
        value, dx = _losses(kernel, x, target, *settings)
        input_ = _tensor(x)
        output = peer(torch.clip(input_ / input_.sum(dim=1, keepdim=True), 1e-7, 1 - 1e-7))
        output.backward()
        _agree(value, output)
        _agree(dx, input_.grad)
    value, dx = _elementwise(cpu.binary_loss, loss_codes.BINARY, x, soft / soft.max())
    input_ = _tensor(x)
    output = F.binary_cross_entropy(torch.clip(input_, 1e-7, 1 - 1e-7), torch.from_numpy(soft / soft.max()))
    output.backward()
    _agree(value, output)
    _agree(dx, input_.grad)


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}], ids=str)
def test_sgd(options):
    values, velocity = random(30), np.zeros(30 if options else 0)
    parameter = _tensor(values)
    peer = torch.optim.SGD([parameter], lr=0.1, **options)
    for step in range(4):
        gradients = random(30, seed=1 + step)
        cpu.sgd(values, velocity, gradients, 0.1, options.get("momentum", 0.0), options.get("nesterov", False),
                      0.0, False)
        parameter.grad = torch.from_numpy(gradients)
        peer.step()
    _agree(values, parameter)


def test_adam():
    values, m, v = random(30), np.zeros(30), np.zeros(30)
    parameter = _tensor(values)
    peer = torch.optim.Adam([parameter], lr=0.01, eps=0)  # the two put epsilon at different places
    for step in range(1, 5):
        gradients = random(30, seed=step)
        cpu.adam(values, m, v, np.empty(0), gradients, 0.01, 0.9, 0.999, 0.0, step, 0.0, False)
        parameter.grad = torch.from_numpy(gradients)
        peer.step()
    _agree(values, parameter)


@pytest.mark.parametrize(("size", "options"), [
    ((3, 3), {}), ((1, 1), {}), ((5, 3), {"padding": (2, 1)}), ((3, 3), {"strides": (2, 3), "padding": (1, 0)}),
    ((3, 2), {"dilation": (2, 3), "padding": (2, 1)}), ((3, 3), {"groups": 3, "padding": (1, 1)})], ids=str)
def test_convolution(size, options):
    shape, filters = (2, 9, 10, 6), 9
    geometry = shapes.conv2d(shape, filters, size, **options)
    g = {name: int(geometry[0][name]) for name in geometry.dtype.names}
    x, kernel, bias = random(*shape), random(*size, 6 // g["groups"], filters, seed=1), random(filters, seed=2)
    y, dx = unwritten(2, g["oh"], g["ow"], filters), unwritten(*shape)
    dy, dkernel, dbias = random(*y.shape, seed=3), np.zeros_like(kernel), np.zeros(filters)
    cpu.conv2d_forward(y, unwritten(cpu.conv2d_forward_packed(geometry, x.dtype)), x, kernel, bias, bias[:0],
                       LINEAR, 0, geometry)
    cpu.conv2d_backward_input(
        dx, unwritten(cpu.conv2d_backward_input_scratch(geometry, x.dtype)),
        unwritten(cpu.conv2d_backward_input_packed(geometry, x.dtype)), dy, kernel, np.empty(0), LINEAR, 0, geometry)
    cpu.conv2d_backward_weights(
        dkernel, dbias, unwritten(cpu.conv2d_backward_weights_scratch(geometry, x.dtype)), x, dy, geometry)

    input_, weight, offset = _tensor(x, channels_first=True), _tensor(np.transpose(kernel, (3, 2, 0, 1))), _tensor(bias)
    output = F.conv2d(input_, weight, offset, options.get("strides", 1), options.get("padding", 0),
                      options.get("dilation", 1), g["groups"])
    output.backward(torch.from_numpy(np.moveaxis(dy, -1, 1).copy()))
    _agree(y, output, channels_first=True)
    _agree(dx, input_.grad, channels_first=True)
    _agree(dkernel, weight.grad.permute(2, 3, 1, 0))
    _agree(dbias, offset.grad)


@pytest.mark.parametrize(("size", "options"), [
    ((3, 3), {"padding": 1}), ((5, 5), {"padding": 2, "strides": 2}), ((3, 3), {"padding": 1, "strides": 2}),
    ((5, 5), {"padding": 2}), ((2, 4), {"padding": 3, "strides": 3, "dilation": 2})], ids=str)
def test_depthwise_convolution(size, options):
    shape = (2, 13, 16, 11)
    pairs = {name: (value, value) for name, value in options.items()}
    geometry = shapes.conv2d(shape, 11, size, **pairs, groups=11)
    x, kernel, bias = random(*shape), random(*size, 1, 11, seed=1), random(11, seed=2)
    y, dx = unwritten(*(int(geometry[0][name]) for name in ("n", "oh", "ow", "c"))), unwritten(*shape)
    dy, dkernel, dbias = random(*y.shape, seed=3), np.zeros_like(kernel), np.zeros(11)

    def scratch(wanted):
        return unwritten(wanted(geometry, x.dtype))

    cpu.depthwise2d_forward(y, scratch(cpu.depthwise2d_forward_scratch), x, kernel, bias, LINEAR, geometry)
    cpu.depthwise2d_backward_input(
        dx, scratch(cpu.depthwise2d_backward_input_scratch), dy, kernel, np.empty(0), LINEAR, geometry)
    cpu.depthwise2d_backward_weights(dkernel, dbias, scratch(cpu.depthwise2d_backward_weights_scratch), x, dy, geometry)

    input_, weight, offset = _tensor(x, channels_first=True), _tensor(np.transpose(kernel, (3, 2, 0, 1))), _tensor(bias)
    output = F.conv2d(input_, weight, offset, options.get("strides", 1), options["padding"],
                      options.get("dilation", 1), 11)
    output.backward(torch.from_numpy(np.moveaxis(dy, -1, 1).copy()))
    _agree(y, output, channels_first=True)
    _agree(dx, input_.grad, channels_first=True)
    _agree(dkernel, weight.grad.permute(2, 3, 1, 0))
    _agree(dbias, offset.grad)
