//go:build unix

package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// systemOf tells a file from a copy of it: the copy has another inode.
func systemOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("inode:%d", stat.Ino), nil
	}
	return filepath.EvalSymlinks(path)
}
