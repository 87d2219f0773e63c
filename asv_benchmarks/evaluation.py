"""kernels/cpu/evaluation/ and the metric over it: average precision of 72 images."""

from functools import cache

from .data import REPEAT

DETECTIONS = (30, 300)  # of an image


@cache
def _boxes(detections: int) -> tuple[list, list]:
    import numpy as np

    rng, objects, found = np.random.default_rng(0), [], []
    for _ in range(72):
        corners = rng.uniform(0, 400, (13, 2))
        boxes = np.hstack([corners, corners + np.exp(rng.uniform(1, 5.5, corners.shape)), rng.integers(0, 3, (13, 1))])
        near = boxes[rng.integers(0, 13, detections)]
        near[:, :4] += rng.normal(0, 4, (detections, 4))
        objects.append(boxes)
        found.append(np.hstack([near, rng.random((detections, 1))]))
    return objects, found


class AveragePrecision:
    """Matching of detections with objects, and the twelve numbers."""

    params, param_names, repeat = (DETECTIONS,), ("detections",), REPEAT

    def setup(self, detections):
        import numpy as np

        import fastcnn as fc
        from fastcnn.kernels import cpu
        from fastcnn.metrics.detections import in_groups, rows_of

        objects, found = _boxes(detections)
        self.metric = fc.metrics.MeanAveragePrecision()
        self.metric.update_state(objects, found)
        grouped = in_groups(rows_of(objects, (5, 6, 7), "", ""), rows_of(found, (6,), "", ""), 100)
        areas, thresholds = np.array([[0, 1e10]] * 4), np.append(np.linspace(0.5, 0.95, 10), 0.5)
        rows = np.ascontiguousarray(grouped.objects[:, [0, 1, 2, 3, 6, 5]])
        outcomes, taken = (np.empty((len(one), 41), np.uint8) for one in (grouped.detections, rows))
        boxes = np.ascontiguousarray(grouped.detections[:, :4])
        self.call = lambda: cpu.match_detections(outcomes, taken, np.empty(len(rows)), boxes, rows, grouped.groups,
                                                 thresholds, areas)
        self.call()

    def time_match_detections(self, detections):
        self.call()

    def time_results(self, detections):
        self.metric.results()
