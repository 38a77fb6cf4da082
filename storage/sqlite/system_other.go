//go:build !unix

package sqlite

import "path/filepath"

// systemOf tells a file from a copy of it by where it is.
func systemOf(path string) (string, error) { return filepath.EvalSymlinks(path) }
