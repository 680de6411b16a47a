// Evaluation tests
