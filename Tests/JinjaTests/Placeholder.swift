// Jinja tests
