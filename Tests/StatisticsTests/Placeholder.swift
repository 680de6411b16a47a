// Statistics tests
