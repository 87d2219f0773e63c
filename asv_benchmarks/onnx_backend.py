"""ONNX files run by the backend, one sample at a time: how long a run takes, and the first one."""

from asv_benchmarks.onnx_files import file, sample
from asv_benchmarks.shapes import FILES


class Files:
    """A file whose parts are planned; those of others are passed over where they do not lie beside the project."""

    params = tuple(FILES)
    param_names = ("name",)

    def setup(self, name):
        try:
            from fastcnn.onnx import backend

            self.proto = file(name)
        except (ImportError, FileNotFoundError) as error:  # onnx is an extra
            raise NotImplementedError from error
        self.inputs, self.ready = sample(self.proto), backend.prepare(self.proto)
        for _ in range(3):
            self.ready.run(self.inputs)

    def time_run(self, name):
        self.ready.run(self.inputs)

    def time_prepare_and_first_run(self, name):
        from fastcnn.onnx import backend

        backend.prepare(self.proto).run(self.inputs)
