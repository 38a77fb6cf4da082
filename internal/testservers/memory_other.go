//go:build !linux

package testservers

// Memory is "": no file system in memory is known here.
func Memory() string { return "" }
