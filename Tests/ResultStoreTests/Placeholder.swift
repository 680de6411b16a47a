// ResultStore tests
