"""What changes of colour ask of an image: the mean of each channel."""

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel


@kernel
def channel_means(means, x):
    """Write the mean of each channel of each image.

    Parameters
    ----------
    means : (N, C) float64 array
        Written.
    x : (N, H, W, C) array
        Of uint8, float32 or float64.
    """
    chunks = min(max(1, x.shape[0]), chunks_for(x.size, 64))
    parallel(_means, chunks, (chunks, means, x))


@inlined
def _means(chunk, chunks, means, x):
    n, h, w, c = x.shape
    first, last = chunk_of(chunk, chunks, n)
    for image in range(first, last):
        for k in range(c):
            means[image, k] = 0.0
        for i in range(h):
            for k in range(c):
                total = 0.0
                for j in range(w):
                    total += x[image, i, j, k]
                means[image, k] += total
        for k in range(c):
            means[image, k] /= h * w
