SELECT open_gates() AS opened
