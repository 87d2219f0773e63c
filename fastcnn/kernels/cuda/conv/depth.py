"""As the CPU's `depth`, on CUDA: a thread an element of what is unfolded, or of the volume that slices are folded into.

Calls that fold, in the order of their slices, may have a part of what a slice of the volume gets; the first one starts
from the bias, the last one applies ReLU.
"""

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, load1, rem


@planned
def _numbers(g):
    return g.d, g.h * g.w, g.c, g.c // g.groups, g.od, g.kd, g.sd, g.dd, g.front


@launcher
def unfold_depth(y, x, first, geometry):
    """Write what output slices first .. first + len(y) see, a tap beside the other, as the CPU's."""
    unfolded[blocks_for(y.size), THREADS](y, x, y.size, first, *_numbers(geometry))


@kernel
def unfolded(y: floats, x: floats, size: i32, first: i32, d: i32, pixels: i32, c: i32, cg: i32, od: i32, kd: i32,
             sd: i32, dd: i32, front: i32):
    """A thread an element: (slice, pixel, group, tap, channel)."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        rest = div(at, cg)
        line = div(rest, kd)
        place = div(line, div(c, cg))
        tap, group = i32(rest - line * kd), i32(line - place * div(c, cg))
        row = div(place, pixels)
        volume, value = div(first + row, od), f32(0)
        k = i32(rem(first + row, od) * sd + tap * dd - front)
        if k >= 0 and k < d:
            pixel = i32(i32(i32(volume * d) + k) * pixels + (place - row * pixels))
            value = load1(x, i32(i32(pixel * c) + group * cg + (at - rest * cg)))
        y[at] = value


@launcher
def fold_depth(dx, dy, bias, relu, first, geometry):
    """Add what output slices first .. first + len(dy) have for the slices that they see, as the CPU's."""
    numbers = _numbers(geometry)
    d, pixels, c, od = numbers[0], numbers[1], numbers[2], numbers[4]
    low, high = first // od, -(-(first + dy.shape[0]) // od)  # volumes that these slices belong to
    size = (high - low) * d * pixels * c
    folded[blocks_for(size), THREADS](dx, dy, bias, size, low * d * pixels * c, first, first + dy.shape[0], bias.size,
                                      int(relu), *numbers)


@kernel
def folded(dx: floats, dy: floats, bias: floats, size: i32, begin: i32, first: i32, beyond: i32, has_bias: i32,
           relu: i32, d: i32, pixels: i32, c: i32, cg: i32, od: i32, kd: i32, sd: i32, dd: i32, front: i32):
    """A thread an element of dx."""
    for index in range(cuda.grid(1), size, cuda.gridsize(1)):
        at = i32(begin + index)
        place = div(at, c)
        line = div(place, pixels)
        volume = div(line, d)
        channel, pixel, k = i32(at - place * c), i32(place - line * pixels), i32(line - volume * d)
        group = div(channel, cg)
        seen, last, known = i32(volume * od), i32(volume * od), i32(0)  # slices that see this one
        for tap in range(kd - 1, -1, -1):
            o = i32(k + front - tap * dd)
            if o >= 0 and rem(o, sd) == 0 and div(o, sd) < od:
                last = i32(volume * od + div(o, sd))
                seen, known = last if known == 0 else seen, i32(1)
        total = load1(dx, at) if seen < first else f32(0)
        if seen >= first and has_bias != 0:
            total = load1(bias, channel)
        for tap in range(kd - 1, -1, -1):
            o = i32(k + front - tap * dd)
            if o >= 0 and rem(o, sd) == 0 and div(o, sd) < od:
                row = i32(volume * od + div(o, sd) - first)
                if row >= 0 and row < beyond - first:
                    of = i32(i32(row * pixels) + pixel) * kd * c
                    total += load1(dy, i32(of + i32(group * kd + tap) * cg + (channel - group * cg)))
        if relu != 0 and last >= first and last < beyond and total < f32(0):
            total = f32(0)
        if seen < beyond and last >= first:
            dx[at] = total
