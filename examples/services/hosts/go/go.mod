module host

go 1.24

require palitra.example/bindings/go v0.0.0

replace palitra.example/bindings/go => ../../../../bindings/go
