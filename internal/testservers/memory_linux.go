package testservers

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Memory is a folder on a file system in memory where there is one and enough of both, else "".
// A program that cannot do without fsync does not wait for a disk there, and what it wrote
// survives its SIGKILL as well.
func Memory() string {
	const folder, room, left = "/dev/shm", 4 << 30, 8 << 30
	var fs unix.Statfs_t
	if err := unix.Statfs(folder, &fs); err != nil || fs.Type != unix.TMPFS_MAGIC || fs.Bavail*uint64(fs.Bsize) < room {
		return ""
	}
	if available() < left || unix.Access(folder, unix.W_OK) != nil {
		return ""
	}
	return folder
}

// available is how many bytes of memory programs can still get, as the kernel estimates it.
func available() int64 {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "MemAvailable:" {
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			return n << 10
		}
	}
	return 0
}
