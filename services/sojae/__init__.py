"""The shared core of Sojae: templates, identities, rules, and the adapters to Kafka, Delta Lake and ONNX."""
