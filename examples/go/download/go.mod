module download

go 1.24

require palitra v0.0.0

replace palitra => ../../../bindings/go
