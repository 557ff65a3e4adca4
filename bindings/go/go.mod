module palitra.example/bindings/go

go 1.24
