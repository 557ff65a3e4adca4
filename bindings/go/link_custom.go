//go:build palitra_custom

package palitra

// With -tags palitra_custom nothing is linked by itself: CGO_CFLAGS says where palitra.h is, and CGO_LDFLAGS names
// the library, which may be one of your own jobs, or an archive.

import "C"
