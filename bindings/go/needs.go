//go:build !cgo || !unix

package palitra

// What the package needs. Nothing else of it is built here, so that this is all that the compiler says.

var _ = palitra_needs_a_Unix_and_cgo__set_CGO_ENABLED_to_1_and_install_a_C_compiler
