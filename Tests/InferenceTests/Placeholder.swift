// Inference tests
