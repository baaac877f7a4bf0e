"""Fine-tuning: Keras 3, any backend; never loaded on a device."""
