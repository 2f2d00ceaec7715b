"""Events from Kafka, checked and integrated into the store, exactly once."""
