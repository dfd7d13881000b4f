"""`.onnx` files, run by onnxruntime or by OpenCV."""

import cv2
import numpy as np

from digits.reading.models.model import Model


class ONNXModel(Model):
    """An `.onnx` file, run by onnxruntime where that is installed, else by OpenCV's own `cv2.dnn`."""

    format, suffix, magic = "onnx", ".onnx", b"\x08"  # protobuf's tag of the first field, the version
    runtime = "pip install onnxruntime"

    def _open(self, threads: int) -> None:
        data = self.path.read_bytes()
        try:
            self._answer = self._with_onnxruntime(data, threads)
        except ImportError:
            self._answer = self._with_opencv(data)

    def _with_onnxruntime(self, data: bytes, threads: int):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 4
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        given, taken = session.get_inputs(), session.get_outputs()
        self._check_shapes([end.shape for end in given], [end.shape for end in taken])
        return lambda inputs: session.run(None, {given[0].name: inputs})[0]

    def _with_opencv(self, data: bytes):
        network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))

        def answer(inputs: np.ndarray) -> np.ndarray:
            network.setInput(inputs)
            return network.forward().reshape(len(inputs), -1)

        return answer

    def _run(self, inputs: np.ndarray) -> np.ndarray:
        return self._answer(inputs)
