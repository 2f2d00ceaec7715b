"""Models from the store: forward and inverse ONNX graphs on the shelf."""
