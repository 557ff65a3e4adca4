module palitra

go 1.24
