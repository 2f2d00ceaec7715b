"""The outside world behind the ports: Avro, Kafka, Delta Lake, ONNX, files."""
