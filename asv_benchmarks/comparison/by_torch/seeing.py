"""PyTorch's side of peers.py: training steps of networks that see; eager, channels last. In PyTorch's process alone.

With stride 2 Keras's "same" pads at the end, PyTorch's padding on both sides, which costs no copy. So PyTorch's YOLO
sees everything turned by 180 degrees, filters and boxes too: its losses are the same, and it pads as it likes best.
"""

from itertools import cycle
from typing import Any

import numpy as np

from asv_benchmarks.comparison import seeing
from asv_benchmarks.comparison.by_torch.layers import images
from asv_benchmarks.comparison.jobs import Job


def yolo_step(of: str) -> Job:
    """As `by_fastcnn.seeing.yolo_step`."""
    import torch

    (height, width), data = seeing.YOLO_SIZE, []
    for batch in seeing.yolo_batches(int(of)):
        y = batch.y.copy()
        y[..., :4] = np.array([width, height, width, height], np.float32) - batch.y[..., [2, 3, 0, 1]]
        data.append((images(batch.x[:, ::-1, ::-1].copy()), torch.from_numpy(y)))
    loss = _YoloLoss()

    def stepper(model: Any) -> Any:
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, eps=1e-7, weight_decay=0.01, fused=True)
        return _step(model, optimizer, lambda y, x: loss(y, x))

    return _job(lambda: stepper(_with_numbers(_yolo(), turned=True)), data)


def unet_step(of: str) -> Job:
    """As `by_fastcnn.seeing.unet_step`."""
    import torch

    data = [(images(batch.x), torch.from_numpy(batch.y)) for batch in seeing.unet_batches(int(of))]

    def stepper(model: Any) -> Any:
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
        return _step(model, optimizer, torch.nn.CrossEntropyLoss())

    return _job(lambda: stepper(_with_numbers(_unet())), data)


def _step(model: Any, optimizer: Any, criterion: Any) -> Any:
    def step(x: Any, y: Any) -> float:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _job(make: Any, data: list[tuple[Any, Any]]) -> Job:
    def check() -> dict[str, np.ndarray]:
        step = make()
        return {"losses": np.array([step(*batch) for batch in data[:3]])}

    step, turn = make(), cycle(data)
    return Job(check, lambda: step(*next(turn)))


def _with_numbers(model: Any, turned: bool = False) -> Any:
    """Give the model the numbers of `seeing.parameter`, filters turned by 180 degrees if asked."""
    import torch

    owners = [module for module in model.modules() if list(module.parameters(recurse=False))]
    with torch.no_grad():
        for number, module in enumerate(owners):
            filters = module.weight.dim() == 4
            for own, kind in ((module.weight, "kernel" if filters else "gamma"),
                              (module.bias, "bias" if filters else "beta")):
                if own is None:
                    continue
                shape = tuple(own.permute(2, 3, 1, 0).shape) if own.dim() == 4 else tuple(own.shape)
                numbers = seeing.parameter(number, kind, shape)
                if own.dim() == 4:
                    numbers = np.ascontiguousarray((numbers[::-1, ::-1] if turned else numbers).transpose(3, 2, 0, 1))
                own.copy_(torch.from_numpy(numbers))
    return model.to(memory_format=torch.channels_last)


def _yolo() -> Any:
    """As `fastcnn.vision.detection.yolo` with one grid."""
    import torch
    from torch import nn

    def convolved(c: int, filters: int, size: int, stride: int = 1) -> Any:
        return nn.Sequential(nn.Conv2d(c, filters, size, stride, size // 2, bias=False),
                             nn.BatchNorm2d(filters, eps=1e-3, momentum=0.03), nn.LeakyReLU(0.2, inplace=True))

    class Residual(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.branch = nn.Sequential(convolved(width, width // 2, 1), convolved(width // 2, width, 3))

        def forward(self, x: Any) -> Any:
            return x + self.branch(x)

    numbers = 5 + seeing.YOLO_CLASSES
    chain: list[Any] = []
    c = 3
    for level in range(1, seeing.YOLO_STRIDE.bit_length()):
        width = seeing.YOLO_FILTERS << (level - 1)
        chain += [convolved(c, width, 3, 2), *([Residual(width)] if level > 2 else [])]
        c = width
    chain += [convolved(c, c, 3), nn.Conv2d(c, len(seeing.YOLO_PRIORS) * numbers, 1)]
    body = nn.Sequential(*chain)

    class Yolo(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = body

        def forward(self, x: Any) -> Any:
            return torch.flatten(self.body(x / 255).permute(0, 2, 3, 1), 1).view(x.shape[0], -1, numbers)

    return Yolo()


class _YoloLoss:
    """As `fastcnn.vision.detection.YoloLoss`: all objects of a batch at once, as detectors of PyTorch do it."""

    def __init__(self) -> None:
        import torch

        (height, width), self.stride = seeing.YOLO_SIZE, seeing.YOLO_STRIDE
        self.rows, self.columns = height // self.stride, width // self.stride
        self.priors = torch.tensor(seeing.YOLO_PRIORS)

    def _own(self, boxes: Any) -> tuple[Any, Any]:
        """Return the places that have an object, of all images counted through, and its number."""
        import torch

        sides, middle = boxes[:, 2:4] - boxes[:, :2], (boxes[:, :2] + boxes[:, 2:4]) / (2 * self.stride)
        factor = torch.maximum(sides[:, None] / self.priors, self.priors / sides[:, None]).amax(2)
        common = torch.minimum(sides[:, None], self.priors).prod(2)
        alike = common / (sides.prod(1, keepdim=True) + self.priors.prod(1) - common)
        fits = factor < seeing.YOLO_RATIO
        fits.scatter_(1, alike.argmax(1, keepdim=True), True)
        cell = middle.floor()
        step = torch.where(middle - cell < 0.5, -1.0, 1.0)
        near = torch.stack([cell, cell + step * torch.tensor([1.0, 0]), cell + step * torch.tensor([0, 1.0])], 1)
        inside = ((near >= 0) & (near < torch.tensor([self.columns, self.rows]))).all(2)
        number, which, prior = torch.nonzero(inside[:, :, None] & fits[:, None, :], as_tuple=True)
        spot = near[number, which]
        half = self.priors[prior] / 2
        at = (spot + 0.5) * self.stride
        overlap = _overlaps(torch.cat([at - half, at + half], 1), boxes[number])[0]
        place = ((self.rows * boxes[number, 5] + spot[:, 1]) * self.columns + spot[:, 0]).long() * len(self.priors)
        order = overlap.argsort()  # the best writes last
        owner = torch.full((int(boxes[:, 5].max() + 1) * self.rows * self.columns * len(self.priors),), -1)
        owner[(place + prior)[order]] = number[order]
        own = torch.nonzero(owner >= 0)[:, 0]
        return own, owner[own]

    def __call__(self, x: Any, targets: Any) -> Any:
        """Return the loss of numbers (N, P, 5 + classes) and rows x1, y1, x2, y2, class (N, M, 5)."""
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

        n, gains = len(x), seeing.YOLO_GAINS
        image = torch.arange(n, dtype=targets.dtype)[:, None, None].expand(-1, targets.shape[1], 1)
        boxes = torch.cat([targets, image], 2).reshape(-1, 6)
        own, number = self._own(boxes)
        truth, t = boxes[number], x.reshape(-1, x.shape[2])[own]
        prior, cell = own % len(self.priors), own // len(self.priors)
        spot = torch.stack([cell % self.columns, cell // self.columns % self.rows], 1)
        shares = t[:, :4].sigmoid()
        middle = (2 * shares[:, :2] + (spot - 0.5)) * self.stride
        half = (2 * shares[:, 2:]) ** 2 * (self.priors[prior] / 2)
        overlap, generalized = _overlaps(torch.cat([middle - half, middle + half], 1), truth)
        count = torch.zeros(n).index_add_(0, truth[:, 5].long(), torch.ones(len(own)))
        share = (1 / (n * count))[truth[:, 5].long()]
        goal = torch.zeros(x.shape[0] * x.shape[1])
        goal[own] = overlap.detach()
        kinds = binary_cross_entropy_with_logits(t[:, 5:], one_hot(truth[:, 4].long(), x.shape[2] - 5).float(),
                                                 reduction="none").sum(1)
        return (gains["box"] * (share * (1 - generalized)).sum() + gains["class"] * (share * kinds).sum()
                + gains["objectness"] * binary_cross_entropy_with_logits(x[..., 4].reshape(-1), goal))


def _overlaps(one: Any, other: Any) -> tuple[Any, Any]:
    """Return IoU and GIoU of boxes, row by row."""
    import torch

    low, high = torch.maximum(one[:, :2], other[:, :2]), torch.minimum(one[:, 2:4], other[:, 2:4])
    common = (high - low).clamp(min=0).prod(1)
    union = (one[:, 2:4] - one[:, :2]).prod(1) + (other[:, 2:4] - other[:, :2]).prod(1) - common
    hull = (torch.maximum(one[:, 2:4], other[:, 2:4]) - torch.minimum(one[:, :2], other[:, :2])).prod(1)
    return common / union, common / union - (hull - union) / hull


def _unet() -> Any:
    """As `fastcnn.applications.UNet`; what it returns are logits."""
    import torch
    from torch import nn

    def convs(c: int, filters: int) -> Any:
        return nn.Sequential(nn.Conv2d(c, filters, 3, padding=1), nn.ReLU(inplace=True),
                             nn.Conv2d(filters, filters, 3, padding=1), nn.ReLU(inplace=True))

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            wide = [seeing.UNET_FILTERS << level for level in range(5)]
            self.down = nn.ModuleList(convs(c, filters) for c, filters in zip([3, *wide], wide, strict=False))
            self.up = nn.ModuleList(nn.ModuleList([nn.ConvTranspose2d(2 * filters, filters, 2, 2),
                                                   convs(2 * filters, filters)]) for filters in wide[-2::-1])
            self.top = nn.Conv2d(wide[0], seeing.UNET_CLASSES, 1)

        def forward(self, x: Any) -> Any:
            skips = []
            for level, block in enumerate(self.down):
                x = block(nn.functional.max_pool2d(x, 2) if level else x)
                skips.append(x)
            for (rise, block), skip in zip(self.up, skips[-2::-1], strict=True):
                x = block(torch.cat([skip, rise(x)], 1))
            return self.top(x)

    return UNet()
