//go:build !palitra_custom

package palitra

// The usual way to link: libpalitra as `make install` leaves it.

// #cgo pkg-config: palitra
import "C"
