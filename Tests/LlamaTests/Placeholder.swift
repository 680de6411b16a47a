// Llama tests
