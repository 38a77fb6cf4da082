//go:build !linux

package vfs

import "os"

// syncData is the system's full sync, which on macOS reaches the medium.
func syncData(f *os.File) error { return f.Sync() }
